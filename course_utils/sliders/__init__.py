"""Sliders that keep up: `explore` moves a picture as if it were alive."""

from .controls import play
from .explorer import Explorer, explore

__all__ = ["Explorer", "explore", "play"]
