"""Plots of numbers that a learner has computed: tensors in, picture out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ..core.checks import check_range, check_tensor
from ..core.picture import Picture
from .curves import describe_curves, draw_curves
from .drawing import Update, still

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_curves(x: torch.Tensor, *, height: object = None, axis: str = "x", **curves: torch.Tensor) -> Picture:
    """Draws tensors over `x`, each under its own name; nothing is computed, and tensors with grad may come as they are.

    Args:
        x: the positions, rising, shape (n,) with n at least 2.
        height: the range (low, high) of the vertical axis, for pictures that are to be compared; by default what fits.
        axis: the name of the horizontal axis.
        curves: one tensor of shape (n,) for each curve; an underscore in a name becomes a space.

    Raises:
        TypeError: something that is not a tensor of numbers.
        ValueError: no curves, a curve of another shape than `x`, or positions that do not rise.

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

    def view(ax: Axes) -> Update:
        draw_curves(ax, xs, drawn, x=axis, height=limits)
        return lambda: describe_curves(xs, drawn, x=axis)

    return still(view)
