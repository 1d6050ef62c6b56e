"""Functions of two numbers: level lines, gradients, slices and paths downhill."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

import torch
from contourpy import ContourGenerator, contour_generator
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .. import palette
from ..checks import check_number, check_numbers, check_range, check_whole, describe
from ..picture import Picture
from .drawing import DOT, Arrow, Update, View, caption, fit_height, minus, number, place, still, vector
from .functions import ScalarFunction, grid

POINTS = 61  # each way, for level lines
FIELD = 9  # arrows each way
TINT = 0.07  # how much darker each level is than the one below
ARROW = 0.28  # the longest arrow, as a part of the plot's smaller side
SQUARE = 3  # how unequal two ranges may be for both axes to have one scale


class Surface:
    """A function of two numbers over a rectangle: its values on a grid, and how it is drawn.

    Args:
        f: `f(x, y)`, `f(p)` with p of shape (2,), or an nn.Module that takes shape (1, 2).
        x, y: the ranges (low, high).

    Raises:
        TypeError: `f` is not a function or does not return a tensor; a range is not two numbers.
        ValueError: `f` raises, returns several values or a value without grad; an empty range.
    """

    def __init__(self, f: object, *, x: object, y: object):
        self.x, self.y = check_range(x, name="x"), check_range(y, name="y")
        self.function = ScalarFunction(f, probe=[sum(self.x) / 2, sum(self.y) / 2])
        self.names = self.function.names
        self.xs, self.ys = grid(*self.x, POINTS), grid(*self.y, POINTS)
        self.values = self.function.values(torch.cartesian_prod(self.xs, self.ys).reshape(POINTS, POINTS, 2)).T
        finite = self.values[self.values.isfinite()]
        if not len(finite):
            raise ValueError(f"f is nowhere finite for {self.names[0]} in {self.x} and {self.names[1]} in {self.y}")
        self.lowest, self.highest = finite.min().item(), finite.max().item()

    def describe(self) -> str:
        """The function, its ranges and its extremes in words."""
        ranges = (f"{name} from {place(low)} to {place(high)}" for name, (low, high) in zip(self.names, (self.x, self.y), strict=True))
        return (
            f"level lines of {self.function.label} for {' and '.join(ranges)}, "
            f"where {self.function.label} lies between {number(self.lowest)} and {number(self.highest)}"
        )

    def readout(self, at: Sequence[float], value: float, gradient: Sequence[float]) -> str:
        """Value and gradient at a point in words."""
        where = f"{self.function.label}{vector(at, form=place)} = {number(value)}"
        return f"{where}, gradient {vector(gradient)}, length {number(math.hypot(*gradient))}"

    def draw(self, ax: Axes, *, levels: int | Sequence[float] = 10) -> None:
        """Level lines with their values, the plot darker where the function is higher."""
        if isinstance(levels, int):
            levels = MaxNLocator(levels).tick_values(self.lowest, self.highest)
        levels = [float(level) for level in levels if self.lowest < level < self.highest]
        ax.grid(False)
        heights = self.values.masked_fill(~self.values.isfinite(), math.nan).numpy()
        for level in levels:
            ax.contourf(self.xs, self.ys, heights, [level, 2 * self.highest - self.lowest], colors=palette.VALUE, alpha=TINT)
        if levels:
            lines = ax.contour(self.xs, self.ys, heights, levels, colors=palette.VALUE, linewidths=0.8, linestyles="-")
            ax.clabel(lines, fmt=lambda level: minus(f"{level:g}"), fontsize=9, colors=palette.INK)
        ax.set(xlabel=self.names[0], ylabel=self.names[1], xlim=self.x, ylim=self.y)
        width, height = self.size
        if max(width, height) <= SQUARE * min(width, height):
            ax.set_aspect("equal")

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the rectangle."""
        return self.x[1] - self.x[0], self.y[1] - self.y[0]

    @cached_property
    def field(self) -> list[tuple[tuple[float, float], tuple[float, float]]]:
        """(point, gradient) on a coarse grid, without the points where the gradient is not finite."""
        (x, y), (width, height) = (self.x[0], self.y[0]), self.size
        steps = [(index + 0.5) / FIELD for index in range(FIELD)]
        points = [(x + a * width, y + b * height) for b in steps for a in steps]
        found = [(at, self.function.value_and_gradient(at)[1]) for at in points]
        return [(at, gradient) for at, gradient in found if math.isfinite(math.hypot(*gradient))]

    @cached_property
    def arrow_scale(self) -> float:
        """What a gradient is multiplied by so that the longest of the field fits the plot."""
        longest = max((math.hypot(*gradient) for _, gradient in self.field), default=0.0)
        return ARROW * min(self.size) / longest if longest else 1.0

    def level_line(self, level: float) -> tuple[list[float], list[float]]:
        """The line where the function has the value `level`; its pieces are parted by nan."""
        xs, ys = [], []
        if math.isfinite(level):
            for piece in self._levels.lines(level):
                xs += [*piece[:, 0].tolist(), math.nan]
                ys += [*piece[:, 1].tolist(), math.nan]
        return xs, ys

    @cached_property
    def _levels(self) -> ContourGenerator:
        return contour_generator(self.xs.numpy(), self.ys.numpy(), self.values.masked_fill(~self.values.isfinite(), math.nan).numpy())


