"""Gradient flow: how large the gradient of each layer is, as bars, and over the steps of training as a heat map."""

from __future__ import annotations

import bisect
import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.ticker import MaxNLocator
from torch import nn

from ..core import palette
from ..core.checks import check_function, check_module, check_range
from ..core.numbers import format_number
from ..core.picture import Picture
from ..gradients import (
    APART,
    Flow,
    GradientHistory,
    describe_sizes,
    flow_of,
    fold,
    read_flow,
    reference,
    shorten,
    troubles,
    typical,
)  # fmt: skip
from ..sliders import Explorer, explore
from .drawing import Update, View, still

FLOW = (7.4, 4.8)  # inches, of a picture that sliders move

ROWS = 24  # the most rows of a still picture, each with its name
DENSE, NAMED = 40, 13  # the most rows of a picture that sliders move, and how many of these have a name
NAME, NOTE = 22, 18  # the most characters of a row's name, and of what stands after its bar
LETTER = 0.078  # inches, the width of a character
SMALL = 9.5  # points
PITCH = 0.26  # inches, the height of a row
WIDTH = 7.4
COLUMNS = 240  # of the image, at most
HEAT = "#dd6a14"  # the colour of gradients in a tone between both themes, which an image does not follow
TINTS = (0.07, 0.92)  # opacity of the smallest and the largest size
LETTERS = 64  # that fit above the plot
DECADES = 12  # the most that the tints tell apart


def gradient_flow(model: nn.Module) -> Picture:
    """How large the gradient is in each layer, as `loss.backward()` left it in `.grad`.

    A layer is a module with parameters of its own. Its size is the root mean square over all entries of their
    gradients, drawn on a logarithmic scale. A size is called vanished under a ten-thousandth of the last layer's, and
    exploded over ten thousand times as large. "No gradient" is not 0, and frozen layers are told apart. Models of more
    than 24 layers are folded by their modules; a thin line then spans the sizes within a row.

    Args:
        model: any module, after a backward pass; nothing is run and nothing is changed.

    Raises:
        TypeError: `model` is not an nn.Module.
        ValueError: it has no parameters, or lazy ones without a shape.

    Example:
        >>> loss.backward()
        >>> gradient_flow(net)
    """
    flow = read_flow(check_module(model))
    rows = len(fold(flow.names, ROWS))
    room = min(NAME, max(map(len, flow.names)))
    view = flow_view(_limits(flow.sizes), most=ROWS, named=ROWS, room=room)
    return still(view, width=WIDTH, height=1.07 + PITCH * rows, flow=flow)


def _limits(sizes: Sequence[float | None]) -> tuple[float, float]:
    """Powers of ten around the sizes, two decades apart at least."""
    exponents = [math.log10(size) for size in sizes if size and math.isfinite(size)] or [-0.5]
    low, high = math.floor(min(exponents) - 0.3), math.ceil(max(exponents) + 0.1)
    return 10.0 ** min(low, high - 2), 10.0**high


