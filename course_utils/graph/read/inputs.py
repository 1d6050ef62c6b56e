"""What people hand in: the tensors in whatever a model returns, and new leaves in whatever a function takes."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, ItemsView, Iterator, Mapping, ValuesView
from dataclasses import fields, is_dataclass
from functools import partial
from itertools import chain
from typing import Any

import torch

from ...core.checks import describe
from .walk import is_tracked

_SEVERAL = (list, tuple, set, frozenset, deque, ValuesView, ItemsView, Iterator)
_HOLDS_DATA = (str, bytes, int, float, complex, type, torch.nn.Module)


def check_outputs(target: object, *, name: str = "target") -> list[torch.Tensor]:
    """The tensors in `target` that a graph leads to.

    Raises:
        TypeError: there is no tensor in it.
        ValueError: none of them requires grad.
    """
    outputs = list(tensors_in(target))
    if not outputs:
        hint = "; backward() returns None: give the tensor that it was called on" if target is None else ""
        raise TypeError(f"{name} is {describe(target)}; expected a tensor, several tensors, or a function{hint}")
    tracked = [output for output in outputs if is_tracked(output)]
    if not tracked:
        raise ValueError(
            f"{name} is {describe(outputs[0])} that does not require grad, so no graph leads to it; "
            "expected a tensor computed from one made with requires_grad=True"
        )
    return tracked


def tensors_in(value: object) -> Iterator[torch.Tensor]:
    """The tensors in lists, dicts, dataclasses, generators and other objects; of one with a `.loss`, the loss alone."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Mapping):
        yield from tensors_in(list(value.values()))
    elif isinstance(value, _SEVERAL):
        for inner in value:
            yield from tensors_in(inner)
    elif is_dataclass(value) and not isinstance(value, type):
        yield from tensors_in([getattr(value, one.name) for one in fields(value)])
    elif isinstance(getattr(value, "loss", None), torch.Tensor):
        yield value.loss
    elif not isinstance(value, _HOLDS_DATA) and not callable(value):
        yield from (one for one in vars(value).values() if isinstance(one, torch.Tensor)) if _has_vars(value) else ()


def _has_vars(value: object) -> bool:
    return hasattr(value, "__dict__")


def fresh_inputs(function: Callable[..., object], given: Mapping[str, object], plain: set[str]) -> dict[str, object]:
    """New leaves with the given values, so that nothing of the learner's is touched.

    Numbers and floating-point tensors, those in lists, tuples and dicts as well, become leaves that require grad. A
    module's tensors stay what they are: data that requires no grad is not made to. Everything else is handed on, and so
    are the numbers called in `plain`.
    """
    is_module = isinstance(function, torch.nn.Module)
    return {name: value if name in plain else _fresh(value, is_module) for name, value in given.items()}


def _fresh(value: object, is_module: bool) -> object:
    if isinstance(value, torch.Tensor):
        copy = value.detach().clone()
        return copy.requires_grad_(value.requires_grad or not is_module) if _can_require_grad(copy) else copy
    if is_number(value) and not is_module:
        return torch.tensor(float(value) if isinstance(value, int) else value, requires_grad=True)
    if isinstance(value, list | tuple) and type(value) in (list, tuple):  # a named tuple is made in another way
        return type(value)(one if is_number(one) else _fresh(one, is_module) for one in value)
    if type(value) is dict:
        return {key: one if is_number(one) else _fresh(one, is_module) for key, one in value.items()}
    return value


def is_number(value: object) -> bool:
    """Whether this is a plain number, which can become a leaf."""
    return isinstance(value, int | float | complex) and not isinstance(value, bool)


def _can_require_grad(tensor: torch.Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()


def named_inputs(inputs: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """The inputs by name, and those in lists, tuples and dicts as "ab[0]"."""
    for name, value in inputs.items():
        yield name, value
        if type(value) in (list, tuple):
            yield from named_inputs({f"{name}[{at}]": one for at, one in enumerate(value)})
        elif type(value) is dict:
            yield from named_inputs({f"{name}[{key!r}]": one for key, one in value.items()})


def plain_choices(function: Callable[..., object], given: Mapping[str, object]) -> Iterator[set[str]]:
    """Which numbers to hand on as they are: none, then a whole number each, all of them, and so for the others."""
    yield set()
    if not isinstance(function, torch.nn.Module):
        whole = [name for name, value in given.items() if is_number(value) and isinstance(value, int)]
        others = [name for name, value in given.items() if is_number(value) and name not in whole]
        groups = [[one] for one in whole], [whole], [[*whole, one] for one in others], [[*whole, *others]]
        seen: list[set[str]] = [set()]
        for names in chain(*groups):
            if set(names) not in seen:
                seen.append(set(names))
                yield set(names)


def bind(function: Callable[..., object], inputs: Mapping[str, object]) -> Callable[[], object]:
    """The function with its inputs, ready to be called; functions whose inputs have no names get them in order.

    Raises:
        TypeError: the inputs do not fit the function.
    """
    try:
        signature = inspect.signature(function.forward if isinstance(function, torch.nn.Module) else function)
    except (TypeError, ValueError):
        return partial(function, *inputs.values())
    in_order = any(one.kind is one.POSITIONAL_ONLY for one in signature.parameters.values())
    try:
        bound = signature.bind(*inputs.values()) if in_order else signature.bind(**inputs)
    except TypeError as error:
        given = ", ".join(inputs) or "nothing"
        raise TypeError(f"{describe(function)} cannot be called with {given}: {error}") from None
    return partial(function, *bound.args, **bound.kwargs)


def first_input(target: Any) -> str:
    """What the first input of a function or module is called, for a hint."""
    try:
        parameters = inspect.signature(target.forward if isinstance(target, torch.nn.Module) else target).parameters
    except (TypeError, ValueError):
        return "x"
    return next(iter(parameters), "x")
