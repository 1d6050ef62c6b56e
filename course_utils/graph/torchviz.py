"""torchviz's graph of the same nodes, for comparison; placed here, so that Graphviz's `dot` is not needed."""

from __future__ import annotations

import html
import re
import warnings
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

import torch

from ..core import palette
from ..core.checks import describe
from ..core.picture import Picture
from .draw.layout import Point, lay_out

if TYPE_CHECKING:
    from graphviz import Digraph

BOX = re.compile(r'\t(\d+) \[label="?(.*?)"?(?: fillcolor=(\w+))?\]\s*', re.DOTALL)
EDGE = re.compile(r"\t(\d+) -> (\d+)(?: \[(?:dir|style)=(\w+)\])?\s*")
PLAIN = "lightgrey"  # what Graphviz fills a box with that has no colour of its own
ONLY_IN_GRAPHVIZ = {"darkolivegreen1": "#caff70", "darkolivegreen3": "#a2cd5a"}  # colours that no browser knows
FONT, ADVANCE, LINE, PAD, GAP = 12, 7.3, 15, 9, 34
ON_BOX = "#000"  # torchviz's boxes are light, also in the dark theme


def draw_with_torchviz(output: torch.Tensor, /, **names: torch.Tensor) -> Picture:
    """The graph behind `output` as torchviz sees it: its boxes, names and colours, from top to bottom.

    Args:
        output: a tensor with a `grad_fn`, of any shape.
        names: tensors to be labelled, by name.

    Raises:
        TypeError: `output` or one of the names is not a tensor.
        ValueError: `output` has no `grad_fn`.
    """
    for name, tensor in {"output": output, **names}.items():
        if not isinstance(tensor, torch.Tensor):
            raise TypeError(f"{name} is {describe(tensor)}; expected a tensor")
    if output.grad_fn is None:
        raise ValueError("output has no grad_fn; expected a tensor computed from one with requires_grad=True")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torchviz compares versions with the old distutils
        from torchviz import make_dot

        dot = make_dot(output, params=names)
    boxes, edges = _read(dot)
    said = ", ".join(" ".join(" ".join(lines).split()) for lines, _ in boxes)
    description = f"torchviz's graph, {len(boxes)} boxes that this course has placed: {said}"
    return Picture(_draw(boxes, edges), description=description)


def _read(dot: Digraph) -> tuple[list[tuple[list[str], str]], list[tuple[int, int, str]]]:
    """torchviz's boxes, as lines of text and a colour, and its edges from box to box, with "none" or "dotted".

    torchviz names boxes by memory address; here they are numbered in order of appearance, the same in every run.
    """
    found = [box.groups() for box in map(BOX.fullmatch, dot.body) if box]
    number = {name: place for place, name in enumerate(dict.fromkeys(name for name, _, _ in found))}
    boxes: list[tuple[list[str], str]] = [([], PLAIN)] * len(number)
    for name, label, colour in found:
        lines = [line.strip() for line in label.replace('\\"', '"').splitlines()]
        boxes[number[name]] = [line for line in lines if line], colour or PLAIN
    links = [edge.groups() for edge in map(EDGE.fullmatch, dot.body) if edge]
    return boxes, [(number[source], number[target], look or "") for source, target, look in links]


def _draw(boxes: list[tuple[list[str], str]], edges: list[tuple[int, int, str]]) -> str:
    """The SVG: the course's own layout, which runs from left to right, turned to run from top to bottom."""
    inputs: dict[int, list[int]] = {box: [] for box in range(len(boxes))}
    for source, target, look in edges:
        if look != "none":  # a saved tensor's edge has no direction, and could close a circle
            inputs[target].append(source)
    order = list(TopologicalSorter(inputs).static_order())
    rank = {box: place for place, box in enumerate(order)}
    ends = [(rank[source], rank[target]) for source, target, _ in edges]
    links = [(min(pair), max(pair)) for pair in ends]
    sizes = [(LINE * len(lines) + PAD, round(ADVANCE * max(map(len, lines))) + 2 * PAD) for lines, _ in boxes]
    layout = lay_out([sizes[box] for box in order], links, gap=GAP, lead=0, port=2 * PAD, width=10**6)
    parts = [_edge([(x, y) for y, x in route], look) for route, (_, _, look) in zip(layout.routes, edges, strict=True)]
    for box, (y, x) in zip(order, layout.corners, strict=True):
        (lines, colour), (height, width) = boxes[box], sizes[box]
        shape = f'x="{x}" y="{y}" width="{width}" height="{height}" fill="{ONLY_IN_GRAPHVIZ.get(colour, colour)}"'
        parts.append(f'<rect {shape} stroke="{palette.INK}"/>')
        for row, line in enumerate(lines, start=1):
            at = f'x="{x + width // 2}" y="{y + LINE * row}" text-anchor="middle" fill="{ON_BOX}"'
            parts.append(f"<text {at}>{html.escape(line)}</text>")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{layout.height}" height="{layout.width}" font-size="{FONT}" '
        f'font-family="DejaVu Sans Mono,Menlo,Consolas,monospace">'
        f'<rect width="100%" height="100%" fill="{palette.PAPER}"/>{"".join(parts)}</svg>'
    )


def _edge(route: list[Point], look: str) -> str:
    """A line of curves that start and end upright at the points, with a head unless `look` is "none"."""
    (x, y), (end, bottom) = route[0], route[-1]
    has_head = look != "none"
    data = [f"M{x} {y}"]
    for x1, y1 in [*route[1:-1], (end, bottom - 7 * has_head)]:
        middle = (y + y1) // 2
        data.append(f"C{x} {middle} {x1} {middle} {x1} {y1}")
        x, y = x1, y1
    dots = ' stroke-dasharray="2 3"' * (look == "dotted")
    line = f'<path d="{"".join(data)}" fill="none" stroke="{palette.INK}"{dots}/>'
    return line + f'<path d="M{end} {bottom}l-4-8h8z" fill="{palette.INK}"/>' * has_head
