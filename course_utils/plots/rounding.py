"""Descent on a rounded parameter: the true gradient beside one that goes straight through."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache

import torch
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from ..core import palette
from ..core.checks import check_function, check_number, check_whole
from ..core.numbers import format_given, format_measured
from ..sliders import Explorer, explore
from .descent import STEPS
from .drawing import DOT, WIDE, Update, View, caption
from .functions import ScalarFunction, grid

RATE = 0.1
POINTS = 81
REACH = 1.4  # how far the drawing goes beyond start and target, as a part of the distance to 0
MARKS = {"■": "s", "●": "o"}  # the sign in the text, the marker on the plot
LOOKS = (("■", palette.CYCLE[3]), ("●", palette.CYCLE[1]))
DASHED = {"color": palette.MUTED, "linewidth": 1.2, "linestyle": "--"}

Rounding = Callable[[torch.Tensor], torch.Tensor]


def descend(
    rounding: Rounding, *, step: float, start: float, target: float, updates: int, name: str = "rounding"
) -> list[tuple[float, float]]:
    """Gradient descent on (step · rounding(w / step) − target)²: w and its gradient, from the start on.

    Errors call `rounding` by `name`.
    """
    loss = ScalarFunction(lambda w: (step * rounding(w / step) - target) ** 2, probe=[start], argument=name)
    walked, at = [], start
    for _ in range(updates + 1):
        slope = loss.derivatives(at)[1]
        walked.append((at, slope))
        at -= RATE * slope
    return walked


def rounding_view(roundings: Mapping[str, Rounding], *, start: float, target: float, updates: int) -> View:
    """A view with the loss over w on the left, w after each update on the right; `update(step, updates)`."""
    reach = REACH * max(abs(start), abs(target)) or 1.0
    ws = grid(-reach, reach, POINTS)
    looks = dict(zip(roundings, LOOKS, strict=True))

    @cache
    def walks(step: float) -> dict[str, list[tuple[float, float]]]:
        options = {"step": step, "start": start, "target": target, "updates": updates}
        return {name: descend(rounding, name=name, **options) for name, rounding in roundings.items()}

    def rounding(left: Axes, right: Axes) -> Update:
        left.set(xlabel="w", ylabel="loss", xlim=(-reach, reach), ylim=(-0.6, (reach + target) ** 2))
        left.plot(ws, (ws - target) ** 2, **DASHED)
        (stairs,) = left.plot([], [], **palette.CYCLE[0])
        right.set(xlabel="update", ylabel="w", xlim=(0, updates), ylim=(-reach, reach))
        right.axhline(target, **DASHED)
        right.annotate("target", (updates, target), (0, 3), textcoords="offset points", ha="right", color=palette.MUTED)
        drawn = {name: _draw_walk(left, right, *look) for name, look in looks.items()}
        captions = [caption(ax, look["color"])[0] for ax, (_, look) in zip((left, right), LOOKS, strict=True)]

        def update(step: float, updates: int) -> str:
            edges = _edges(reach, step)
            heights = _loss((edges[1:] + edges[:-1]) / 2, step, target)
            stairs.set_data(edges.repeat_interleave(2)[1:-1], heights.repeat_interleave(2))
            told = []
            for (name, walk), text in zip(walks(step).items(), captions, strict=True):
                trail, dot, line = drawn[name]
                places = torch.tensor([w for w, _ in walk[: updates + 1]], dtype=torch.float64)
                w, slope = walk[updates]
                trail.set_data(places, _loss(places, step, target))
                dot.set_data(places[-1:], _loss(places[-1:], step, target))
                line.set_data(range(len(places)), places)
                text.set_text(f"{looks[name][0]} {name}: slope {format_measured(slope)}")
                told.append(f"{name} at w = {format_measured(w)} with slope {format_measured(slope)}")
            return f"rounded to multiples of {format_given(step)}, after {updates} updates: {'; '.join(told)}"

        return update

    return rounding


def explore_rounding(*, start: object = -1.8, target: object = 1.3, updates: int = 30, **roundings: object) -> Explorer:
    """Descent on a rounded number with two ways to round, and with steps as coarse as a slider sets.

    Minimised is (step · rounding(w / step) − target)², with a learning rate of 0.1.

    Args:
        start, target: where w begins and where it should go.
        updates: the most updates.
        roundings: two functions by name that round a tensor, such as `torch.round` and one with its own gradient.

    Raises:
        TypeError: not a function, or not a number.
        ValueError: not two functions, or one that returns a tensor without grad.

    Example:
        >>> explore_rounding(true_gradient=torch.round, straight_through=lambda x: x + (torch.round(x) - x).detach())
    """
    if len(roundings) != 2:
        raise ValueError(f"explore_rounding got {len(roundings)} ways to round; expected two, by name")
    named = {name.replace("_", " "): check_function(rounding, name=name) for name, rounding in roundings.items()}
    most = check_whole(updates, name="updates", low=1, high=STEPS)
    start, target = check_number(start, name="start"), check_number(target, name="target")
    view = rounding_view(named, start=start, target=target, updates=most)
    return explore(view, figure_size=(WIDE, 3.8), step=(0.1, 2.0, 0.1, 1.0), updates=(0, most, 1, most // 3))


def _loss(w: torch.Tensor, step: float, target: float) -> torch.Tensor:
    return (step * torch.round(w / step) - target) ** 2


def _draw_walk(left: Axes, right: Axes, sign: str, look: Mapping[str, str]) -> tuple[Line2D, Line2D, Line2D]:
    """Where it went and where it is on the left, its way over the updates on the right; all empty."""
    mark = {"linestyle": "", "marker": MARKS[sign], "color": look["color"]}
    (trail,), (dot,) = left.plot([], [], **mark, markersize=3), left.plot([], [], **mark, **DOT)
    return trail, dot, right.plot([], [], **look)[0]


def _edges(reach: float, step: float) -> torch.Tensor:
    """Where rounding to multiples of `step` jumps, from beyond −reach to beyond reach."""
    most = math.ceil(reach / step) + 1
    return (torch.arange(-most, most + 1, dtype=torch.float64) - 0.5) * step
