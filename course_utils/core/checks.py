"""Checks of what a learner hands in. Each error names the argument, what was given, and what is expected."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import torch


def describe(value: object) -> str:
    """What `value` is, in a few words for an error message."""
    if isinstance(value, torch.Tensor):
        kind = str(value.dtype).removeprefix("torch.")
        article = "an" if kind.startswith("int") else "a"
        size = f"of shape {tuple(value.shape)}" if value.dim() else "with one value"
        return f"{article} {kind} tensor {size}"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if isinstance(value, torch.nn.Module):
        return f"the module {type(value).__name__}"
    if callable(value):
        return f"the function {getattr(value, '__name__', type(value).__name__)}"
    shown = repr(value)
    is_short = len(shown) <= 60 and "\n" not in shown and " at 0x" not in shown
    return shown if is_short else f"an object of type {type(value).__name__}"


def check_number(value: object, *, name: str) -> float:
    """`value` (a number or a tensor with one entry) as a finite float.

    Raises:
        TypeError: not a number.
        ValueError: several numbers, infinite or nan.
    """
    if isinstance(value, torch.Tensor):
        if value.numel() != 1:
            raise ValueError(f"{name} is {describe(value)}; expected one number")
        value = value.item()
    if isinstance(value, bool | str) or not hasattr(value, "__float__"):
        raise TypeError(f"{name} is {describe(value)}; expected one number, such as 0.5")
    try:
        number = float(value)
    except (TypeError, ValueError) as error:  # an array with several entries
        raise TypeError(f"{name} is {describe(value)}; expected one number, such as 0.5") from error
    if not math.isfinite(number):
        raise ValueError(f"{name} is {number}; expected a finite number")
    return number


def check_numbers(values: Any, *, name: str, count: int) -> tuple[float, ...]:
    """`values` (a tuple, a list or a tensor) as `count` finite floats.

    Raises:
        TypeError: not a sequence, or an entry is not a number.
        ValueError: another count, or an entry is not finite.
    """
    if isinstance(values, str) or not hasattr(values, "__len__") or getattr(values, "ndim", 1) != 1:
        raise TypeError(f"{name} is {describe(values)}; expected {count} numbers, such as {_sample(count)}")
    if len(values) != count:
        raise ValueError(f"{name} has {len(values)} entries; expected {count} numbers, such as {_sample(count)}")
    return tuple(check_number(value, name=f"{name}[{index}]") for index, value in enumerate(values))


def _sample(count: int) -> str:
    return f"({', '.join(str(index + 1) for index in range(count))})"


def check_range(values: object, *, name: str) -> tuple[float, float]:
    """`values` as (low, high) with low below high.

    Raises:
        TypeError: not two numbers.
        ValueError: not two of them, not finite, or the range is empty.
    """
    low, high = check_numbers(values, name=name, count=2)
    if low >= high:
        raise ValueError(f"{name} = ({low}, {high}) is an empty range; expected (low, high) with low below high")
    return low, high


def check_whole(value: object, *, name: str, low: int, high: int) -> int:
    """`value` as a whole number from `low` to `high`.

    Raises:
        TypeError: not a whole number.
        ValueError: outside `low` to `high`.
    """
    try:
        number = None if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]  # what has none raises TypeError
    except TypeError:
        number = None
    if number is None:
        raise TypeError(f"{name} is {describe(value)}; expected a whole number from {low} to {high}")
    if not low <= number <= high:
        raise ValueError(f"{name} is {number}; expected a whole number from {low} to {high}")
    return number


def check_sequence(values: Any, *, name: str, sample: str) -> Sequence[object]:
    """`values`, a list, a tuple, a range or a tensor with one dimension.

    Raises:
        TypeError: anything else; the message names `sample` as what is expected.
    """
    is_vector = getattr(values, "ndim", None) == 1
    if not is_vector and (isinstance(values, str) or not isinstance(values, Sequence)):
        raise TypeError(f"{name} is {describe(values)}; expected a list, such as {sample}")
    return values


def check_text(value: object, *, name: str) -> str:
    """`value`, which must be a text.

    Raises:
        TypeError: anything else.
    """
    if not isinstance(value, str):
        raise TypeError(f"{name} is {describe(value)}; expected a text")
    return value


def check_function(f: object, *, name: str = "f") -> Callable[..., Any]:
    """`f`, which must be callable.

    Raises:
        TypeError: `f` cannot be called; a tensor gets a hint to hand over the function and not its value.
    """
    if callable(f):
        return f
    hint = ", not its value" if isinstance(f, torch.Tensor) else ""
    raise TypeError(f"{name} is {describe(f)}; expected a function, such as lambda x: x**2, or an nn.Module{hint}")


def check_module(model: object, *, name: str = "model") -> torch.nn.Module:
    """`model`, which must be a module with parameters.

    Raises:
        TypeError: not an nn.Module.
        ValueError: it has no parameters, or lazy ones that no batch has shaped yet.
    """
    if not isinstance(model, torch.nn.Module):
        raise TypeError(f"{name} is {describe(model)}; expected an nn.Module, such as nn.Linear(2, 1)")
    if next(model.parameters(), None) is None:
        raise ValueError(
            f"{name} is a {type(model).__name__} without parameters; expected a module that can be trained"
        )
    if any(map(torch.nn.parameter.is_lazy, model.parameters())):
        raise ValueError(f"{name} has lazy layers without a shape; call it on a batch first, such as {name}(x)")
    return model


def check_tensor(value: object, *, name: str, dims: int | None = None, only_finite: bool = False) -> torch.Tensor:
    """`value` (a tensor, or numbers in lists) as a detached float64 tensor of `dims` dimensions.

    Raises:
        TypeError: neither a tensor nor numbers.
        ValueError: another number of dimensions, no entries, or one that is infinite or nan where `only_finite`.
    """
    if not isinstance(value, torch.Tensor):
        try:
            value = torch.tensor(value, dtype=torch.float64)
        except (TypeError, ValueError, RuntimeError) as error:
            raise TypeError(f"{name} is {describe(value)}; expected a tensor or a list of numbers") from error
    if value.is_complex():
        raise TypeError(f"{name} is {describe(value)}; expected real numbers")
    if dims is not None and value.dim() != dims:
        raise ValueError(f"{name} is {describe(value)}; expected a tensor with {dims} dimension{'s' * (dims != 1)}")
    if value.numel() == 0:
        raise ValueError(f"{name} is empty; expected at least one number")
    if only_finite and not value.isfinite().all():
        raise ValueError(f"{name} has an entry that is infinite or nan; expected finite numbers")
    return value.detach().to("cpu", torch.float64)
