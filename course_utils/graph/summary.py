"""What is kept of a tensor: its shape, a few numbers, its norm, and whether it is in trouble."""

from __future__ import annotations

import math

import torch

from .data import Summary

MOST_NUMBERS = 16
_SCALAR = ()


def summarise(tensor: torch.Tensor) -> Summary:
    """The summary of a tensor of any shape, dtype and layout; its entries are read, never changed or kept."""
    if tensor.is_quantized or tensor.device.type == "meta":
        return Summary(tuple(tensor.shape))
    if tensor.layout is not torch.strided:
        return _summarise_many(tensor, _stored(tensor))
    count = tensor.numel()
    if tensor.dim() == 0:
        return summarise_number(tensor.item())
    if count > MOST_NUMBERS:
        return _summarise_many(tensor, tensor)
    numbers = tuple(tensor.flatten().tolist())
    return Summary(tuple(tensor.shape), numbers, *_size_and_trouble(numbers))


def summarise_number(number: float | complex | int | bool) -> Summary:
    """The summary of a scalar."""
    size = abs(number)
    if size - size == 0:
        return Summary(_SCALAR, (number,), float(size))
    return Summary(_SCALAR, (number,), *_size_and_trouble((number,)))


def _stored(tensor: torch.Tensor) -> torch.Tensor:
    """The stored entries of a sparse tensor; what is not stored is zero and adds nothing to the norm."""
    if tensor.layout is torch.sparse_coo:
        return tensor.coalesce().values()
    return tensor.to_sparse_coo().coalesce().values()


def _size_and_trouble(numbers: tuple[float | complex | int | bool, ...]) -> tuple[float, str | None]:
    sizes = [abs(number) for number in numbers]
    if any(size != size for size in sizes):
        return math.nan, "nan"
    norm = math.hypot(*sizes)
    return norm, "inf" if math.inf in sizes else None


def _summarise_many(tensor: torch.Tensor, entries: torch.Tensor) -> Summary:
    shape = tuple(tensor.shape)
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
    return Summary(shape, (), torch.linalg.vector_norm(entries.to(torch.promote_types(entries.dtype, torch.float64))).item())
