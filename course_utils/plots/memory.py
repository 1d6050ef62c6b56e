"""What a computation holds in memory from its first operation to its last."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes

from ..core import palette
from ..measuring import memory_profile
from .costs import BYTES, unit_of
from .drawing import Update, View, caption, number
from .functions import undisturbed


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
            peak_text.set_text(f"peak: {max(held):.2f} {unit}")
            count_text.set_text(f"{len(held)} operations")
            return f"at most {number(max(held))} {unit} at a time, in {len(held)} operations"

        return update

    return memory
