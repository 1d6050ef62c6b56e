"""Draws a graph as an SVG: cards left to right, values on them, gradients flowing back along dashed arrows."""

from __future__ import annotations

import html
import textwrap
from collections import defaultdict
from collections.abc import Container, Sequence
from functools import partial
from math import ceil, prod
from typing import NamedTuple

from ...core.numbers import format_number
from ...core.picture import Picture
from ..data import Edge, GraphData
from ..words.steps import Spot
from ..words.text import (
    align,
    cells,
    clean,
    factor,
    format_shape,
    format_summary,
    gradient_text,
    label,
    node_table,
    remarks,
    summary,
    value_text,
)
from .choose import FEW, LIMIT, Card, View, choose_cards
from .faces import Face, draw_face, make_face, representative
from .layout import lay_out
from .strokes import CELL, DIM, STYLE, TITLE_CELL, backward_line, cut_mark, forward_line, legend, text_on_paper

GAP, CURVE, WIDER, WIDTH = 82, 32, 36, 970
LABEL_ROOM, LONGEST_TITLE, MOST_PORTS, MOST_CARDS = 10, 90, 12, 1000


class Frame(NamedTuple):
    """Room that several drawings share, so that nothing jumps from one to the next.

    Attributes:
        width, height: the least size of the graph's part.
        gap, lead: between columns, and how much of it a link runs level.
        port: between two edges at a card.
        lines: the number of lines below the graph.
    """

    width: float = 0
    height: float = 0
    gap: int = GAP
    lead: int = GAP - CURVE
    port: int = 26
    lines: int = 0


