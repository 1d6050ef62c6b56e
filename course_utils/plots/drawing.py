"""What the plots share: still pictures of views, numbers in words, labels beside curves, arrows that move.

A *view* draws once on the axes (or on the `figure`) that it names as its parameters, and returns `update(**values)`,
which moves what moves and returns the readout. A still plot calls `update` once, a slider on each move: one drawing
for both.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from matplotlib.patheffects import withStroke
from matplotlib.text import Text

from ..core import palette
from ..core.checks import check_range
from ..core.picture import Picture
from ..sliders import Explorer, explore
from .functions import ScalarFunction

Update = Callable[..., str]
View = Callable[..., Update]

LABEL_GAP = 0.075  # least distance of two labels beside a plot, as a part of its height
WIDE = 7.4  # inches, for two plots side by side: what a page of 800 pixels shows without shrinking much
DOT = {"markersize": 9, "markeredgecolor": palette.PAPER, "markeredgewidth": 1.5, "zorder": 6}
HALO = (withStroke(linewidth=4, foreground=palette.PAPER),)


def still(view: View, *, width: float | None = None, height: float = 3.8, about: str = "", **values: object) -> Picture:
    """The picture of `view` at `values`.

    Args:
        view: takes axes, side by side, or one parameter named `figure`.
        width, height: of the figure in inches.
        about: goes before the readout in the description.
        values: for the view's `update`.
    """
    names = list(inspect.signature(view).parameters)
    width = width or (6.4 if len(names) == 1 else WIDE)
    with palette.style():
        if names == ["figure"]:
            figure = Figure(figsize=(width, height))
            update = view(figure)
        else:
            figure, axes = palette.new_figure(width=width, height=height, columns=len(names))
            update = view(*([axes] if len(names) == 1 else axes))
        description = about + update(**values)
    return Picture.from_figure(figure, description=description)


def slider_over(values: tuple[float, float], *, start: float | None = None) -> tuple[float, ...]:
    """The range `values` for a slider, which starts in the middle or near `start`."""
    low, high = values
    step = 10.0 ** math.floor(math.log10((high - low) / 50))
    return (low, high) if start is None else (low, high, step, start)


def along_curve(f: object, view: View, *, x: object, **more: Any) -> Explorer:
    """`view` with a slider for the place on the curve of `f`, named as the input of `f`; it starts off the middle."""
    low, high = check_range(x, name="x")
    (name,) = ScalarFunction(f, probe=[(low + high) / 2]).names

    def along(ax: Axes) -> Update:
        move = view(ax)
        return lambda **values: move(at=values.pop(name), **values)

    along.__name__ = view.__name__
    return explore(along, **{name: slider_over((low, high), start=low + 0.75 * (high - low))}, **more)


def name_axes(ax: Axes, x: str, y: str) -> None:
    """Names both axes; a short name stands upright, for a v that lies on its side reads as >."""
    ax.set(xlabel=x, ylabel=y)
    if len(y) <= 2:
        ax.yaxis.label.set(rotation="horizontal", horizontalalignment="right", verticalalignment="center")


def primes(label: str, order: int) -> str:
    """The name of a derivative: f, f′, f″, f‴, then f⁽⁴⁾."""
    if order <= 3:
        return label + ("", "′", "″", "‴")[order]
    return label + "⁽" + str(order).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")) + "⁾"


def fit_height(ax: Axes, *curves: torch.Tensor) -> None:
    """Sets the y limits to the curves; a pole's few huge values do not flatten the rest."""
    values = torch.cat([curve.flatten() for curve in curves])
    values = values[values.isfinite()]
    if not len(values):
        return
    low, high = values.min().item(), values.max().item()
    inner_low, inner_high = torch.quantile(values, torch.tensor([0.05, 0.95], dtype=values.dtype)).tolist()
    reach = inner_high - inner_low
    if high - low > 6 * reach > 0:
        low, high = max(low, inner_low - reach), min(high, inner_high + reach)
    margin = 0.08 * (high - low) or 1.0
    ax.set_ylim(low - margin, high + margin)


