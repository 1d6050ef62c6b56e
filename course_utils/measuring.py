"""What a computation costs, the same on every machine: how many operations it runs, how much memory it holds."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Iterator

import torch

from .core.checks import check_function
from .core.internals import TorchDispatchMode


class _OperationCounter(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.operations = self.numbers = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        result = operation(*args, **(kwargs or {}))
        if not operation.is_view:
            self.operations += 1
            self.numbers += sum(tensor.numel() for tensor in tensors_in(result))
        return result


def count_operations(function: Callable[..., object], *args: object) -> int:
    """How many tensor operations PyTorch runs in `function(*args)`, its backward passes included; views are free.

    Args:
        function: any function; it is called once.
        args: what to call it with.

    Raises:
        TypeError: `function` is not a function.
    """
    check_function(function, name="function")
    with _OperationCounter() as counter:
        function(*args)
    return counter.operations


def count_numbers(function: Callable[..., object], *args: object) -> int:
    """How many numbers PyTorch computes in `function(*args)`, its backward passes included; views are free.

    Args:
        function: any function; it is called once.
        args: what to call it with.

    Raises:
        TypeError: `function` is not a function.
    """
    check_function(function, name="function")
    with _OperationCounter() as counter:
        function(*args)
    return counter.numbers


def count_multiplications(function: Callable[..., object], *args: object) -> int:
    """How many numbers PyTorch multiplies in the products of two matrices and in convolutions of `function(*args)`.

    A matrix times a vector, and what is multiplied entry by entry, counts nothing.

    Args:
        function: any function; it is called once.
        args: what to call it with.

    Raises:
        TypeError: `function` is not a function.
    """
    check_function(function, name="function")
    logger = logging.getLogger("torch.utils.flop_counter")
    was_off, logger.disabled = logger.disabled, True  # on a PyTorch for GPUs the import logs that triton is missing
    try:
        from torch.utils.flop_counter import FlopCounterMode
    finally:
        logger.disabled = was_off
    with FlopCounterMode(display=False) as counter:
        function(*args)
    return counter.get_total_flops() // 2


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


def tensors_in(result: object) -> Iterator[torch.Tensor]:
    """The tensors that an operation made, one by one."""
    if isinstance(result, torch.Tensor):
        yield result
    elif isinstance(result, list | tuple):
        for part in result:
            yield from tensors_in(part)
