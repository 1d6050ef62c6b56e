"""What is known about a walked graph, and the plain data made of both."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from itertools import repeat
from typing import Any, NamedTuple

from ..data import Edge, Graph, Node, Summary
from ..garbage import collecting_later
from ..words.formulas import Input, Site, spell_out
from .summary import Summaries
from .walk import CONSTANT, Walk

_node = partial(tuple.__new__, Node)
_edge = partial(tuple.__new__, Edge)


class Constant(NamedTuple):
    """A value that operations took as an input and that collects no gradient.

    Attributes:
        uses: (number of the operation, which of its inputs).
        shown, dtype, name, note: as in a `Node`.
        origin: the number of the tensor that it was cut off from, or None.
    """

    uses: list[tuple[int, int]]
    shown: Summary
    dtype: str
    name: str | None = None
    note: str | None = None
    origin: int | None = None

    def node(self) -> Node:
        own = (self.name, None, self.shown.shape, self.dtype, self.value)
        return _node(("constant", *own, None, False, None, None, self.note, None))

    @property
    def value(self) -> Summary | None:
        """What is known of the value; None where that is the shape alone."""
        return self.shown if self.shown.numbers or self.shown.norm is not None else None


_NO_FLOW = (None, None, "")


@dataclass(slots=True)
class Facts:
    """What is known by a tensor's number in the walk, besides the walk's own columns.

    Attributes:
        names, values, lines, modules, notes, kept: as in a `Node`.
        constants: the inputs that are not in autograd's graph, where something is known of them.
        summaries: of the gradients with each tensor's shape and dtype.
        gradients: the index of the tensor's own among them.
        flows: for each operation, what flows back to each of its inputs: the index among the input's summaries, and
            the local derivative; or None.
        is_freed: whether a backward pass has freed what autograd had saved.
        recomputes: whether reading a saved value may run a part of the forward pass again.
    """

    names: dict[int, str] = field(default_factory=dict)
    values: dict[int, Summary] = field(default_factory=dict)
    lines: dict[int, str] = field(default_factory=dict)
    modules: dict[int, str] = field(default_factory=dict)
    notes: dict[int, str] = field(default_factory=dict)
    kept: dict[int, Summary] = field(default_factory=dict)
    constants: list[Constant] = field(default_factory=list)
    summaries: list[Summaries] = field(default_factory=list)
    gradients: dict[int, int] = field(default_factory=dict)
    flows: dict[int, list[tuple[int, float | complex | None] | None]] = field(default_factory=dict)
    is_freed: bool = False
    recomputes: bool = False


class Traced(NamedTuple):
    """A walk and what is known about it; a `Graph` holds it to be read, and walked backwards, later."""

    walk: Walk
    facts: Facts

    def graph(self) -> Graph:
        return Graph.unread(self, left_out=None if self.walk.cut else 0, is_freed=self.facts.is_freed)

    @collecting_later
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
            flows, at = self._flows(number, constants) if facts.flows else {}, place[number]
            for slot, source in enumerate((*walk.sources[number], CONSTANT)):
                if source < 0:
                    source = constants.get((number, slot), source)
                if source >= 0:
                    edges.append((place[source], at, slot, *(flows.get(slot) or _NO_FLOW)))
        return edges

    def _flows(self, number: int, constants: dict[tuple[int, int], int]) -> dict[int, tuple]:
        """For each input that a gradient flows back to: the gradient, the local derivative, its formula."""
        row = self.facts.flows.get(number)
        if not row:
            return {}
        walk, summaries, flows = self.walk, self.facts.summaries, {}
        site = self._site(number, constants)
        for slot, (source, flow) in enumerate(zip(walk.sources[number], row)):
            if flow is not None:
                at, local = flow
                flows[slot] = summaries[source][at], local, spell_out(site, slot, walk.shapes[source], local)
        return flows

    def _gradient(self, number: int) -> Summary | None:
        at = self.facts.gradients.get(number)
        return None if at is None else self.facts.summaries[number][at]

    def _site(self, number: int, constants: dict[tuple[int, int], int]) -> Site:
        """What formulas say about an operation and its inputs."""
        walk, values = self.walk, self.facts.values
        sources = walk.sources[number]
        inputs = [Input(self._name(at), values.get(at), walk.shapes[at] if at >= 0 else None) for at in sources]
        for slot in range(len(sources) + 1):
            if (at := constants.get((number, slot))) is not None:
                constant = self.facts.constants[at - len(walk)]
                inputs[slot : slot + 1] = [Input(constant.name, constant.value, constant.shown.shape, True)]
        return Site(walk.operations[number], walk.functions[number], walk.shapes[number], inputs)

    def _name(self, number: int) -> str | None:
        """The learner's name, also for the transpose that a linear layer makes of its weight."""
        name = self.facts.names.get(number)
        if name is None and number >= 0 and self.walk.operations[number] == "T":
            name = self.facts.names.get(self.walk.sources[number][0])
            return None if name is None else f"{name}ᵀ"
        return name
