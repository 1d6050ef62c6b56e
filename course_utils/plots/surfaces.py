"""Functions of two numbers: level lines, gradients, slices and slopes in any direction."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from functools import cached_property

import torch
from contourpy import ContourGenerator, contour_generator
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..core import palette
from ..core.checks import check_numbers, check_range, check_tensor, check_whole, describe
from ..core.numbers import format_given, format_measured, format_point, format_vector
from ..core.picture import Picture
from ..sliders import Explorer, explore
from .drawing import DOT, Arrow, Update, View, caption, fit_height, name_axes, slider_over, still
from .functions import ScalarFunction, grid

POINTS = 51  # each way, for level lines
LEVELS = 7  # about how many level lines
FIELD = 9  # arrows each way
TINT = 0.07  # how much darker each level is than the one below
ARROW = 0.34  # the longest arrow, as a part of the plot's smaller side
USUAL = (0.01, 0.5, 0.97)  # quantiles of the values that levels are chosen by
PARTIALS = (7.4, 4.2)  # inches
DIRECTION = (7.4, 3.6)
SQUARE = 3  # how unequal two ranges may be for both axes to have one scale


class Surface:
    """A function of two numbers over a rectangle: its values on a grid, and how it is drawn.

    Args:
        f: `f(x, y)`, `f(p)` with p of shape (2,), or an nn.Module that takes shape (1, 2).
        x, y: the ranges (low, high).
        levels: about how many level lines, or their values.

    Raises:
        TypeError: `f` is not a function or does not return a tensor; a range is not two numbers; levels are no numbers.
        ValueError: `f` raises, returns several values or a value without grad; an empty range; no levels, or over 100.
    """

    def __init__(self, f: object, *, x: object, y: object, levels: int | Sequence[float] = LEVELS):
        self.x, self.y = check_range(x, name="x"), check_range(y, name="y")
        levels = _checked_levels(levels)
        self.function = ScalarFunction(f, probe=[sum(self.x) / 2, sum(self.y) / 2])
        self.names = self.function.names
        self.xs, self.ys = grid(*self.x, POINTS), grid(*self.y, POINTS)
        self.values = self.function.values(torch.cartesian_prod(self.xs, self.ys).reshape(POINTS, POINTS, 2)).T
        self.heights = self.values.masked_fill(~self.values.isfinite(), math.nan).numpy()
        self._finite = self.values[self.values.isfinite()]
        if not len(self._finite):
            raise ValueError(f"f is nowhere finite for {self.names[0]} in {self.x} and {self.names[1]} in {self.y}")
        self.lowest, self.highest = self._finite.min().item(), self._finite.max().item()
        chosen = self._nice_levels(levels) if isinstance(levels, int) else levels
        self.levels = [float(level) for level in sorted(chosen) if self.lowest < level < self.highest]

    def describe(self) -> str:
        """The function, its ranges and its extremes in words."""
        sides = zip(self.names, (self.x, self.y), strict=True)
        ranges = [f"{name} from {' to '.join(map(format_given, ends))}" for name, ends in sides]
        return (
            f"level lines of {self.function.label} for {' and '.join(ranges)}, "
            f"where {self.function.label} lies between "
            f"{format_measured(self.lowest)} and {format_measured(self.highest)}"
        )

    def named(self, at: object) -> dict[str, float]:
        """The point `at` as keywords for an `update`."""
        return dict(zip(self.names, check_numbers(at, name="at", count=2), strict=True))

    def inside(self, at: object) -> tuple[float, ...]:
        """The point `at`, which must lie in the rectangle."""
        point = check_numbers(at, name="at", count=2)
        for index, (place_in, (low, high)) in enumerate(zip(point, (self.x, self.y), strict=True)):
            if not low <= place_in <= high:
                raise ValueError(f"at[{index}] is {place_in}; expected a place from {low} to {high}")
        return point

    def value_at(self, at: Sequence[float], *, form: Callable[[Sequence[float]], str] = format_vector) -> str:
        """The function in words, at a point that `form` writes."""
        value, _ = self.function.value_and_gradient([float(part) for part in at])
        return f"{self.function.label}{form(at)} = {format_measured(value)}"

    def readout(self, at: Sequence[float], value: float, gradient: Sequence[float]) -> str:
        """Value and gradient at a point in words."""
        where = f"{self.function.label}{format_point(at)} = {format_measured(value)}"
        return f"{where}, gradient {format_vector(gradient)}, length {format_measured(math.hypot(*gradient))}"

    def draw(self, ax: Axes) -> None:
        """Level lines with their values, the plot darker where the function is higher."""
        ax.grid(False)
        top = 2 * self.highest - self.lowest
        for level in self.levels:
            ax.contourf(self.xs, self.ys, self.heights, [level, top], colors=palette.VALUE, alpha=TINT)
        if self.levels:
            look = {"colors": palette.VALUE, "linewidths": 0.8, "linestyles": "-"}
            lines = ax.contour(self.xs, self.ys, self.heights, self.levels, **look)
            ax.clabel(lines, fmt=format_given, fontsize=9, colors=palette.INK)
        name_axes(ax, *self.names)
        ax.set(xlim=self.x, ylim=self.y)
        width, height = self.size
        if max(width, height) <= SQUARE * min(width, height):
            ax.set_aspect("equal")

    def _nice_levels(self, count: int) -> list[float]:
        """Round values, evenly spaced; for a valley with steep walls 1, 2, 5, 10, …, which show its floor too."""
        # a pole's or a corner's few extreme values would leave no levels for the rest
        low, middle, high = torch.quantile(self._finite, self._finite.new_tensor(USUAL)).tolist()
        if low < 0 or middle - low > 0.25 * (high - low) or high == low:
            return MaxNLocator(count).tick_values(low, high).tolist()
        top = math.floor(math.log10(high))
        series = [digit * 10.0**power for power in range(top, top - 5, -1) for digit in (5, 2, 1)]
        return [level for level in series if level < high][:count]

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
    def _usual(self) -> float:
        """The median length of the gradient, or 1 where that is 0."""
        return statistics.median([math.hypot(*gradient) for _, gradient in self.field] or [1.0]) or 1.0

    def arrow(self, gradient: Sequence[float]) -> tuple[float, ...]:
        """The gradient as an arrow that fits the plot: longer where it is steeper, but never past `ARROW`."""
        scale = ARROW * min(self.size) / (self._usual + math.hypot(*gradient))
        return tuple(part * scale for part in gradient)

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
        return contour_generator(self.xs.numpy(), self.ys.numpy(), self.heights)


def _checked_levels(levels: object) -> int | list[float]:
    if hasattr(levels, "__len__") and not isinstance(levels, str) and getattr(levels, "ndim", 1):
        return check_tensor(levels, name="levels", dims=1, only_finite=True).tolist()
    if not isinstance(levels, int):
        raise TypeError(f"levels is {describe(levels)}; expected how many, such as 7, or a list of values")
    return check_whole(levels, name="levels", low=1, high=100)


def plot_contour(
    f: object,
    *,
    x: object = (-2, 2),
    y: object = (-2, 2),
    at: object = None,
    arrows: bool = False,
    levels: int | Sequence[float] = LEVELS,
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
        TypeError: `f` is not a function or does not return a tensor; a range or a point is not two numbers; levels are
            no numbers.
        ValueError: `f` raises, returns several values or a value without grad; an empty range; no levels, or over 100.

    Example:
        >>> plot_contour(lambda u, v: u**2 + u * v, at=(1, 0.5))
    """
    surface = Surface(f, x=x, y=y, levels=levels)

    def view(ax: Axes) -> Update:
        surface.draw(ax)
        if arrows:
            _draw_field(ax, surface)
        move = gradient_part(ax, surface) if at is not None else None
        return lambda **values: f"; {move(**values)}" if move else ""

    values = {} if at is None else surface.named(at)
    about = surface.describe() + ("; arrows show the gradient" if arrows else "")
    return still(view, height=4.6, about=about, **values)


