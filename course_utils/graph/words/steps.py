"""The steps of a finished backward pass: what is lit at each, and its arithmetic spelled out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from ..data import GraphData, Summary
from .operations import derivative, sign_of
from .text import clean, factor, format_summary, gradient_text, inputs_of, label, product, spelled_sum

ROOM = 40


class Spot(NamedTuple):
    """What a drawing lights up, with the rest dimmed, and what it says below.

    Attributes:
        node: the node at hand; None lights nothing and dims nothing.
        edges: indices of the edges at hand; they show their product in full.
        said: sentences below the graph, without their full stops.
    """

    node: int | None
    edges: frozenset[int] = frozenset()
    said: tuple[str, ...] = ()


class Stages:
    """A finished backward pass cut into steps: 0 before it, then one for each operation, then the whole."""

    def __init__(self, graph: GraphData):
        self.graph = graph
        self.order = [index for index in graph.backward_order if graph.nodes[index].kind == "operation"]
        self.last = len(self.order) + 1
        self.reached = {index: step for step, index in enumerate(self.order, start=1)}
        self.outgoing = {index: [] for index in self.order}
        for number, edge in enumerate(graph.edges):
            if edge.gradient is not None and edge.target in self.outgoing:
                self.outgoing[edge.target].append(number)
        self.inputs = inputs_of(graph)
        self.arrivals = self._arrivals()

    def _arrivals(self) -> dict[int, list[tuple[int, Summary]]]:
        """For each node, what comes back to it and at which step, in that order; an output starts with its own part."""
        arrivals: dict[int, list[tuple[int, Summary]]] = {index: [] for index in range(len(self.graph.nodes))}
        for index in self.order:
            for number in self.outgoing[index]:
                edge = self.graph.edges[number]
                arrivals[edge.source].append((self.reached[index], edge.gradient))
        for index, node in enumerate(self.graph.nodes):
            if node.is_output and node.gradient is not None:
                parts = [part for _, part in arrivals[index]]
                arrivals[index].insert(0, (1, add([node.gradient, *map(negative, parts)]) if parts else node.gradient))
        return arrivals

    def gradient(self, index: int, step: int) -> Summary | None:
        """The sum of what has come back to a node after `step`; None while nothing has."""
        parts = [part for at, part in self.arrivals[index] if at <= step]
        if parts and len(parts) == len(self.arrivals[index]):
            return self.graph.nodes[index].gradient
        return add(parts) if parts else None

    def graph_at(self, step: int) -> GraphData:
        """The graph with the gradients that have arrived after `step`, and no others."""
        if step >= self.last:
            return self.graph
        nodes = [node._replace(gradient=self.gradient(index, step)) for index, node in enumerate(self.graph.nodes)]
        edges = [
            edge if self.reached.get(edge.target, self.last) <= step else edge._replace(gradient=None)
            for edge in self.graph.edges
        ]
        return replace(self.graph, nodes=tuple(nodes), edges=tuple(edges))

    def spot(self, step: int) -> Spot:
        """What is lit at `step`, and what is said about it."""
        said = tuple(self.said(step))
        if not 0 < step < self.last:
            return Spot(None, said=said)
        node = self.order[step - 1]
        return Spot(node, frozenset(self.outgoing[node]), said)

    def said(self, step: int) -> list[str]:
        """The arithmetic of a step, in sentences."""
        if step == 0:
            return ["Before the backward pass", f"No gradient yet; the pass starts at {self._outputs()} and walks back"]
        if step >= self.last:
            return ["The backward pass is finished", self._finished()]
        index = self.order[step - 1]
        node = self.graph.nodes[index]
        name, shown = label(self.graph, index), sign_of(self.graph, index, self.inputs.get(index, ()))
        made = f"{name} = {shown}" if node.name is not None else name
        lines = [f"Step {step} of {self.last - 1}: {made}"]
        lines += [f"Code: {clean(node.line, room=100)}"] if node.line else []
        lines.append(self._upstream(index))
        return lines + [self._sent(number) for number in self.outgoing[index]] + self._met(index, step)

    def _outputs(self) -> str:
        return ", ".join(label(self.graph, index) for index, node in enumerate(self.graph.nodes) if node.is_output)

    def _upstream(self, index: int) -> str:
        node = self.graph.nodes[index]
        parts = [part for _, part in self.arrivals[index]]
        total = gradient_text(self.graph, node, room=40)
        if len(parts) > 1:
            return f"Upstream: {spelled_sum(parts, room=ROOM)} = {total}, the sum of {len(parts)} parts"
        itself = f", the gradient of {label(self.graph, index)} with respect to itself"
        return f"Upstream: {total}" + itself * node.is_output

    def _sent(self, number: int) -> str:
        """What goes back along one edge."""
        edge = self.graph.edges[number]
        to, spelled = label(self.graph, edge.source), product(self.graph, edge, upstream="upstream ", local="local ")
        formula = derivative(self.graph, edge, self.inputs)
        if not factor(self.graph, edge):
            return f"To {to}: {formula}, which gives {spelled}"
        return f"To {to}: {spelled}" + (f", where local is {formula}" if " = " in formula else "")

    def _met(self, index: int, step: int) -> list[str]:
        """The sums at the nodes where this step's gradients meet others."""
        lines = []
        for source in dict.fromkeys(self.graph.edges[number].source for number in self.outgoing[index]):
            parts = [part for at, part in self.arrivals[source] if at <= step]
            if len(parts) > 1:
                total = format_summary(self.gradient(source, step), room=ROOM)
                so_far = ", so far" * (len(parts) < len(self.arrivals[source]))
                lines.append(f"Meets at {label(self.graph, source)}: {spelled_sum(parts, room=ROOM)} = {total}{so_far}")
        return lines

    def _finished(self) -> str:
        told = [
            f"{label(self.graph, index)}.grad = {gradient_text(self.graph, node, room=ROOM)}"
            for index, node in enumerate(self.graph.nodes)
            if node.kind == "leaf" and node.gradient is not None
        ]
        return ", ".join(told if len(told) <= 8 else [*told[:7], f"and {len(told) - 7} more leaves"])


def add(parts: Sequence[Summary]) -> Summary:
    """The sum of tensors of one shape; without entries where one of them has none."""
    if len(parts) == 1:
        return parts[0]
    shape = parts[0].shape
    if not all(part.numbers for part in parts):
        return Summary(shape)
    numbers = tuple(map(sum, zip(*(part.numbers for part in parts))))
    norm = math.hypot(*map(abs, numbers))
    return Summary(shape, numbers, norm, "nan" if math.isnan(norm) else "inf" if math.isinf(norm) else None)


def negative(part: Summary) -> Summary:
    return part._replace(numbers=tuple(-number for number in part.numbers))
