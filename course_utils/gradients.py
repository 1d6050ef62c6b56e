"""How large the gradients of a model's layers are, at one moment or over training: read, judged, put into words."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

import torch
from torch import nn

from .core.checks import check_module, describe
from .core.internals import norms
from .core.numbers import format_number
from .core.randomness import OwnRandomness

APART = 10_000  # how many times smaller or larger than the last layer's gradient counts as trouble
SAFE = (1e-15, 1e15)  # lengths between which no square leaves float32
FLOATS = (torch.float32, torch.float64)
TOLD = 6  # troubles that the words on a history name
LISTED = 8  # layers that a description names one by one
TROUBLES = {
    "nan": "nan",
    "infinite": "infinite",
    "zero": "all zero",
    "vanished": f"vanished (under 1/{APART} of the last layer's)",
    "exploded": f"exploded (over {APART} times the last layer's)",
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
        One number for each layer; None if there is no gradient, or the layer is frozen.
    """
    sizes = []
    for layer in layers:
        every = [grad_of(parameter) for parameter in layer.parameters if parameter.requires_grad]
        grads = [grad for grad in every if grad is not None]
        sizes.append(typical(list(zip(lengths(grads), [grad.numel() for grad in grads], strict=True))))
    return sizes


def reference(sizes: Sequence[float | None]) -> float | None:
    """What sizes are compared with: that of the last layer with a finite gradient other than 0."""
    return next((size for size in reversed(sizes) if size and math.isfinite(size)), None)


def trouble(size: float | None, last: float | None) -> str:
    """What is wrong with a size, a key of `TROUBLES`; "" for nothing.

    Args:
        size: of a layer; None for no gradient, which is no trouble of a size.
        last: of `reference`; None only if no size is finite and above 0.
    """
    if size is None:
        return ""
    if not math.isfinite(size):
        return "nan" if math.isnan(size) else "infinite"
    if size == 0 or last is None:
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


@dataclass(frozen=True)
class Flow:
    """The gradient sizes of a model's layers at one moment.

    Args:
        names: of the layers, from input to output.
        sizes: one for each, None if there is no gradient.
        frozen: True for the layers that need none.
    """

    names: Sequence[str]
    sizes: Sequence[float | None]
    frozen: Sequence[bool]


def read_flow(model: nn.Module, *, grads: dict[nn.Parameter, torch.Tensor | None] | None = None) -> Flow:
    """The sizes of the gradients of `model`: those in `.grad`, or `grads` by parameter."""
    layers = layers_of(model)
    sizes = sizes_of(layers, (lambda parameter: parameter.grad) if grads is None else grads.get)
    return Flow([layer.name for layer in layers], sizes, [layer.is_frozen for layer in layers])


def flow_of(
    build: Callable[[], Any],
    *,
    inputs: torch.Tensor | None,
    targets: torch.Tensor | None,
    loss: Callable[..., torch.Tensor],
) -> Flow:
    """The sizes after one forward and one backward pass, with no `.grad` written and the same random numbers each time.

    Args:
        build: returns a module, or a pair of a module and its loss.
        inputs, targets, loss: for a module, whose loss is `loss(module(inputs), targets)`, or without targets
            `loss(module(inputs))`.

    Raises:
        TypeError: neither a module nor such a pair; a module without inputs; a loss that is no tensor.
        ValueError: a module without parameters, or a loss that has not one value, or does not depend on them.
    """
    with OwnRandomness():
        built = build()
        model, value = built if isinstance(built, tuple) and len(built) == 2 else (built, None)
        check_module(model, name="what build returned")
        if value is None:
            if inputs is None:
                raise TypeError("inputs is None; expected a batch for the model, or a build that returns (model, loss)")
            value = loss(model(inputs)) if targets is None else loss(model(inputs), targets)
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"loss is {describe(value)}; expected a tensor with one value")
    if value.numel() != 1 or not value.requires_grad:
        raise ValueError(f"loss is {describe(value.detach())}; expected one value that depends on trainable parameters")
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    grads = torch.autograd.grad(value.reshape(()), trained, allow_unused=True)
    return read_flow(model, grads=dict(zip(trained, grads, strict=True)))


