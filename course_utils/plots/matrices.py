"""Matrices of derivatives: Jacobians and Hessians as heat maps, vector-Jacobian products as arrows and bars."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from ..core import palette
from ..core.checks import check_sequence, check_tensor, check_whole
from ..core.numbers import DIGITS, format_column, format_measured, format_point, format_vector
from ..core.picture import Picture
from ..sliders import Explorer, explore
from .drawing import WIDE, Arrow, Update, View, caption, name_axes, still
from .functions import undisturbed

NUMBERS = 12  # rows and columns up to which each entry is written
FULL = 6  # columns up to which entries have four digits
NAMED = 24  # rows and columns up to which each has its name
DARKEST = 0.75  # how much of the colour the largest entry gets
NOTE = {"bbox": {"facecolor": palette.PAPER, "edgecolor": "none", "pad": 1}}
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def indexed(name: str, count: int) -> list[str]:
    """Names for the parts of a vector: x₀, x₁, …"""
    return [name + str(index).translate(SUBSCRIPTS) for index in range(count)]


def plot_matrix(
    matrix: object,
    *,
    rows: str | Sequence[str] = "y",
    columns: str | Sequence[str] = "x",
    name: str = "matrix",
    row: int | None = None,
    column: int | None = None,
) -> Picture:
    """A matrix as a heat map with its numbers: blue above zero, orange below, paler towards zero.

    Args:
        matrix: a tensor or nested lists of shape (rows, columns), such as a Jacobian or a Hessian.
        rows, columns: a name for each, or one letter that is numbered.
        name: what the matrix is, for the description.
        row, column: one to frame, or None.

    Raises:
        TypeError: not numbers, or names that are no list.
        ValueError: not two dimensions, no entries, or another number of names; a row or column that is not there.

    Example:
        >>> plot_matrix(torch.autograd.functional.jacobian(f, x), name="Jacobian")
    """
    matrix = check_tensor(matrix, name="matrix", dims=2)
    height, width = matrix.shape
    names = [_names(rows, height, "rows"), _names(columns, width, "columns")]
    framed = [None if at is None else check_whole(at, name=what, low=0, high=count - 1)
              for at, what, count in ((row, "row", height), (column, "column", width))]  # fmt: skip

    def view(ax: Axes) -> Update:
        draw_matrix(ax, matrix, rows=names[0], columns=names[1])
        frame = {"fill": False, "edgecolor": palette.INK, "linewidth": 2.5, "clip_on": False, "zorder": 5}
        if framed[0] is not None:
            ax.add_patch(Rectangle((-0.5, framed[0] - 0.5), width, 1, **frame))
        if framed[1] is not None:
            ax.add_patch(Rectangle((framed[1] - 0.5, -0.5), 1, height, **frame))
        return lambda: describe_matrix(matrix, name=name)

    cell = min(0.8, 5.6 / width, 5.6 / height)
    return still(view, width=max(2.4, 0.8 + cell * width), height=max(1.2, 0.6 + cell * height))


def _names(given: str | Sequence[str], count: int, argument: str) -> list[str]:
    if isinstance(given, str):
        return indexed(given, count)
    check_sequence(given, name=argument, sample="['a', 'b'], or one letter that is numbered")
    if len(given) != count:
        raise ValueError(f"{argument} has {len(given)} names for {count} {argument}; expected one for each")
    return [str(name) for name in given]


def draw_matrix(ax: Axes, matrix: torch.Tensor, *, rows: Sequence[str], columns: Sequence[str]) -> None:
    """The heat map, its numbers where they fit, and a name for each row and column."""
    height, width = matrix.shape
    ax.imshow(_tints(matrix).numpy(), aspect="auto", interpolation="nearest")
    ax.spines[:].set_visible(False)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.grid(False)
    few = max(height, width) <= NAMED
    ax.set_xticks(range(width) if few else [], columns if few else [])
    ax.set_yticks(range(height) if few else [], rows if few else [])
    if not few:
        ax.set(xlabel=f"{width} columns", ylabel=f"{height} rows")
    for place, edge in ((ax.axvline, width), (ax.axhline, height)):
        for at in range(1, edge if few else 0):
            place(at - 0.5, color=palette.PAPER, linewidth=2)
    digits, size = (DIGITS, 11) if width <= FULL else (2, 9)
    if max(height, width) <= NUMBERS:
        texts = format_column(matrix.flatten().tolist(), digits=digits)
        for (row, column), text in zip(itertools.product(range(height), range(width)), texts, strict=True):
            ax.text(column, row, text, ha="center", va="center", fontsize=size)


def _tints(matrix: torch.Tensor) -> torch.Tensor:
    """Colour and opacity of each entry, shape (rows, columns, 4); what is not finite has the colour of trouble."""
    finite = matrix.isfinite()
    largest = matrix[finite].abs().max() if finite.any() else torch.tensor(0.0)
    strength = (matrix / largest).abs() * DARKEST if largest > 0 else torch.zeros_like(matrix)
    hues = torch.tensor([to_rgb(palette.VALUE), to_rgb(palette.GRADIENT), to_rgb(palette.TROUBLE)], dtype=torch.float64)
    which = torch.where(finite, (matrix < 0).long(), 2)
    return torch.cat([hues[which], torch.where(finite, strength, DARKEST)[..., None]], -1)


def describe_matrix(matrix: torch.Tensor, *, name: str) -> str:
    """The entries of a small matrix in words; of a large one its extremes and how many entries are zero."""
    height, width = matrix.shape
    if matrix.numel() <= NUMBERS:
        return f"{name}, {height} by {width}: {', '.join(format_vector(row) for row in matrix.tolist())}"
    ends = " to ".join(map(format_measured, matrix.aminmax()))
    return (
        f"{name}, {height} by {width}, entries from {ends}, {(matrix == 0).sum().item()} of {matrix.numel()} are zero"
    )


def jacobian_of(given: object, *, at: object = None) -> torch.Tensor:
    """The Jacobian, shape (outputs, inputs), float64: of a function at a point, or `given` itself where it is a matrix.

    Raises:
        TypeError: a function without a point, or neither function nor numbers.
        ValueError: a function that raises or does not return a vector; a matrix of another shape, or one that is not
            finite.
    """
    if not callable(given):
        return check_tensor(given, name="jacobian", dims=2, only_finite=True)
    if at is None:
        raise TypeError("at is None; expected the point where the function's Jacobian is taken, such as [2.0, 3.0]")
    at = check_tensor(at, name="at", dims=1)
    with undisturbed():
        try:
            jacobian = _jacobian(given, at)
        except Exception as error:
            raise ValueError(f"jacobian raised {type(error).__name__} at {format_point(at)}: {error}") from error
    if not isinstance(jacobian, torch.Tensor) or jacobian.dim() != 2:
        raise ValueError("jacobian returned something other than a vector; expected a tensor with one dimension")
    return check_tensor(jacobian, name=f"the Jacobian at {format_point(at)}", only_finite=True)


def _jacobian(f: Callable[[torch.Tensor], torch.Tensor], at: torch.Tensor) -> torch.Tensor:
    try:
        return torch.autograd.functional.jacobian(f, at)
    except RuntimeError:
        # f may hold tensors of the default dtype, which do not mix with float64
        return torch.autograd.functional.jacobian(f, at.to(torch.get_default_dtype()))


def vjp_view(jacobian: torch.Tensor, *, reach: float = 1.0) -> View:
    """The view behind `explore_vjp`; `update(v)` changes the vector, of a length up to `reach`."""
    outputs, inputs = jacobian.shape
    longest = reach * max(torch.linalg.matrix_norm(jacobian, 2).item(), jacobian.norm(dim=1).max().item())

    def vjp(left: Axes, right: Axes) -> Update:
        rows = [Arrow(right, palette.MUTED, line=":", width=1.8) for _ in range(outputs)] if inputs == 2 else []
        if rows:
            note = "dotted: rows of J, each × its part of v"
            right.text(0.02, 0.02, note, color=palette.MUTED, fontsize=9, transform=right.transAxes, **NOTE)
        before = _Vector(left, indexed("y", outputs), palette.LEAF, label="v", limit=1.15 * reach)
        after = _Vector(right, indexed("x", inputs), palette.GRADIENT, label="vᵀJ", limit=1.15 * longest or 1.0)

        def update(v: object) -> str:
            vector_in = check_tensor(v, name="v", dims=1)
            parts = vector_in[:, None] * jacobian
            tails = torch.cat([torch.zeros(1, inputs, dtype=parts.dtype), parts.cumsum(0)])
            for arrow, tail, part in zip(rows, tails.tolist(), parts.tolist(), strict=False):
                arrow.set(tail, part)
            before.set(vector_in.tolist())
            after.set(tails[-1].tolist())
            return f"v = {format_vector(vector_in.tolist())}, vᵀJ = {format_vector(tails[-1].tolist())}"

        return update

    return vjp


def explore_vjp(jacobian: object, *, at: object = None) -> Explorer:
    """A vector v beside vᵀJ, the sum of the Jacobian's rows, each times its part of v: what `backward(v)` computes.

    v turns (two outputs), or each of its parts moves. Two parts are drawn as an arrow (for vᵀJ with the scaled rows
    head to tail), any other number as bars.

    Args:
        jacobian: shape (outputs, inputs); or a function of a vector that returns a vector.
        at: for a function, the point where its Jacobian is taken.

    Raises:
        TypeError: not numbers; a function without a point.
        ValueError: the Jacobian has not two dimensions; an entry that is infinite or nan; a function that raises.

    Example:
        >>> explore_vjp([[4.0, 0.0], [0.0, 6.0]])
    """
    matrix = jacobian_of(jacobian, at=at)
    outputs = len(matrix)

    def turned(left: Axes, right: Axes) -> Update:
        move = vjp_view(matrix)(left, right)
        return lambda angle: move([math.cos(math.radians(angle)), math.sin(math.radians(angle))])

    def moved(left: Axes, right: Axes) -> Update:
        move = vjp_view(matrix, reach=math.sqrt(outputs))(left, right)
        return lambda **parts: move(list(parts.values()))

    if outputs == 2:
        return explore(turned, figure_size=(WIDE, 3.8), angle=(0, 360, 5, 45))
    return explore(moved, figure_size=(WIDE, 3.8), **{f"v{index}": (-1.0, 1.0, 0.05, 1.0) for index in range(outputs)})


class _Vector:
    """A panel with one vector: an arrow for two parts, else bars."""

    def __init__(self, ax: Axes, names: Sequence[str], colour: str, *, label: str, limit: float):
        self.label = label
        (self.caption,) = caption(ax, colour)
        if len(names) == 2:
            name_axes(ax, *names)
            ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
            for line in (ax.axhline, ax.axvline):
                line(0, color=palette.MUTED, linewidth=0.8)
            self.arrow = Arrow(ax, colour, label=label)
            return
        self.arrow = None
        self.bars = ax.bar(names, [0.0] * len(names), color=colour, width=0.6)
        ax.axhline(0, color=palette.MUTED, linewidth=0.8)
        ax.set_ylim(-limit, limit)
        ax.grid(visible=False, axis="x")

    def set(self, values: Sequence[float]) -> None:
        self.caption.set_text(f"{self.label} = {format_vector(values)}" if len(values) <= 4 else self.label)
        if self.arrow is not None:
            self.arrow.set((0.0, 0.0), values)
            return
        for bar, value in zip(self.bars, values, strict=True):
            bar.set_height(value)