class Drawing:
    """A graph laid out, ready to be drawn; the layout holds for any numbers in the same structure."""

    def __init__(self, graph: GraphData, view: View, frame: Frame):
        self.graph, self.view, self.frame = graph, view, frame
        alone = {representative(graph, card) for card in view.cards if not card.is_group}
        self.uses = uses_of(graph, alone)
        self.inputs: dict[int, list[Edge]] = {}
        for edge in graph.edges:
            if edge.target in alone:
                self.inputs.setdefault(edge.target, []).append(edge)
        self.with_values = any(graph.nodes[representative(graph, card)].value is not None for card in view.cards)
        self.faces = self._faces(graph)
        pairs = [(link.source, link.target) for link in view.links]
        sizes = [(face.width, face.height) for face in self.faces]
        self.layout = lay_out(sizes, pairs, gap=frame.gap, lead=frame.lead, port=frame.port, width=WIDTH)

    def _faces(self, graph: GraphData) -> list[Face]:
        leaving, arriving, chosen = [0] * len(self.view.cards), [0] * len(self.view.cards), []
        for link in self.view.links:
            leaving[link.source] += 1
            arriving[link.target] += 1
        for card, ports in zip(self.view.cards, map(max, leaving, arriving)):
            index = representative(graph, card)
            ports = min(ports, MOST_PORTS) if self.frame.lead else 0
            chosen.append(
                make_face(
                    graph,
                    card,
                    [] if card.is_group else [graph.edges[edge] for edge in self.uses.get(index, ())],
                    [] if card.is_group else self.inputs.get(index, []),
                    with_values=self.with_values,
                    is_numbered=self.frame.lines > 0,
                    least=(ports - 1) * self.frame.port + 16,
                )
            )
        return chosen

    def picture(self, graph: GraphData | None = None, *, title: str = "", spot: Spot | None = None) -> Picture:
        """The drawing with its description, which is what is said below it where something is, and its table."""
        graph = graph or self.graph
        text = ". ".join(spot.said) + "." if spot else " ".join([summary(graph), *self._parts(), *self.view.remarks])
        return Picture(
            self.svg(graph, title=title, spot=spot),
            description=f"{clean(title, room=LONGEST_TITLE)}: {text}" if title else text,
            details=partial(node_table, graph) if self.view.is_whole else partial(card_table, graph, self.view),
            exact=True,
        )

    def _parts(self) -> list[str]:
        if self.view.is_whole:
            return []
        parts = [card for card in self.view.cards if card.is_group]
        names = [card_label(self.graph, card) + f" × {card.times}" * (card.times > 1) for card in parts]
        return [f"Drawn in parts: {', '.join(names)}."]

    def svg(self, graph: GraphData | None = None, *, title: str = "", spot: Spot | None = None) -> str:
        """The drawing, or that of `graph`, which has the same structure and other numbers."""
        graph = graph or self.graph
        faces = self.faces if graph is self.graph else self._faces(graph)
        title = clean(title, room=LONGEST_TITLE) if title else ""
        top = 30 if title else 0
        body = [self._links(graph, spot)]
        for card, face, (x, y) in zip(self.view.cards, faces, self.layout.corners, strict=True):
            at_hand = spot is not None and spot.node is not None
            is_lit = at_hand and spot.node in card.members
            is_dim = card.is_outside or (at_hand and not is_lit and not self._is_near(card, spot))
            body.append(draw_face(face, x, y, is_lit=is_lit, is_dim=is_dim))
        body.append(self._labels(graph, spot))
        bottom = top + max(self.layout.height, self.frame.height)
        foot, foot_width, height = self._foot(graph, wrapped(spot.said) if spot else (), bottom)
        width = round(max(self.layout.width, self.frame.width, foot_width, 28 + cells(title) * TITLE_CELL))
        size = f'width="{width}" height="{height:.0f}" viewBox="0 0 {width} {height:.0f}"'
        head = f'<text class="t" x="14" y="24">{html.escape(title)}</text>' if title else ""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size}><style>{STYLE}</style>'
            f'<rect class="paper" width="100%" height="100%"/>{head}'
            f'<g transform="translate(0,{top})">{"".join(body)}</g>{foot}</svg>'
        )

    def _is_near(self, card: object, spot: Spot) -> bool:
        return any(self.graph.edges[number].source in card.members for number in spot.edges)

    def _links(self, graph: GraphData, spot: Spot | None) -> str:
        """Forward lines with heads, and dashed lines back for gradients; those at hand over the dimmed rest."""
        dim: defaultdict[str, list[str]] = defaultdict(list)
        lit: defaultdict[str, list[str]] = defaultdict(list)
        for link, route, room in zip(self.view.links, self.layout.routes, self.layout.spots, strict=True):
            paths = lit if spot is None or spot.node is None or not spot.edges.isdisjoint(link.edges) else dim
            edges = [graph.edges[number] for number in link.edges]
            line, head = forward_line(route)
            paths["f"].append(line)
            paths["fh"].append(head)
            if any(edge.gradient is not None for edge in edges):
                line, head = backward_line(route)
                paths["k"].append(line)
                paths["kh"].append(head)
            elif graph.nodes[edges[0].target].kind == "constant":
                paths["cut"].append(cut_mark(room))
        return "".join(
            f'<path class="{look}"{opacity} d="{"".join(parts)}"/>'
            for paths, opacity in ((dim, DIM), (lit, ""))
            for look, parts in sorted(paths.items())
        )

    def _labels(self, graph: GraphData, spot: Spot | None) -> str:
        """The gradients below the edges; where an edge is at hand, the local derivative above and the product below."""
        if not self.frame.lead:
            return ""
        parts = []
        for link, ((x0, y), (x1, _)) in zip(self.view.links, self.layout.spots, strict=True):
            edge = graph.edges[link.edges[0]]
            if len(link.edges) > 1 or edge.gradient is None:
                continue
            at_hand = spot is not None and link.edges[0] in spot.edges
            local, result = label_lines(graph, edge, at_hand=at_hand)
            # On its way to the next row a link runs to the left, with the gradient's line above.
            x, below, above = (x0 + 8, 17, -9) if x0 < x1 else (x0 - 14 - ceil(cells(result) * CELL), -9, 17)
            texts = text_on_paper(x, y + below, result, "b g")
            texts += text_on_paper(x, y + above, local, "g") if local else ""
            dims = spot is not None and spot.node is not None and not at_hand
            parts.append(f"<g{DIM}>{texts}</g>" if dims else texts)
        return "".join(parts)

    def _foot(self, graph: GraphData, said: Sequence[str], top: float) -> tuple[str, float, float]:
        """Remarks, the lines about the step at hand, and what the lines and boxes mean; with their width and height."""
        parts, wide = [], 0.0
        for remark in (*self.view.remarks, *remarks(graph)):
            top += 20
            parts.append(f'<text class="m" x="14" y="{top - 6:g}">{html.escape(remark)}</text>')
            wide = max(wide, cells(remark) * CELL + 28)
        if self.frame.lines:
            wide = max(wide, self.layout.width, self.frame.width)
            parts.append(f'<path class="rule" d="M14 {top + 4:g}H{wide - 14:g}"/>')
            for row, line in enumerate(said):
                look = ' class="b"' if row == 0 else ""
                parts.append(f'<text{look} x="14" y="{top + 24 + 20 * row:g}">{html.escape(line)}</text>')
            top += 20 * self.frame.lines + 18
        kinds = {face.kind for face in self.faces}
        row, row_width = legend(
            [kind for kind in ("leaf", "constant", "output") if kind in kinds],
            has_links=bool(self.view.links),
            has_gradients=self.frame.lines > 0 or any(edge.gradient is not None for edge in graph.edges),
            top=top + 4,
        )
        return "".join([*parts, row]), max(wide, row_width), top + 30


