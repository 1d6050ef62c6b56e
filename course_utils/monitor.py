"""`training_monitor`: watches the gradients of a model while it trains, at a cost that training hardly feels.

Hooks do the watching. Every optimiser of PyTorch calls the hook of `register_optimizer_step_post_hook` after its `step`,
when `.grad` still holds what the step used: after accumulation, clipping and all backward passes that led to it. A loop
that updates by hand calls no optimiser. For its sake each parameter has a hook too, called when a backward pass has
filled its `.grad`; these hooks go at the first step of an optimiser, and all others at the end of the `with` block.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import torch
from torch import nn
from torch.optim.optimizer import Optimizer, register_optimizer_step_post_hook

from .checks import check_module
from .gradients import APART, TROUBLES, layers_of, lengths, listed, reference, trouble, typical

if TYPE_CHECKING:
    from .picture import Picture

FIRST = 10  # steps that are all read, for training often breaks at once
EVERY = 5  # after these, every fifth
MOST = 240  # readings that are kept; beyond, every other one goes and half as many are taken
TOLD = 6  # troubles that the description names


def training_monitor(model: nn.Module) -> Monitor:
    """Watches the gradients of `model` during a `with` block; afterwards it is a picture, and a table of numbers.

    A step is a step of any optimiser that holds parameters of the model; where no optimiser steps, a backward pass. The
    first 10 steps are read, then every fifth, and in long training fewer, 240 at most; reading a step costs about one
    pass over the gradients. Nothing of the learner's is changed or kept, and every hook is gone after the block.

    Args:
        model: any module; the parameters that it has when the block begins are watched.

    Raises:
        TypeError: `model` is not an nn.Module.
        ValueError: it has no parameters.

    Example:
        >>> with training_monitor(net) as monitor:
        ...     train(net)
        >>> monitor
    """
    return Monitor(check_module(model))


@dataclass(frozen=True)
class Event:
    """A trouble and where it was seen.

    Args:
        kind: a key of `gradients.TROUBLES`.
        first: the first step that was read with it.
        last: the last one; None where it lasted until the end.
        layers: positions of the layers that have it.
    """

    kind: str
    first: int
    last: int | None
    layers: tuple[int, ...]


class Monitor:
    """What `training_monitor` returns: use it in a `with` statement, once; the last line of a cell shows its picture."""

    def __init__(self, model: nn.Module):
        layers = layers_of(model)
        self.layers = [layer.name for layer in layers]
        self.total = 0
        self.by_optimiser = False
        self._parameters = [parameter for layer in layers for parameter in layer.parameters]
        self._layer_of = [at for at, layer in enumerate(layers) for _ in layer.parameters]
        self._entries: dict[int, int] = {}
        self._trained: set[int] = set()
        self._held: set[int] = set()
        self._readings: dict[int, dict[int, float]] = {}
        self._every = EVERY
        self._hooks: list[Any] = []
        self._optimisers: WeakKeyDictionary[Optimizer, int] = WeakKeyDictionary()
        self._seen: set[int] = set()

    def __enter__(self) -> Monitor:
        if not self._parameters or self._hooks:
            raise RuntimeError("this monitor has been used; make a new one: with training_monitor(model) as monitor")
        self._place = {id(parameter): place for place, parameter in enumerate(self._parameters)}
        self._hooks = [register_optimizer_step_post_hook(self._after_step)]
        trained = [parameter for parameter in self._parameters if parameter.requires_grad]
        self._hooks += [parameter.register_post_accumulate_grad_hook(self._after_backward) for parameter in trained]
        return self

    def __exit__(self, *_: object) -> None:
        self._remove(self._hooks)
        self._parameters.clear()
        self._optimisers.clear()

    def _remove(self, hooks: list[Any]) -> None:
        for hook in hooks:
            hook.remove()
        hooks.clear()

    def _after_step(self, optimiser: Optimizer, *_: object) -> None:
        count = self._optimisers.get(optimiser)
        if count is None:
            count = self._meet(optimiser)
        if count < 0:
            return
        # Each optimiser counts its own steps, so that two which share the model's layers fill the same readings.
        self._optimisers[optimiser] = count = count + 1
        self.total = max(self.total, count)
        if count <= FIRST or not count % self._every:
            self._read(count, self._places(optimiser))

    def _meet(self, optimiser: Optimizer) -> int:
        """0, the steps so far, of an optimiser that has parameters of the model; -1 of another."""
        if not self._places(optimiser):
            self._optimisers[optimiser] = -1
            return -1
        if not self.by_optimiser:
            self.by_optimiser, self.total = True, 0
            self._readings.clear()
            step, *backward = self._hooks
            self._remove(backward)
            self._hooks = [step]
        return 0

    def _places(self, optimiser: Optimizer) -> list[int]:
        held = (parameter for group in optimiser.param_groups for parameter in group["params"])
        return [self._place[id(parameter)] for parameter in held if id(parameter) in self._place]

    def _after_backward(self, parameter: nn.Parameter) -> None:
        place = self._place[id(parameter)]
        if not self.total or place in self._seen:  # a backward pass fills each parameter once
            self._seen.clear()
            self.total += 1
        self._seen.add(place)
        if self.total <= FIRST or not self.total % self._every:
            self._read(self.total, [place])

    def _read(self, step: int, places: Sequence[int]) -> None:
        trained = [place for place in places if self._parameters[place].requires_grad]
        self._trained.update(trained)
        self._held.update(places)
        filled = [place for place in trained if self._parameters[place].grad is not None]
        grads = [self._parameters[place].grad for place in filled]
        for place, grad in zip(filled, grads, strict=True):
            self._entries[place] = grad.numel()
        self._readings.setdefault(step, {}).update(zip(filled, lengths(grads), strict=True))
        if len(self._readings) > MOST:
            self._every *= 2
            self._readings = {at: kept for at, kept in self._readings.items() if at <= FIRST or not at % self._every}

    @property
    def steps(self) -> list[int]:
        """The steps that were read, counted from 1."""
        return sorted(self._readings)

    @property
    def sizes(self) -> torch.Tensor:
        """The size of the gradient, shape (steps read, layers), float64: the root mean square over a layer's entries.

        nan where a layer had no gradient, as well as where one of its entries was nan; `monitor.events` tells which.
        """
        rows = [[math.nan if size is None else size for size in sizes] for sizes in self.table]
        return torch.tensor(rows, dtype=torch.float64).reshape(len(rows), len(self.layers))

    @property
    def table(self) -> list[list[float | None]]:
        """The sizes as lists, with None where a layer had no gradient."""
        return [self._sizes(step) for step in self.steps]

    @property
    def frozen(self) -> list[bool]:
        """True for each layer that no step would have changed."""
        trained = {self._layer_of[place] for place in self._trained}
        return [layer not in trained for layer in range(len(self.layers))]

    def _sizes(self, step: int) -> list[float | None]:
        parts: list[list[tuple[float, int]]] = [[] for _ in self.layers]
        for place, length in self._readings[step].items():
            parts[self._layer_of[place]].append((length, self._entries[place]))
        return [typical(each) for each in parts]

    @property
    def events(self) -> list[Event]:
        """What went wrong, in the order in which it was seen first; layers with the same trouble at once together."""
        steps, table = self.steps, self.table
        lasts = [reference(sizes) for sizes in table]
        start = max((size for size in table[0] if size and math.isfinite(size)), default=math.inf) if table else math.inf
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
        return [
            Event(kinds[kind], first, max(seen[kinds[kind], layer][-1] for layer in layers) if is_over else None, layers)
            for (first, kind, is_over), run in groupby(spans, key=lambda span: span[:3])
            for layers in [tuple(layer for *_, layer in run)]
        ]

    @property
    def picture(self) -> Picture:
        """The sizes as a heat map, a row for each layer and a column for each step."""
        from .plots.watched import plot_sizes

        return plot_sizes(self)

    def describe(self) -> str:
        """What was read, and what went wrong, in words."""
        what = "step" if self.by_optimiser else "backward pass"
        if not self.total:
            return f"{len(self.layers)} layers watched: no optimiser with their parameters stepped, no backward pass ran"
        told = [f"{len(self.layers)} layers, {len(self._readings)} of {self.total} {what}s read"]
        events = self.events
        told += [self.tell(event) for event in events[:TOLD]] or ["no trouble seen"]
        return "; ".join(told + [f"and {len(events) - TOLD} more"] * (len(events) > TOLD))

    def tell(self, event: Event) -> str:
        """An event in words: "vanished from step 40 on: 0 Linear to 4 Linear (3 layers)"."""
        what = "step" if self.by_optimiser else "backward pass"
        when = f"from {what} {event.first} on" if event.last is None else f"at {what} {event.first}"
        if event.last not in (None, event.first):
            when = f"between {what} {event.first} and {event.last}"
        return f"{event.kind} {when}: {listed(self.layers, [at in event.layers for at in range(len(self.layers))])}"

    def __repr__(self) -> str:
        return repr(self.picture)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return self.picture._repr_mimebundle_(include, exclude)
