"""Small tables: several values side by side instead of several prints."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence

import torch

from .checks import describe
from .numbers import format_column, format_given, format_number


def format_cells(values: Iterable[object]) -> list[str]:
    """The cells of a column as a reader wants them; where all are numbers (or None), these share their decimals."""
    values = list(map(_plain, values))
    if not all(value is None or isinstance(value, int | float | complex) for value in values):
        return list(map(format_cell, values))
    texts = iter(format_column(value for value in values if isinstance(value, float)))
    return [next(texts) if isinstance(value, float) else format_cell(value) for value in values]


def format_cell(value: object) -> str:
    """One value: numbers as on a graph, tensors and lists by their entries, which share their decimals; else by str."""
    value = _plain(value)
    if isinstance(value, list | tuple):
        texts = iter(format_column(_floats_in(value)))
        return _filled(value, texts)
    if type(value) is int:
        return format_given(value)
    return format_number(value) if isinstance(value, float | complex) else str(value)


def _plain(value: object) -> object:
    """Tensors and arrays as Python's own numbers in lists."""
    return value.tolist() if hasattr(value, "tolist") else value


def _floats_in(values: Sequence[object]) -> Iterator[float]:
    for value in map(_plain, values):
        if isinstance(value, list | tuple):
            yield from _floats_in(value)
        elif isinstance(value, float):
            yield value


def _filled(value: object, texts: Iterator[str]) -> str:
    """`value`, in which each float is written as the next of `texts`."""
    value = _plain(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_filled(part, texts) for part in value)}]"
    return next(texts) if isinstance(value, float) else format_cell(value)


def _is_number(value: object) -> bool:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return plain or (isinstance(value, torch.Tensor) and value.dim() == 0 and value.dtype != torch.bool)


class Table:
    """Rows under a header; shows as an HTML table in a notebook and as aligned text elsewhere."""

    def __init__(self, header: Sequence[str], rows: Sequence[Sequence[object]]):
        self.header = [str(title) for title in header]
        self.rows = list(zip(*map(format_cells, zip(*rows, strict=True)), strict=True))
        self._sides = ["right" if all(map(_is_number, column)) else "left" for column in zip(*rows, strict=True)]

    def __repr__(self) -> str:
        lines = [self.header, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)

    def _repr_html_(self) -> str:
        def line(begin: str, cells: Sequence[str], end: str) -> str:
            sides = zip(cells, self._sides or ["left"] * len(cells), strict=True)
            return "".join(f'{begin} style="text-align: {side}">{html.escape(cell)}{end}' for cell, side in sides)

        head = line('<th scope="col"', self.header, "</th>")
        body = "".join(f"<tr>{line('<td', row, '</td>')}</tr>" for row in self.rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def table(**columns: Sequence[object]) -> Table:
    """A table with one column for each keyword; an underscore in a keyword becomes a space in the header.

    Example:
        >>> table(calls=[1, 2], grad=[4.0, 8.0])
        calls  grad
        1      4.00
        2      8.00

    Raises:
        TypeError: a column is not a sequence (a list, a tuple, a tensor with one dimension).
        ValueError: no columns, or columns of different lengths.
    """
    if not columns:
        raise ValueError("table() got no columns; give some by name, e.g. table(x=[1, 2], grad=[2.0, 4.0])")
    for name, column in columns.items():
        if isinstance(column, str) or not hasattr(column, "__getitem__") or getattr(column, "ndim", 1) == 0:
            raise TypeError(f"column {name!r} is {describe(column)}; expected a list with one value for each row")
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns have different lengths {lengths}; each needs one value for each row")
    return Table([name.replace("_", " ") for name in columns], list(zip(*columns.values(), strict=True)))


def show_tensors(**tensors: torch.Tensor) -> Table:
    """What autograd knows of each tensor, side by side: data, requires_grad, is_leaf, grad_fn and grad.

    Reads only: `.grad` of a non-leaf is not asked for, so no warning appears.

    Raises:
        TypeError: a value is not a tensor.
        ValueError: no tensors given.
    """
    if not tensors:
        raise ValueError("show_tensors() got no tensors; give some by name, e.g. show_tensors(x=x, y=y)")
    for name, tensor in tensors.items():
        if not isinstance(tensor, torch.Tensor):
            raise TypeError(f"{name} is {describe(tensor)}; expected a tensor")

    def gradient(tensor: torch.Tensor) -> object:
        if not tensor.is_leaf and not tensor.retains_grad:
            return "not kept (not a leaf)"
        return "None" if tensor.grad is None else tensor.grad

    facts = {
        "data": lambda tensor: tensor,
        "dtype": lambda tensor: tensor.dtype,
        "requires_grad": lambda tensor: tensor.requires_grad,
        "is_leaf": lambda tensor: tensor.is_leaf,
        "grad_fn": lambda tensor: tensor.grad_fn.name() if tensor.grad_fn is not None else "None",
        "grad": gradient,
    }
    return Table(["", *tensors], [[fact, *map(read, tensors.values())] for fact, read in facts.items()])
