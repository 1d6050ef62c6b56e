"""Forward values behind a graph that is already there: saved tensors, and what follows from them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import torch

from .data import Node
from .summary import MOST_NUMBERS, summarise
from .walk import Walk

# Which input of an operation a saved tensor is; what is not listed here is an input of the same place everywhere.
_USUAL = {"self": 0, "input": 0, "other": 1, "mat2": 1, "vec": 1, "tensor": 1, "target": 1, "exponent": 1}
_SLOTS = {
    "AddmmBackward0": {"mat1": 1, "mat2": 2},
    "AddmvBackward0": {"mat": 1, "vec": 2},
    "BaddbmmBackward0": {"batch1": 1, "batch2": 2},
    "ConvolutionBackward0": {"input": 0, "weight": 1},
    "PowBackward2": {"exponent": 0, "self": 1},
}


def _simple(name: str) -> Callable[..., torch.Tensor]:
    operation = getattr(torch, name)
    return lambda function, *inputs: operation(*inputs)


# How an operation's value follows from its inputs, for the operations that do not keep it and whose users may not.
FORWARD: dict[str, Callable[..., torch.Tensor]] = {
    "AddBackward0": lambda function, a, b: torch.add(a, b, alpha=function._saved_alpha),
    "SubBackward0": lambda function, a, b: torch.sub(a, b, alpha=function._saved_alpha),
    "PowBackward0": lambda function, a: a**function._saved_exponent,
    "SumBackward0": lambda function, a: a.sum(),
    "MeanBackward0": lambda function, a: a.mean(),
    "ClampBackward1": lambda function, a: a.clamp(function._saved_min, function._saved_max),
    "StackBackward0": lambda function, *inputs: torch.stack(inputs, function._saved_dim),
    "CatBackward0": lambda function, *inputs: torch.cat(inputs, function._saved_dim),
    "SelectBackward0": lambda function, a: a.select(function._saved_dim, function._saved_index),
    **{
        f"{name.capitalize()}Backward0": _simple(name)
        for name in "mul div neg sin cos abs log clone dot mv mm bmm relu maximum minimum".split()
    },
}


class Constant(NamedTuple):
    """A value that takes part in the operation at position `target` as its input `slot`, and collects no gradient."""

    target: int
    slot: int
    value: torch.Tensor | float | complex | int | bool
    name: str | None = None
    note: str | None = None

    def node(self) -> Node:
        value = self.value if isinstance(self.value, torch.Tensor) else torch.tensor(self.value)
        shown = summarise(value) if value.numel() <= MOST_NUMBERS else None
        if shown and not isinstance(self.value, torch.Tensor):
            shown = shown._replace(numbers=(self.value,))
        dtype = str(value.dtype).removeprefix("torch.")
        return Node("constant", self.name, None, tuple(value.shape), dtype, shown, note=self.note)


@cache
def _saved(kind: type) -> tuple[tuple[str, str, int | None], ...]:
    """For a kind of autograd function: its saved values (attribute, raw attribute, input; None for its own result)."""
    slots = _SLOTS.get(kind.__name__, _USUAL)
    names = [name[len("_saved_") :] for name in dir(kind) if name.startswith("_saved_")]
    return tuple(
        (f"_saved_{name}", f"_raw_saved_{name}", slots.get(name))
        for name in names
        if name in slots or name == "result"
    )


def read_values(found: Walk, known: dict[int, torch.Tensor]) -> tuple[dict[int, torch.Tensor], list[Constant]]:
    """The values of small tensors that autograd still holds, by position, and the constants among them."""
    known = dict(known)
    constants: list[Constant] = []
    for position, (function, _) in enumerate(found.keys[: found.leaves]):
        known[position] = function.variable
    for position in range(found.leaves, len(found.keys)):
        function, number = found.keys[position]
        sources = found.inputs[position]
        for attribute, raw, slot in _saved(type(function)):
            value = _unpack(function, attribute, raw)
            if value is None:
                continue
            if slot is None:
                if number == 0:
                    known.setdefault(position, value)
            elif slot < len(sources) and sources[slot][0] is not None:
                at = found.index.get(sources[slot])
                if at is not None and isinstance(value, torch.Tensor) and tuple(value.shape) == found.shapes[at]:
                    known.setdefault(at, value)
            else:
                constants.append(Constant(position, slot, value))
    given = {(constant.target, constant.slot): constant.value for constant in constants}
    for position in range(found.leaves, len(found.keys)):
        if position not in known:
            value = _follow(found, position, known, given)
            if value is not None:
                known[position] = value
    return known, constants


def _follow(found: Walk, position: int, known: dict[int, torch.Tensor], given: dict[tuple[int, int], Any]) -> Any:
    """The value of an operation computed again from the values of its inputs, or None where that cannot be done."""
    function, number = found.keys[position]
    rule = FORWARD.get(type(function).__name__)
    if rule is None or number:
        return None
    inputs = []
    for slot, source in enumerate(found.inputs[position]):
        at = found.index.get(source)
        value = known.get(at) if at is not None else given.get((position, slot))
        if value is None:
            return None
        inputs.append(value)
    with torch.no_grad():
        return rule(function, *inputs)


def _unpack(function: Any, attribute: str, raw: str) -> Any:
    try:
        holder = getattr(function, raw, None)
        if holder is not None and holder.unpack_hook is not None:
            return None
        return getattr(function, attribute)
    except RuntimeError:
        return None
