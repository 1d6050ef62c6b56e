"""What a computation costs: memory and time as its size grows, and memory from its first operation to its last."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import torch
from matplotlib.axes import Axes

from ..core import palette
from ..core.checks import check_function, check_sequence, check_tensor
from ..core.numbers import format_given, format_number
from ..core.picture import Picture
from ..measuring import memory_profile
from ..sliders import Explorer
from ..sliders.controls import control
from .drawing import Update, View, caption, label_ends, still
from .functions import undisturbed

CLEARLY = 2  # how many times as fast counts as faster
BYTES = {"B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9}


def plot_memory(sizes: Sequence[int], *, memory: Sequence[float], time: Sequence[float] | None = None) -> Picture:
    """Memory against the micro-batch size, and the time for one update beside it.

    Args:
        sizes: the micro-batch sizes, above 0 and rising.
        memory: bytes for each size.
        time: seconds for each size, or None; drawn, but left out of the description, since it differs from run to run.

    Raises:
        TypeError: not numbers.
        ValueError: sizes that do not rise from above 0, another number of values, or one below 0, infinite or nan.
    """
    xs = _rising(sizes)
    used = _for_each(memory, "memory", xs)
    taken = None if time is None else _for_each(time, "time", xs)
    unit = unit_of(used.max().item())

    def draw(ax: Axes, values: torch.Tensor, label: str, look: Mapping[str, str]) -> None:
        ax.plot(xs, values, marker="o", **look)
        ax.set_xscale("log", base=2)
        ax.set(xlabel="micro-batch size", ylabel=label, ylim=(0, 1.12 * values.max().item() or 1.0))
        ax.set_xticks(xs.tolist(), map(format_given, xs.tolist()), minor=False)
        ax.minorticks_off()

    def told() -> str:
        pairs = zip(xs.tolist(), (used / BYTES[unit]).tolist(), strict=True)
        return "memory by micro-batch size: " + ", ".join(
            f"{format_given(size)}: {_amount(value, unit)}" for size, value in pairs
        )

    def view(ax: Axes) -> Update:
        draw(ax, used / BYTES[unit], f"memory in {unit}", palette.CYCLE[0])
        return told

    def two_views(left: Axes, right: Axes) -> Update:
        draw(right, taken * 1e3, "time for one update in ms", palette.CYCLE[1])
        return view(left)

    return still(view if taken is None else two_views)


def memory_view(function: Callable[..., object], values: Sequence[object]) -> View:
    """A view of the memory that `function(value)` holds, beside that for the first of `values`.

    `update(value)` takes one of `values`; the function is called once for each of them, when the view is made.

    Raises:
        ValueError: a value for which the function makes no tensors.
    """
    with undisturbed():
        profiles = [memory_profile(function, value) for value in values]
    if not all(map(any, profiles)):
        which = values[list(map(any, profiles)).index(False)]
        raise ValueError(f"f makes no tensors at {which!r}; expected a function that computes with tensors")
    highest, longest = max(map(max, profiles)), max(map(len, profiles))
    unit = unit_of(highest)
    heights = [[held / BYTES[unit] for held in profile] for profile in profiles]

    def memory(ax: Axes) -> Update:
        ax.set(xlim=(0, longest + 1), ylim=(0, 1.1 * highest / BYTES[unit]))
        ax.set(xlabel="operations, in the order in which they run", ylabel=f"memory in {unit}")
        ax.plot(range(1, len(heights[0]) + 1), heights[0], color=palette.MUTED, linewidth=1.2, linestyle="--")
        (line,) = ax.plot([], [], **palette.CYCLE[0])
        (top,) = ax.plot([], [], **palette.CYCLE[1])
        peak_text, count_text = caption(ax, palette.GRADIENT, palette.VALUE)

        def update(value: object) -> str:
            held = heights[values.index(value)]
            line.set_data(range(1, len(held) + 1), held)
            top.set_data([0, longest + 1], [max(held), max(held)])
            peak_text.set_text(f"peak: {_amount(max(held), unit)}")
            count_text.set_text(f"{len(held)} operations")
            return f"at most {_amount(max(held), unit)} at a time, in {len(held)} operations"

        return update

    return memory


def explore_memory(f: object, **slider: Sequence[object]) -> Explorer:
    """The memory that a computation holds while it runs, operation by operation; dashed is the slider's first value.

    Args:
        f: a function of one argument, named as the slider; called once for each of its values.
        slider: its name and the list of values, such as `parts=[1, 2, 4]`.

    Raises:
        TypeError: `f` is not a function, or the slider's values are no list.
        ValueError: not exactly one slider, no values, or one for which `f` makes no tensors.
    """
    if len(slider) != 1:
        raise ValueError(f"explore_memory got {len(slider)} sliders; expected one, such as parts=[1, 2, 4]")
    ((name, given),) = slider.items()
    values = list(check_sequence(given, name=name, sample="[1, 2, 4]"))
    middle = replace(control(name, values), start=(len(values) - 1) // 2)
    view = memory_view(check_function(f), values)

    def memory(ax: Axes) -> Update:
        move = view(ax)
        return lambda **at: f"{name} {at[name]}: {move(at[name])}"

    return Explorer(memory, {name: middle}, figure_size=None)


def plot_times(sizes: Sequence[int], *, size: str = "size", **times: Sequence[float]) -> Picture:
    """Measured times against a size, each way of computing under its name; both axes are logarithmic.

    The description says which way is at least twice as fast as the others at either end, and no times, since those
    differ from run to run.

    Args:
        sizes: the sizes, above 0 and rising, at least 2.
        size: what the size is ("inputs").
        times: up to four ways by name, seconds for each size, above 0; an underscore in a name becomes a space.

    Raises:
        TypeError: not numbers.
        ValueError: sizes that do not rise from above 0, no times or more than four, another number of values, or one
            that is not above 0 or not finite.

    Example:
        >>> plot_times([1, 10, 100], size="inputs", jacrev=[1e-4, 1e-4, 2e-4], jacfwd=[1e-4, 8e-4, 7e-3])
    """
    xs = _rising(sizes, least=2)
    ways = {name.replace("_", " "): _for_each(values, name, xs) for name, values in times.items()}
    if not 1 <= len(ways) <= len(palette.CYCLE):
        raise ValueError(f"plot_times got {len(ways)} ways to compute; expected one to four, such as jacrev=[…]")
    for name, values in ways.items():
        if not (values > 0).all():
            raise ValueError(f"{name} has a time that is not above 0; expected seconds")

    def view(ax: Axes) -> Update:
        for values, look in zip(ways.values(), palette.CYCLE, strict=False):
            ax.loglog(xs, values * 1e3, marker="o", clip_on=False, **look)
        ax.set(xlabel=size, ylabel="time in ms", xlim=(xs[0].item(), xs[-1].item()))
        ax.set_xticks(xs.tolist(), map(format_given, xs.tolist()))
        ax.yaxis.set_major_formatter(lambda time, _: format_given(time))
        ax.minorticks_off()
        ends = zip(ways.items(), palette.CYCLE, strict=False)
        label_ends(ax, [(values[-1].item() * 1e3, name, look["color"]) for (name, values), look in ends])
        first, last = ({name: values[end].item() for name, values in ways.items()} for end in (0, -1))
        told = f"at {format_given(xs[0])} {_fastest(first)}, at {format_given(xs[-1])} {_fastest(last)}"
        return lambda: f"time by {size} for {', '.join(ways)}: {told}"

    return still(view)


def _fastest(times: Mapping[str, float]) -> str:
    """Which of the times is clearly the shortest, in words that stay the same from run to run."""
    name = min(times, key=times.__getitem__)
    others = [value for other, value in times.items() if other != name]
    if not others:
        return "measured"
    return f"{name} is fastest" if min(others) > CLEARLY * times[name] else "no way is clearly fastest"


def unit_of(most: float) -> str:
    """The largest unit of `BYTES` in which `most` bytes are 1 or more."""
    return max((unit for unit, factor in BYTES.items() if most >= factor), key=BYTES.get, default="B")


def _amount(memory: float, unit: str) -> str:
    """An amount with its unit; bytes are never split."""
    return f"{format_number(int(memory) if unit == 'B' else memory)} {unit}"


def _rising(sizes: object, *, least: int = 1) -> torch.Tensor:
    """The sizes, which are drawn on a logarithmic axis."""
    xs = check_tensor(sizes, name="sizes", dims=1)
    if len(xs) < least:
        raise ValueError(f"sizes has {len(xs)} entries; expected at least {least}")
    if not (xs[0] > 0 and (xs.diff() > 0).all()):
        raise ValueError(f"sizes = {xs.tolist()} do not rise from above 0; expected each larger than the one before")
    return xs


def _for_each(values: object, name: str, xs: torch.Tensor) -> torch.Tensor:
    checked = check_tensor(values, name=name, dims=1, only_finite=True)
    if len(checked) != len(xs):
        raise ValueError(f"{name} has {len(checked)} values and sizes {len(xs)}; expected one for each size")
    if (checked < 0).any():
        raise ValueError(f"{name} has a value below 0; expected what was measured")
    return checked
