"""torchviz's picture of the same graph, for comparison."""

from __future__ import annotations

import re
from itertools import count

import torch

from ..core import palette
from ..core.checks import describe
from ..core.picture import Picture

WITHOUT_DOT = (
    "Graphviz's program dot is not on this machine, and torchviz draws with it.",
    "Install Graphviz to see torchviz's picture here; the course's own need no dot.",
)


def draw_with_torchviz(output: torch.Tensor, /, **names: torch.Tensor) -> Picture:
    """The graph behind `output` as torchviz draws it; where Graphviz's `dot` is missing, a line that says so.

    Args:
        output: a tensor with a `grad_fn`, of any shape.
        names: tensors to be labelled, by name.

    Raises:
        TypeError: `output` or one of the names is not a tensor.
        ValueError: `output` has no `grad_fn`.
    """
    from graphviz.backend import ExecutableNotFound
    from torchviz import make_dot

    for name, tensor in {"output": output, **names}.items():
        if not isinstance(tensor, torch.Tensor):
            raise TypeError(f"{name} is {describe(tensor)}; expected a tensor")
    if output.grad_fn is None:
        raise ValueError("output has no grad_fn; expected a tensor computed from one with requires_grad=True")
    dot = make_dot(output, params=names)
    # torchviz names boxes by memory address; numbered in order of appearance they are the same in every run.
    numbers: dict[str, str] = {}
    fresh = count(1)
    dot.body = [re.sub(r"\b\d{9,}\b", lambda m: numbers.setdefault(m[0], f"n{next(fresh)}"), line) for line in dot.body]
    labels = [" ".join(label.split("\\n")) for line in dot.body for label in re.findall(r'label="?([^"\]]+)', line)]
    labels = [" ".join(label.split()) for label in labels]
    description = f"torchviz draws {len(labels)} boxes: {', '.join(labels)}"
    try:
        svg = _in_pixels(dot.pipe(format="svg", encoding="utf-8"))
    except ExecutableNotFound:
        svg = _lines_as_svg(WITHOUT_DOT)
    return Picture(svg, description=description)


def _in_pixels(svg: str) -> str:
    svg = svg[svg.index("<svg") :]
    return re.sub(r'(width|height)="([\d.]+)pt"', lambda m: f'{m[1]}="{float(m[2]) * 4 / 3:.0f}"', svg, count=2)


def _lines_as_svg(lines: tuple[str, ...]) -> str:
    spans = "".join(f'<text x="12" y="{26 + 22 * row}">{line}</text>' for row, line in enumerate(lines))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="{18 + 22 * len(lines)}" font-size="14" '
        f'font-family="DejaVu Sans, sans-serif" fill="{palette.INK}">{spans}</svg>'
    )