def plot_contour(
    f: object,
    *,
    x: object = (-2, 2),
    y: object = (-2, 2),
    at: object = None,
    arrows: bool = False,
    levels: int | Sequence[float] = 10,
) -> Picture:
    """Level lines of a function of two numbers, with the gradient at a point or over the whole plot.

    The gradient stands at right angles on the level line through its point.

    Args:
        f: `f(x, y)`, `f(p)` with p of shape (2,), or an nn.Module that takes shape (1, 2). The axes take the names of
            the function's parameters.
        x, y: the ranges (low, high) of the first and the second input.
        at: a point (x, y) whose gradient is drawn, or None.
        arrows: True for gradient arrows over the whole plot.
        levels: about how many level lines, or their values.

    Raises:
        TypeError: `f` is not a function or does not return a tensor; a range or a point is not two numbers.
        ValueError: `f` raises, returns several values or a value without grad; an empty range.

    Example:
        >>> plot_contour(lambda u, v: u**2 + u * v, at=(1, 0.5))
    """
    surface = Surface(f, x=x, y=y)

    def view(ax: Axes) -> Update:
        surface.draw(ax, levels=levels)
        if arrows:
            _draw_field(ax, surface)
        move = gradient_part(ax, surface) if at is not None else None
        return lambda **values: f"; {move(**values)}" if move else ""

    values = {} if at is None else dict(zip(surface.names, check_numbers(at, name="at", count=2), strict=True))
    return still(view, height=4.6, about=surface.describe() + ("; arrows show the gradient" if arrows else ""), **values)


def _draw_field(ax: Axes, surface: Surface) -> None:
    tails, gradients = zip(*surface.field, strict=True)
    # a field's arrows must not reach into their neighbours
    scale = surface.arrow_scale / (ARROW * FIELD)
    steps = [(a * scale, b * scale) for a, b in gradients]
    ax.quiver(
        *zip(*tails, strict=True), *zip(*steps, strict=True),
        color=palette.GRADIENT, angles="xy", scale_units="xy", scale=1, width=0.006, zorder=4,
    )  # fmt: skip


def gradient_part(ax: Axes, surface: Surface) -> Update:
    """A point on drawn level lines, the line through it and the gradient; returns the `update` that moves them."""
    (line,) = ax.plot([], [], color=palette.INK, linewidth=1.8, linestyle="--", zorder=4)
    arrow = Arrow(ax, palette.GRADIENT, label=f"∇{surface.function.label}")
    (dot,) = ax.plot([], [], "o", color=palette.VALUE, **DOT)

    def update(**values: float) -> str:
        at = [values[name] for name in surface.names]
        value, gradient = surface.function.value_and_gradient(at)
        line.set_data(*surface.level_line(value))
        arrow.set(at, [part * surface.arrow_scale for part in gradient])
        dot.set_data([at[0]], [at[1]])
        return surface.readout(at, value, gradient)

    return update
