"""Gradient sizes over the steps of training, as `training_monitor` shows them."""

from __future__ import annotations

import bisect
import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.ticker import MaxNLocator

from ..core import palette
from ..core.picture import Picture
from ..gradients import fold, typical
from .drawing import Update, still
from .flow import NAME, PITCH, ROWS, SMALL, WIDTH, Flow, RowTexts, lines_of, set_up, short

if TYPE_CHECKING:
    from ..monitor import Monitor

COLUMNS = 240  # of the image, at most
HEAT = "#dd6a14"  # the colour of gradients in a tone between both themes, which an image does not follow
TINTS = (0.07, 0.92)  # opacity of the smallest and the largest size
LETTERS = 64  # that fit above the plot
DECADES = 12  # the most that the tints tell apart


def plot_sizes(monitor: Monitor) -> Picture:
    """The picture of a monitor: a row for each layer, a column for each step, stronger where the gradient is larger."""
    names = monitor.layers
    room = min(NAME, max(map(len, names)))
    rows = len(fold(names, ROWS))
    return still(lambda ax: _draw(ax, monitor, room), width=WIDTH, height=1.3 + PITCH * rows)


def _draw(ax: Axes, monitor: Monitor, room: int) -> Update:
    set_up(ax, room, above=0.68)
    ax.set(xlabel="step" if monitor.by_optimiser else "backward pass", xlim=(0.5, max(monitor.total, 1) + 0.5))
    ax.xaxis.set_major_locator(MaxNLocator(7, integer=True))
    ax.grid(visible=False)
    table = monitor.table
    rows = fold(monitor.layers, ROWS)
    if not any(size is not None for sizes in table for size in sizes):
        ax.set(xticks=[])
        ax.text(0.5, 0.5, "no gradient to show", transform=ax.transAxes, ha="center", va="center", color=palette.MUTED)
        return monitor.describe
    limits = _limits(table)
    image = _image(table, monitor.steps, monitor.total, [row.members for row in rows], limits)
    ax.imshow(image, extent=(0.5, monitor.total + 0.5, 1, 0), aspect="auto", interpolation="nearest")
    for index in range(1, len(rows)):
        ax.axhline(index / len(rows), color=palette.PAPER, linewidth=1.5)
    RowTexts(ax, ROWS, room).write(lines_of(Flow(monitor.layers, table[-1], monitor.frozen), ROWS))
    _mark(ax, monitor, [row.members for row in rows])
    _heading(ax, monitor, limits)
    return monitor.describe


def _limits(table: Sequence[Sequence[float | None]]) -> tuple[float, float]:
    """Exponents of ten of the faintest and the strongest tint."""
    logs = [math.log10(size) for sizes in table for size in sizes if size and math.isfinite(size)] or [0.0]
    high = max(logs)
    return max(min(*logs, high - 1), high - DECADES), high


def _image(
    table: Sequence[Sequence[float | None]], steps: Sequence[int], total: int, rows: Sequence[range], limits: tuple
) -> torch.Tensor:
    """Colour and opacity, shape (rows, columns, 4); between two readings the earlier one holds."""
    columns = min(total, COLUMNS)
    shown = [bisect.bisect(steps, math.ceil((column + 0.5) * total / columns)) - 1 for column in range(columns)]
    tints = [[_tint([sizes[at] for at in members], limits) for members in rows] for sizes in table]
    return torch.tensor([tints[max(0, at)] for at in shown], dtype=torch.float64).transpose(0, 1).numpy()


def _tint(sizes: Sequence[float | None], limits: tuple[float, float]) -> tuple[float, float, float, float]:
    known = [size for size in sizes if size is not None]
    if any(not math.isfinite(size) for size in known):
        return (*to_rgb(palette.TROUBLE), 1.0)
    size = typical([(size, 1) for size in known])
    if not size:
        return (*to_rgb(palette.MUTED), 0.0 if size is None else 0.35)
    part = (math.log10(size) - limits[0]) / (limits[1] - limits[0])
    return (*to_rgb(HEAT), TINTS[0] + (TINTS[1] - TINTS[0]) * max(0.0, part))


def _mark(ax: Axes, monitor: Monitor, rows: Sequence[range]) -> None:
    """A cross where a trouble was seen first, in each row that has it; the first of all in words above the plot."""
    heights = {layer: (index + 0.5) / len(rows) for index, members in enumerate(rows) for layer in members}
    first: dict[float, int] = {}
    for event in monitor.events:
        for layer in event.layers:
            first.setdefault(heights[layer], event.first)
    look = {"color": palette.TROUBLE, "markeredgecolor": palette.PAPER, "markersize": 9, "clip_on": False}
    ax.plot(list(first.values()), list(first), "X", zorder=5, **look)


def _heading(ax: Axes, monitor: Monitor, limits: tuple[float, float]) -> None:
    """Above the plot: what was read, the tints from the smallest to the largest size, and the first trouble."""
    line = {"xycoords": "axes fraction", "textcoords": "offset points", "fontsize": SMALL, "va": "bottom"}
    read = f"{len(monitor.steps)} of {monitor.total} read, the last →"
    low, high = (short(10**exponent) for exponent in limits)
    ax.annotate(f"faint {low}, strong {high}", (0, 1), (0, 5), color=palette.MUTED, **line)
    ax.annotate(read, (1, 1), (0, 5), color=palette.MUTED, ha="right", **line)
    if monitor.events:
        told = textwrap.shorten(monitor.tell(monitor.events[0]), LETTERS, placeholder=" …")
        ax.annotate(told, (0, 1), (0, 21), color=palette.TROUBLE, **line)