def frame_for(graph: GraphData, view: View) -> Frame:
    """Narrow columns where groups are drawn, wide ones where tensors flow back; by structure, not by numbers."""
    if not view.is_whole or len(view.cards) > FEW:
        return Frame(gap=32, lead=0)
    wide = any(prod(graph.nodes[edge.source].shape or ()) != 1 for edge in graph.edges)
    return Frame(gap=GAP + WIDER * wide, lead=GAP + WIDER * wide - CURVE)


def card_label(graph: GraphData, card: Card) -> str:
    return clean(card.title) if card.is_group else label(graph, representative(graph, card))


def card_table(graph: GraphData, view: View) -> str:
    """A line for each card of a picture with groups on it."""
    rows = [["", "operations", "shape", "value", "gradient"]]
    for card in view.cards:
        node = graph.nodes[representative(graph, card)]
        made = sum(graph.nodes[index].kind == "operation" for index in card.members)
        name = card_label(graph, card)
        name += f" × {card.times}" if card.times > 1 else f" ({card.use[0]} of {card.use[1]})" if card.use else ""
        shape = "" if node.shape is None else format_shape(node.shape)
        rows.append(
            [name, str(made or ""), shape, value_text(node.value, room=30), gradient_text(graph, node, room=30)]
        )
    return align(rows)


def uses_of(graph: GraphData, nodes: Container[int]) -> dict[int, list[int]]:
    """For each of the nodes, the edges along which gradients come back to it, in the order in which they arrive."""
    rank = {index: place for place, index in enumerate(graph.backward_order)}
    uses: dict[int, list[int]] = {}
    for number, edge in enumerate(graph.edges):
        if edge.source not in nodes:
            continue
        if graph.nodes[edge.target].kind != "constant" and graph.nodes[edge.source].kind != "constant":
            uses.setdefault(edge.source, []).append(number)
    for numbers in uses.values():
        numbers.sort(key=lambda number: (rank.get(graph.edges[number].target, 0), number))
    return uses


def label_lines(graph: GraphData, edge: Edge, *, at_hand: bool) -> tuple[str, str]:
    """What an edge's label says above and below: at hand "× 4.00" and "= 4.00", else the gradient alone."""
    result = format_summary(edge.gradient, room=LABEL_ROOM)
    if not at_hand:
        return "", result
    return f"× {format_number(edge.local)}" if factor(graph, edge) else "", f"= {result}"


def wrapped(said: Sequence[str]) -> list[str]:
    """Sentences as lines that fit the drawing."""
    room = int((WIDTH - 28) / CELL)
    return [line for sentence in said for line in textwrap.wrap(sentence, room, subsequent_indent="    ")]


def picture_of(graph: GraphData, *, open: str | None = None, title: str = "", limit: int = LIMIT) -> Picture:
    """The picture of a graph; the arguments are those of `draw_graph`."""
    view = choose_cards(graph, open=open, limit=limit)
    return Drawing(graph, view, frame_for(graph, view)).picture(title=title)