def flow_view(limits: tuple[float, float], *, most: int = DENSE, named: int = NAMED, room: int = 14) -> View:
    """The view behind `gradient_flow`; `update(flow)` moves the bars.

    Args:
        limits: the lowest and the highest size on the axis; bars beyond end at its edges.
        most: the most rows; more layers are folded.
        named: the most rows with names; of more, every other one has one, and so on.
        room: characters for a row's name.
    """

    def gradient_flow(ax: Axes) -> Update:
        set_up(ax, room)
        ax.set(xscale="log", xlim=limits, xlabel="size of the gradient (root mean square)")
        ax.minorticks_off()
        stems, spans = (ax.add_collection(LineCollection([])) for _ in range(2))
        spans.set(color=palette.INK, linewidth=1.2)
        (sound,) = ax.plot([], [], "o", color=palette.GRADIENT, clip_on=False)
        (sick,) = ax.plot([], [], "X", color=palette.TROUBLE, clip_on=False)
        bounds = [_Bound(ax, 1 / APART, "◂ vanished ", "right"), _Bound(ax, APART, " exploded ▸", "left")]
        texts = RowTexts(ax, named, room)
        heading = _heading(ax)

        def update(flow: Flow) -> str:
            lines = lines_of(flow, most)
            _draw_bars(lines, limits, stems, spans, sound, sick)
            is_bounded = [bound.set(reference(flow.sizes), limits) for bound in bounds]
            heading.set_position((0, 18 if any(is_bounded) else 4))
            texts.write(lines)
            many = f"{len(flow.names)} layer{'s' * (len(flow.names) > 1)}"
            folded = f"{many} in {len(lines)} rows. " if len(lines) < len(flow.names) else ""
            heading.set_text(folded + "Backward walks upwards, from the output to the input.")
            return f"gradient flow, {many}: {describe_sizes(flow.names, flow.sizes, flow.frozen)}"

        return update

    return gradient_flow


def explore_gradient_flow(
    build: object,
    *,
    inputs: torch.Tensor | None = None,
    targets: torch.Tensor | None = None,
    loss: object = torch.nn.functional.mse_loss,
    sizes: object = (1e-10, 1e4),
    **sliders: object,
) -> Explorer:
    """The gradient of each layer of a network that sliders build anew: its depth, its initialisation, what you like.

    Each move builds the network with random numbers of its own, the same ones each time, and runs one forward and one
    backward pass; torch's random state and every `.grad` stay as they are. Bars as in `gradient_flow`.

    Args:
        build: a function of the sliders that returns an nn.Module, or (module, loss) with the loss worked out.
        inputs: a batch for the module, where `build` returns no loss.
        targets: second argument of `loss`, or None for a loss of the output alone.
        loss: a function of output and targets.
        sizes: the ends of the axis (low, high), both above 0.
        sliders: as `explore` takes them: `depth=(1, 30)`, `gain=(0.1, 3.0, 0.1, 1.0)`, `residual=False`.

    Raises:
        TypeError: `build` or `loss` is not a function, or gives none of the above; a slider that `build` does not take.
        ValueError: an axis that is empty or not above 0; a module without parameters, or a loss with several values.

    Example:
        >>> explore_gradient_flow(network, inputs=x, targets=y, depth=(1, 30), gain=(0.1, 3.0, 0.1, 1.0))
    """
    build, loss = check_function(build, name="build"), check_function(loss, name="loss")
    limits = check_range(sizes, name="sizes")
    if limits[0] <= 0:
        raise ValueError(f"sizes = {limits} reaches down to {limits[0]}; expected two numbers above 0")

    def gradient_flow(ax: Axes) -> Update:
        move = flow_view(limits)(ax)

        def update(**values: object) -> str:
            with torch.inference_mode(False), torch.enable_grad():
                return move(flow_of(partial(build, **values), inputs=inputs, targets=targets, loss=loss))

        return update

    return explore(gradient_flow, figure_size=FLOW, **sliders)


class _Bound:
    """A line where trouble begins, as a multiple of the last layer's size, with its word above the plot."""

    def __init__(self, ax: Axes, factor: float, word: str, side: str):
        self.factor = factor
        self.line = ax.axvline(1, color=palette.TROUBLE, linewidth=1.2, linestyle=":")
        look = {"ha": side, "va": "bottom", "fontsize": SMALL, "color": palette.TROUBLE}
        self.word = ax.annotate(word, (1, 0), (0, 3), textcoords="offset points", **look)

    def set(self, last: float | None, limits: tuple[float, float]) -> bool:
        """Moves the line; False where it is off the axis, and hidden."""
        place = (last or 0) * self.factor
        is_seen = limits[0] < place < limits[1]
        self.line.set_xdata([place, place])
        self.word.xy = (place, 0)
        for artist in (self.line, self.word):
            artist.set_visible(is_seen)
        return is_seen


