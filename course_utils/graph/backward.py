"""The backward pass, walked by hand: each autograd function is called by itself, in the engine's order.

So nothing of the learner's is touched: the engine never runs, no `.grad` is written (also not under `retain_grad`),
no hook is called, and nothing is freed. Each gradient is summarised and let go of as soon as it has been used.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch.autograd.function import BackwardCFunction

from ..checks import describe
from .data import Graph, Summary
from .facts import Flow, Traced
from .formulas import Input, Site, spell_out
from .summary import summarise
from .walk import BEYOND, Walk, dtype_name

_FREED = (
    "the values that this graph needs have been freed by a backward pass, so it cannot be walked again; "
    "call trace before backward(), or backward(retain_graph=True)"
)


def backward(graph: Graph, v: object) -> Graph:
    """What `Graph.backward` does."""
    if not isinstance(graph._walk, Traced):
        raise ValueError("this graph does not come from trace(), so there is no autograd graph to walk backwards")
    traced = graph._walk
    facts = replace(traced.facts, gradients={}, flows={})
    done = Traced(traced.walk, facts)
    with torch.no_grad():
        _Pass(done).run(_starts(traced.walk, v))
    return done.graph()


def _starts(walk: Walk, v: object) -> list[torch.Tensor]:
    given = [v] * walk.roots if v is None else list(v) if walk.roots > 1 and isinstance(v, list | tuple) else [v]
    if len(given) != walk.roots:
        raise ValueError(f"v has {len(given)} entries; expected {walk.roots}, one for each output")
    return [_start(walk, number, one) for number, one in enumerate(given)]


def _start(walk: Walk, number: int, v: object) -> torch.Tensor:
    shape, one = walk.shapes[number], _ones(walk, number)
    if v is None:
        if one.numel() != 1:
            raise ValueError(f"v is missing: the output has shape {shape}; expected v, a tensor of that shape")
        return one
    v = v.detach() if isinstance(v, torch.Tensor) else torch.as_tensor(v)
    if v.shape != shape:
        raise ValueError(f"v is {describe(v)}; expected the output's shape {shape}")
    return v.to(one)


def _ones(walk: Walk, number: int) -> torch.Tensor:
    function, output = walk.keys[number]
    metadata = function._input_metadata[output]
    return torch.ones(metadata.shape, dtype=metadata.dtype, device=metadata.device)


class _Pass:
    """One backward pass; what it finds goes into the facts of `traced`."""

    def __init__(self, traced: Traced):
        self.walk, self.facts = traced.walk, traced.facts
        self.totals: dict[int, torch.Tensor] = {}
        self.inputs = _Inputs(traced)

    def run(self, starts: Sequence[torch.Tensor]) -> None:
        self.totals.update(enumerate(starts))
        operations, gradients = self.walk.operations, self.facts.gradients
        for number in self.walk.order.backward:
            total = self.totals.pop(number, None)
            if total is not None and number not in gradients:
                gradients[number] = summarise(total)
            if operations[number] is not None:
                self._step(number, total)

    def _step(self, number: int, total: torch.Tensor | None) -> None:
        walk, totals = self.walk, self.totals
        function, output = walk.keys[number]
        sent = _call(function, output, total)
        single = math.prod(walk.shapes[number]) == 1
        slopes = _call(function, output, _ones(walk, number)) if single else None
        site = Site(walk.operations[number], function, walk.shapes[number], self.inputs.of(number))
        for slot, source in enumerate(walk.sources[number]):
            if source < 0:
                continue
            shape = walk.shapes[source]
            flowing = sent[slot]
            if flowing is not None:
                flowing = _fit(flowing, shape, walk.dtypes[source])
                before = totals.get(source)
                totals[source] = flowing if before is None else before + flowing
            slope = slopes[slot] if single and math.prod(shape) == 1 else None
            local = None if slope is None else slope.item()
            gradient = None if flowing is None else summarise(flowing)
            self.facts.flows[number, slot] = Flow(gradient, local, spell_out(site, slot, shape, local))


class _Inputs:
    """What formulas say about the inputs of an operation."""

    def __init__(self, traced: Traced):
        self.walk, self.facts = traced.walk, traced.facts
        self.constants = {use: constant for constant in traced.facts.constants for use in constant.uses}

    def of(self, number: int) -> list[Input]:
        sources = self.walk.sources[number]
        count = len(sources) + ((number, len(sources)) in self.constants)
        return [self._one(number, slot, sources[slot] if slot < len(sources) else BEYOND) for slot in range(count)]

    def _one(self, number: int, slot: int, source: int) -> Input:
        if source >= 0:
            return Input(self.facts.names.get(source), self.facts.values.get(source), self.walk.shapes[source])
        constant = self.constants.get((number, slot))
        if constant is None:
            return Input(None, None, None)
        return Input(constant.name, constant.value, constant.shown.shape, True)


def _call(function: Any, output: int, gradient: torch.Tensor | None) -> Sequence[torch.Tensor | None]:
    """What one autograd function sends to each of its inputs for a gradient of one of its outputs."""
    if isinstance(function, BackwardCFunction):
        arguments = [
            torch.zeros(one.shape, dtype=one.dtype, device=one.device) for one in function._input_metadata
        ]
        arguments[output] = gradient if gradient is not None else arguments[output]
        sent = function.apply(*arguments)
    else:
        arguments = [None] * len(function._input_metadata)
        arguments[output] = gradient
        sent = function(*arguments)
    return sent if isinstance(sent, tuple) else (sent,)


def _fit(gradient: torch.Tensor, shape: tuple[int, ...], dtype: str) -> torch.Tensor:
    """The gradient as its input is: broadcasting is undone by summing, as the engine does it."""
    if gradient.shape != shape:
        gradient = gradient.sum_to_size(shape)
    return gradient if dtype_name(gradient.dtype) == dtype else gradient.to(getattr(torch, dtype))
