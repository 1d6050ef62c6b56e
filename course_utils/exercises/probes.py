"""What the probes of several lessons look at besides the result: how it was found, and at which price.

Each is about a kind of task. Where autograd is asked for, `differentiates`; where the hand is, `by_hand`; where many
batches or losses come by, `GraphsAlive` and `most_samples`. What must stay as it was is the matter of `side_effects`.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch.overrides import TorchFunctionMode

from ..core.internals import MAKE_DUAL, TorchDispatchMode
from ..measuring import tensors_in
from .compare import same
from .observe import canonical


class _NumberCounter(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.numbers = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        result = operation(*args, **(kwargs or {}))
        if not operation.is_view:
            self.numbers += sum(tensor.numel() for tensor in tensors_in(result))
        return result


def numbers_made(function: Callable[..., object], *arguments: object) -> int:
    """How many numbers PyTorch computes in `function(*arguments)`, backward passes included; views cost nothing."""
    with _NumberCounter() as counter:
        function(*arguments)
    return counter.numbers


class _Walks(TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_function__(self, function, types, args=(), kwargs=None):
        self.count += getattr(function, "__name__", "") in {"backward", "grad", MAKE_DUAL}
        return function(*args, **(kwargs or {}))


def asks_autograd(function: Callable[..., object], *arguments: object) -> bool:
    """Whether `function(*arguments)` lets PyTorch differentiate: by `backward`, `autograd.grad` or `torch.func`."""
    with _Walks() as walks:
        function(*arguments)
    return walks.count > 0


def by_hand(function: Callable[..., object], *arguments: object) -> bool:
    """Whether `function(*arguments)` asks PyTorch for no derivative. An attempt that fails is one, too."""
    with _Walks() as walks:
        try:
            function(*arguments)
        except Exception:
            if not walks.count:
                raise
    return walks.count == 0


def _doubled(value: object) -> object:
    """The same value, whose derivative by `value` is 2 for autograd."""
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        return 2 * value - value.detach()
    return value


class doubling(TorchFunctionMode):
    """Inside, PyTorch's function of this name gives the same values, with derivatives that are twice as large."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if getattr(function, "__name__", "") == self.name:
            args = tuple(map(_doubled, args))
        return function(*args, **(kwargs or {}))


def differentiates(call: Callable[..., object], f: Callable[..., torch.Tensor], *, times: int = 1) -> bool:
    """Whether `call(f)` leaves each of `times` derivatives in a row to autograd, and takes no differences of values.

    It is called again with a function of the same values that autograd finds twice as steep. Every derivative that
    autograd takes then brings a factor of 2 with it. Differences, of values or of gradients, bring none.
    """
    found, doubled = canonical(call(f)), canonical(call(lambda *arguments: f(*map(_doubled, arguments))))
    return same(doubled, _scaled(found, 2.0**times), tolerance=1e-5)


def _scaled(found: object, factor: float) -> object:
    if isinstance(found, list):
        return [_scaled(part, factor) for part in found]
    return factor * found if isinstance(found, torch.Tensor) else found


class GraphsAlive:
    """Counts, while it is open, the tensors that graphs have saved and still keep alive.

    Attributes:
        count: how many there are now.
    """

    def __init__(self) -> None:
        self._saved: weakref.WeakSet[_Saved] = weakref.WeakSet()
        self._hooks = torch.autograd.graph.saved_tensors_hooks(self._pack, lambda saved: saved.tensor)

    def __enter__(self) -> GraphsAlive:
        self._hooks.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._hooks.__exit__(*error)

    def _pack(self, tensor: torch.Tensor) -> _Saved:
        saved = _Saved(tensor)
        self._saved.add(saved)
        return saved

    @property
    def count(self) -> int:
        return len(self._saved)


class _Saved:
    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor


@contextmanager
def samples_sent(model: torch.nn.Module) -> Iterator[list[int]]:
    """Collects, while it is open, how many samples each call of `model` gets."""
    sizes: list[int] = []
    handle = model.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    yield sizes
    handle.remove()


def keeps_memory(call: Callable[[], object], model: torch.nn.Module) -> bool:
    """Whether the graph of each call of `model` within `call()` is gone before `model` is called again."""
    alive_at_start: list[int] = []
    graphs = GraphsAlive()
    handle = model.register_forward_pre_hook(lambda *_: alive_at_start.append(graphs.count))
    try:
        with graphs:
            call()
    except RuntimeError as error:
        if "saved tensor hooks" in str(error):  # torch.func allows none, and keeps no graph after its call
            return True
        raise
    finally:
        handle.remove()
    return max(alive_at_start, default=1) == 0
