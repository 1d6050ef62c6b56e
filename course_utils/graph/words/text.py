"""A graph in words: names made safe, values and gradients, sentences, a table of its nodes."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

from ...core.numbers import format_column, format_number
from ..data import Edge, GraphData, Node, Summary
from .proof import is_product

NOT_YET = "no gradient yet"
NOT_KEPT = "gradient not kept"
KEPT = ".grad"
LONGEST_NAME = 18
MOST_ROWS, MOST_LISTED = 60, 6


def clean(name: str, *, room: int = LONGEST_NAME) -> str:
    """A name as it can be shown anywhere: on one line, without control characters, at most `room` cells wide."""
    if name.isascii() and name.isprintable() and 0 < len(name) <= room:
        return name
    kept: list[str] = []
    used = 0
    for character in name:
        if character.isspace():
            character = " "
        elif character != "\u200d" and (
            unicodedata.category(character) in ("Cc", "Cf", "Cs") or ord(character) & 0xFFFE == 0xFFFE
        ):
            character = "\ufffd"
        used += cells(character)
        # Marks that pile up on one letter take no room, so their number has a limit of its own.
        if used > room or len(kept) >= 2 * room:
            while kept and cells("".join(kept)) > room - 1:
                kept.pop()
            return "".join(kept) + "…"
        kept.append(character)
    return "".join(kept) or "(empty)"


def called(name: str) -> str:
    """A tensor's name as it is shown: of a parameter's path that is too long, the end."""
    parts = name.split(".")
    while len(parts) > 2 and cells(name) > LONGEST_NAME:
        parts = parts[1:]
        name = "…" + ".".join(parts)
    return clean(name)


def cells(text: str) -> int:
    """The width of a text in a fixed-width font: two for wide characters, none for marks on the one before."""
    return len(text) if text.isascii() else _cells(text)


@lru_cache(maxsize=1024)
def _cells(text: str) -> int:
    seen = [character for character in text if unicodedata.category(character) not in ("Mn", "Me", "Cf")]
    return sum(1 + (unicodedata.east_asian_width(character) in "WF") for character in seen)


def is_plain(node: Node) -> bool:
    """Whether the node is a number without a name or a note, which needs no card or line of its own."""
    known = node.value is not None and len(node.value.numbers) == 1
    return known and node.kind == "constant" and node.name is None and node.note is None


def label(graph: GraphData, index: int) -> str:
    """How a sentence calls a node: by name, a plain constant by its number, else by operation and place ("Pow #3")."""
    node = graph.nodes[index]
    if is_plain(node):
        return format_summary(node.value)
    return called(node.name) if node.name is not None else f"{clean(node.operation or node.kind)} #{index}"


def trouble(node: Node) -> str | None:
    """What a reader must be warned of at this node: "nan", "inf", what its note says; or None."""
    for summary in (node.value, node.gradient):
        if summary is not None and summary.trouble:
            return summary.trouble
    return node.note


def format_shape(shape: Sequence[int]) -> str:
    """(2, 3), and (3,) for a vector, as Python writes it."""
    return str(tuple(shape))


def format_summary(summary: Summary, *, room: int | None = None) -> str:
    """A tensor's value in at most `room` characters where that can be done: its entries, or else its norm.

    Args:
        summary: what is known of the tensor.
        room: the number of characters there are, or None for no limit.
    """
    if not summary.numbers:
        return _without_entries(summary, room)
    texts = format_column(summary.numbers)
    nested = _nest(texts, summary.shape)
    if room is None or len(nested) <= room or len(texts) == 1:
        return nested
    return f"all {texts[0]}" if len(set(texts)) == 1 else _without_entries(summary, room)


def _without_entries(summary: Summary, room: int | None) -> str:
    if 0 in summary.shape:
        return "empty"
    if summary.norm is None:
        return f"has {summary.trouble}" if summary.trouble else "not shown"
    texts = [f"norm {format_number(summary.norm, digits=digits)}" for digits in (4, 3, 2)]
    return next((text for text in texts if room is None or len(text) <= room), texts[-1])


def _nest(texts: list[str], shape: tuple[int, ...]) -> str:
    for length in reversed(shape):
        texts = [f"[{', '.join(texts[at : at + length])}]" for at in range(0, len(texts), length)]
    return texts[0]


def value_text(summary: Summary | None, *, room: int | None = None) -> str:
    return "unknown" if summary is None else format_summary(summary, room=room)


def gradient_text(graph: GraphData, node: Node, *, room: int | None = None) -> str:
    """The gradient of a node or what its `.grad` held, or that there is none; "" for a constant."""
    if node.kind == "constant":
        return ""
    known = node.gradient or node.kept
    if known is not None:
        return format_summary(known, room=room)
    return NOT_KEPT if graph.is_freed and node.kind == "operation" else NOT_YET


def is_kept(node: Node) -> bool:
    """Whether what is shown as the gradient is what `.grad` held, which may have come from other graphs."""
    return node.gradient is None and node.kept is not None


def factor(graph: GraphData, edge: Edge) -> str:
    """The local derivative as a factor, a negative one in brackets; "" where the rule is not one real number.

    Nor is it a factor where the product is not what flows back, as when that is too small for its type.
    """
    if edge.local is None or isinstance(edge.local, complex):
        return ""
    node, sent = graph.nodes[edge.target], edge.gradient
    if node.gradient is not None and sent is not None and len(node.gradient.numbers) == len(sent.numbers) == 1:
        if not is_product(node.gradient.numbers[0], edge.local, sent.numbers[0], dtype=node.dtype):
            return ""
    text = format_number(edge.local)
    return f"({text})" if text.startswith("−") else text


def product(graph: GraphData, edge: Edge, *, upstream: str = "", local: str = "") -> str:
    """What flows back along an edge, spelled out: "1.00 × 4.00 = 4.00"; the result alone where no number is a factor.

    `upstream` and `local` are words in front of the two factors.
    """
    arriving, result = graph.nodes[edge.target].gradient, format_summary(edge.gradient, room=30)
    if arriving is None or not (by := factor(graph, edge)):
        return result
    return f"{upstream}{format_summary(arriving, room=30)} × {local}{by} = {result}"


def inputs_of(graph: GraphData) -> dict[int, list[Edge]]:
    """For each node that has inputs, the edges into it."""
    inputs: dict[int, list[Edge]] = {}
    for edge in graph.edges:
        inputs.setdefault(edge.target, []).append(edge)
    return inputs


def spelled_sum(parts: Sequence[Summary], *, room: int) -> str:
    """4.00 + 2.00, with brackets around a number below zero: 4.00 + (−2.00)."""
    texts = [format_summary(part, room=room) for part in parts]
    return " + ".join(f"({text})" if at and text.startswith("−") else text for at, text in enumerate(texts))


def count(number: int, noun: str, plural: str = "") -> str:
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def summary(graph: GraphData) -> str:
    """One sentence on a graph: what it computes from what, with its key numbers."""
    outputs = [index for index, node in enumerate(graph.nodes) if node.is_output]
    leaves = [index for index, node in enumerate(graph.nodes) if node.kind == "leaf"]
    operations = sum(node.kind == "operation" for node in graph.nodes)
    made = _listed([_with(graph, index, graph.nodes[index].value) for index in outputs])
    few = len(leaves) <= MOST_LISTED
    start = _listed([_with(graph, index, graph.nodes[index].value) for index in leaves]) if few else ""
    text = f"Graph of {made or 'nothing'}: {count(operations, 'operation')} on {count(len(leaves), 'leaf', 'leaves')}"
    text += f", {start}." if start else "."
    known = [index for index in leaves if graph.nodes[index].gradient is not None]
    if known and few:
        text += f" Gradient: {_listed([_with(graph, index, graph.nodes[index].gradient) for index in known])}."
    elif known:
        norms = [graph.nodes[index].gradient.norm or 0.0 for index in known]
        text += f" Gradient of all leaves together: norm {format_number(math.hypot(*norms))}."
    elif kept := [index for index in leaves if graph.nodes[index].kept is not None][:MOST_LISTED]:
        held = [f"{label(graph, at)}.grad = {format_summary(graph.nodes[at].kept, room=40)}" for at in kept]
        text += f" Held: {_listed(held)}."
    elif leaves:
        text += " No gradient yet."
    marked = [index for index, node in enumerate(graph.nodes) if trouble(node)]
    if marked:
        said = [f"{label(graph, at)} ({clean(trouble(graph.nodes[at]), room=60)})" for at in marked]
        text += f" Marked: {_listed(said)}."
    return text + "".join(f" {remark}" for remark in remarks(graph))


def remarks(graph: GraphData) -> list[str]:
    """Sentences on what a graph does not show."""
    said = [*graph.remarks]
    if graph.is_freed:
        said.append("A backward pass has freed this graph, so another one through it raises an error.")
    if graph.left_out != 0:
        known = "More nodes" if graph.left_out is None else f"{graph.left_out:,} more nodes"
        said.append(f"{known} before these were not read.")
    return said


def _with(graph: GraphData, index: int, summary: Summary | None) -> str:
    name, shape = label(graph, index), graph.nodes[index].shape
    if summary is not None:
        return f"{name} = {format_summary(summary, room=40)}"
    return f"{name} of shape {format_shape(shape)}" if shape else name


def _listed(texts: Sequence[str]) -> str:
    shown = texts if len(texts) <= MOST_LISTED else [*texts[: MOST_LISTED - 1], f"{len(texts) - MOST_LISTED + 1} more"]
    return ", ".join(shown)


def describe(graph: GraphData) -> str:
    """The summary and a table with a line for each node, inputs first."""
    return f"{summary(graph)}\n{node_table(graph)}" if graph.nodes else "Graph without nodes."


def node_table(graph: GraphData) -> str:
    """A line for each node: place, name, how it was made, value, gradient and what it passes back.

    Plain numbers have no line of their own; they stand where they are used.
    """
    inputs = inputs_of(graph)
    listed = [index for index, node in enumerate(graph.nodes) if not is_plain(node)]
    shown = listed[-MOST_ROWS:]
    rows = [["", "name", "made by", "shape", "value", "gradient", "passes back"]]
    rows += [_row(graph, index, inputs.get(index, [])) for index in shown]
    if not any(row[-1] for row in rows[1:]):
        rows = [row[:-1] for row in rows]
    left_out = len(listed) - len(shown)
    return align(rows) + (f"\n({left_out:,} nodes before these are not listed)" if left_out else "")


def _row(graph: GraphData, index: int, edges: list[Edge]) -> list[str]:
    node = graph.nodes[index]
    sources = ", ".join(label(graph, edge.source) for edge in edges[:6]) + (", …" if len(edges) > 6 else "")
    made = f"{clean(node.operation or node.kind, room=30)}({sources})" if edges or node.operation else node.kind
    back = [f"{product(graph, edge)} to {label(graph, edge.source)}" for edge in edges[:6] if edge.gradient is not None]
    warning = trouble(node)
    remark = [f"! {clean(warning, room=60)}"] if warning else []
    return [
        f"#{index}",
        called(node.name) if node.name is not None else "",
        made + (", output" if node.is_output else ""),
        "" if node.shape is None else format_shape(node.shape),
        value_text(node.value, room=30),
        f"{KEPT} " * is_kept(node) + gradient_text(graph, node, room=30),
        "; ".join(back + remark),
    ]


def align(rows: Iterable[Sequence[str]]) -> str:
    """Rows of cells as lines of text in columns."""
    columns = []
    for column in zip(*rows):
        taken = [*map(cells, column)]
        width = max(taken)
        columns.append([cell + " " * (width - used) for cell, used in zip(column, taken)])
    return "\n".join("  ".join(row).rstrip() for row in zip(*columns))
