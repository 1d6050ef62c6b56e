"""Curves over one number: functions with their derivatives and tangents, and whatever a learner has computed."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from ..core import palette
from ..core.checks import check_number, check_range, check_tensor, check_whole
from ..core.numbers import format_given, format_measured
from ..core.picture import Picture
from ..sliders import Explorer
from .drawing import (
    DOT,
    Update,
    View,
    along_curve,
    caption,
    fit_height,
    label_ends,
    last_finite,
    primes,
    still,
)
from .functions import ScalarFunction, grid

POINTS = 201
ORDERS = 3
ZEROS = 4  # how many zeros a description names
ROUNDING = 1e-9  # what counts as zero, in parts of a curve's largest value: far more than float64's rounding


def plot_derivative(
    f: object, *, x: object = (-2, 2), order: int = 1, at: object = None, points: int = POINTS
) -> Picture:
    """A function and its derivatives over a range, each computed by autograd at every point on its own.

    Args:
        f: a function of one number (it gets a tensor without dimensions), or an nn.Module (it gets shape (1, 1)).
        x: the range (low, high).
        order: the highest derivative to draw, 1 to 3.
        at: a place in the range to mark with its values, or None.
        points: how many points to compute, 2 to 5000.

    Raises:
        TypeError: `f` is not a function or does not return a tensor; a number is not a number.
        ValueError: `f` raises, returns several values or a value without grad; an empty range.

    Example:
        >>> plot_derivative(torch.sin, x=(0, 6), at=1.5)
    """
    low, high = check_range(x, name="x")
    order = check_whole(order, name="order", low=1, high=ORDERS)
    xs = grid(low, high, check_whole(points, name="points", low=2, high=5000))
    marked = None if at is None else check_number(at, name="at")
    function = ScalarFunction(f, probe=[low if marked is None else marked])
    names = [primes(function.label, n) for n in range(order + 1)]
    curves = dict(zip(names, function.curve(xs, order=order), strict=True))
    values = {} if marked is None else dict(zip(curves, function.derivatives(marked, order=order), strict=True))

    name = function.names[0]

    def view(ax: Axes) -> Update:
        draw_curves(ax, xs, curves, x=name)
        if values:
            ax.axvline(marked, color=palette.MUTED, linewidth=1, linestyle=":", zorder=1)
            for value, style in zip(values.values(), palette.CYCLE, strict=False):
                ax.plot([marked], [value], "o", color=style["color"], **DOT)
        return lambda: describe_curves(xs, curves, x=name) + _describe_values(marked, values, name)

    return still(view)


def draw_curves(
    ax: Axes,
    xs: torch.Tensor,
    curves: Mapping[str, torch.Tensor],
    *,
    x: str = "x",
    height: tuple[float, float] | None = None,
) -> tuple[Artist, ...]:
    """Draws each curve in its own colour and line style, its name beside its end.

    Args:
        ax: where to draw.
        xs, curves: positions, and values of the same shape by name.
        x: the name of the horizontal axis.
        height: (low, high) of the vertical axis; by default what fits.

    Returns:
        The lines, then the names.
    """
    if height is None:
        fit_height(ax, *curves.values())
    else:
        ax.set_ylim(height)
    ax.axhline(0, color=palette.MUTED, linewidth=0.8, zorder=1)
    styles = [palette.CYCLE[index % len(palette.CYCLE)] for index in range(len(curves))]
    lines = [ax.plot(xs, curve, **style)[0] for curve, style in zip(curves.values(), styles, strict=True)]
    ax.set(xlabel=x, xlim=(float(xs[0]), float(xs[-1])))
    ends = zip(curves.items(), styles, strict=True)
    return (*lines, *label_ends(ax, [(last_finite(curve), name, style["color"]) for (name, curve), style in ends]))


def describe_curves(
    xs: torch.Tensor, curves: Mapping[str, torch.Tensor], *, x: str = "x", rounding: float = ROUNDING
) -> str:
    """The curves in words: where each lies, and where it is zero (`rounding` as for `find_zeros`)."""
    parts = [f"{' and '.join(curves)} for {x} from {format_given(xs[0])} to {format_given(xs[-1])}"]
    for name, curve in curves.items():
        finite = curve[curve.isfinite()]
        if not len(finite):
            parts.append(f"{name} is nowhere finite")
            continue
        if format_measured(finite.min()) == format_measured(finite.max()):
            parts.append(f"{name} is {format_measured(finite[0])} throughout")
            continue
        between = f"{name} lies between {format_measured(finite.min())} and {format_measured(finite.max())}"
        parts.append(between + _describe_zeros(find_zeros(xs, curve, rounding=rounding), x))
    return "; ".join(parts)


def _describe_zeros(zeros: list[tuple[float, float]], x: str) -> str:
    if not zeros:
        return ""
    shown = [" to ".join(map(format_measured, dict.fromkeys(zero))) for zero in zeros[:ZEROS]]
    return f", zero at {x} = {', '.join(shown)}" + (f" and {len(zeros) - ZEROS} more" if len(zeros) > ZEROS else "")


def _describe_values(at: float | None, values: Mapping[str, float], x: str) -> str:
    told = [f"{name} = {format_measured(value)}" for name, value in values.items()]
    return f"; at {x} = {format_given(at)}: {', '.join(told)}" if told else ""


def find_zeros(xs: torch.Tensor, ys: torch.Tensor, *, rounding: float = ROUNDING) -> list[tuple[float, float]]:
    """Where the curve is zero, as (low, high), low == high for a single point; jumps over zero do not count.

    Args:
        xs, ys: positions and values, shape (n,) both.
        rounding: what counts as 0, in parts of the largest value.
    """
    x, y = xs.tolist(), ys.tolist()
    largest = max((abs(value) for value in y if math.isfinite(value)), default=0.0)
    flat = [abs(value) <= rounding * largest for value in y]
    zeros: list[tuple[float, float]] = []
    for i in range(len(x)):
        if flat[i]:
            zeros.append((zeros.pop()[0] if i and flat[i - 1] else x[i], x[i]))
        elif i and not flat[i - 1] and y[i - 1] * y[i] < 0 and max(abs(y[i - 1]), abs(y[i])) <= 0.5 * largest:
            crossing = x[i - 1] - y[i - 1] * (x[i] - x[i - 1]) / (y[i] - y[i - 1])
            zeros.append((crossing, crossing))
    return zeros


def plot_tangent(f: object, *, at: object = 0.5, x: object = None) -> Picture:
    """The curve of a function and its tangent at one point, with the value and the slope there.

    Args:
        f: a function of one number (it gets a tensor without dimensions), or an nn.Module (it gets shape (1, 1)).
        at: where the tangent touches.
        x: the range (low, high) to draw; by default 2 to either side of `at`.

    Raises:
        TypeError: `f` is not a function or does not return a tensor; a number is not a number.
        ValueError: `f` raises, returns several values or a value without grad; an empty range.

    Example:
        >>> plot_tangent(lambda x: x**2, at=1.5)
        tangent of f at x = 1.50: f = 2.250, slope = 3.000
    """
    at = check_number(at, name="at")
    return still(tangent_view(f, x=(at - 2, at + 2) if x is None else x), at=at)


def tangent_view(f: object, *, x: object = (-2, 2)) -> View:
    """The view behind `plot_tangent`: draws the curve once, `update(at)` moves the tangent."""
    low, high = check_range(x, name="x")
    function = ScalarFunction(f, probe=[(low + high) / 2])
    xs = grid(low, high, POINTS)
    (curve,) = function.curve(xs, order=0)

    def tangent(ax: Axes) -> Update:
        draw_curves(ax, xs, {function.label: curve}, x=function.names[0])
        (line,) = ax.plot([], [], **palette.CYCLE[1])
        (dot,) = ax.plot([], [], "o", color=palette.VALUE, **DOT)
        value_text, slope_text = caption(ax, palette.VALUE, palette.GRADIENT)

        def update(at: float) -> str:
            value, slope = function.derivatives(at)
            line.set_data([low, high], [value + slope * (end - at) for end in (low, high)])
            dot.set_data([at], [value])
            value_text.set_text(f"{function.label}({format_given(at)}) = {format_measured(value)}")
            slope_text.set_text(f"slope = {format_measured(slope)}")
            where = f"tangent of {function.label} at {function.names[0]} = {format_given(at)}"
            return f"{where}: {function.label} = {format_measured(value)}, slope = {format_measured(slope)}"

        return update

    return tangent


def explore_tangent(f: object, *, x: object = (-2, 2)) -> Explorer:
    """The tangent of a function, moved along its curve. Arguments and errors as in `plot_tangent`."""
    return along_curve(f, tangent_view(f, x=x), x=x)


def plot_curves(
    x: torch.Tensor, *, height: object = None, axis: str = "x", decimals: int | None = None, **curves: torch.Tensor
) -> Picture:
    """Draws tensors over `x`, each under its own name; nothing is computed, and tensors with grad may come as they are.

    Args:
        x: the positions, rising, shape (n,) with n at least 2.
        height: the range (low, high) of the vertical axis, for pictures that are to be compared; by default what fits.
        axis: the name of the horizontal axis.
        decimals: values are rounded to so many before they are put into words, for what a training found: its last
            digits are another machine's.
        curves: one tensor of shape (n,) for each curve; an underscore in a name becomes a space.

    Raises:
        TypeError: something that is not a tensor of numbers.
        ValueError: no curves, a curve of another shape than `x`, positions that do not rise, or `decimals` outside 0
            to 9.

    Example:
        >>> x = torch.linspace(-3, 3, 61, requires_grad=True)
        >>> y = torch.sin(x)
        >>> y.sum().backward()
        >>> plot_curves(x, value=y, slope=x.grad)
    """
    xs = check_tensor(x, name="x", dims=1)
    if len(xs) < 2 or not (xs.diff() > 0).all():
        raise ValueError("x does not rise; expected at least two positions, each larger than the one before")
    if not curves:
        raise ValueError("plot_curves got no curves; give some by name, e.g. plot_curves(x, value=y, slope=x.grad)")
    drawn = {name.replace("_", " "): check_tensor(curve, name=name, dims=1) for name, curve in curves.items()}
    for name, curve in drawn.items():
        if len(curve) != len(xs):
            raise ValueError(
                f"{name} has {len(curve)} entries and x has {len(xs)}; expected one value for each position"
            )
    limits = None if height is None else check_range(height, name="height")
    if decimals is not None:
        decimals = check_whole(decimals, name="decimals", low=0, high=9)
    given = [one.dtype for one in (x, *curves.values()) if isinstance(one, torch.Tensor) and one.is_floating_point()]
    rounding = max([ROUNDING, *(8 * torch.finfo(dtype).eps for dtype in given)])

    def view(ax: Axes) -> Update:
        draw_curves(ax, xs, drawn, x=axis, height=limits)
        if decimals is None:
            return lambda: describe_curves(xs, drawn, x=axis, rounding=rounding)
        rounded = {name: curve.round(decimals=decimals) for name, curve in drawn.items()}
        return lambda: f"{describe_curves(xs, rounded, x=axis)}; values rounded to {format_given(10.0**-decimals)}"

    return still(view)
