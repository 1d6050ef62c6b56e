"""The backward pass, walked by hand: each autograd function is called by itself, in the engine's order.

So nothing of the learner's is touched: the engine never runs, no `.grad` is written (also not under `retain_grad`),
no hook is called, and nothing is freed. Each gradient is summarised and let go of as soon as it has been used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import torch
from torch.autograd.function import BackwardCFunction

from ...core.checks import describe
from ...core.internals import materializes, outputs_of
from .facts import Facts
from .names import ModuleCalls
from .record import keeping_state
from .summary import MOST_NUMBERS, Summaries
from .walk import Walk

_REENTRANT = (
    "checkpoint(..., use_reentrant=True) runs a backward pass of its own that writes .grad; "
    "use checkpoint(..., use_reentrant=False)"
)
# What these send back has the entries that they were sent.
_REARRANGES = {"T", "Transpose", "Permute", "View", "UnsafeView", "ReshapeAlias", "Squeeze", "Unsqueeze"}
_FREED = (
    "the values that this graph needs have been freed by a backward pass, so it cannot be walked again; "
    "call trace before backward(), or backward(retain_graph=True)"
)


def pass_back(walk: Walk, facts: Facts, v: object) -> Facts:
    """The facts with the gradients of a backward pass that starts from `v`; errors as in `Graph.backward`."""
    if None in walk.shapes:
        raise ValueError(
            f"PyTorch {torch.__version__} does not tell the shapes within a graph, so it cannot be walked backwards; "
            "python -m course_utils doctor says which versions the course was tried with"
        )
    if None in walk.known_shapes:
        raise ValueError(
            "this graph has nested tensors; their gradients are not read, so it cannot be walked backwards"
        )
    facts = replace(facts, gradients={}, flows={})
    starts = _starts(walk, v)
    # Checkpointing runs parts of the forward pass again, and a learner's function whatever it likes.
    runs_code = facts.recomputes or any(isinstance(one, BackwardCFunction) for one in walk.functions)
    calls = ModuleCalls({})
    with keeping_state(calls) if runs_code else nullcontext(), torch.no_grad():
        for module in _modules_in(walk) if runs_code else ():
            calls.keep_buffers(module)
        _Pass(walk, facts).run(starts)
    return facts


def _modules_in(walk: Walk) -> Iterator[torch.nn.Module]:
    """The modules that functions of the learner's have at hand for the backward pass."""
    for function in walk.functions:
        if isinstance(function, BackwardCFunction):
            held = [one for one in vars(function).values() if isinstance(one, torch.nn.Module)]
            yield from (part for module in held for part in module.modules())


def _starts(walk: Walk, v: object) -> list[torch.Tensor]:
    given = [v] * walk.roots if v is None else list(v) if walk.roots > 1 and isinstance(v, list | tuple) else [v]
    if len(given) != walk.roots:
        raise ValueError(f"v has {len(given)} entries; expected {walk.roots}, one for each output")
    return [_start(walk, number, one) for number, one in enumerate(given)]


def _start(walk: Walk, number: int, v: object) -> torch.Tensor:
    shape, one = walk.shapes[number], _ones(walk, number)
    if v is None:
        if one.numel() != 1:
            which = "the output" if walk.roots == 1 else f"output {number + 1} of {walk.roots}"
            alone = "" if walk.roots == 1 else " alone, such as outputs['loss']"
            raise ValueError(
                f"v is missing: {which} has shape {shape}, and only a single number has a gradient without it; "
                f"give the loss{alone}, or v=…, a tensor of that shape"
                + (" for each output, in a list" if walk.roots > 1 else "")
            )
        return one
    try:
        v = v.detach() if isinstance(v, torch.Tensor) else torch.as_tensor(v)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"v is {describe(v)}; expected a tensor or a number of the output's shape {shape}") from error
    if v.shape != shape:
        raise ValueError(f"v is {describe(v)}; expected the output's shape {shape}")
    return v.to(one, copy=True)


def _ones(walk: Walk, number: int) -> torch.Tensor:
    metadata = walk.metadata(number)
    return torch.ones(walk.shapes[number], dtype=metadata.dtype, device=metadata.device)


