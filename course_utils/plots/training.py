"""Training in pictures: micro-batches, accumulated gradients and losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from ..core import palette
from ..core.checks import check_number, check_tensor, check_whole
from ..core.numbers import format_measured
from ..core.picture import Picture
from ..sliders import Explorer, explore
from .drawing import Update, View, fit_height, label_ends, last_finite, place_ends, still
from .functions import ScalarFunction

MOST_SAMPLES = 64
MOST_CALLS = 24
KEPT = {"facecolor": palette.PANEL, "edgecolor": palette.MUTED}


def split_evenly(count: int, size: int) -> list[int]:
    """The sizes of micro-batches of `size` from `count` samples; the last one may be smaller."""
    return [min(size, count - start) for start in range(0, count, size)]


def microbatch_view(samples: object) -> View:
    """The view behind `explore_microbatches`; `update(sizes)` splits the samples anew."""
    samples = check_tensor(samples, name="samples", dims=1)
    count = check_whole(len(samples), name="the number of samples", low=2, high=MOST_SAMPLES)
    full = samples.mean().item()

    def microbatches(ax: Axes) -> Update:
        fit_height(ax, samples, torch.zeros(1, dtype=samples.dtype))
        ax.set(xlim=(0, count), xlabel="samples, in order", ylabel="gradient", xticks=[])
        ax.axhline(0, color=palette.MUTED, linewidth=0.8)
        bars = [ax.add_patch(Rectangle((0, 0), 1, 0, linewidth=1.2, **KEPT)) for _ in range(count)]
        ax.plot([index + 0.5 for index in range(count)], samples, "o", color=palette.LEAF, markersize=5)
        above = {"transform": ax.get_xaxis_transform(), "ha": "center", "va": "bottom", "color": palette.MUTED}
        counts = [ax.text(0, 1.01, "", **above) for _ in bars]
        ax.axhline(full, **{**palette.CYCLE[0], "zorder": 4})
        naive_line = ax.axhline(full, **{**palette.CYCLE[3], "zorder": 4})
        labels = label_ends(ax, [(full, "all samples", palette.VALUE), (full, "mean of means", palette.TROUBLE)])

        def update(sizes: Sequence[int]) -> str:
            parts = samples.split(sizes)
            means = [part.mean().item() for part in parts]
            naive = sum(means) / len(means)
            starts = [0, *torch.tensor([len(part) for part in parts]).cumsum(0).tolist()]
            for bar, text in zip(bars, counts, strict=True):
                bar.set_visible(False)
                text.set_visible(False)
            for bar, text, part, mean, start in zip(bars, counts, parts, means, starts, strict=False):
                bar.set(xy=(start, 0), width=len(part), height=mean, visible=True)
                text.set(x=start + len(part) / 2, text=f"n = {len(part)}", visible=True)
            naive_line.set_ydata([naive, naive])
            place_ends(ax, labels, [full, naive])
            weighted = sum(mean * len(part) for mean, part in zip(means, parts, strict=True)) / count
            return (
                f"{count} samples in micro-batches of {_listed(map(str, map(len, parts)))}: "
                f"all samples {format_measured(full)}, weighted mean {format_measured(weighted)}, "
                f"mean of means {format_measured(naive)}, off by {format_measured(naive - full)}"
            )

        return update

    return microbatches


def explore_microbatches(samples: object) -> Explorer:
    """The mean of each micro-batch as a bar as wide as its samples, the mean of all, and the mean of the means.

    A slider sets the size of the micro-batches; the last one may be smaller.

    Args:
        samples: one number for each sample, shape (n,): its gradient (or its loss); 2 to 64 samples.

    Raises:
        TypeError: not numbers.
        ValueError: fewer than 2 samples, or more than 64.
    """
    view, count = microbatch_view(samples), len(samples)

    def microbatches(ax: Axes) -> Update:
        move = view(ax)
        return lambda size: move(sizes=split_evenly(count, size))

    return explore(microbatches, size=(1, count, 1, count // 2 + 1))


def _listed(texts: Sequence[str]) -> str:
    *most, last = texts
    return f"{', '.join(most)} and {last}" if most else last


def accumulation_view(*, calls: int, reach: Sequence[float]) -> View:
    """The view behind `explore_accumulation`, for up to `calls` calls and values within `reach`."""

    def accumulation(ax: Axes) -> Update:
        fit_height(ax, torch.tensor([*reach, 0.0], dtype=torch.float64))
        numbers = range(1, calls + 1)
        ax.set(xlim=(0.4, calls + 0.6), xlabel="call of backward", ylabel="x.grad afterwards", xticks=numbers)
        ax.grid(visible=False, axis="x")
        ax.axhline(0, color=palette.MUTED, linewidth=0.8)
        kept = ax.bar(numbers, [0.0] * calls, 0.6, hatch="//", **KEPT)
        added = ax.bar(numbers, [0.0] * calls, 0.6, color=palette.GRADIENT)
        look = {"ha": "center", "va": "center", "fontweight": "bold", "fontsize": min(11, 130 / calls)}
        texts = [ax.text(call, 0, "", **look) for call in numbers]
        step = 0.05 * (ax.get_ylim()[1] - ax.get_ylim()[0])

        def update(grads: Sequence[float], zeroed: Sequence[int] = ()) -> str:
            for index, parts in enumerate(zip(kept, added, texts, strict=True)):
                for part in parts:
                    part.set_visible(index < len(grads))
            before = 0.0
            for call, grad in enumerate(grads, start=1):
                before = 0.0 if call in zeroed else before
                kept[call - 1].set_height(before)
                added[call - 1].set(y=before, height=grad - before)
                texts[call - 1].set(y=grad + (step if grad >= 0 else -step), text=format_measured(grad))
                before = grad
            reset = f"; zeroed before call {_listed(map(str, zeroed))}" if zeroed else ""
            after = f"x.grad after {len(grads)} call{'s' * (len(grads) > 1)} of backward"
            return f"{after}: {', '.join(map(format_measured, grads))}{reset}"

        return update

    return accumulation


def explore_accumulation(f: object, *, at: object = 2.0, calls: int = 6) -> Explorer:
    """What `.grad` holds after several calls of backward for f at a point, with and without zeroing before each.

    Args:
        f: a function of one number.
        at: the value of the leaf.
        calls: the most calls of backward.

    Raises:
        TypeError: `f` is not a function or does not return a tensor; `at` is not a number.
        ValueError: `f` raises, returns several values or a value without grad.
    """
    at = check_number(at, name="at")
    calls = check_whole(calls, name="calls", low=2, high=MOST_CALLS)
    slope = ScalarFunction(f, probe=[at]).derivatives(at)[1]

    def accumulation(ax: Axes) -> Update:
        move = accumulation_view(calls=calls, reach=sorted([0.0, slope * calls]))(ax)

        def update(calls: int, zero: bool) -> str:
            numbers = range(1, calls + 1)
            return move([slope if zero else slope * call for call in numbers], zeroed=list(numbers)[1:] if zero else [])

        return update

    return explore(accumulation, calls=(1, calls, 1, 2), zero=False)


def plot_losses(losses: object, *, log: bool = False, step: str = "step") -> Picture:
    """Losses over the steps of training, each run under its name.

    Args:
        losses: one number for each step; or several such runs by name, up to four.
        log: True for a logarithmic axis; all losses must then be above zero.
        step: what a step is called ("epoch").

    Raises:
        TypeError: not numbers.
        ValueError: no losses, more than four runs, or a loss that a logarithmic axis cannot show.
    """
    runs = dict(losses) if isinstance(losses, Mapping) else {"loss": losses}
    if not 1 <= len(runs) <= len(palette.CYCLE):
        raise ValueError(f"losses has {len(runs)} runs; expected one to four by name, or the losses of one run")
    given = {name: f"losses[{name!r}]" if isinstance(losses, Mapping) else "losses" for name in runs}
    runs = {name: check_tensor(values, name=given[name], dims=1) for name, values in runs.items()}
    for name, values in runs.items():
        if log and not (values[values.isfinite()] > 0).all():
            raise ValueError(f"{given[name]} has a value of 0 or below; a logarithmic axis needs all above 0")

    def view(ax: Axes) -> Update:
        for values, look in zip(runs.values(), palette.CYCLE, strict=False):
            ax.plot(values, **look)
        last = max(map(len, runs.values())) - 1 or 1
        ax.set(xlabel=step, ylabel="loss", yscale="log" if log else "linear", xlim=(0, last))
        ends = zip(runs.items(), palette.CYCLE, strict=False)
        label_ends(ax, [(last_finite(values), name, look["color"]) for (name, values), look in ends])
        return lambda: "; ".join(_describe_losses(name, values, step) for name, values in runs.items())

    return still(view)


def _describe_losses(name: str, values: torch.Tensor, step: str) -> str:
    if not values.isfinite().all():
        return f"{name} is not finite from {step} {(~values.isfinite()).nonzero()[0].item()} on"
    way = f"from {format_measured(values[0])} to {format_measured(values[-1])}"
    return f"{name} goes {way} in {len(values)} {step}s, lowest {format_measured(values.min())}"