def _draw_field(ax: Axes, surface: Surface) -> None:
    tails, gradients = zip(*surface.field, strict=True)
    steps = map(surface.arrow, gradients)
    ax.quiver(
        *zip(*tails, strict=True), *zip(*steps, strict=True),
        color=palette.GRADIENT, angles="xy", scale_units="xy", scale=ARROW * FIELD, width=0.006, zorder=4,
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
        arrow.set(at, surface.arrow(gradient))
        dot.set_data([at[0]], [at[1]])
        return surface.readout(at, value, gradient)

    return update


def partials_view(surface: Surface) -> View:
    """The view behind `explore_partials`; `update` takes the point by the names of the function's inputs."""

    def partials(figure: Figure) -> Update:
        axes = figure.subplot_mosaic([["level", "first"], ["level", "second"]], width_ratios=[1.25, 1])
        surface.draw(axes["level"])
        move_gradient = gradient_part(axes["level"], surface)
        slices = [_Slice(axes[name], surface, which) for which, name in enumerate(["first", "second"])]

        def update(**values: float) -> str:
            at = [values[name] for name in surface.names]
            value, gradient = surface.function.value_and_gradient(at)
            for part, slope in zip(slices, gradient, strict=True):
                part.move(at, value, slope)
            return move_gradient(**values)

        return update

    return partials


def explore_partials(f: object, *, x: object = (-2, 2), y: object = (-2, 2), at: object = None) -> Explorer:
    """Level lines with the gradient at a point, and the two slices through it; two sliders move the point.

    The slope of each slice's tangent is the partial derivative by that input: the other one stands still.

    Args:
        f: `f(x, y)`, `f(p)` with p of shape (2,), or an nn.Module that takes shape (1, 2). The sliders take the names
            of the function's parameters.
        x, y: the ranges (low, high) of the first and the second input.
        at: the point (x, y) to start at; by default the middle of both ranges.

    Raises:
        TypeError: `f` is not a function or does not return a tensor; a range or the point is not two numbers.
        ValueError: `f` raises, returns several values or a value without grad; an empty range; a point outside.
    """
    surface = Surface(f, x=x, y=y)
    starts = (None, None) if at is None else surface.inside(at)
    sliders = [slider_over(values, start=start) for values, start in zip((surface.x, surface.y), starts, strict=True)]
    return explore(partials_view(surface), figure_size=PARTIALS, **dict(zip(surface.names, sliders, strict=True)))


class _Slice:
    """The curve of a function along one of its two inputs, with the tangent at a point."""

    def __init__(self, ax: Axes, surface: Surface, which: int):
        self.surface, self.which, self.name = surface, which, surface.names[which]
        self.range = (surface.x, surface.y)[which]
        self.positions = grid(*self.range, POINTS)
        fit_height(ax, surface.values)
        ax.set(xlabel=self.name, xlim=self.range)
        (self.curve,) = ax.plot([], [], **palette.CYCLE[0])
        (self.tangent,) = ax.plot([], [], **palette.CYCLE[1])
        (self.dot,) = ax.plot([], [], "o", color=palette.VALUE, **DOT)
        (self.caption,) = caption(ax, palette.GRADIENT)

    def move(self, at: Sequence[float], value: float, slope: float) -> None:
        here = at[self.which]
        points = torch.tensor([at] * POINTS, dtype=torch.float64)
        points[:, self.which] = self.positions
        self.curve.set_data(self.positions, self.surface.function.values(points))
        self.tangent.set_data(self.range, [value + slope * (end - here) for end in self.range])
        self.dot.set_data([here], [value])
        self.caption.set_text(f"∂{self.surface.function.label}/∂{self.name} = {format_measured(slope)}")


def direction_view(surface: Surface, *, at: object) -> View:
    """The view behind `explore_direction`; `update(angle)` turns the direction."""
    at = check_numbers(at, name="at", count=2)
    _, gradient = surface.function.value_and_gradient(at)
    steepest = math.hypot(*gradient)
    uphill = math.degrees(math.atan2(gradient[1], gradient[0])) % 360
    reach = 0.7 * ARROW * min(surface.size)

    def direction(left: Axes, right: Axes) -> Update:
        surface.draw(left)
        gradient_part(left, surface)(**surface.named(at))
        arrow = Arrow(left, palette.LEAF, label="d", line="-")
        degrees = grid(0, 360, POINTS)
        right.plot(degrees, steepest * torch.cos(torch.deg2rad(degrees - uphill)), **palette.CYCLE[0])
        right.axvline(uphill, color=palette.GRADIENT, linestyle="--", linewidth=1.5)
        right.set(xlabel="direction of d in degrees", xlim=(0, 360), xticks=range(0, 361, 90))
        (dot,) = right.plot([], [], "o", color=palette.LEAF, **DOT)
        (text,) = caption(right, palette.LEAF)

        def update(angle: float) -> str:
            along = (math.cos(math.radians(angle)), math.sin(math.radians(angle)))
            slope = sum(part * way for part, way in zip(gradient, along, strict=True))
            arrow.set(at, [reach * way for way in along])
            dot.set_data([angle % 360], [slope])
            text.set_text(f"slope along d = {format_measured(slope)}")
            return (
                f"{surface.function.label} at {format_point(at)}: "
                f"slope {format_measured(slope)} in direction {format_given(angle)}°; "
                f"steepest is {format_measured(steepest)} at {format_measured(uphill)}°, the gradient's direction"
            )

        return update

    return direction


def explore_direction(f: object, *, at: object, x: object = (-2, 2), y: object = (-2, 2)) -> Explorer:
    """A direction at a point on the level lines, beside the slope in every direction; a slider turns the direction.

    Args:
        f: `f(x, y)`, `f(p)` with p of shape (2,), or an nn.Module that takes shape (1, 2).
        at: the point (x, y).
        x, y: the ranges (low, high) of the first and the second input.

    Raises:
        TypeError: `f` is not a function or does not return a tensor; a range or the point is not two numbers.
        ValueError: `f` raises, returns several values or a value without grad; an empty range.
    """
    return explore(direction_view(Surface(f, x=x, y=y), at=at), figure_size=DIRECTION, angle=(0, 360, 5, 0))
