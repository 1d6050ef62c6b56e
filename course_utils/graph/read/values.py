"""Forward values behind a graph that is already there: what autograd or the learner still holds, and what follows."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import torch

from ...core.internals import Unknown, change_count, outputs_of, saved, saved_names, saved_without_hook
from ..data import Summary
from .facts import Constant, Facts
from .summary import MOST_NUMBERS, summarise, summarise_number
from .walk import BEYOND, CONSTANT, Walk, dtype_name

# Values of more entries than this are not read: their norms would cost what the forward pass did.
MOST_ENTRIES = 4_096

# Which input of its operation a saved value is.
_USUAL = {"self": 0, "input": 0, "other": 1, "mat2": 1, "vec": 1, "tensor": 1, "target": 1, "exponent": 1}
_SLOTS = {
    "AddmmBackward0": {"mat1": 1, "mat2": 2},
    "AddmvBackward0": {"mat": 1, "vec": 2},
    "BaddbmmBackward0": {"batch1": 1, "batch2": 2},
    "ConvolutionBackward0": {"input": 0, "weight": 1},
    "NllLossBackward0": {"self": 0},
    "PowBackward2": {"exponent": 0, "self": 1},
}
_SAME = "mul div neg sin cos abs log clone dot mv mm bmm relu maximum minimum where t".split()


def _same(name: str) -> Callable[..., torch.Tensor]:
    return lambda function, *inputs: getattr(torch, name)(*inputs)


def _own(function: Any) -> Any:
    return outputs_of(function)[0]


def _resize(function: Any, tensor: torch.Tensor) -> torch.Tensor:
    return tensor.reshape(_own(function).shape)


# How a value follows from its inputs, for operations that do not keep it themselves and whose users may not either.
FORWARD: dict[str, Callable[..., torch.Tensor]] = {
    **{f"{name.capitalize()}Backward0": _same(name) for name in _SAME},
    "AddBackward0": lambda function, a, b: torch.add(a, b, alpha=saved(function, "alpha")),
    "SubBackward0": lambda function, a, b: torch.sub(a, b, alpha=saved(function, "alpha")),
    "PowBackward0": lambda function, a: a ** saved(function, "exponent"),
    "SumBackward0": lambda function, a: a.sum(),
    "MeanBackward0": lambda function, a: a.mean(),
    "ClampBackward1": lambda function, a: a.clamp(saved(function, "min"), saved(function, "max")),
    "WhereBackward0": lambda function, a, b: torch.where(saved(function, "condition"), a, b),
    "AddmmBackward0": lambda function, a, b, c: torch.addmm(
        a, b, c, alpha=saved(function, "alpha"), beta=saved(function, "beta")
    ),
    "MseLossBackward0": lambda function, a, b: torch.ops.aten.mse_loss(a, b, saved(function, "reduction")),
    "StackBackward0": lambda function, *inputs: torch.stack(inputs, saved(function, "dim")),
    "CatBackward0": lambda function, *inputs: torch.cat(inputs, _signed(saved(function, "dim"))),
    "SelectBackward0": lambda function, a: a.select(_signed(saved(function, "dim")), _signed(saved(function, "index"))),
    "TransposeBackward0": lambda function, a: a.transpose(
        _signed(saved(function, "dim0")), _signed(saved(function, "dim1"))
    ),
    "PermuteBackward0": lambda function, a: a.permute([_signed(dim) for dim in saved(function, "dims")]),
    "ToCopyBackward0": lambda function, a: a.to(_own(function).dtype),
    "ExpandBackward0": lambda function, a: a.expand(_own(function).shape),
    **{f"{name}Backward{kind}": _resize for name in ("View", "UnsafeView", "Unsqueeze") for kind in range(2)},
    **{f"SqueezeBackward{kind}": _resize for kind in range(5)},
}


class _Rules(dict):
    """The rule for a kind of autograd function, or None."""

    def __missing__(self, kind: type) -> Callable[..., torch.Tensor] | None:
        self[kind] = rule = FORWARD.get(kind.__name__)
        return rule


_RULES = _Rules()


def _signed(number: int) -> int:
    """Autograd keeps some negative numbers as unsigned ones."""
    return number - (1 << 64) if number >= 1 << 63 else number


class _Saved(dict):
    """For a kind of autograd function its saved values: PyTorch's name, and which input (None for its own result)."""

    def __missing__(self, kind: type) -> tuple[tuple[str, int | None], ...]:
        slots = {**_SLOTS.get(kind.__name__, _USUAL), "result": None}
        self[kind] = known = tuple((name, slots[name]) for name in saved_names(kind) if name in slots)
        return known