class _Pass:
    """One backward pass; what it finds goes into `facts`."""

    def __init__(self, walk: Walk, facts: Facts):
        self.walk, self.facts = walk, facts
        self.kinds = _Kinds()
        facts.summaries = [self.kinds[kind] for kind in zip(walk.shapes, walk.dtypes)]
        self.totals: dict[int, torch.Tensor] = {}
        self.ones: dict[Any, torch.Tensor] = {}
        self.joint: dict[Any, list[torch.Tensor | None]] = {}

    def run(self, starts: Sequence[torch.Tensor]) -> None:
        totals, gradients, flows = self.totals, self.facts.gradients, self.facts.flows
        shapes, sources, operations = self.walk.shapes, self.walk.sources, self.walk.operations
        summaries, is_mixed = self.facts.summaries, len(set(self.walk.dtypes)) > 1
        totals.update(enumerate(starts))
        for number in self.walk.order.backward:
            total = totals.pop(number, None)
            if total is not None and number not in gradients:
                gradients[number] = summaries[number].add(total)
            if operations[number] is None:
                continue
            sent, slopes = self._sent(number, total)
            flows[number] = row = []
            for slot, source in enumerate(sources[number]):
                if source < 0 or (gradient := sent[slot]) is None:
                    row.append(None)
                    continue
                if gradient.shape != shapes[source] or is_mixed:
                    gradient = _fit(gradient, shapes[source], self.walk.dtypes[source])
                own = summaries[source]
                if gradient is total and own is summaries[number]:
                    at = gradients[number]
                elif own.count > MOST_NUMBERS and operations[number] in _REARRANGES:
                    at = own.add_same(summaries[number], gradients[number])
                else:
                    at = own.add(gradient)
                if source not in totals:
                    # As long as it is the only contribution, it is the total.
                    totals[source], gradients[source] = gradient, at
                elif source in gradients or totals[source].layout is not torch.strided:
                    totals[source] = _sum(totals[source], gradient)
                    gradients.pop(source, None)
                else:
                    totals[source] += gradient
                row.append((at, None if slopes is None or own.count != 1 else slopes[slot].item()))
        self._read_all()

    def _sent(self, number: int, total: torch.Tensor | None) -> tuple[Sequence[Any], Sequence[Any] | None]:
        """What an operation sends to each of its inputs, and the local derivatives if it made a single number."""
        function, has_one = self.walk.functions[number], total is not None and self.facts.summaries[number].count == 1
        if not isinstance(function, BackwardCFunction):
            sent = self._call(number, total)
            return sent, self._call(number, self._one(number, total)) if has_one else None
        # Nobody keeps a learner's function from changing in place what it is given.
        self._read_all()
        width = self.walk.widths[number]
        if width == 1:
            sent = _call_custom(function, [total])
            return sent, _slopes(function, total, sent) if has_one else None
        arguments = self.joint.setdefault(function, [None] * width)
        arguments[self.walk.outputs[number]] = total
        if not self.walk.is_last_output(number):
            return [None] * len(self.walk.sources[number]), None
        return _call_custom(function, self.joint.pop(function)), None

    def _one(self, number: int, total: torch.Tensor) -> torch.Tensor:
        """What an operation that makes a single number is given to send back its local derivatives."""
        kind = (self.walk.shapes[number], total.dtype, total.device)
        if kind not in self.ones:
            self.ones[kind] = torch.ones_like(total)
        return self.ones[kind]

    def _read_all(self) -> None:
        for summaries in self.kinds.values():
            summaries.read()

    def _call(self, number: int, total: torch.Tensor | None) -> Sequence[torch.Tensor | None]:
        """What an operation sends to each of its inputs for a gradient of one of its outputs."""
        function, width = self.walk.functions[number], self.walk.widths[number]
        try:
            if width == 1:
                sent = function(total)
            else:
                arguments: list[torch.Tensor | None] = [None] * width
                arguments[self.walk.outputs[number]] = total
                sent = function(*arguments)
            return sent if isinstance(sent, tuple) else (sent,)
        except RuntimeError as error:
            if "freed" in str(error):
                raise RuntimeError(_FREED) from error
            raise


class _Kinds(dict):
    """The summaries of each shape and dtype."""

    def __missing__(self, kind: tuple[tuple[int, ...], str]) -> Summaries:
        self[kind] = made = Summaries(kind[0])
        return made


def _call_custom(function: Any, given: Sequence[torch.Tensor | None]) -> Sequence[torch.Tensor | None]:
    """What a function of the learner's sends, called as the engine does: once for all its outputs.

    An output that no gradient reached comes as zeros, or as None if the function wants that.
    """
    if function.name() == "CheckpointFunctionBackward":
        raise RuntimeError(_REENTRANT)
    if any(one is None for one in given) and materializes(function):
        given = [_zeros(like) if one is None else one for one, like in zip(given, outputs_of(function), strict=True)]
    try:
        sent = function.apply(*given)
    except RuntimeError as error:
        if "freed" in str(error):
            raise RuntimeError(_FREED) from error
        raise
    sent = sent if isinstance(sent, tuple) else (sent,)
    needed = function.needs_input_grad
    if len(sent) < len(needed) or any(one is not None for one in sent[len(needed) :]):
        raise RuntimeError(
            f"function {function.name()} returned an incorrect number of gradients "
            f"(expected {len(needed)}, got {len(sent)})"
        )
    # It answers for every input, also for those that are no tensors, which autograd does not count.
    answers = iter([one for one, is_needed in zip(sent, needed) if is_needed])
    sources = [source and outputs_of(source)[at] for source, at in function.next_functions]
    answers = [source and next(answers) for source in sources]
    return [one if one is None else one.to(source.dtype) for one, source in zip(answers, sources)]


def _zeros(like: Any) -> torch.Tensor:
    return torch.zeros(like.shape, dtype=like.dtype, device=like.device)


def _slopes(
    function: Any, total: torch.Tensor, sent: Sequence[torch.Tensor | None]
) -> Sequence[torch.Tensor | _NoFactor | None] | None:
    """The local derivatives of a learner's function, as far as its rule is to multiply with them."""
    if total.item() == 1:
        return sent
    slopes = _call_custom(function, [torch.ones_like(total)])
    pairs = zip(sent, slopes, strict=True)
    return [_NO_FACTOR if one is None or not _is_product(one, slope, total) else slope for one, slope in pairs]


class _NoFactor:
    """In place of a local derivative that is none."""

    def item(self) -> None:
        """No number."""


_NO_FACTOR = _NoFactor()


def _is_product(sent: torch.Tensor, slope: torch.Tensor | None, total: torch.Tensor) -> bool:
    return slope is not None and torch.allclose(sent, slope * total, rtol=1e-3, atol=0.0, equal_nan=True)


def _sum(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """A new tensor; dense and sparse can be added in one order only."""
    return one + other if one.layout is torch.strided else other + one


def _fit(gradient: torch.Tensor, shape: tuple[int, ...], dtype: str) -> torch.Tensor:
    """The gradient as its input is: broadcasting is undone by summing, as the engine does it."""
    if gradient.shape != shape:
        gradient = gradient.sum_to_size(shape)
    return gradient.to(getattr(torch, dtype))
