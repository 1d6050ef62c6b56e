"""Counting what a computation costs, in operations rather than seconds, so that the count is the same everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch

from .core.checks import check_function
from .core.internals import TorchDispatchMode


class _OperationCounter(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.operations = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        self.operations += not operation.is_view
        return operation(*args, **(kwargs or {}))


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


def tensors_in(result: object) -> Iterator[torch.Tensor]:
    """The tensors that an operation made, one by one."""
    if isinstance(result, torch.Tensor):
        yield result
    elif isinstance(result, list | tuple):
        for part in result:
            yield from tensors_in(part)
