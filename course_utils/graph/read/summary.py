"""What is kept of a tensor: its shape, a few numbers, its norm, and whether it is in trouble."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch

from ..data import Summary

MOST_NUMBERS = 16
_summary = partial(tuple.__new__, Summary)


# Small tensors wait to be read until there are so many; stacking those of more entries costs more than it saves.
_MANY, _BIG = 128, 1024


class Summaries:
    """Summaries of tensors of one shape and dtype, read many at a time: that costs a tenth of one by one.

    What is kept of a tensor is little until its `Summary` is asked for: its numbers, its norm, or where the same
    numbers have been summarised in another order.
    """

    def __init__(self, shape: tuple[int, ...]):
        self.shape, self.count = shape, math.prod(shape)
        self.most = _MANY if self.count <= _BIG else 1
        self._waiting: list[tuple[int, torch.Tensor]] = []
        self._kept: list[list[Any] | float | Summary | tuple[Summaries, int] | None] = []

    def add(self, tensor: torch.Tensor) -> int:
        """Takes a tensor, which must not be changed before it is read, and returns its index."""
        at = len(self._kept)
        self._kept.append(None)
        self._waiting.append((at, tensor))
        if len(self._waiting) >= self.most:
            self.read()
        return at

    def add_same(self, other: Summaries, at: int) -> int:
        """Takes the tensor that has the index `at` in `other`, in another shape, and returns its index here."""
        kept = other._kept[at]
        self._kept.append(kept if type(kept) is tuple else (other, at))
        return len(self._kept) - 1

    def __getitem__(self, at: int) -> Summary:
        kept = self._kept[at]
        if isinstance(kept, Summary):
            return kept
        if isinstance(kept, float):
            return Summary(self.shape, (), kept)
        if isinstance(kept, tuple):
            return kept[0][kept[1]]._replace(shape=self.shape)
        return Summary(self.shape, tuple(kept), *_size_and_trouble(kept))

    def read(self) -> None:
        """Reads the tensors that still wait, and lets go of them."""
        waiting, self._waiting = self._waiting, []
        tensors = [tensor for _, tensor in waiting]
        try:
            found = self._read(tensors)
        except RuntimeError:  # tensors that cannot be stacked: sparse, quantised, of several devices
            found = map(summarise, tensors)
        for (at, _), one in zip(waiting, found):
            self._kept[at] = one

    def _read(self, tensors: list[torch.Tensor]) -> list[Any]:
        if len(tensors) < 2 or not self.count:
            return [_keep(tensor) for tensor in tensors]
        together = torch.stack(tensors).reshape(len(tensors), self.count)
        if self.count <= MOST_NUMBERS:
            return together.tolist()
        norms = torch.linalg.vector_norm(together, dim=1).tolist()
        return [norm if norm - norm == 0 else summarise(tensor) for norm, tensor in zip(norms, tensors)]


def _keep(tensor: torch.Tensor) -> float | Summary:
    if tensor.numel() > MOST_NUMBERS and tensor.is_floating_point() and tensor.layout is torch.strided:
        norm = torch.linalg.vector_norm(tensor).item()
        if norm - norm == 0:
            return norm
    return summarise(tensor)


def summarise(tensor: torch.Tensor) -> Summary:
    """The summary of a tensor of any shape, dtype and layout; its entries are read, never changed or kept."""
    if tensor.is_quantized or tensor.is_meta:
        return Summary(tuple(tensor.shape))
    if tensor.layout is not torch.strided or tensor.is_nested:
        return _summarise_many(tensor, _stored(tensor))
    if tensor.dim() == 0:
        return summarise_number(tensor.item())
    if tensor.numel() > MOST_NUMBERS:
        return _summarise_many(tensor, tensor)
    numbers = tuple(tensor.flatten().tolist())
    return Summary(tuple(tensor.shape), numbers, *_size_and_trouble(numbers))


def summarise_number(number: float | complex | int | bool) -> Summary:
    """The summary of a scalar."""
    size = float(abs(number))
    if size - size == 0:
        return _summary(((), (number,), size, None))
    return Summary((), (number,), *_size_and_trouble((number,)))


def _stored(tensor: torch.Tensor) -> torch.Tensor:
    """The entries of a nested tensor, or those that a sparse one stores: the others are zero."""
    if tensor.is_nested:
        return tensor.values()
    if tensor.layout is torch.sparse_coo:
        return tensor.coalesce().values()
    return tensor.to_sparse_coo().coalesce().values()


def _size_and_trouble(numbers: Sequence[float | complex | int | bool]) -> tuple[float, str | None]:
    sizes = [abs(number) for number in numbers]
    norm = math.hypot(*sizes)
    if norm - norm == 0:
        return norm, None
    # hypot calls an inf beside a nan infinite.
    if any(size != size for size in sizes):
        return math.nan, "nan"
    return norm, "inf" if math.inf in sizes else None


def _summarise_many(tensor: torch.Tensor, entries: torch.Tensor) -> Summary:
    shape = () if tensor.is_nested else tuple(tensor.shape)
    if not (entries.is_floating_point() or entries.is_complex()):
        entries = entries.double()
    norm = torch.linalg.vector_norm(entries).item()
    if math.isfinite(norm):
        return Summary(shape, (), norm)
    if torch.isnan(entries).any():
        return Summary(shape, (), math.nan, "nan")
    if torch.isinf(entries).any():
        return Summary(shape, (), math.inf, "inf")
    # Finite entries whose squares overflow their own type.
    precise = entries.to(torch.promote_types(entries.dtype, torch.float64))
    return Summary(shape, (), torch.linalg.vector_norm(precise).item())