@dataclass(frozen=True)
class Line:
    """What a row shows: a name, its height on the axes, its size, those of its layers, and a word on it."""

    name: str
    height: float
    size: float | None
    span: tuple[float, float] | None
    note: str
    is_trouble: bool


def lines_of(flow: Flow, most: int) -> list[Line]:
    """At most `most` rows for the layers of `flow`, from the top to the bottom."""
    kinds = troubles(flow.sizes)
    rows = fold(flow.names, most)
    return [_line(row.name, row.members, (index + 0.5) / len(rows), flow, kinds) for index, row in enumerate(rows)]


def _line(name: str, members: range, height: float, flow: Flow, kinds: Sequence[str]) -> Line:
    sizes = [flow.sizes[at] for at in members if flow.sizes[at] is not None]
    found = [kinds[at] for at in members if kinds[at]]
    size = typical([(size, 1) for size in sizes])
    finite = [size for size in sizes if size and math.isfinite(size)]
    span = (min(finite), max(finite)) if len(finite) > 1 else None
    if size is None:
        lack = "no gradient" if any(size is not None for size in flow.sizes) else "no gradient yet"
        return Line(name, height, None, None, "frozen" if all(flow.frozen[at] for at in members) else lack, False)
    word = {"zero": "all zero", "infinite": "inf"}.get(found[0], found[0]) if found else ""
    if size == 0 or not math.isfinite(size):
        return Line(name, height, size, span, word, True)
    if len(found) < len(sizes) and found:
        word = f"({len(found)} {word})"
    return Line(name, height, size, span, f"{format_number(size)} {word}".strip(), bool(found))


def _draw_bars(
    lines: Sequence[Line], limits: tuple[float, float], stems: LineCollection, spans: LineCollection, *tips: object
) -> None:
    low, high = limits

    def inside(size: float) -> float:
        return min(max(size, low), high)

    drawn = [line for line in lines if line.size and math.isfinite(line.size)]
    colours = [palette.TROUBLE if line.is_trouble else palette.GRADIENT for line in drawn]
    thick = min(7.0, 130 / max(1, len(lines)))
    stems.set_segments([[(low, line.height), (inside(line.size), line.height)] for line in drawn])
    stems.set(color=colours, linewidth=thick, alpha=0.55)
    spans.set_segments([[(inside(end), line.height) for end in line.span] for line in drawn if line.span])
    for tip, is_trouble in zip(tips, (False, True), strict=True):
        marked = [line for line in drawn if line.is_trouble == is_trouble]
        tip.set_data([inside(line.size) for line in marked], [line.height for line in marked])
        tip.set_markersize(thick + 3)


def set_up(ax: Axes, room: int, *, above: float = 0.45) -> None:
    """Axes with rows from 0 at the top to 1, and room for names at the left and notes at the right."""
    ax.figure.set_layout_engine("none")
    width, height = ax.figure.get_size_inches()
    left, right = 0.3 + LETTER * room, 0.25 + LETTER * NOTE
    ax.set_position([left / width, 0.62 / height, 1 - (left + right) / width, 1 - (0.62 + above) / height])
    ax.set(ylim=(1, 0), yticks=[])
    ax.grid(visible=False, axis="y")
    ax.spines["left"].set_color(palette.GRID)


def _heading(ax: Axes) -> object:
    look = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "bottom", "fontsize": SMALL}
    return ax.annotate("", (0, 1), (0, 18), color=palette.MUTED, **look)


