"""`training_monitor`: watches the gradients of a model while it trains, at a cost that training hardly feels.

Hooks do the watching. Every optimiser of PyTorch calls the hook of `register_optimizer_step_post_hook` after its
`step`, when `.grad` still holds what the step used: after accumulation, clipping and all backward passes that led to
it. A loop that updates by hand calls no optimiser. For its sake there is a hook on the node of each parameter, where
the backward pass ends, called when it has filled `.grad`. These go at the first step of an optimiser, and the other at
the end of the `with` block. (`register_post_accumulate_grad_hook` does the same, but slows the parameter also when
removed.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

import torch
from torch import nn
from torch.autograd.graph import Node, get_gradient_edge
from torch.optim.optimizer import Optimizer, register_optimizer_step_post_hook

from .core.checks import check_module, check_whole
from .gradients import Event, GradientHistory, layers_of, lengths, typical

if TYPE_CHECKING:
    from .core.picture import Picture

FIRST = 10  # steps that are all read, for training often breaks at once
MOST = 240  # readings that are kept; beyond, every other one goes and half as many are taken


def training_monitor(model: nn.Module, *, every: int = 50) -> Monitor:
    """Watches the gradients of `model` during a `with` block; afterwards it is a picture, and a table of numbers.

    A step is a step of any optimiser that holds parameters of the model; where no optimiser steps, a backward pass. The
    first 10 steps are read, then one in `every`, and in long training fewer, 240 at most. Reading costs about one pass
    over the gradients. Nothing of the learner's is changed or kept, and every hook is gone after the block.

    Args:
        model: any module; the parameters that it has when the block begins are watched.
        every: one step in how many is read. Smaller values show more of short training, and cost more: 1 slows the
            training of a small network by a fifth, 50 by some two in a hundred.

    Raises:
        TypeError: `model` is not an nn.Module, or `every` not a whole number.
        ValueError: the model has no parameters, or lazy ones without a shape; `every` is not from 1 to 10,000.

    Example:
        >>> with training_monitor(net) as monitor:
        ...     train(net)
        >>> monitor
    """
    return Monitor(check_module(model), every=check_whole(every, name="every", low=1, high=10_000))


class Monitor:
    """What `training_monitor` returns: for one `with` statement; the last line of a cell shows its picture."""

    def __init__(self, model: nn.Module, *, every: int):
        layers = layers_of(model)
        self.layers = [layer.name for layer in layers]
        self.total = 0
        self.by_optimiser = False
        self._parameters = [parameter for layer in layers for parameter in layer.parameters]
        self._place = {id(parameter): place for place, parameter in enumerate(self._parameters)}
        self._entries = [parameter.numel() for parameter in self._parameters]
        self._layer_of = [at for at, layer in enumerate(layers) for _ in layer.parameters]
        self._trained: set[int] = set()
        self._stepped: set[int] = set()
        self._readings: dict[int, dict[int, float]] = {}  # step -> place of a parameter -> length of its gradient
        self._every = every
        self._hooks: list[Any] = []
        self._nodes: dict[int, Node] = {}  # kept, or autograd would make new ones without hooks
        self._ours: WeakKeyDictionary[Optimizer, bool] = WeakKeyDictionary()
        self._latest: Callable[[], Optimizer | None] = lambda: None  # not kept alive
        self._next = 1  # the step to be read
        self._seen: set[int] = set()

    def __enter__(self) -> Monitor:
        if not self._parameters or self._hooks:
            raise RuntimeError("this monitor has been used; make a new one: with training_monitor(model) as monitor")
        self._trained = {place for place, parameter in enumerate(self._parameters) if parameter.requires_grad}
        self._nodes = {place: get_gradient_edge(self._parameters[place]).node for place in self._trained}
        self._hooks = [node.register_hook(partial(self._after_backward, place)) for place, node in self._nodes.items()]
        self._hooks.append(register_optimizer_step_post_hook(self._after_step))
        return self

    def __exit__(self, *_: object) -> None:
        self._remove(self._hooks)
        self._parameters.clear()

    def _remove(self, hooks: Sequence[Any]) -> None:
        for hook in hooks:
            hook.remove()
        self._nodes.clear()  # with the hooks' tables; the next forward pass makes new nodes

    def _after_step(self, optimiser: Optimizer, *_: object) -> None:
        if self._latest() is optimiser and self.total + 1 < self._next and len(self._seen) == 1:
            self.total += 1  # as `_is_due` would, without the detour: this is nearly every step
            return
        self._latest = ref(optimiser)
        if optimiser not in self._ours:
            self._ours[optimiser] = self._meet(optimiser)
        if self._ours[optimiser] and self._is_due(id(optimiser)):
            places = self._places(optimiser)
            self._stepped.update(places)
            self._read([(place, self._parameters[place]) for place in places])

    def _meet(self, optimiser: Optimizer) -> bool:
        """True for an optimiser with parameters of the model; at the first of these, the hooks for loops by hand go."""
        is_ours = bool(self._places(optimiser))
        if is_ours and not self.by_optimiser:
            self.by_optimiser, self.total, self._next = True, 0, 1
            self._readings.clear()
            self._seen.clear()
            self._remove(self._hooks[:-1])
        return is_ours

    def _places(self, optimiser: Optimizer) -> list[int]:
        held = (parameter for group in optimiser.param_groups for parameter in group["params"])
        return [self._place[id(parameter)] for parameter in held if id(parameter) in self._place]

    def _after_backward(self, place: int, *_: object) -> None:
        if self._is_due(place):
            self._read([(place, self._parameters[place])])

    def _is_due(self, who: int) -> bool:
        """Counts, and says whether this step is one to be read: who comes for the second time begins a new step.

        So two optimisers for parts of the model share their steps, and one that follows another goes on counting.
        """
        if not self.total or who in self._seen:
            self._seen.clear()
            self.total += 1
        self._seen.add(who)
        return self.total == self._next or self.total in self._readings

    def _read(self, held: Sequence[tuple[int, nn.Parameter]]) -> None:
        found = [(place, parameter.grad) for place, parameter in held if parameter.requires_grad]
        filled = {place: grad for place, grad in found if grad is not None}
        self._readings.setdefault(self.total, {}).update(zip(filled, lengths(list(filled.values())), strict=True))
        if len(self._readings) > MOST:
            self._every *= 2
            self._readings = {at: kept for at, kept in self._readings.items() if at <= FIRST or not at % self._every}
        self._next = self.total + 1 if self.total < FIRST else (self.total // self._every + 1) * self._every

    @property
    def steps(self) -> list[int]:
        """The steps that were read, counted from 1."""
        return sorted(self._readings)

    @property
    def sizes(self) -> torch.Tensor:
        """The size of the gradient, shape (steps read, layers), float64: the root mean square over a layer's entries.

        nan where a layer had no gradient, as well as where one of its entries was nan; `monitor.events` tells which.
        """
        rows = [[math.nan if size is None else size for size in self._sizes(step)] for step in self.steps]
        return torch.tensor(rows, dtype=torch.float64).reshape(len(rows), len(self.layers))

    def _sizes(self, step: int) -> list[float | None]:
        parts: list[list[tuple[float, int]]] = [[] for _ in self.layers]
        for place, length in self._readings[step].items():
            parts[self._layer_of[place]].append((length, self._entries[place]))
        return [typical(each) for each in parts]

    @property
    def history(self) -> GradientHistory:
        """All that was read, as plain data that can say what went wrong."""
        layers = range(len(self.layers))
        trained = {self._layer_of[place] for place in self._trained.union(*self._readings.values())}
        stepped = {self._layer_of[place] for place in self._stepped}
        return GradientHistory(
            self.layers,
            self.steps,
            [self._sizes(step) for step in self.steps],
            frozen=[layer not in trained for layer in layers],
            total=self.total,
            step="step" if self.by_optimiser else "backward pass",
            lost=[self.by_optimiser and layer not in stepped for layer in layers],
        )

    @property
    def events(self) -> list[Event]:
        """What went wrong, in the order in which it was seen first; layers with the same trouble at once together."""
        return self.history.events

    @property
    def picture(self) -> Picture:
        """The sizes as a heat map, a row for each layer and a column for each step."""
        from .plots.flow import plot_history  # here, since it needs matplotlib, which a loop that is watched does not

        return plot_history(self.history)

    def __repr__(self) -> str:
        return self.history.describe()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return self.picture._repr_mimebundle_(include, exclude)
