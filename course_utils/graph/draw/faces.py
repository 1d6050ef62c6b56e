"""What stands on each card of a graph's drawing, how large the card is, and its SVG.

A size follows from the structure alone (names, shapes, number of uses), never from a number, so that a drawing whose
numbers move does not jump.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Sequence
from math import ceil, prod
from typing import NamedTuple

from ..data import Edge, GraphData, Node
from ..words.operations import sign_of
from ..words.text import (
    KEPT,
    NOT_KEPT,
    NOT_YET,
    called,
    cells,
    clean,
    count,
    format_shape,
    gradient_text,
    is_kept,
    label,
    spelled_sum,
    trouble,
    value_text,
)
from .choose import Card
from .strokes import CELL, DIM, TITLE_CELL, warning_sign

PAD, TITLE_LINE, SMALL_LINE, ROW, STACK = 9, 22, 16, 18, 4
NOTE = 26  # characters in a line of a note


class Face(NamedTuple):
    """The texts of a card and its size in pixels.

    Attributes:
        kind: "leaf", "operation", "output", "constant" or "group": the look of the box.
        name: the large text; in front of an equals sign where there is a `sign` too.
        sign: the operation's sign, or "".
        side: small text in the upper right corner.
        lines: small muted lines under the title.
        rows: (class, label, text) for value, gradient and the gradient's sum, from top to bottom.
        is_troubled: whether a sign in the corner calls for attention: nan, inf, or what a note in `lines` says.
    """

    kind: str
    name: str
    sign: str
    side: str
    lines: Sequence[str]
    rows: Sequence[tuple[str, str, str]]
    is_troubled: bool
    width: int
    height: int


def make_face(
    graph: GraphData,
    card: Card,
    uses: Sequence[Edge],
    inputs: Sequence[Edge],
    *,
    with_values: bool,
    is_numbered: bool,
    least: int,
) -> Face:
    """The face of a card.

    Args:
        uses: the edges along which gradients come back to this node, in the order in which they arrive.
        inputs: the edges into this node.
        with_values: whether values have a row in this drawing.
        is_numbered: whether operations without a name show the number by which sentences call them.
        least: the least height, in pixels.
    """
    index = representative(graph, card)
    node = graph.nodes[index]
    uses = () if node.is_output else uses
    space = room(node)
    rows, lines = _rows(graph, node, uses, space, with_values), _lines(graph, card, node)
    name, operation, side = _heading(graph, card, node, inputs)
    if is_numbered and operation and not name:
        side = label(graph, index)
    widest = 6 + space
    if node.kind != "constant":
        widest = max(widest, len(NOT_KEPT if graph.is_freed else NOT_YET))
    if lines:
        widest = max(widest, *map(cells, lines))
    if len(uses) > 1:
        widest = max(widest, sum_room(uses))
    title = _title_width(name, operation) + ((cells(side) + 2) * CELL if side else 0)
    inner, extra = max(title, CELL * widest), STACK * card.is_group
    width = ceil(inner) + 2 * PAD + extra
    height = extra + max(least, PAD + TITLE_LINE + SMALL_LINE * len(lines) + ROW * len(rows) + 6)
    kind = "group" if card.is_group else "output" if node.is_output else node.kind
    return Face(kind, name, operation, side, lines, rows, _is_troubled(graph, card), width, height)


def _rows(
    graph: GraphData, node: Node, uses: Sequence[Edge], space: int, with_values: bool
) -> list[tuple[str, str, str]]:
    rows = []
    if with_values or node.kind == "constant":
        rows.append(("v", "value", value_text(node.value, room=space)))
    if node.kind != "constant":
        text = gradient_text(graph, node, room=space)
        is_none = node.gradient is None and node.kept is None
        rows.append(("m", "", text) if is_none else ("g", KEPT if is_kept(node) else "grad", text))
    if len(uses) > 1:
        rows.append(("g", "", total(node, uses)))
    return rows


def _lines(graph: GraphData, card: Card, node: Node) -> list[str]:
    lines = [_inside(graph, card) + ", output" * node.is_output] if card.is_group else []
    lines += [format_shape(node.shape)] if node.shape else []
    lines += [f"same tensor, {card.use[0]} of {card.use[1]}"] if card.use else []
    return lines + (textwrap.wrap(clean(node.note, room=2 * NOTE), NOTE) if node.note and not card.is_group else [])


def _is_troubled(graph: GraphData, card: Card) -> bool:
    nodes = [graph.nodes[index] for index in card.members]
    if not card.is_group:
        return any(map(trouble, nodes))
    # An infinite value inside a module is often meant, as in the mask of an attention.
    if any(node.value is not None and node.value.trouble == "nan" for node in nodes):
        return True
    return any(node.gradient is not None and node.gradient.trouble for node in nodes)


def _inside(graph: GraphData, card: Card) -> str:
    operations = [graph.nodes[index].operation for index in card.members if graph.nodes[index].kind == "operation"]
    return clean(operations[0] or "") if len(operations) == 1 else count(len(operations), "operation")


def representative(graph: GraphData, card: Card) -> int:
    """The node whose value and gradient a card shows: its last operation."""
    last = card.members[-1]
    if len(card.members) == 1 or graph.nodes[last].kind == "operation":
        return last
    return next((index for index in reversed(card.members) if graph.nodes[index].kind == "operation"), last)


def room(node: Node) -> int:
    """How many characters a value or a gradient of this node may take."""
    shape = node.shape or ()
    size = prod(shape)
    if size == 1:
        return 20 if (node.dtype or "").startswith("complex") else 8 + 2 * len(shape)
    return 20 if size <= 3 else 11


def sum_room(uses: Sequence[Edge]) -> int:
    return {2: 20, 3: 28}.get(len(uses), 16)


def total(node: Node, uses: Sequence[Edge]) -> str:
    """The sum at a fork, as far as its parts have arrived: "= 4.00 + 2.00"."""
    parts = [edge.gradient for edge in uses if edge.gradient is not None]
    if not parts:
        return ""
    text = f"= {spelled_sum(parts, room=room(node))}{' + …' if len(parts) < len(uses) else ''}"
    if cells(text) <= sum_room(uses):
        return text
    return f"sum of {len(parts)} of {len(uses)}" if len(parts) < len(uses) else f"sum of {len(uses)} parts"


def _title_width(name: str, operation: str) -> float:
    # A number in the sign has room to grow to six characters.
    return (cells(name) + 3 * bool(name and operation) + max(cells(operation), 8 * (" " in operation))) * TITLE_CELL


def _heading(graph: GraphData, card: Card, node: Node, inputs: Sequence[Edge]) -> tuple[str, str, str]:
    """Name, sign and side text of a card."""
    if card.is_group:
        return clean(card.title), "", f"× {card.times}" if card.times > 1 else ""
    if node.operation is None:
        return label(graph, card.members[0]) if node.kind == "leaf" or node.name else "constant", "", ""
    shown = sign_of(graph, card.members[-1], inputs)
    side = "" if shown.lower() in (node.operation.lower(), clean(node.operation).lower()) else clean(node.operation)
    return (called(node.name) if node.name is not None else ""), shown, side


def draw_face(face: Face, x: int, y: int, *, is_lit: bool = False, is_dim: bool = False) -> str:
    """The SVG of a card with its top left corner at (x, y)."""
    width, height = face.width, face.height
    parts = [f'<g transform="translate({x},{y})"{DIM * is_dim}>']
    if face.kind == "group":
        width, height = width - STACK, height - STACK
        parts = [f'<g transform="translate({x},{y + STACK})"{DIM * is_dim}>']
    box = f'width="{width}" height="{height}" rx="{17 if face.kind == "leaf" else 5}"'
    if face.kind == "group":
        parts.append(f'<rect x="{STACK}" y="-{STACK}" class="operation" {box}/>')
    look = f"{face.kind}{' trouble' if face.is_troubled else ''}"
    parts.append(f'<rect class="paper" {box}/><rect class="{look}" {box}/>')
    if is_lit:
        parts.append(f'<rect class="lit" {box}/>')
    parts.append(_title(face, width))
    at = PAD + TITLE_LINE
    for line in face.lines:
        at += SMALL_LINE
        parts.append(f'<text class="m" x="{PAD}" y="{at - 8}">{html.escape(line)}</text>')
    for look, name, text in face.rows:
        at += ROW
        if name:
            parts.append(f'<text class="{look}" x="{PAD}" y="{at - 5}">{name}</text>')
        bold = "b " if name else ""
        wrong = "w" if text in ("nan", "inf", "−inf") else look
        side = f'"{look}" x="{PAD}"' if look == "m" else f'"{bold}{wrong} e" x="{width - PAD}"'
        parts.append(f'<text class={side} y="{at - 5}">{html.escape(text)}</text>')
    if face.is_troubled:
        parts.append(warning_sign(width - 3, 1))
    return "".join([*parts, "</g>"])


def _title(face: Face, width: int) -> str:
    name, operation = html.escape(face.name), html.escape(face.sign)
    look = {"leaf": "t l", "constant": "t m"}.get(face.kind, "t")
    shown = f'{name}<tspan class="o"> = {operation}</tspan>' if name and operation else name or operation
    # A font without these characters would give another width than the one reckoned with.
    wide = (cells(face.name) + 3 * bool(name and operation) + cells(face.sign)) * TITLE_CELL
    fixed = f' textLength="{wide:.1f}" lengthAdjust="spacingAndGlyphs"' if any(c > "\u2fff" for c in face.name) else ""
    text = f'<text class="{look}" x="{PAD}" y="{PAD + 15}"{fixed}>{shown}</text>'
    side = f'<text class="m e" x="{width - PAD}" y="{PAD + 14}">{html.escape(face.side)}</text>' if face.side else ""
    return text + side
