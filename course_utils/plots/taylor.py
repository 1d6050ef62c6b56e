"""Higher derivatives of a function of one number, and the Taylor polynomials made of them."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from matplotlib.axes import Axes

from ..core import palette
from ..core.checks import check_range, check_whole
from ..core.numbers import format_given, format_measured
from ..sliders import Explorer, explore
from .curves import POINTS, describe_curves, draw_curves
from .drawing import (
    DOT,
    Update,
    View,
    caption,
    fit_height,
    last_finite,
    place_ends,
    primes,
)  # fmt: skip
from .functions import ScalarFunction, grid

HIGHEST = 10  # the highest order: the graph of the n-th derivative grows fast
CLOSE = 0.1  # how near a polynomial must be to count as close


def nth_derivative_view(f: object, *, x: object = (-2, 2)) -> View:
    """The view behind `explore_derivatives`; `update(order)` changes the order."""
    low, high = check_range(x, name="x")
    function = ScalarFunction(f, probe=[(low + high) / 2])
    xs = grid(low, high, POINTS)
    (curve,) = function.curve(xs, order=0)
    derivative = lru_cache(HIGHEST + 1)(lambda order: function.curve(xs, order=order)[-1])

    def nth_derivative(ax: Axes) -> Update:
        line_of_f, line, name_of_f, name = draw_curves(ax, xs, {function.label: curve, " ": curve}, x=function.names[0])

        def update(order: int) -> str:
            values, label = derivative(order), primes(function.label, order)
            line.set_data(xs, values)
            fit_height(ax, curve, values)
            name.set_text(label + " ")
            place_ends(ax, [name_of_f, name], [last_finite(curve), last_finite(values)])
            for part in (line_of_f, name_of_f):
                part.set_visible(order > 0)
            return f"derivative of order {order}: {describe_curves(xs, {label: values}, x=function.names[0])}"

        return update

    return nth_derivative


def explore_derivatives(f: object, *, x: object = (-2, 2), order: int = 6) -> Explorer:
    """A function and its n-th derivative, n from 0 to `order`, by differentiating the derivative again and again.

    Args:
        f: a function of one number (it gets a tensor without dimensions), or an nn.Module (it gets shape (1, 1)).
        x: the range (low, high).
        order: the highest derivative, 1 to 10.

    Raises:
        TypeError: `f` is not a function or does not return a tensor; a number is not a number.
        ValueError: `f` raises, returns several values or a value without grad; an empty range; an order out of range.
    """
    return explore(nth_derivative_view(f, x=x), order=(0, check_whole(order, name="order", low=1, high=HIGHEST), 1, 1))


def taylor_view(f: object, *, x: object = (-4, 4)) -> View:
    """The view behind `explore_taylor`; `update(order, at)` changes degree and place."""
    low, high = check_range(x, name="x")
    function = ScalarFunction(f, probe=[(low + high) / 2])
    xs = grid(low, high, POINTS)
    (curve,) = function.curve(xs, order=0)

    def taylor(ax: Axes) -> Update:
        draw_curves(ax, xs, {function.label: curve}, x=function.names[0])
        (line,) = ax.plot([], [], **palette.CYCLE[1])
        look = {"color": palette.LEAF, "linewidth": 7, "solid_capstyle": "butt"}
        (band,) = ax.plot([], [], transform=ax.get_xaxis_transform(), **look)
        (dot,) = ax.plot([], [], "o", color=palette.VALUE, **DOT)
        degree, close = caption(ax, palette.GRADIENT, palette.LEAF)

        def update(order: int, at: float = 0.0) -> str:
            coefficients = taylor_coefficients(function, at, order)
            values = sum(coefficient * (xs - at) ** power for power, coefficient in enumerate(coefficients))
            near = _stretch(xs, (values - curve).abs() < CLOSE, at)
            line.set_data(xs, values)
            band.set_data(near, [0.012] * len(near))
            dot.set_data([at], [coefficients[0]])
            degree.set_text(f"Taylor polynomial of order {order}")
            close_by = f"within {format_given(CLOSE)}"
            told = f"{close_by} from {' to '.join(map(format_measured, near))}" if near else f"nowhere {close_by}"
            close.set_text(told)
            name = function.label
            return (
                f"Taylor polynomial of {name} at {function.names[0]} = {format_given(at)}, order {order}: "
                f"coefficients {', '.join(map(format_measured, coefficients))}; {told} of {name}"
            )

        return update

    return taylor


def explore_taylor(f: object, *, x: object = (-4, 4), order: int = 8) -> Explorer:
    """A function and its Taylor polynomial around any place, with the stretch where the two are less than 0.1 apart.

    Args:
        f: a function of one number (it gets a tensor without dimensions), or an nn.Module (it gets shape (1, 1)).
        x: the range (low, high).
        order: the highest degree, 1 to 10.

    Raises:
        TypeError: `f` is not a function or does not return a tensor; a number is not a number.
        ValueError: `f` raises, returns several values or a value without grad; an empty range; an order out of range.
    """
    highest = check_whole(order, name="order", low=1, high=HIGHEST)
    return explore(taylor_view(f, x=x), order=(0, highest, 1, 1), at=check_range(x, name="x"))


def taylor_coefficients(function: ScalarFunction, at: float, order: int) -> list[float]:
    """f(at), f′(at), f″(at) / 2, …, f⁽ⁿ⁾(at) / n!."""
    return [value / math.factorial(n) for n, value in enumerate(function.derivatives(at, order=order))]


def _stretch(xs: torch.Tensor, near: torch.Tensor, at: float) -> list[float]:
    """[first, last] of the unbroken run of positions around `at` that are near; empty where `at` itself is not."""
    middle = (xs - at).abs().argmin().item()
    if not near[middle]:
        return []
    far = (~near).nonzero().flatten()
    left, right = far[far < middle], far[far > middle]
    first = left[-1] + 1 if len(left) else 0
    last = right[0] - 1 if len(right) else len(xs) - 1
    return [xs[first].item(), xs[last].item()]
