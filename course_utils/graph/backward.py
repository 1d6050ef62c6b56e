"""The backward pass, walked by hand: each autograd function is called by itself, in the engine's order.

So nothing of the learner's is touched: the engine never runs, no `.grad` is written (also not under `retain_grad`),
no hook is called, and nothing is freed. Each gradient is summarised and let go of as soon as it has been used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch

from ..checks import describe
from .data import Edge, Graph, Node, Summary
from .formulas import Use, spell_out
from .summary import summarise
from .walk import Walk

FREED = (
    "this graph's saved values have been freed by a backward pass, so it cannot be walked again; "
    "trace before backward(), or call backward(retain_graph=True)"
)


def backward(graph: Graph, v: object) -> Graph:
    """What `Graph.backward` does."""
    if graph._walk is None:
        raise ValueError("this graph does not come from trace(), so there is no autograd graph to walk backwards")
    found = graph._walk
    places = [at for at, node in enumerate(graph.nodes) if node.kind != "constant"]
    with torch.no_grad():
        nodes, edges = _Pass(graph, found, places).run(_starts(found, v))
    return Graph(nodes, edges, graph.backward_order, graph.left_out, graph.is_freed, graph._walk)


def _starts(found: Walk, v: object) -> list[tuple[int, torch.Tensor]]:
    positions = [found.index[key] for key in found.roots]
    given = v if isinstance(v, list | tuple) and len(positions) > 1 else [v] * len(positions) if v is None else [v]
    if len(given) != len(positions):
        raise ValueError(f"v has {len(given)} entries; expected {len(positions)}, one for each output")
    return [(position, _start(found, position, one)) for position, one in zip(positions, given)]


def _start(found: Walk, position: int, v: object) -> torch.Tensor:
    shape, dtype = found.shapes[position], getattr(torch, found.dtypes[position])
    if v is None:
        if torch.Size(shape).numel() != 1:
            raise ValueError(f"the output has shape {shape}; expected v, a tensor of that shape to start from")
        return torch.ones(shape, dtype=dtype)
    v = v.detach() if isinstance(v, torch.Tensor) else torch.as_tensor(v)
    if tuple(v.shape) != shape:
        raise ValueError(f"v is {describe(v)}; expected the output's shape {shape}")
    return v.to(dtype)


class _Pass:
    """One backward pass over a walked graph."""

    def __init__(self, graph: Graph, found: Walk, place: list[int]):
        self.graph, self.found, self.place = graph, found, place
        self.position = {at: position for position, at in enumerate(place)}
        self.nodes, self.edges = list(graph.nodes), list(graph.edges)
        self.gradients: dict[int, torch.Tensor] = {}
        self.into: list[list[int]] = [[] for _ in self.nodes]
        for number, edge in enumerate(self.edges):
            self.into[edge.target].append(number)

    def run(self, starts: Sequence[tuple[int, torch.Tensor]]) -> tuple[tuple[Node, ...], tuple[Edge, ...]]:
        for position, start in starts:
            self._add(self.place[position], start)
        for at in self.graph.backward_order:
            gradient = self.gradients.pop(at, None)
            if gradient is not None:
                self.nodes[at] = self.nodes[at]._replace(gradient=summarise(gradient))
            if self.nodes[at].kind == "operation":
                self._step(at, gradient)
        return tuple(self.nodes), tuple(self.edges)

    def _add(self, at: int, gradient: torch.Tensor) -> None:
        before = self.gradients.get(at)
        self.gradients[at] = gradient if before is None else before + gradient

    def _step(self, at: int, gradient: torch.Tensor | None) -> None:
        position = self.position[at]
        function, number = self.found.keys[position]
        results = _call(function, number, len(function._input_metadata), gradient)
        locals_ = self._locals(at, function, number)
        inputs = self._inputs(at)
        for edge_number in self.into[at]:
            edge = self.edges[edge_number]
            source = self.nodes[edge.source]
            if source.kind == "constant":
                continue
            flowing = _fit(results[edge.slot], source)
            local = locals_[edge.slot] if locals_ is not None else None
            local = local.item() if local is not None and local.numel() == 1 else None
            use = Use(self.nodes[at].operation, edge.slot, source, self.nodes[at], inputs, function)
            self.edges[edge_number] = edge._replace(
                gradient=None if flowing is None else summarise(flowing), local=local, formula=spell_out(use, local)
            )
            if flowing is not None:
                self._add(edge.source, flowing)

    def _locals(self, at: int, function: Any, number: int) -> Sequence[torch.Tensor | None] | None:
        node = self.nodes[at]
        if torch.Size(node.shape).numel() != 1:
            return None
        one = torch.ones(node.shape, dtype=getattr(torch, self.found.dtypes[self.position[at]]))
        return _call(function, number, len(function._input_metadata), one)

    def _inputs(self, at: int) -> list[Node | None]:
        edges = [self.edges[number] for number in self.into[at]]
        inputs: list[Node | None] = [None] * (1 + max((edge.slot for edge in edges), default=-1))
        for edge in edges:
            inputs[edge.slot] = self.nodes[edge.source]
        return inputs


def _call(function: Any, number: int, arity: int, gradient: torch.Tensor | None) -> Sequence[torch.Tensor | None]:
    """What one autograd function sends to each of its inputs."""
    arguments: list[torch.Tensor | None] = [None] * arity
    arguments[number] = gradient
    results = function(*arguments)
    return results if isinstance(results, tuple) else (results,)


def _fit(gradient: torch.Tensor | None, source: Node) -> torch.Tensor | None:
    """The gradient in its input's shape: broadcasting is undone by summing, as the engine does it."""
    if gradient is None or tuple(gradient.shape) == source.shape:
        return gradient
    return gradient.sum_to_size(source.shape)
