"""How large the gradients of a model's layers are: read, judged and put into words, with nothing drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import nn

from .core.internals import norms
from .core.numbers import format_number

APART = 1e4  # how many times smaller or larger than the last layer's gradient counts as trouble
SAFE = (1e-15, 1e15)  # lengths between which no square leaves float32
FLOATS = (torch.float32, torch.float64)
LISTED = 8  # layers that a description names one by one
TROUBLES = {
    "nan": "nan",
    "infinite": "infinite",
    "zero": "all zero",
    "vanished": f"vanished (under 1/{APART:.0f} of the last layer's)",
    "exploded": f"exploded (over {APART:.0f} times the last layer's)",
}


@dataclass(frozen=True)
class Layer:
    """A module that owns parameters.

    Args:
        name: its name in the model, as in `named_modules`, with its class where the name ends in a number.
        parameters: its own parameters, not those of modules inside it, nor what an earlier layer shares with it.
    """

    name: str
    parameters: tuple[nn.Parameter, ...]

    @property
    def is_frozen(self) -> bool:
        return not any(parameter.requires_grad for parameter in self.parameters)


def layers_of(model: nn.Module) -> list[Layer]:
    """The layers of `model`, in the order of registration; a shared parameter counts at its first place."""
    seen: set[int] = set()
    layers = []
    for path, module in model.named_modules():
        new = tuple(parameter for parameter in module.parameters(recurse=False) if id(parameter) not in seen)
        seen.update(map(id, new))
        if new:
            kind = type(module).__name__
            layers.append(Layer(f"{path} {kind}" if path.rpartition(".")[2].isdigit() else path or kind, new))
    return layers


def lengths(grads: Sequence[torch.Tensor]) -> list[float]:
    """The Euclidean length of each gradient, also where its squares are too small or too large for its dtype."""
    entries = [grad if grad.dtype in FLOATS and not grad.is_sparse else _entries(grad) for grad in grads]
    found = [length.item() for length in norms(entries)]
    for index, length in enumerate(found):
        if not SAFE[0] < length < SAFE[1]:
            found[index] = torch.linalg.vector_norm(entries[index].detach().to("cpu", torch.float64)).item()
    return found


def _entries(grad: torch.Tensor) -> torch.Tensor:
    """The entries as real numbers of at least 32 bits; of a sparse gradient those that it stores."""
    grad = grad.detach()
    if grad.is_sparse:
        grad = grad.coalesce().values()
    if grad.is_complex():
        grad = torch.view_as_real(grad)
    return grad if grad.dtype in FLOATS else grad.float()


def typical(parts: Sequence[tuple[float, int]]) -> float | None:
    """The root mean square over several gradients, each by its length and its number of entries; None for none."""
    parts = [part for part in parts if part[1]]
    if not parts:
        return None
    if any(math.isnan(length) for length, _ in parts):
        return math.nan
    return math.hypot(*(length for length, _ in parts)) / math.sqrt(sum(count for _, count in parts))


def sizes_of(layers: Sequence[Layer], grad_of: Callable[[nn.Parameter], torch.Tensor | None]) -> list[float | None]:
    """The typical size of each layer's gradient: the root mean square of all its entries.

    Args:
        layers: of `layers_of`.
        grad_of: gives the gradient of a parameter, or None.

    Returns:
        One number for each layer; None where there is no gradient, or the layer is frozen.
    """
    sizes = []
    for layer in layers:
        grads = [grad_of(parameter) for parameter in layer.parameters if parameter.requires_grad]
        grads = [grad for grad in grads if grad is not None]
        sizes.append(typical(list(zip(lengths(grads), [grad.numel() for grad in grads], strict=True))))
    return sizes


def reference(sizes: Sequence[float | None]) -> float | None:
    """What sizes are compared with: that of the last layer with a finite gradient other than 0."""
    return next((size for size in reversed(sizes) if size and math.isfinite(size)), None)


def trouble(size: float | None, last: float | None) -> str:
    """What is wrong with a size, a key of `TROUBLES`; "" for nothing.

    Args:
        size: of a layer; None for no gradient, which is no trouble of a size.
        last: of `reference`.
    """
    if size is None:
        return ""
    if not math.isfinite(size):
        return "nan" if math.isnan(size) else "infinite"
    if size == 0:
        return "zero"
    return "vanished" if size * APART < last else "exploded" if size > last * APART else ""


def troubles(sizes: Sequence[float | None]) -> list[str]:
    """`trouble` of each size."""
    last = reference(sizes)
    return [trouble(size, last) for size in sizes]


@dataclass(frozen=True)
class Row:
    """One layer, or neighbours folded into one line of a picture: `members` are their positions."""

    name: str
    members: range


def fold(names: Sequence[str], most: int) -> list[Row]:
    """At most `most` rows for the layers: by the modules that they belong to, else by equal runs of neighbours."""
    rows = [Row(name, range(at, at + 1)) for at, name in enumerate(names)]
    for depth in reversed(range(1, max(name.count(".") for name in names) + 1)):
        if len(rows) <= most:
            return rows
        folded = [
            _join(list(run), ".".join(part))
            for part, run in groupby(rows, key=lambda row: row.name.split(" ")[0].split(".")[:depth])
        ]
        if len(folded) < most // 3:  # a whole model under one name tells nothing
            break
        rows = folded
    each = math.ceil(len(rows) / most)
    runs = [rows[at : at + each] for at in range(0, len(rows), each)]
    return [_join(run, f"{run[0].name.split(' ')[0]} to {run[-1].name.split(' ')[0]}") for run in runs]


def _join(rows: Sequence[Row], name: str) -> Row:
    return rows[0] if len(rows) == 1 else Row(name, range(rows[0].members.start, rows[-1].members.stop))


def shorten(name: str, room: int) -> str:
    """The end of a dotted name, in whole parts, of at most `room` characters."""
    if len(name) <= room:
        return name
    parts = name.split(".")
    while len(parts) > 1 and len(".".join(parts)) + 1 > room:
        del parts[0]
    short = ".".join(parts)
    return "…" + (short if len(short) < room else short[-(room - 1) :])


def describe_sizes(names: Sequence[str], sizes: Sequence[float | None], frozen: Sequence[bool]) -> str:
    """The sizes in words: all of them for few layers, else first, last and extremes; then what is wrong with which."""
    told = [format_number(size) for size in sizes if size is not None]
    if not told:
        return "no gradient yet, call loss.backward() first" if not all(frozen) else "all layers are frozen"
    measured = [(name, size) for name, size in zip(names, sizes, strict=True) if size is not None]
    if len(measured) <= LISTED:
        text = ", ".join(f"{name} {format_number(size)}" for name, size in measured)
    else:
        finite = [pair for pair in measured if math.isfinite(pair[1])] or measured
        picks = {"first": measured[0], "last": measured[-1], "smallest": min(finite, key=lambda pair: pair[1]),
                 "largest": max(finite, key=lambda pair: pair[1])}  # fmt: skip
        text = ", ".join(f"{what} {name} {format_number(size)}" for what, (name, size) in picks.items())
    kinds = troubles(sizes)
    wrong = [f"{words}: {listed(names, [kind == found for found in kinds])}"
             for kind, words in TROUBLES.items() if kind in kinds]  # fmt: skip
    without = [size is None and not ice for size, ice in zip(sizes, frozen, strict=True)]
    for words, marked in (("no gradient", without), ("frozen", frozen)):
        wrong += [f"{words}: {listed(names, marked)}"] * any(marked)
    return "; ".join([text, *wrong])


def listed(names: Sequence[str], marked: Sequence[bool]) -> str:
    """The marked names in words, neighbours as a run: "0 Linear to 6 Linear (4 layers), 10 Linear"."""
    pairs = groupby(zip(names, marked, strict=True), key=lambda pair: pair[1])
    runs = [[name for name, _ in run] for is_marked, run in pairs if is_marked]
    texts = [run[0] if len(run) == 1 else f"{run[0]} to {run[-1]} ({len(run)} layers)" for run in runs]
    more = len(texts) - LISTED
    return ", ".join(texts[:LISTED]) + (f" and {more} more" if more > 0 else "")
