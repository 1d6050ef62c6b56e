"""From plain data to an SVG: which cards, what stands on them, where they go, how they look."""
