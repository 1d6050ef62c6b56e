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
from .facts import Facts, Flow, Traced
from .summary import summarise
from .walk import Walk, dtype_name

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
    starts = _starts(traced.walk, v)
    with torch.no_grad():
        _Pass(traced.walk, facts).run(starts)
    return Traced(traced.walk, facts).graph()


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
    """One backward pass; what it finds goes into `facts`."""

    def __init__(self, walk: Walk, facts: Facts):
        self.walk, self.facts = walk, facts
        self.totals: dict[int, torch.Tensor] = {}
        self.ones: dict[Any, torch.Tensor] = {}
        self.is_mixed = len(set(walk.dtypes)) > 1

    def run(self, starts: Sequence[torch.Tensor]) -> None:
        for number, start in enumerate(starts):
            self._add(number, start, None)
        operations, gradients = self.walk.operations, self.facts.gradients
        for number in self.walk.order.backward:
            total = self.totals.pop(number, None)
            if total is not None and number not in gradients:
                gradients[number] = summarise(total)
            if operations[number] is not None:
                self._step(number, total)

    def _add(self, number: int, gradient: torch.Tensor, shown: Summary | None) -> None:
        """Adds one contribution; where it is the only one, its summary is the total's."""
        totals, gradients = self.totals, self.facts.gradients
        if number in totals:
            totals[number] = totals[number] + gradient
            gradients.pop(number, None)
        else:
            totals[number] = gradient
            if shown is not None:
                gradients[number] = shown

    def _step(self, number: int, total: torch.Tensor | None) -> None:
        walk, flows = self.walk, self.facts.flows
        function, output = walk.keys[number]
        shapes = walk.shapes
        try:
            sent = _call(function, output, total)
            slopes = self._slopes(number, function, output, total)
        except RuntimeError as error:
            if "freed" in str(error):
                raise RuntimeError(_FREED) from error
            raise
        for slot, source in enumerate(walk.sources[number]):
            if source < 0 or sent[slot] is None:
                continue
            gradient = _fit(sent[slot], shapes[source], walk.dtypes[source] if self.is_mixed else None)
            shown = summarise(gradient)
            self._add(source, gradient, shown)
            slope = slopes[slot] if slopes is not None and _is_single(shapes[source]) else None
            flows[number, slot] = Flow(shown, None if slope is None else slope.item())

    def _slopes(
        self, number: int, function: Any, output: int, total: torch.Tensor | None
    ) -> Sequence[torch.Tensor | None] | None:
        """The local derivatives of a single number: what the function sends back for a gradient of one."""
        shape = self.walk.shapes[number]
        if total is None or not _is_single(shape):
            return None
        kind = (shape, total.dtype, total.device)
        if kind not in self.ones:
            self.ones[kind] = torch.ones_like(total)
        return _call(function, output, self.ones[kind])


def _is_single(shape: tuple[int, ...]) -> bool:
    return not shape or math.prod(shape) == 1


def _call(function: Any, output: int, gradient: torch.Tensor | None) -> Sequence[torch.Tensor | None]:
    """What one autograd function sends to each of its inputs for a gradient of one of its outputs."""
    if isinstance(function, BackwardCFunction):
        return _call_custom(function, output, gradient)
    count = len(function._input_metadata)
    if count == 1:
        sent = function(gradient)
    else:
        arguments: list[torch.Tensor | None] = [None] * count
        arguments[output] = gradient
        sent = function(*arguments)
    return sent if isinstance(sent, tuple) else (sent,)


def _call_custom(function: Any, output: int, gradient: torch.Tensor | None) -> Sequence[torch.Tensor | None]:
    """A function of the learner's: like the engine, with zeros for the outputs that no gradient reached."""
    outputs = function._input_metadata
    arguments = [torch.zeros(one.shape, dtype=one.dtype, device=one.device) for one in outputs]
    if gradient is not None:
        arguments[output] = gradient
    sent = function.apply(*arguments)
    sent = sent if isinstance(sent, tuple) else (sent,)
    needed = function.needs_input_grad
    if len(sent) < len(needed) or any(one is not None for one in sent[len(needed) :]):
        raise RuntimeError(
            f"function {function.name()} returned an incorrect number of gradients "
            f"(expected {len(needed)}, got {len(sent)})"
        )
    # It answers for every input, also for those that are no tensors, which autograd does not count.
    answers = iter([one for one, is_needed in zip(sent, needed) if is_needed])
    return [None if source is None else next(answers) for source, _ in function.next_functions]


def _fit(gradient: torch.Tensor, shape: tuple[int, ...], dtype: str | None) -> torch.Tensor:
    """The gradient as its input is: broadcasting is undone by summing, as the engine does it.

    `dtype` is the input's, or None where there is one dtype for all.
    """
    if gradient.shape != shape:
        gradient = gradient.sum_to_size(shape)
    return gradient if dtype is None or dtype_name(gradient.dtype) == dtype else gradient.to(getattr(torch, dtype))
