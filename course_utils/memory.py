"""How much memory a computation holds as it goes: bytes alive after each operation, the same on every machine."""

from __future__ import annotations

import weakref
from collections.abc import Callable

import torch

from .core.checks import check_function
from .core.internals import TorchDispatchMode
from .counting import tensors_in


class _MemoryWatch(TorchDispatchMode):
    """Adds up the storages that operations make, each until nobody holds it any more."""

    def __init__(self) -> None:
        super().__init__()
        self.alive: dict[int, weakref.finalize] = {}
        self.bytes = 0
        self.profile: list[int] = []

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        result = operation(*args, **(kwargs or {}))
        if not operation.is_view:
            for tensor in tensors_in(result):
                self._note(tensor.untyped_storage())
            self.profile.append(self.bytes)
        return result

    def _note(self, storage: torch.UntypedStorage) -> None:
        place, size = storage.data_ptr(), storage.nbytes()
        if size and place not in self.alive:
            self.alive[place] = weakref.finalize(storage, self._forget, place, size)
            self.alive[place].atexit = False
            self.bytes += size

    def _forget(self, place: int, size: int) -> None:
        self.bytes -= size
        del self.alive[place]

    def let_go(self) -> None:
        """Stops waiting for the storages that outlive the computation."""
        for waiting in list(self.alive.values()):
            waiting.detach()


def memory_profile(function: Callable[..., object], *args: object) -> list[int]:
    """The bytes that are alive after each tensor operation in `function(*args)`, its backward passes included.

    Counted are the tensors that operations make, each storage once, while somebody holds it: on its way to an output,
    saved for the backward pass, or in `.grad`. What exists beforehand (the inputs, the weights) is not counted, and
    views cost nothing. The length of the list is what `count_operations` counts.

    Args:
        function: any function; it is called once.
        args: what to call it with.

    Raises:
        TypeError: `function` is not a function.
    """
    check_function(function, name="function")
    with _MemoryWatch() as watch:
        try:
            function(*args)
        finally:
            watch.let_go()
    return watch.profile
