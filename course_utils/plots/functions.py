"""A learner's function, evaluated and differentiated one point at a time.

Point by point is right for every function, also for one that mixes the entries of its input (a mean, a softmax),
where the sum trick over a whole range would add up derivatives that belong to different points.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator, Sequence

import torch

from ..checks import check_function, describe

NAME_LENGTH = 12


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Gradients are on, whatever the learner's mode; torch's random state is put back at the end."""
    with torch.random.fork_rng(devices=[]), torch.inference_mode(False), torch.enable_grad():
        yield


def name_of(f: object) -> str:
    """The function's own name if it has a short one, else "f"."""
    name = getattr(f, "__name__", "f")
    return name if name.isidentifier() and len(name) <= NAME_LENGTH else "f"


class ScalarFunction:
    """A function of one or several numbers with one number as its value.

    A Python function is called with one tensor without dimensions for each name (a function with a single parameter
    for several names: with one tensor of shape (names,)); a module with a batch of one, shape (1, names). Numbers are
    float64 where `f` takes it, else the dtype of the module's parameters or torch's default.

    Args:
        f: the function or module.
        names: what its inputs are called in messages.
        probe: a point to try it at.

    Raises:
        TypeError: `f` is not callable, or does not return a tensor.
        ValueError: `f` raises, returns more than one value, or its value does not depend on its inputs by autograd.
    """

    def __init__(self, f: object, *, names: Sequence[str], probe: Sequence[float]):
        self.f, self.names, self.label = check_function(f), tuple(names), name_of(f)
        self.takes_vector = len(names) > 1 and _positional_parameters(f) == 1
        self.dtype = torch.float64
        if isinstance(f, torch.nn.Module):
            self.dtype = next((p.dtype for p in f.parameters() if p.is_floating_point()), torch.get_default_dtype())
        with undisturbed():
            try:
                self._run(probe)
            except ValueError as error:
                if not isinstance(error.__cause__, RuntimeError) or self.dtype == torch.get_default_dtype():
                    raise
                # f holds tensors of the default dtype, which do not mix with float64
                self.dtype = torch.get_default_dtype()
                self._run(probe)

    def place(self, point: Sequence[float]) -> str:
        """The point in words: "x = 0.50"."""
        return ", ".join(f"{name} = {value:g}" for name, value in zip(self.names, point, strict=True))

    def _call(self, inputs: list[torch.Tensor]) -> object:
        if isinstance(self.f, torch.nn.Module):
            # copies of the buffers, so that running statistics stay as they are
            buffers = {name: buffer.clone() for name, buffer in self.f.named_buffers()}
            return torch.func.functional_call(self.f, buffers, (torch.stack(inputs).reshape(1, -1),))
        return self.f(torch.stack(inputs)) if self.takes_vector else self.f(*inputs)

    def _run(self, point: Sequence[float]) -> tuple[list[torch.Tensor], torch.Tensor]:
        inputs = [torch.tensor(value, dtype=self.dtype, requires_grad=True) for value in point]
        try:
            output = self._call(inputs)
        except Exception as error:
            raise ValueError(f"f raised {type(error).__name__} at {self.place(point)}: {error}") from error
        return inputs, self._checked(output, point)

    def _checked(self, output: object, point: Sequence[float]) -> torch.Tensor:
        where = f"at {self.place(point)}"
        if not isinstance(output, torch.Tensor):
            raise TypeError(f"f returned {describe(output)} {where}; expected a tensor: compute with torch, not math or item()")
        if output.numel() != 1:
            raise ValueError(f"f returned {describe(output)} {where}; expected one value, so sum it or pick an entry")
        if not output.is_floating_point():
            raise ValueError(f"f returned {describe(output)} {where}; expected floating-point, which can have a gradient")
        if not output.requires_grad:
            raise ValueError(
                f"f returned a tensor without grad {where}; expected one computed from {', '.join(self.names)} "
                "(torch.tensor(), item(), detach() and no_grad() cut the graph)"
            )
        return output.reshape(())

    def _gradient(self, output: torch.Tensor, inputs: list[torch.Tensor], *, again: bool = False) -> tuple[torch.Tensor, ...]:
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

    def curve(self, xs: Sequence[float], *, order: int = 1) -> torch.Tensor:
        """f, f′, … up to `order` at each of xs, shape (order + 1, len(xs)), float64."""
        return torch.tensor([self.derivatives(x, order=order) for x in xs], dtype=torch.float64).T

    def value_and_gradient(self, point: Sequence[float]) -> tuple[float, tuple[float, ...]]:
        """f and its partial derivatives at one point."""
        with undisturbed():
            inputs, output = self._run(point)
            return output.item(), tuple(part.item() for part in self._gradient(output, inputs))


def _positional_parameters(f: object) -> int | None:
    """How many arguments f needs by position; None where that cannot be read."""
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None
    return sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty for p in parameters)