_SAVED = _Saved()


def read_values(
    found: Walk, facts: Facts, held: Mapping[int, torch.Tensor], named: dict[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """Puts values and constants into `facts`, and returns the named constants for which no place was found.

    `held` are the outputs and what the learner names, by number; `named` the learner's names for tensors without grad.
    """
    reader = _Reader(found, facts, named)
    reader.known.update(held)
    reader.read_saved()
    with torch.no_grad():
        reader.follow()
    reader.finish()
    placed = {id(value) for value in reader.given.values()}
    return {name: tensor for name, tensor in named.items() if id(tensor) not in placed}


def read_kept(found: Walk, facts: Facts, named: Mapping[str, torch.Tensor]) -> None:
    """Puts into `facts` what `.grad` of the leaves holds, and of the `named` tensors that retain their gradient."""
    tensors = {number: found.functions[number].variable for number, made in enumerate(found.operations) if made is None}
    retaining = {name: tensor for name, tensor in named.items() if tensor.retains_grad}
    tensors.update({number: retaining[name] for number, name in facts.names.items() if name in retaining})
    for number, tensor in tensors.items():
        if tensor.grad is not None and tensor.grad.numel() <= MOST_ENTRIES:
            facts.kept[number] = summarise(tensor.grad)


class _Reader:
    """The values found so far: tensors by number, and what other inputs were given, by (number, input)."""

    def __init__(self, found: Walk, facts: Facts, named: dict[str, torch.Tensor]):
        self.found, self.facts = found, facts
        self.named = {id(tensor): name for name, tensor in named.items()}
        self.candidates = list(named.values())
        self.known: dict[int, torch.Tensor] = {}
        self.given: dict[tuple[int, int], Any] = {}
        self.confirmed: set[tuple[int, int]] = set()

    def read_saved(self) -> None:
        known, given, shapes = self.known, self.given, self.found.shapes
        columns = zip(self.found.functions, self.found.outputs, self.found.sources)
        for number, (function, output, sources) in enumerate(columns):
            if self.found.operations[number] is None:
                known[number] = function.variable
                continue
            for name, slot in _SAVED[type(function)]:
                value = self._unpack(number, function, name)
                if value is None:
                    continue
                if slot is None:
                    if output == 0:
                        known.setdefault(number, value)
                elif slot >= len(sources) or sources[slot] == CONSTANT:
                    given[number, slot] = value
                elif (source := sources[slot]) != BEYOND and value.shape == shapes[source]:
                    known.setdefault(source, value)
                    self.confirmed.add((number, source))

    def _unpack(self, number: int, function: Any, name: str) -> Any:
        try:
            return saved_without_hook(function, name)
        except Unknown:
            self.facts.recomputes = True
        except RuntimeError as error:
            if "freed" in str(error):
                self.facts.is_freed = True
            else:
                self.facts.notes[number] = _trouble(str(error))
        return None

    def follow(self) -> None:
        """Works out small values that nothing kept from the values of their inputs, and constants from both."""
        found, known = self.found, self.known
        functions, sources, shapes = found.functions, found.sources, found.shapes
        for number in found.order.numbers[found.order.leaves :]:
            rule = _RULES[type(functions[number])]
            if rule is None or found.outputs[number]:
                continue
            if not self._lacks_constant(number) if number in known else not _is_small(shapes[number]):
                continue
            inputs = [self._input(number, slot, source) for slot, source in enumerate(sources[number])]
            missing = [slot for slot, value in enumerate(inputs) if value is None]
            try:
                if not missing:
                    known.setdefault(number, rule(functions[number], *inputs))
                elif number in known and len(missing) == 1 and sources[number][missing[0]] == CONSTANT:
                    self._find_constant(number, missing[0], inputs, partial(rule, functions[number]))
            except Unknown:
                continue

    def _lacks_constant(self, number: int) -> bool:
        sources = self.found.sources[number]
        return CONSTANT in sources and any(
            source == CONSTANT and (number, slot) not in self.given for slot, source in enumerate(sources)
        )

    def _input(self, number: int, slot: int, source: int) -> Any:
        if source == CONSTANT:
            return self.given.get((number, slot))
        value = self.known.get(source)
        if value is None or value.numel() > MOST_ENTRIES:
            return None
        # A leaf may have changed since this operation; not so where the operation kept it, or it never did.
        is_confirmed = (number, source) in self.confirmed
        is_sure = is_confirmed or self.found.operations[source] is not None or change_count(value) == 0
        return value if is_sure else None

    def _find_constant(self, number: int, slot: int, inputs: list[Any], rule: Callable[..., torch.Tensor]) -> None:
        """The constant that makes the operation give the value it gave: a named tensor, or for sums a plain number."""
        value = self.known[number]
        for candidate in [*self.candidates, *_guesses(rule.args[0], slot, inputs, value)]:
            trial = [*inputs[:slot], candidate, *inputs[slot + 1 :]]
            if _fits(trial, value) and torch.equal(rule(*trial), value):
                self.given[number, slot] = candidate
                return

    def finish(self) -> None:
        """Puts what was found into the facts."""
        self.facts.values.update(
            (number, summarise(value)) for number, value in self.known.items() if value.numel() <= MOST_ENTRIES
        )
        placed: dict[int, Constant] = {}
        for use, value in self.given.items():
            if not isinstance(value, torch.Tensor):
                self.facts.constants.append(Constant([use], summarise_number(value), type(value).__name__))
            elif id(value) in placed:
                placed[id(value)].uses.append(use)
            else:
                shown = summarise(value) if value.numel() <= MOST_ENTRIES else Summary(tuple(value.shape))
                constant = Constant([use], shown, dtype_name(value.dtype), self.named.get(id(value)))
                placed[id(value)] = constant
                self.facts.constants.append(constant)


def _trouble(message: str) -> str:
    """Autograd's complaint about a saved tensor in short: the version it has now, and the one that was saved."""
    found = re.search(r"is at version (\d+); expected version (\d+)", message)
    if found is None:
        return f"a saved value cannot be read: {message.partition('. ')[0]}"
    now, then = found.groups()
    return f"changed in place since: saved at version {then}, now {now}"


def _is_small(shape: tuple[int, ...] | None) -> bool:
    return shape is not None and math.prod(shape) <= MOST_NUMBERS


def _fits(inputs: Sequence[torch.Tensor | float], value: torch.Tensor) -> bool:
    """Whether tensors of these shapes can be broadcast to the shape of `value`."""
    shapes = [(1,) * (value.dim() - one.dim()) + tuple(one.shape) for one in inputs if isinstance(one, torch.Tensor)]
    return all(
        len(shape) == value.dim() and all(own in (1, full) for own, full in zip(shape, value.shape)) for shape in shapes
    )


def _guesses(function: Any, slot: int, inputs: Sequence[Any], value: torch.Tensor) -> Iterator[float]:
    """Plain numbers that may have been added or subtracted, the shortest first."""
    kind = type(function).__name__
    if value.numel() != 1 or not value.is_floating_point() or kind not in {"AddBackward0", "SubBackward0"}:
        return
    result, other = value.item(), inputs[1 - slot].item()
    number = result - other if kind == "AddBackward0" else other - result if slot else result + other
    if math.isfinite(number):
        yield from dict.fromkeys(float(f"{number:.{digits}g}") for digits in range(1, 10))
