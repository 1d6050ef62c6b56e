"""Draws the README's picture, docs/graph.svg: the graph of lesson 02 with its gradients.

python tools/readme_picture.py
"""

from __future__ import annotations

from pathlib import Path

import torch

from course_utils import Picture, draw_graph

PLACE = Path(__file__).resolve().parent.parent / "docs/graph.svg"


def draw() -> Picture:
    """The graph of z = x² + y³ at (2, 3), walked backwards."""
    x = torch.tensor(2.0, requires_grad=True)
    y = torch.tensor(3.0, requires_grad=True)
    z = x**2 + y**3
    return draw_graph(z, x=x, y=y, z=z, gradients=True)


if __name__ == "__main__":
    print(draw().save(PLACE))
