"""Watching a function run: every forward value, the line of code and the module behind each operation."""

from __future__ import annotations

import linecache
import os
import random
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

import torch

from ...core.internals import TorchDispatchMode, base_of, has_hooks, newest_age
from ...core.randomness import in_main_thread, random_state_kept
from ..data import Summary
from .cuts import WITHOUT_GRAD, Cuts
from .names import ModuleCalls
from .summary import summarise, summarise_number
from .walk import CONSTANT, Key, dtype_name, is_cut_view, key_of

_OURS = (Path(torch.__path__[0]), Path(__file__).parents[2])
# Python names a file by the path that found it, which may go through links.
_NOT_THE_LEARNERS = tuple(f"{form}{os.sep}" for place in _OURS for form in (place, place.resolve()))
_LEAF = "leaf"
_ATEN = torch.ops.aten
# Operations with a number that autograd does not count among their inputs.
_WITH_NUMBER = {
    _ATEN.rsub.Scalar, _ATEN.pow.Tensor_Scalar, _ATEN.pow.Scalar, _ATEN.remainder.Scalar, _ATEN.mul.Scalar,
}  # fmt: skip


class Input(NamedTuple):
    """What an operation was given in one place: a tensor of the graph (`key`), or a constant (`shown`).

    `origin` and `note` tell where a constant was cut off from the graph; `identity` is the tensor's `id`.
    """

    key: Key | None = None
    shown: Summary | None = None
    dtype: str | None = None
    identity: int | None = None
    origin: Key | None = None
    note: str | None = None


class Call(NamedTuple):
    """One operation as it ran: its tensors and numbers in order, and the number that autograd does not count."""

    inputs: tuple[Input, ...]
    number: Input | None
    line: str | None
    module: str | None

    def slots(self, sources: Sequence[int], find: Callable[[Key | None], int | None]) -> Sequence[Input]:
        """The inputs as autograd counts them: those that agree with the operation's sources, or none."""
        tensors = tuple(given for given in self.inputs if given.identity is not None)
        for inputs in (tensors, self.inputs):
            if len(inputs) >= len(sources) and all(
                source == CONSTANT or find(given.key) == source for given, source in zip(inputs, sources)
            ):
                return inputs[: len(sources)]
        return ()


class Recorder(TorchDispatchMode):
    """Records while it is entered; `values` by graph key, calls by autograd's sequence number.

    Args:
        code: the code of the function whose local names are wanted, or None.
        name_of: names for modules that the learner's code calls, by `id`.
    """

    def __init__(self, code: CodeType | None, name_of: dict[int, str]):
        super().__init__()
        self.code, self.modules = code, ModuleCalls(name_of)
        self.values: dict[Key, Summary] = {}
        self.calls: dict[int, Call] = {}
        self.frame: FrameType | None = None
        self.cuts, self.hooked = Cuts(code), []
        self._leaves: dict[Key, torch.Tensor] = {}
        self._numbers: list[int] = []

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """PyTorch asks, and imports its compiler if the answer is yes: that takes seconds."""
        return False

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Records inside the `with`."""
        try:
            with keeping_state(self.modules), self:
                yield
        finally:
            self._find_leaves()

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        inputs = tuple(self._input(value) for value in _flat(args))
        number = newest_age()
        if number is not None and number not in self.calls and any(given.key is not None for given in inputs):
            extra = next((given for given in inputs if given.identity is None), None) if func in _WITH_NUMBER else None
            self.calls[number] = Call(inputs, extra, self._line(), self.modules.current())
        out = func(*args, **(kwargs or {}))
        self.cuts.watch(func, inputs, out)
        return out

    def _input(self, value: Any) -> Input:
        if not isinstance(value, torch.Tensor):
            origin, note = self.cuts.of_number(value)
            return Input(None, summarise_number(value), type(value).__name__, None, origin, note)
        if value.requires_grad:
            key = self._key(value)
            if key is not None:
                if key not in self.values:
                    self.values[key] = summarise(value.detach())
                if has_hooks(value):
                    self.hooked.append(key)
                return Input(key, identity=id(value))
            origin, note = self._key(base_of(value)), WITHOUT_GRAD
        else:
            origin, note = self.cuts.of(value)
        return Input(None, summarise(value.detach()), dtype_name(value.dtype), id(value), origin, note)

    def _key(self, value: torch.Tensor) -> Key | None:
        """Where a tensor stands in the graph; None for a view made without grad, which says that it requires grad."""
        if (function := value.grad_fn) is not None:
            return function, value.output_nr
        if is_cut_view(value):
            return None
        # Below autograd a leaf's function cannot be asked for.
        key = (_LEAF, id(value))
        self._leaves[key] = value
        return key

    def _find_leaves(self) -> None:
        leaves = {key: key_of(leaf) for key, leaf in self._leaves.items()}
        self.cuts.rename(leaves)
        self.values = {leaves.get(key, key): value for key, value in self.values.items()}
        for number, call in self.calls.items():
            inputs = tuple(
                given._replace(key=leaves.get(given.key, given.key), origin=leaves.get(given.origin, given.origin))
                for given in call.inputs
            )
            self.calls[number] = call._replace(inputs=inputs)

    def _line(self) -> str | None:
        frame, line = sys._getframe(2), None
        while frame is not None:
            if line is None and is_learners(frame.f_code):
                line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip() or None
                if self.frame is not None or self.code is None:
                    return line
            if frame.f_code is self.code:
                self.frame = frame
                return line
            frame = frame.f_back
        return line

    def call_of(self, age: int) -> Call | None:
        """The call that made the autograd function of this age, or None."""
        return self.calls.get(age)

    def call_near(self, age: int) -> Call | None:
        """The call that made the autograd function of this age, or the last one before it."""
        if len(self._numbers) != len(self.calls):
            self._numbers = sorted(self.calls)
        at = bisect_right(self._numbers, age)
        return self.calls[self._numbers[at - 1]] if at else None

    def release(self) -> None:
        """Lets go of what was recorded, the youngest first: the other way round, a long chain would go at once."""
        while self.values:
            self.values.popitem()
        while self.calls:
            self.calls.popitem()

    def local_tensors(self) -> dict[str, torch.Tensor]:
        """The tensors that the function's own names stood for when it returned."""
        if self.frame is None:
            return {}
        return {n: v for n, v in self.frame.f_locals.items() if isinstance(v, torch.Tensor) and not n.startswith("_")}


def is_learners(code: CodeType) -> bool:
    """Whether this is neither PyTorch's code nor the course's."""
    return not code.co_filename.startswith(_NOT_THE_LEARNERS)


@contextmanager
def keeping_state(modules: ModuleCalls) -> Iterator[None]:
    """Puts random states (as `random_state_kept` does) and buffers of modules that run inside the `with` back."""
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else []
    python_state, numpy = random.getstate(), sys.modules.get("numpy.random")
    numpy_state = numpy.get_state() if numpy is not None else None
    try:
        with random_state_kept(devices), modules:
            yield
    finally:
        if in_main_thread():
            random.setstate(python_state)
            if numpy_state is not None:
                numpy.set_state(numpy_state)


def _flat(values: Any) -> Iterator[Any]:
    """The tensors and numbers among an operation's arguments, in order, those in lists as well."""
    for value in values:
        if isinstance(value, torch.Tensor | int | float | complex):
            yield value
        elif isinstance(value, list | tuple):
            yield from (inner for inner in value if isinstance(inner, torch.Tensor))
