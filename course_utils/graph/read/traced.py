"""A walk and what is known about it: plain data when that is first looked at, and the backward pass."""

from __future__ import annotations

from functools import partial
from itertools import repeat
from typing import Any, NamedTuple

import torch
from torch.autograd.function import BackwardCFunction

from ...core.internals import saved_or
from ..data import Edge, Node, Summary
from ..graph import Graph
from .backward import pass_back
from .facts import Facts
from .walk import CONSTANT, Walk

_node = partial(tuple.__new__, Node)
_edge = partial(tuple.__new__, Edge)
_RULE, _OWN = "operation", "own"
_NO_FLOW = (None, None, _RULE)
# The numbers besides their inputs that some derivatives depend on, by kind of autograd function.
_SETTINGS: dict[str, tuple[str, ...]] = {
    "AddBackward0": ("alpha",),
    "SubBackward0": ("alpha",),
    "RsubBackward0": ("alpha",),
    "RsubBackward1": ("alpha",),
    "DivBackward2": ("rounding_mode",),
    "DivBackward3": ("rounding_mode",),
    "PowBackward0": ("exponent",),
    "PowBackward1": (),
    "PowBackward2": ("self",),
    "ClampBackward1": ("min", "max"),
    "LeakyReluBackward0": ("negative_slope",),
    "LeakyReluBackward1": ("negative_slope",),
    "SoftplusBackward0": ("beta",),
    "GeluBackward0": ("approximate",),
    "MseLossBackward0": ("reduction",),
    "NllLossBackward0": ("reduction", "weight"),
    "NllLoss2DBackward0": ("reduction", "weight"),
    "LinalgVectorNormBackward0": ("ord",),
    "MaxBackward0": ("dim",),
    "MinBackward0": ("dim",),
    "AddmmBackward0": ("alpha", "beta"),
}


class Traced(NamedTuple):
    """A walk and what is known about it; a `Graph` holds it to be read, and walked backwards, later."""

    walk: Walk
    facts: Facts

    def graph(self) -> Graph:
        """As plain data, made when it is first looked at."""
        left_out, facts = None if self.walk.cut else 0, self.facts
        return Graph.unread(self, left_out=left_out, is_freed=facts.is_freed, remarks=tuple(facts.remarks))

    def backward(self, v: object) -> Graph:
        """The graph with the gradients of a backward pass that starts from `v`; errors as in `Graph.backward`."""
        return Traced(self.walk, pass_back(self.walk, self.facts, v)).graph()

    def read(self) -> dict[str, Any]:
        """Nodes, edges and backward order: leaves first, then operations, each constant just before its first use."""
        first_uses = self._first_uses()
        nodes, place = self._nodes(first_uses)
        edges = map(_edge, self._edges(place, first_uses))
        order = [place[number] for number in self.walk.order.backward]
        return {"nodes": tuple(nodes), "edges": tuple(edges), "backward_order": tuple(order)}

    def _nodes(self, first_uses: dict[int, list[int]]) -> tuple[list[Node], list[int]]:
        """The nodes, and for each number and then each constant its place among them."""
        walk, facts = self.walk, self.facts
        numbers = range(len(walk))
        columns = (
            ["leaf" if operation is None else "operation" for operation in walk.operations],
            map(facts.names.get, numbers),
            walk.operations,
            walk.known_shapes,
            walk.dtypes,
            map(facts.values.get, numbers),
            map(self._gradient, numbers) if facts.gradients else repeat(None),
            map(walk.roots.__gt__, numbers),
            map(facts.modules.get, numbers),
            map(facts.lines.get, numbers),
            map(facts.notes.get, numbers),
            repeat(None) if facts.gradients else map(facts.kept.get, numbers),
            map(settings_of, walk.functions) if facts.gradients else repeat(None),
        )
        nodes = list(map(_node, zip(*columns)))
        if not facts.constants:
            return [nodes[number] for number in walk.order.numbers], walk.order.place
        return self._with_constants(nodes, first_uses)

    def _with_constants(self, nodes: list[Node], first_uses: dict[int, list[int]]) -> tuple[list[Node], list[int]]:
        together, place = [], [0] * (len(nodes) + len(self.facts.constants))
        for number in self.walk.order.numbers:
            for at in first_uses.get(number, ()):
                place[len(nodes) + at] = len(together)
                together.append(self.facts.constants[at].node())
            place[number] = len(together)
            together.append(nodes[number])
        return together, place

    def _first_uses(self) -> dict[int, list[int]]:
        """For an operation, the constants that it is the first to use, in the order of its inputs."""
        before: dict[int, list[int]] = {}
        rank = self.walk.order.place
        for at, constant in enumerate(self.facts.constants):
            first, _ = min(constant.uses, key=lambda use: rank[use[0]]) if constant.uses[1:] else constant.uses[0]
            before.setdefault(first, []).append(at)
        for constants in before.values():
            if len(constants) > 1:
                constants.sort(key=lambda at: min(self.facts.constants[at].uses))
        return before

    def _edges(self, place: list[int], first_uses: dict[int, list[int]]) -> list[tuple]:
        walk, facts, edges = self.walk, self.facts, []
        if not facts.constants and not facts.flows:
            return [
                (place[source], place[number], slot, *_NO_FLOW)
                for number in walk.order.numbers
                for slot, source in enumerate(walk.sources[number])
                if source >= 0
            ]
        constants = {use: at for at, constant in enumerate(facts.constants, len(walk)) for use in constant.uses}
        for number in walk.order.numbers[walk.order.leaves :]:
            for at in first_uses.get(number, ()):
                if (origin := facts.constants[at].origin) is not None:
                    edges.append((place[origin], place[len(walk) + at], 0, *_NO_FLOW))
            flows, at = self._flows(number) if facts.flows else {}, place[number]
            for slot, source in enumerate((*walk.sources[number], CONSTANT)):
                if source < 0:
                    source = constants.get((number, slot), source)
                if source >= 0:
                    edges.append((place[source], at, slot, *(flows.get(slot) or _NO_FLOW)))
        return edges

    def _flows(self, number: int) -> dict[int, tuple[Summary, float | complex | None, str]]:
        """For each input that a gradient flows back to: the gradient, the local derivative, and its rule."""
        summaries = self.facts.summaries
        rule = _OWN if isinstance(self.walk.functions[number], BackwardCFunction) else _RULE
        return {
            slot: (summaries[source][flow[0]], flow[1], rule)
            for slot, (source, flow) in enumerate(zip(self.walk.sources[number], self.facts.flows.get(number) or ()))
            if flow is not None
        }

    def _gradient(self, number: int) -> Summary | None:
        at = self.facts.gradients.get(number)
        return None if at is None else self.facts.summaries[number][at]


def settings_of(function: Any) -> tuple[tuple[str, object], ...] | None:
    """What `Node.settings` holds for a tensor that this autograd function made."""
    names = _SETTINGS.get(type(function).__name__)
    if names is None:
        return None
    found = tuple((name, _plain(value)) for name in names if (value := saved_or(function, name, None)) is not None)
    return found if found or not names else None


def _plain(value: object) -> object:
    """A setting as plain data; of a tensor, that there is one."""
    if isinstance(value, torch.Tensor):
        return True
    return value - (1 << 64) if isinstance(value, int) and value >= 1 << 63 else value
