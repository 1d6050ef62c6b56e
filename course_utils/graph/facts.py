"""What is known about a walked graph besides its shape, and the finished `Graph` made of both."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import torch

from .data import Edge, Graph, Node, Summary
from .walk import Key, Walk

_node = partial(tuple.__new__, Node)
_edge = partial(tuple.__new__, Edge)


class Constant(NamedTuple):
    """A value that operations took as an input and that collects no gradient.

    `uses` are (position of the operation, input); `origin` is the tensor of the graph that it was cut off from, if any.
    """

    uses: list[tuple[int, int]]
    shown: Summary | None
    dtype: str | None
    name: str | None = None
    note: str | None = None
    origin: Key | None = None

    def node(self) -> Node:
        shape = None if self.shown is None else self.shown.shape
        return Node("constant", self.name, None, shape, self.dtype, self.shown, note=self.note)


@dataclass
class Facts:
    """By position in the walk: the learner's names, forward values, lines of code, module calls and notes.

    `is_freed` tells whether a backward pass has freed what autograd had saved.
    """

    names: dict[int, str] = field(default_factory=dict)
    values: dict[int, Summary] = field(default_factory=dict)
    lines: dict[int, str] = field(default_factory=dict)
    modules: dict[int, str] = field(default_factory=dict)
    notes: dict[int, str] = field(default_factory=dict)
    constants: list[Constant] = field(default_factory=list)
    is_freed: bool = False


def assemble(found: Walk, facts: Facts) -> Graph:
    """The graph as plain data: leaves, then operations, each constant just before its first use."""
    leaves, count = found.leaves, len(found.keys)
    outputs = {found.index[key] for key in found.roots}
    places = range(count)
    columns = (
        ["leaf"] * leaves + ["operation"] * (count - leaves),
        map(facts.names.get, places),
        found.operations,
        found.shapes,
        found.dtypes,
        map(facts.values.get, places),
        [None] * count,
        map(outputs.__contains__, places),
        map(facts.modules.get, places),
        map(facts.lines.get, places),
        map(facts.notes.get, places),
    )
    nodes, edges, order = list(map(_node, zip(*columns))), found.edges, found.backward_order
    if facts.constants:
        nodes, edges, order = _insert(found, nodes, sorted(facts.constants, key=lambda constant: min(constant.uses)))
    graph_edges = tuple(map(_edge, edges))
    return Graph(tuple(nodes), graph_edges, tuple(order), None if found.cut else 0, facts.is_freed, found)


def _insert(found: Walk, nodes: list[Node], constants: list[Constant]) -> tuple[list[Node], list[tuple], list[int]]:
    """Nodes, edges and backward order with constants among them."""
    at_use: dict[int, list[Constant]] = {}
    for constant in constants:
        at_use.setdefault(min(constant.uses)[0], []).append(constant)
    place, together, new_edges = [], [], []
    for position, node in enumerate(nodes):
        for constant in at_use.get(position, ()):
            if constant.origin in found.index:
                new_edges.append((place[found.index[constant.origin]], len(together), 0, None, None, ""))
            new_edges.extend((len(together), ~target, slot, None, None, "") for target, slot in constant.uses)
            together.append(constant.node())
        place.append(len(together))
        together.append(node)
    new_edges = [(source, place[~target] if target < 0 else target, *rest) for source, target, *rest in new_edges]
    edges = [(place[source], place[target], *rest) for source, target, *rest in found.edges]
    edges = sorted(edges + new_edges, key=lambda edge: edge[1:3])
    return together, edges, [place[at] for at in found.backward_order]