def label_ends(ax: Axes, labels: Sequence[tuple[float, str, str]]) -> list[Text]:
    """Writes (height in data units, text, colour) at the right edge of the plot, kept apart and inside its height."""
    texts = [
        ax.text(1.015, 0, text + " ", color=colour, transform=ax.transAxes, va="center", fontweight="bold")
        for _, text, colour in labels
    ]
    place_ends(ax, texts, [end for end, _, _ in labels])
    return texts


def place_ends(ax: Axes, texts: Sequence[Text], ends: Sequence[float]) -> None:
    """Moves the texts of `label_ends` to other heights, in data units."""
    here, _ = ax.get_xlim()
    ax.get_ylim()  # settles the limits that the next line reads
    parts = [ax.transLimits.transform(ax.transScale.transform((here, end)))[1] for end in ends]
    inside = [min(1.0, max(0.0, part)) if math.isfinite(part) else 0.5 for part in parts]
    for text, height in zip(texts, spread(inside), strict=True):
        text.set_y(height)


def last_finite(values: torch.Tensor) -> float:
    """The last finite entry, or nan."""
    finite = values[values.isfinite()]
    return finite[-1].item() if len(finite) else math.nan


def spread(heights: Sequence[float]) -> list[float]:
    """The heights, moved as little as needed to be `LABEL_GAP` apart and at most 1, in the same order."""
    order = sorted(range(len(heights)), key=heights.__getitem__)
    moved = list(heights)
    for below, above in zip(order, order[1:], strict=False):
        moved[above] = max(moved[above], moved[below] + LABEL_GAP)
    ceiling = 1.0
    for index in reversed(order):
        moved[index] = min(moved[index], ceiling)
        ceiling = moved[index] - LABEL_GAP
    return moved


def caption(ax: Axes, *colours: str) -> list[Text]:
    """One empty line of text above the plot in as many equal parts as there are colours, for numbers that move."""
    return [
        ax.text(index / len(colours), 1.03, " ", color=colour, transform=ax.transAxes, va="bottom", fontweight="bold")
        for index, colour in enumerate(colours)
    ]


class _HeadWithoutGaps(withStroke):
    """The halo of an arrow, whose head (its only filled part) stays whole where the shaft is dotted."""

    def draw_path(self, renderer: Any, gc: Any, tpath: Any, affine: Any, rgbFace: Any = None) -> None:
        own = renderer.new_gc()
        own.copy_properties(gc)
        if rgbFace is not None:
            own.set_dashes(0, None)
        super().draw_path(renderer, own, tpath, affine, rgbFace)
        own.restore()


class Arrow:
    """An arrow with a name at its tip that can be moved; hidden while it has no length.

    Args:
        ax: the axes, in whose data units the arrow is set.
        colour: of the arrow and its name.
        label: its name.
        line: the line style.
        width: the line width in points.
    """

    def __init__(self, ax: Axes, colour: str, *, label: str = "", line: str = "-", width: float = 2.6):
        self.patch = FancyArrowPatch(
            (0, 0), (0, 0), arrowstyle="-|>,head_length=5,head_width=3", mutation_scale=1.4, shrinkA=0, shrinkB=0,
            color=colour, linewidth=width, linestyle=line, joinstyle="miter", zorder=5,
            path_effects=[_HeadWithoutGaps(linewidth=4, foreground=palette.PAPER)], clip_on=False,
        )  # fmt: skip
        ax.add_patch(self.patch)
        self.note = ax.annotate(
            label, (0, 0), (0, 0), textcoords="offset points", ha="center", va="center", color=colour, zorder=7,
            fontweight="bold", path_effects=HALO, annotation_clip=False,
        )  # fmt: skip
        for artist in (self.patch, self.note):
            artist.set_in_layout(False)

    def set(self, tail: Sequence[float], step: Sequence[float]) -> None:
        """From `tail`, by `step`, both (x, y)."""
        length = math.hypot(*step)
        seen = math.isfinite(length) and length > 0
        for artist in (self.patch, self.note):
            artist.set_visible(seen)
        if seen:
            head = (tail[0] + step[0], tail[1] + step[1])
            self.patch.set_positions(tuple(tail), head)
            self.note.xy = head
            self.note.set_position((13 * step[0] / length, 13 * step[1] / length))
