"""What an answer does, as plain data: numbers, words, flags, or the exception it raised.

Two answers are the same when their observations are. Whatever an answer does while it is watched, the learner's world
stays as it was.
"""

from __future__ import annotations

import dis
import random
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from types import CellType, CodeType, FunctionType
from typing import Any

import numpy
import torch

from .errors import in_plain_words
from .limits import TooLong, brief, parts_as_they_were, patience
from .show import as_code

Probe = Callable[[object], object] | Mapping[str, Callable[[object], object]]
LARGEST = 1_000_000  # numbers, letters or things that are looked at; more is more than any exercise asks for
SEED = 0  # of all random numbers in a probe; whatever it is, verdicts must be the same


@dataclass(frozen=True)
class Raised:
    """An exception, without the objects it would keep alive. Two are the same when type and meaning are.

    Attributes:
        kind: the name of its type.
        meaning: what it means in plain words, or its own message where the course has none.
        message: its own message.
        line: the line of the answer that was running, "" if there is none.
    """

    kind: str
    meaning: str
    message: str = field(compare=False)
    line: str = field(compare=False, default="")

    @classmethod
    def of(cls, error: BaseException, answer: object) -> Raised:
        message, file = _words_of(error), getattr(getattr(answer, "__code__", None), "co_filename", None)
        lines = [frame.line or "" for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
        return cls(type(error).__name__, in_plain_words(message) or message, message, lines[-1] if lines else "")

    @property
    def is_a_stub(self) -> bool:
        """Whether the answer says itself that it is not finished, or computes with a `...` that is still in it."""
        stub = self.kind == "NotImplementedError" and (not self.message or self.line.startswith("raise"))
        return stub or "ellipsis" in self.message


def _words_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # an exception class of the learner's own
        return ""


@dataclass(frozen=True)
class Told:
    """What a probe itself has to say about an answer, in whole sentences."""

    text: str


@dataclass(frozen=True)
class Other:
    """Something that is neither numbers nor words; only its type is kept."""

    kind: str


def observe(probe: Probe, answer: object) -> dict[str, object]:
    """What `probe` finds in `answer`, for each of its cases (one case named "" where the probe is a single function).

    An exception of the answer is an observation too; only an interrupt passes through. An answer that runs for ever is
    stopped, and then seen as such in all cases that are left.
    """
    cases = probe if isinstance(probe, Mapping) else {"": probe}
    stopped = Told("Your code was still running after a long while, and was stopped. Does each loop come to an end?")
    seen: dict[str, object] = dict.fromkeys(cases, stopped)
    try:
        with patience(), brief():
            for case, look in cases.items():
                seen[case] = _observe_case(look, answer)
    except TooLong:
        pass
    return seen


def _observe_case(look: Callable[[object], object], answer: object) -> object:
    replaced: list[str] = []
    with parts_as_they_were(replaced), world_as_it_was(answer):
        try:
            found = canonical(look(answer))
        except (KeyboardInterrupt, TooLong):
            raise
        except BaseException as error:  # `sys.exit()`, or a class of the learner's own
            found = Raised.of(error, answer)
    if replaced:
        return Told(f"Your code replaces or deletes {as_code(replaced[0])}, which all code uses. It was put back.")
    return found


@contextmanager
def world_as_it_was(answer: object) -> Iterator[None]:
    """Inside: `SEED`, float64, gradients on, no warnings shown. Afterwards: everything as it was.

    Restored are the random states, the default dtype, the gradient modes, the warning filters, and `.grad` of the
    tensors that `answer` reaches outside its own arguments.
    """
    dtype, python_state, numpy_state = torch.get_default_dtype(), random.getstate(), numpy.random.get_state()
    warn_always = torch.is_warn_always_enabled()
    leaves = _leaves_outside(answer)
    gradients = [(leaf, leaf.grad, None if leaf.grad is None else leaf.grad.clone()) for leaf in leaves]
    with (
        torch.random.fork_rng(devices=[]),
        torch.inference_mode(False),
        torch.enable_grad(),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        random.seed(SEED)
        numpy.random.seed(SEED)
        torch.default_generator.manual_seed(SEED)
        torch.set_default_dtype(torch.float64)
        torch.set_warn_always(True)  # or a warning given once in a kernel's life would be used up unseen
        try:
            yield
        finally:
            torch.set_default_dtype(dtype)
            torch.set_warn_always(warn_always)
            random.setstate(python_state)
            numpy.random.set_state(numpy_state)
            for leaf, gradient, copy in gradients:
                leaf.grad = gradient
                if gradient is not None and copy is not None:
                    gradient.detach().copy_(copy)


def outside_values(answer: object) -> dict[str, object]:
    """What a function reads from around it by name: globals and values of enclosing functions; {} for anything else."""
    if not isinstance(answer, FunctionType):
        return {}
    cells = zip(answer.__code__.co_freevars, answer.__closure__ or (), strict=True)
    enclosing = {name: cell.cell_contents for name, cell in cells if cell != CellType()}
    read = {name: answer.__globals__[name] for name in _global_names(answer.__code__) if name in answer.__globals__}
    return {**read, **enclosing}


def _global_names(code: CodeType) -> list[str]:
    names = [step.argval for step in dis.get_instructions(code) if step.opname == "LOAD_GLOBAL"]
    return names + [name for part in code.co_consts if isinstance(part, CodeType) for name in _global_names(part)]


def _leaves_outside(answer: object) -> list[torch.Tensor]:
    values = outside_values(answer).values()
    tensors = [value for value in values if isinstance(value, torch.Tensor)]
    weights = [weight for value in values if isinstance(value, torch.nn.Module) for weight in value.parameters()]
    return [tensor for tensor in tensors + weights if tensor.is_leaf]


def canonical(value: object) -> object:
    """`value` as plain data, copied: numbers and tensors as float64 tensors, lists of equal shapes as one tensor.

    So 12, 12.0 and tensor(12.) are the same, and so are (tensor(1.), tensor(2.)) and tensor([1., 2.]).
    """
    if value is None or isinstance(value, bool | Told) or value is ...:
        return value
    if isinstance(value, torch.Tensor) and value.numel() > LARGEST:
        return Other(f"tensor with {value.numel():,} numbers")
    if isinstance(value, str | list | tuple | set | frozenset | dict | numpy.ndarray) and _size(value) > LARGEST:
        return Other(f"{type(value).__name__} of {_size(value):,}")
    if isinstance(value, str):
        return value.strip().casefold()
    if isinstance(value, numpy.ndarray | numpy.generic) and value.dtype.kind in "biufc":
        value = torch.tensor(value.tolist(), dtype=torch.complex128 if value.dtype.kind == "c" else torch.float64)
    if isinstance(value, Fraction | Decimal):
        value = float(value)
    if isinstance(value, int | float | complex):
        value = torch.tensor(value, dtype=torch.complex128 if isinstance(value, complex) else torch.float64)
    if isinstance(value, torch.Tensor):
        return value.detach().to_dense().to("cpu", torch.complex128 if value.is_complex() else torch.float64, copy=True)
    if isinstance(value, list | tuple):
        parts: list[Any] = [canonical(part) for part in value]
        alike = {part.shape if isinstance(part, torch.Tensor) else None for part in parts}
        return torch.stack(parts) if len(alike) == 1 and None not in alike else parts
    if isinstance(value, set | frozenset):
        return frozenset(part if isinstance(part, str) else repr(part) for part in map(canonical, value))
    if isinstance(value, dict):
        return {str(key): canonical(part) for key, part in value.items()}
    return Other(type(value).__name__)


def _size(value: Any) -> int:
    return value.size if isinstance(value, numpy.ndarray) else len(value)


def is_unfinished(answer: object) -> bool:
    """Whether an answer is `...`, or a function or a class with a body that does nothing."""
    if isinstance(answer, type):
        parts = [part for part in vars(answer).values() if not isinstance(part, type)]  # autograd puts classes there
        return any(is_unfinished(getattr(part, "__func__", part)) for part in parts)
    if not isinstance(answer, FunctionType):
        return answer is ...
    steps = [step for step in dis.get_instructions(answer) if step.opname not in {"RESUME", "NOP", "RETURN_VALUE"}]
    return len(steps) == 1 and steps[0].opname in {"LOAD_CONST", "RETURN_CONST"} and steps[0].argval in (None, ...)


def is_unfinished_observation(seen: object) -> bool:
    """Whether a `...` or a `raise NotImplementedError` was met anywhere while the answer ran."""
    if isinstance(seen, dict | list):
        return any(map(is_unfinished_observation, seen.values() if isinstance(seen, dict) else seen))
    return seen is ... or (isinstance(seen, Raised) and seen.is_a_stub)