class RowTexts:
    """The name before each row and the note after it, if there are more than `most` rows, of every second row.

    Args:
        ax: axes that `set_up` has prepared.
        most: the most names.
        room: characters for a name.
    """

    def __init__(self, ax: Axes, most: int, room: int):
        self.room = room
        look = {"transform": ax.get_yaxis_transform(), "va": "center", "fontsize": SMALL, "visible": False}
        self.names = [ax.text(-0.02, 0, "", ha="right", **look) for _ in range(most)]
        self.notes = [ax.text(1.03, 0, "", ha="left", **look) for _ in range(most)]

    def write(self, lines: Sequence[Line]) -> None:
        """Shows `lines`, from the top to the bottom."""
        for text in (*self.names, *self.notes):
            text.set_visible(False)
        every = math.ceil(len(lines) / len(self.names))
        for name, note, line in zip(self.names, self.notes, lines[::every], strict=False):
            name.set(text=shorten(line.name, self.room), y=line.height, visible=True)
            colour = palette.TROUBLE if line.is_trouble else palette.MUTED if line.size is None else palette.INK
            note.set(text=line.note, y=line.height, color=colour, visible=True)


def plot_history(history: GradientHistory) -> Picture:
    """The picture of a history: a row for each layer, a column for each step, stronger where the gradient is larger."""
    names = history.layers
    room = min(NAME, max(map(len, names)))
    rows = len(fold(names, ROWS))
    return still(lambda ax: _draw_history(ax, history, room), width=WIDTH, height=1.3 + PITCH * rows)


def _draw_history(ax: Axes, history: GradientHistory, room: int) -> Update:
    set_up(ax, room, above=0.68)
    ax.set(xlabel=history.step, xlim=(0.5, max(history.total, 1) + 0.5))
    ax.xaxis.set_major_locator(MaxNLocator(7, integer=True))
    ax.grid(visible=False)
    table = history.table
    rows = fold(history.layers, ROWS)
    if not any(size is not None for sizes in table for size in sizes):
        ax.set(xticks=[])
        ax.text(0.5, 0.5, "no gradient to show", transform=ax.transAxes, ha="center", va="center", color=palette.MUTED)
        return history.describe
    limits = _exponents(table)
    image = _image(table, history.steps, history.total, [row.members for row in rows], limits)
    ax.imshow(image, extent=(0.5, history.total + 0.5, 1, 0), aspect="auto", interpolation="nearest")
    for index in range(1, len(rows)):
        ax.axhline(index / len(rows), color=palette.PAPER, linewidth=1.5)
    RowTexts(ax, ROWS, room).write(lines_of(Flow(history.layers, table[-1], history.frozen), ROWS))
    _mark(ax, history, [row.members for row in rows])
    _history_heading(ax, history, limits)
    return history.describe


def _exponents(table: Sequence[Sequence[float | None]]) -> tuple[float, float]:
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


def _mark(ax: Axes, history: GradientHistory, rows: Sequence[range]) -> None:
    """A cross where a trouble was seen first, in each row that has it; the first of all in words above the plot."""
    heights = {layer: (index + 0.5) / len(rows) for index, members in enumerate(rows) for layer in members}
    first: dict[float, int] = {}
    for event in history.events:
        for layer in event.layers:
            first.setdefault(heights[layer], event.first)
    look = {"color": palette.TROUBLE, "markeredgecolor": palette.PAPER, "markersize": 9, "clip_on": False}
    ax.plot(list(first.values()), list(first), "X", zorder=5, **look)


def _history_heading(ax: Axes, history: GradientHistory, limits: tuple[float, float]) -> None:
    """Above the plot: what was read, the tints from the smallest to the largest size, and the first trouble."""
    line = {"xycoords": "axes fraction", "textcoords": "offset points", "fontsize": SMALL, "va": "bottom"}
    read = f"{len(history.steps)} of {history.total} read, the last →"
    low, high = (format_number(10**exponent) for exponent in limits)
    ax.annotate(f"faint {low}, strong {high}", (0, 1), (0, 5), color=palette.MUTED, **line)
    ax.annotate(read, (1, 1), (0, 5), color=palette.MUTED, ha="right", **line)
    if history.events:
        told = textwrap.shorten(history.tell(history.events[0]), LETTERS, placeholder=" …")
        ax.annotate(told, (0, 1), (0, 21), color=palette.TROUBLE, **line)
