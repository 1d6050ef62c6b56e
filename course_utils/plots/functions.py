"""A learner's function, evaluated and differentiated one point at a time.

Point by point is right for every function, also for one that mixes the entries of its input (a mean, a softmax),
where the sum trick over a whole range would add up derivatives that belong to different points.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from ..core.checks import check_function, describe
from ..core.numbers import format_given
from ..core.randomness import random_state_kept

NAME_LENGTH = 12


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Gradients are on, whatever the learner's mode; torch's random state is put back at the end."""
    with random_state_kept(), torch.inference_mode(False), torch.enable_grad():
        yield


def name_of(f: object) -> str:
    """The function's own name if it has a short one, else "f"."""
    name = getattr(f, "__name__", "f")
    return name if name.isidentifier() and len(name) <= NAME_LENGTH else "f"


def grid(low: float, high: float, points: int) -> torch.Tensor:
    """Evenly spaced float64 numbers from low to high, both included."""
    # not linspace, which misses the zero in the middle by a rounding error
    return low + (high - low) * torch.arange(points, dtype=torch.float64) / (points - 1)


class ScalarFunction:
    """A function of one or two numbers with one number as its value.

    A Python function is called with a tensor without dimensions for each number (with one tensor of shape (2,) where it
    has a single parameter for two numbers), a copy of a module with a batch of one, shape (1, numbers): what the copy
    counts the module does not, and later training does not change a plot. Numbers are float64 where `f` takes that,
    else of torch's default dtype.

    Args:
        f: the function or module.
        probe: a point to try it at, one number for each input.
        dtype: the only dtype to call it with; None for the choice above.
        argument: what errors call it: the name under which the learner gave it.

    Attributes:
        names: what its inputs are called, from its parameters, else x and y.
        label: its own name if that is short, else f.

    Raises:
        TypeError: `f` is not callable, or does not return a tensor.
        ValueError: `f` raises, returns more than one value, or its value does not depend on its inputs by autograd.
    """

    def __init__(self, f: object, *, probe: Sequence[float], dtype: torch.dtype | None = None, argument: str = "f"):
        self.f, self.label, self.argument = check_function(f, name=argument), name_of(f), argument
        if isinstance(f, torch.nn.Module):
            self.f = copy.deepcopy(f).requires_grad_(False)
        parameters = _positional_parameters(f)
        self.takes_vector = len(probe) > 1 and len(parameters) == 1
        named = len(parameters) == len(probe) and max(map(len, parameters)) <= NAME_LENGTH
        self.names = parameters if named else ("x", "y")[: len(probe)]
        self._use(dtype or torch.float64)
        try:
            self.value_and_gradient(probe)
            return
        except ValueError as error:
            if dtype is not None or not isinstance(error.__cause__, RuntimeError):
                raise
        # f may hold tensors of the default dtype, which do not mix with float64
        self._use(torch.get_default_dtype())
        self.value_and_gradient(probe)

    def _use(self, dtype: torch.dtype) -> None:
        self.dtype = dtype
        if isinstance(self.f, torch.nn.Module):
            self.f.to(dtype)

    def place(self, point: Sequence[float]) -> str:
        """The point in words: "x = 0.50"."""
        return ", ".join(f"{name} = {format_given(value)}" for name, value in zip(self.names, point, strict=True))

    def _call(self, inputs: list[torch.Tensor]) -> object:
        if isinstance(self.f, torch.nn.Module):
            return self.f(torch.stack(inputs).reshape(1, -1))
        return self.f(torch.stack(inputs)) if self.takes_vector else self.f(*inputs)

    def _run(self, point: Sequence[float]) -> tuple[list[torch.Tensor], torch.Tensor]:
        inputs = [torch.tensor(value, dtype=self.dtype, requires_grad=True) for value in point]
        try:
            output = self._call(inputs)
        except Exception as error:
            what = f"{self.argument} raised {type(error).__name__}"
            raise ValueError(f"{what} at {self.place(point)}: {error}") from error
        return inputs, self._checked(output, point)

    def _checked(self, output: object, point: Sequence[float]) -> torch.Tensor:
        where, given = f"at {self.place(point)}", f"{self.argument} returned {describe(output)}"
        if not isinstance(output, torch.Tensor):
            raise TypeError(f"{given} {where}; expected a tensor, computed with torch")
        if output.numel() != 1:
            raise ValueError(f"{given} {where}; expected one value, so sum it or pick an entry")
        if not output.is_floating_point():
            raise ValueError(f"{given} {where}; expected a floating-point tensor")
        if not output.requires_grad:
            raise ValueError(
                f"{self.argument} returned a tensor without grad {where}; "
                f"expected one computed from {', '.join(self.names)} "
                "(torch.tensor(), item(), detach() and no_grad() cut the graph)"
            )
        return output.reshape(())

    def _gradient(
        self, output: torch.Tensor, inputs: list[torch.Tensor], *, again: bool = False
    ) -> tuple[torch.Tensor, ...]:
        if not output.requires_grad:
            return tuple(torch.zeros_like(each) for each in inputs)
        return torch.autograd.grad(output, inputs, create_graph=again, allow_unused=True, materialize_grads=True)

    def derivatives(self, x: float, *, order: int = 1) -> list[float]:
        """f, f′, … up to the derivative of `order`, at the number x."""
        with undisturbed():
            inputs, output = self._run([x])
            values = [output]
            for done in range(order):
                values += self._gradient(values[-1], inputs, again=done + 1 < order)
            return [value.item() for value in values]

    def curve(self, xs: torch.Tensor, *, order: int = 1) -> torch.Tensor:
        """f, f′, … up to `order` at each of xs, shape (order + 1, len(xs)), float64."""
        return torch.tensor([self.derivatives(x, order=order) for x in xs.tolist()], dtype=torch.float64).T

    def values(self, points: torch.Tensor) -> torch.Tensor:
        """f at each of the points, shape (…, inputs), as float64 of shape (…)."""
        with undisturbed():
            flat = [self._run(point)[1].item() for point in points.reshape(-1, points.shape[-1]).tolist()]
        return torch.tensor(flat, dtype=torch.float64).reshape(points.shape[:-1])

    def value_and_gradient(self, point: Sequence[float]) -> tuple[float, tuple[float, ...]]:
        """f and its partial derivatives at one point."""
        with undisturbed():
            inputs, output = self._run(point)
            return output.item(), tuple(part.item() for part in self._gradient(output, inputs))

    def hessian(self, point: Sequence[float]) -> torch.Tensor:
        """The second partial derivatives at one point, shape (inputs, inputs), float64."""
        with undisturbed():
            inputs, output = self._run(point)
            rows = [self._gradient(part, inputs, again=True) for part in self._gradient(output, inputs, again=True)]
            return torch.tensor([[entry.item() for entry in row] for row in rows], dtype=torch.float64)


def _positional_parameters(f: Any) -> tuple[str, ...]:
    """The names of the arguments that f needs by position; none where that cannot be read, or for a module."""
    if isinstance(f, torch.nn.Module):
        return ()
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return ()
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return ()
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(p.name for p in parameters if p.kind in positional and p.default is p.empty)
