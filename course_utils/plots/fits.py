"""A model beside the data that it is fitted to."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from matplotlib.axes import Axes

from ..core import palette
from ..core.checks import check_function, check_range, check_sequence, check_tensor
from ..core.numbers import format_given, format_measured, format_vector
from ..core.picture import Picture
from ..sliders import Explorer, explore, play
from .curves import POINTS
from .drawing import DOT, WIDE, Update, View, caption, fit_height, name_axes, still
from .functions import ScalarFunction, grid

ROOM = 1.8  # the height of the plot, in heights of the samples
FEW = 30  # samples up to which each residual is drawn


def plot_fit(x: object, y: object, *, model: object, losses: Sequence[float] | None = None) -> Picture:
    """Samples, a model's curve through them and the distance of each; beside them the losses so far.

    Show it again and again while training: `handle.update(plot_fit(x, y, model=net, losses=losses))`.

    Args:
        x, y: the samples, shape (n,) or (n, 1), at least 2.
        model: a function of one number (it gets a tensor without dimensions), or an nn.Module (it gets shape (1, 1)).
        losses: one number for each step so far, or None.

    Raises:
        TypeError: not numbers, or a model that is not a function.
        ValueError: x and y of different lengths, a model that raises or returns several values, no losses.
    """
    if losses is None:
        return still(fit_view(x, y), model=model)

    def both(left: Axes, right: Axes) -> Update:
        move, mark = fit_view(x, y)(left), loss_part(right, losses)
        return lambda model: f"{move(model)}; {mark(len(losses) - 1)} after {len(losses)} steps"

    return still(both, model=model)


def check_steps(models: object, losses: object) -> None:
    """The model at each of several steps, and the loss at each or None; errors as in `explore_training`."""
    check_sequence(models, name="models", sample="[copy.deepcopy(net), …]")
    if len(models) < 2:
        raise ValueError(f"models has {len(models)} entries; expected the model at two steps at least")
    for index, model in enumerate(models):
        check_function(model, name=f"models[{index}]")
    if losses is not None and len(check_tensor(losses, name="losses", dims=1)) != len(models):
        raise ValueError(f"losses has {len(losses)} entries and models {len(models)}; expected one loss for each model")


def loss_part(ax: Axes, losses: Sequence[float]) -> Update:
    """Draws the losses over the steps; returns the `update(step)` that marks one of them, counted from 0."""
    losses = check_tensor(losses, name="losses", dims=1)
    highest = max(losses[losses.isfinite()].tolist(), default=0.0)
    ax.plot(losses, **palette.CYCLE[1])
    (dot,) = ax.plot([], [], "o", color=palette.GRADIENT, **DOT)
    ax.set(xlabel="step", ylabel="loss", ylim=(0, 1.05 * highest or 1.0))
    (told,) = caption(ax, palette.GRADIENT)

    def update(step: int) -> str:
        dot.set_data([step], [losses[step]])
        text = f"loss {format_measured(losses[step])}"
        told.set_text(text)
        return text

    return update


def fit_view(x: object, y: object) -> View:
    """The view behind `plot_fit`; `update(model)` draws another model's curve over the same samples."""
    xs, ys = _column(x, "x"), _column(y, "y")
    if len(xs) != len(ys) or len(xs) < 2:
        raise ValueError(f"x has {len(xs)} samples and y {len(ys)}; expected equally many, at least 2")
    low, high = xs.min().item(), xs.max().item()
    margin = 0.08 * (high - low) or 1.0
    positions = grid(low - margin, high + margin, POINTS)

    def fit(ax: Axes) -> Update:
        # room for a curve that does not fit yet
        fit_height(ax, ys.mean() + ROOM * (ys - ys.mean()), torch.zeros(1, dtype=ys.dtype))
        name_axes(ax, "x", "y")
        ax.set(xlim=(positions[0].item(), positions[-1].item()))
        gaps = ax.vlines(xs, ys, ys, color=palette.TROUBLE, linewidth=1.4, linestyle=":") if len(xs) <= FEW else None
        ax.plot(xs, ys, "o", color=palette.LEAF, **{**DOT, "markersize": 7 if len(xs) <= FEW else 5})
        (line,) = ax.plot([], [], **palette.CYCLE[0])

        def update(model: object) -> str:
            function = ScalarFunction(model, probe=[low], argument="model")
            line.set_data(positions, function.values(positions[:, None]))
            at_samples = function.values(xs[:, None])
            if gaps is not None:
                ends = [torch.stack([xs, height], -1) for height in (ys, at_samples)]
                gaps.set_segments(torch.stack(ends, 1).numpy())
            errors = at_samples - ys
            return (
                f"{len(xs)} samples and the model's curve, {format_measured(errors.abs().mean())} apart on average, "
                f"{format_measured(errors.abs().max())} at most"
            )

        return update

    return fit


def explore_line(x: object, y: object, *, w: object = (-4, 4), b: object = (-4, 4)) -> Explorer:
    """The line w·x + b through samples, with its mean squared error and the error's gradient.

    Args:
        x, y: the samples, shape (n,) or (n, 1), at least 2.
        w, b: the ranges (low, high) of both sliders.

    Raises:
        TypeError: not numbers.
        ValueError: x and y of different lengths; an empty range.
    """
    view = fit_view(x, y)
    samples, targets = (check_tensor(values, name=name).flatten() for name, values in (("x", x), ("y", y)))

    def line(ax: Axes) -> Update:
        move = view(ax)

        def update(w: float, b: float) -> str:
            move(lambda position: w * position + b)
            errors = w * samples + b - targets
            gradient = (2 * (errors * samples).mean(), 2 * errors.mean())
            return (
                f"line with w = {format_given(w)}, b = {format_given(b)}: mean squared error "
                f"{format_measured(errors.square().mean())}, its gradient by (w, b) {format_vector(gradient)}"
            )

        return update

    return explore(line, w=check_range(w, name="w"), b=check_range(b, name="b"))


def explore_training(
    x: object, y: object, models: Sequence[object], *, losses: Sequence[float] | None = None
) -> Explorer:
    """How a fit came about: the model as it was at each step, on a slider that also plays.

    Args:
        x, y: the samples, shape (n,) or (n, 1), at least 2.
        models: the model at each step, such as copies made with `copy.deepcopy(net)`.
        losses: the loss at each step, or None.

    Raises:
        TypeError: not numbers, or a model that is not a function.
        ValueError: fewer than two models, or another number of losses.
    """
    view = fit_view(x, y)
    check_steps(models, losses)

    def training(ax: Axes) -> Update:
        move = view(ax)
        return lambda step: f"step {step}: {move(models[step])}"

    def training_with_losses(left: Axes, right: Axes) -> Update:
        move, mark = view(left), loss_part(right, losses)
        return lambda step: f"step {step}: {mark(step)}, {move(models[step])}"

    if losses is None:
        return explore(training, step=play(range(len(models))))
    return explore(training_with_losses, figure_size=(WIDE, 3.8), step=play(range(len(models))))


def _column(values: object, name: str) -> torch.Tensor:
    checked = check_tensor(values, name=name)
    if checked.dim() == 2 and checked.shape[1] == 1:
        return checked.flatten()
    return check_tensor(checked, name=name, dims=1)
