"""What the plots share: a still picture of a view, numbers in words, labels beside curves.

A *view* draws once on the axes it is given and returns `update(**values)`, which moves what moves and returns the
readout. A still plot calls `update` once; an explorer calls it on each move of a slider: one drawing for both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch

from .. import palette
from ..picture import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

Update = Callable[..., str]
View = Callable[..., Update]

LABEL_GAP = 0.075  # least distance of two labels beside a plot, as a part of its height


def still(view: View, *, rows: int = 1, columns: int = 1, width: float = 6.4, height: float = 3.8, **values: object) -> Picture:
    """The picture of `view` at `values`; the readout is its description."""
    figure, axes = palette.new_figure(width=width, height=height, rows=rows, columns=columns)
    with palette.style():
        update = view(*axes.flat) if rows * columns > 1 else view(axes)
        description = update(**values)
    return Picture.from_figure(figure, description=description)


def number(value: float) -> str:
    """A number in words: three decimals, never -0.000; very large ones with an exponent."""
    if math.isfinite(value) and abs(value) >= 1e6:
        return f"{value:.3e}"
    return f"{value:.3f}".replace("-0.000", "0.000") if abs(value) < 0.001 else f"{value:.3f}"


def place(value: float) -> str:
    """A position in words: two decimals, three where it needs them."""
    rounded = f"{value:.3f}"
    shown = rounded[:-1] if rounded.endswith("0") else rounded
    return "0.00" if float(shown) == 0 else shown


def minus(text: str) -> str:
    """Text for a picture: hyphens before digits become minus signs."""
    return text.replace("-", "−")


def numbers(values: Sequence[float]) -> str:
    """Several numbers in words: "-1.000, 2.500 and 3.000"."""
    shown = [number(value) for value in values]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


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
    reach = 3 * (inner_high - inner_low)
    if high - low > 2 * reach > 0:
        low, high = max(low, inner_low - reach / 3), min(high, inner_high + reach / 3)
    margin = 0.08 * (high - low) or 1.0
    ax.set_ylim(low - margin, high + margin)


def label_ends(ax: Axes, labels: Sequence[tuple[float, str, str]]) -> list[Text]:
    """Writes (height in data units, text, colour) at the right edge of the plot, kept apart and inside its height."""
    low, high = ax.get_ylim()
    inside = [min(1.0, max(0.0, (end - low) / (high - low))) if math.isfinite(end) else 0.5 for end, _, _ in labels]
    texts = []
    for at, (_, text, colour) in zip(spread(inside), labels, strict=True):
        texts.append(
            ax.text(1.015, at, text, color=colour, transform=ax.transAxes, va="center", ha="left", fontweight="bold")
        )
    return texts


def spread(heights: Sequence[float], gap: float = LABEL_GAP) -> list[float]:
    """The heights, moved as little as needed to be `gap` apart and between 0 and 1, in the same order."""
    order = sorted(range(len(heights)), key=heights.__getitem__)
    moved = list(heights)
    for below, above in zip(order, order[1:], strict=False):
        moved[above] = max(moved[above], moved[below] + gap)
    ceiling = 1.0
    for index in reversed(order):
        moved[index] = min(moved[index], ceiling)
        ceiling = moved[index] - gap
    return moved


def last_finite(values: torch.Tensor) -> float:
    """The last finite entry, or nan."""
    finite = values[values.isfinite()]
    return finite[-1].item() if len(finite) else math.nan


def caption(ax: Axes, *colours: str) -> list[Text]:
    """One empty line of text above the plot in as many equal parts as there are colours, for numbers that move."""
    return [
        ax.text(index / len(colours), 1.03, " ", color=colour, transform=ax.transAxes, va="bottom", fontweight="bold")
        for index, colour in enumerate(colours)
    ]