@dataclass(frozen=True)
class Event:
    """A trouble and where it was seen.

    Args:
        kind: a key of `TROUBLES`.
        first: the first step that was read with it.
        last: the last one; None where it lasted until the end.
        layers: positions of the layers that have it.
    """

    kind: str
    first: int
    last: int | None
    layers: tuple[int, ...]


@dataclass(frozen=True)
class GradientHistory:
    """The gradient sizes of a model's layers over the steps of training that were read.

    Args:
        layers: their names, from input to output.
        steps: those that were read, counted from 1.
        table: for each of them the size of each layer, None where it had no gradient.
        frozen: True for each layer that needed no gradient, from the beginning to the end.
        total: how many steps there were.
        step: what a step is called, "step" or "backward pass".
        lost: True for each layer whose parameters no optimiser held, if optimisers stepped.
    """

    layers: Sequence[str]
    steps: Sequence[int]
    table: Sequence[Sequence[float | None]]
    frozen: Sequence[bool]
    total: int
    step: str
    lost: Sequence[bool]

    @cached_property
    def events(self) -> list[Event]:
        """What went wrong, in the order in which it was seen first; layers with the same trouble at once together."""
        steps, table = self.steps, self.table
        lasts = [reference(sizes) for sizes in table]
        start = max((size for sizes in table[:1] for size in sizes if size and math.isfinite(size)), default=math.inf)
        seen: dict[tuple[str, int], list[int]] = {}
        for step, sizes, last in zip(steps, table, lasts, strict=True):
            for layer, size in enumerate(sizes):
                kind = trouble(size, last)
                if not kind and size is not None and size > APART * start:
                    kind = "exploded"
                if kind:
                    seen.setdefault((kind, layer), []).append(step)
        kinds = list(TROUBLES)
        spans = sorted((at[0], kinds.index(kind), at[-1] < steps[-1], layer) for (kind, layer), at in seen.items())
        events = []
        for (first, kind, is_over), run in groupby(spans, key=lambda span: span[:3]):
            layers = tuple(layer for *_, layer in run)
            last = max(seen[kinds[kind], layer][-1] for layer in layers) if is_over else None
            events.append(Event(kinds[kind], first, last, layers))
        return events

    def describe(self) -> str:
        """What was read, and what went wrong, in words."""
        what = self.step
        many = f"{len(self.layers)} layer{'s' * (len(self.layers) > 1)}"
        if not self.total:
            return f"{many} watched: no optimiser that holds their parameters stepped, and no backward pass ran"
        events = self.events
        told = [self.tell(event) for event in events[:TOLD]] + [f"and {len(events) - TOLD} more"] * (len(events) > TOLD)
        told += [f"{words}: {listed(self.layers, marked)}" for words, marked in self._unread() if any(marked)]
        read = f"{many}, {len(self.steps)} of {self.total} {what}{'es' if what[-1] == 's' else 's'} read"
        return "; ".join([read, *(told or ["no trouble seen"])])

    def _unread(self) -> list[tuple[str, Sequence[bool]]]:
        """Why layers have no sizes at all."""
        read = [any(sizes[layer] is not None for sizes in self.table) for layer in range(len(self.layers))]
        bare = [not seen and not ice for seen, ice in zip(read, self.frozen, strict=True)]
        return [
            ("no gradient at any", [empty and not out for empty, out in zip(bare, self.lost, strict=True)]),
            ("in no optimiser", [empty and out for empty, out in zip(bare, self.lost, strict=True)]),
            ("frozen", self.frozen),
        ]

    def tell(self, event: Event) -> str:
        """An event in words: "vanished from step 40 on: 0 Linear to 4 Linear (3 layers)"."""
        what = self.step
        when = f"from {what} {event.first} on" if event.last is None else f"at {what} {event.first}"
        if event.last not in (None, event.first):
            when = f"between {what} {event.first} and {event.last}"
        return f"{event.kind} {when}: {listed(self.layers, [at in event.layers for at in range(len(self.layers))])}"
