"""Finite differences beside autograd: secants, and the error of a difference against its step."""

from __future__ import annotations

import math

import torch
from matplotlib.axes import Axes

from ..core import palette
from ..core.checks import check_number, check_range
from ..core.numbers import format_given, format_measured
from ..core.picture import Picture
from ..sliders import Explorer
from .curves import POINTS, draw_curves
from .drawing import DOT, Update, View, along_curve, caption, still
from .functions import ScalarFunction, grid

DTYPES = {"float32": torch.float32, "float64": torch.float64}
PER_DECADE = 8  # steps
LABEL_AT = 2 * PER_DECADE  # the step at which a curve's name stands
SMALLEST, LARGEST = -16, 0  # powers of ten of the step


def secant_view(f: object, *, x: object = (-2, 2)) -> View:
    """The view behind `explore_secant`; `update(at, h)` moves both ends."""
    low, high = check_range(x, name="x")
    function = ScalarFunction(f, probe=[(low + high) / 2])
    xs = grid(low, high, POINTS)
    (curve,) = function.curve(xs, order=0)

    def secant(ax: Axes) -> Update:
        draw_curves(ax, xs, {function.label: curve}, x=function.names[0])
        (tangent,) = ax.plot([], [], **palette.CYCLE[1])
        (chord,) = ax.plot([], [], **palette.CYCLE[2])
        (dots,) = ax.plot([], [], "o", color=palette.VALUE, **DOT)
        tangent_text, chord_text = caption(ax, palette.GRADIENT, palette.LEAF)

        def update(at: float, h: float) -> str:
            value, slope = function.derivatives(at)
            other, _ = function.derivatives(at + h)
            difference = (other - value) / h
            for line, rise in ((tangent, slope), (chord, difference)):
                line.set_data([low, high], [value + rise * (end - at) for end in (low, high)])
            dots.set_data([at, at + h], [value, other])
            tangent_text.set_text(f"tangent: {format_measured(slope)}")
            chord_text.set_text(f"secant: {format_measured(difference)}")
            return (
                f"{function.label} at {function.names[0]} = {format_given(at)}: "
                f"slope of the tangent {format_measured(slope)}, of the secant {format_measured(difference)} "
                f"(h = {format_given(h)}), {format_measured(abs(difference - slope))} apart"
            )

        return update

    return secant


def explore_secant(f: object, *, x: object = (-2, 2), h: object = (0.01, 1.5)) -> Explorer:
    """A secant that turns into the tangent as its step h shrinks: the finite difference beside the derivative.

    Args:
        f: a function of one number (it gets a tensor without dimensions), or an nn.Module (it gets shape (1, 1)).
        x: the range (low, high).
        h: the range (low, high) of the step from the tangent's point to the secant's other end, without 0.

    Raises:
        TypeError: `f` is not a function or does not return a tensor; a number is not a number.
        ValueError: `f` raises, returns several values or a value without grad; an empty range or one of
            steps that holds 0.
    """
    steps = check_range(h, name="h")
    if steps[0] <= 0 <= steps[1]:
        raise ValueError(f"h = {steps} holds 0; expected a range of steps without it")
    return along_curve(f, secant_view(f, x=x), x=x, h=steps)


def plot_difference_error(f: object, *, at: object = 1.0, central: bool = False) -> Picture:
    """The error of a finite difference against its step h, in float32 and float64: smaller is not always better.

    Autograd in float64 counts as exact. Large steps err by the curve's bend, small ones by rounding.

    Args:
        f: a function of one number that takes float32 and float64, or an nn.Module (it gets shape (1, 1)).
        at: where the derivative is taken.
        central: True for (f(x + h) − f(x − h)) / 2h, else (f(x + h) − f(x)) / h.

    Raises:
        TypeError: `f` is not a function or does not return a tensor; `at` is not a number.
        ValueError: `f` raises, returns several values or a value without grad, or does not take both dtypes; the
            difference is exact at every step, so that there is no error to draw.
    """
    at = check_number(at, name="at")
    exact = ScalarFunction(f, probe=[at], dtype=torch.float64)
    slope = exact.derivatives(at)[1]
    steps = 10 ** grid(SMALLEST, LARGEST, (LARGEST - SMALLEST) * PER_DECADE + 1)
    errors = {
        name: difference_errors(f, at, slope, steps, dtype=dtype, central=central) for name, dtype in DTYPES.items()
    }

    kind = "central" if central else "forward"
    if not all((error > 0).any() for error in errors.values()):
        where = f"{exact.label} at {exact.names[0]} = {format_given(at)}"
        raise ValueError(f"the {kind} difference of {where} is exact at every step; expected one that has an error")

    def view(ax: Axes) -> Update:
        for (name, error), look, above in zip(errors.items(), palette.CYCLE, (True, False), strict=False):
            seen, best = error > 0, _best(error)
            ax.loglog(steps[seen], error[seen], **{**look, "linewidth": 1.6})
            ax.plot(steps[best], _window(error)[best], "o", color=look["color"], **DOT)
            named = error[seen]
            beside = named[LABEL_AT : LABEL_AT + 3 * PER_DECADE] if len(named) > LABEL_AT else named
            height = (beside.max() if above else beside.min()).item()
            ax.annotate(
                name, (steps[LABEL_AT].item(), height), (0, 6 if above else -6),
                textcoords="offset points", va="bottom" if above else "top", color=look["color"], fontweight="bold",
            )  # fmt: skip
        ax.set(xlabel="step h", ylabel="error of the difference", xlim=(10.0**SMALLEST, 10.0**LARGEST))
        ax.margins(y=0.12)
        about = f"error of the {kind} difference of {exact.label} at {exact.names[0]} = {format_given(at)}"
        best = [f"{name} is best near h = {_power(steps[_best(error)])}" for name, error in errors.items()]
        return lambda: f"{about}: {'; '.join(best)}"

    return still(view, height=4.2)


def difference_errors(
    f: object, at: float, slope: float, steps: torch.Tensor, *, dtype: torch.dtype, central: bool
) -> torch.Tensor:
    """|difference − slope| for each step, with the function and the positions in `dtype`; float64, shape of `steps`."""
    function = ScalarFunction(f, probe=[at], dtype=dtype)
    here, steps = torch.tensor(at, dtype=dtype), steps.to(dtype)
    ahead = function.values((here + steps)[:, None]).to(dtype)
    behind = function.values((here - steps if central else here.expand(len(steps)))[:, None]).to(dtype)
    return ((ahead - behind) / (2 * steps if central else steps) - slope).abs().double()


def _window(errors: torch.Tensor) -> torch.Tensor:
    """The median over the decade around each step, as single errors are small by luck; inf near both ends."""
    half = PER_DECADE // 2
    middle = errors.unfold(0, 2 * half + 1, 1).median(1).values
    return torch.nn.functional.pad(middle, (half, half), value=math.inf)


def _best(errors: torch.Tensor) -> int:
    """Where the error is smallest."""
    return _window(errors).argmin().item()


def _power(value: float) -> str:
    return format_given(10.0 ** round(math.log10(value)))
