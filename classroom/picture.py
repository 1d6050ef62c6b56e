"""The board as a picture, for the projector."""

from __future__ import annotations

from typing import Any

from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from course_utils.core import palette
from course_utils.core.checks import describe
from course_utils.core.picture import Picture

from .board import Board

LOOKS: dict[str, dict[str, Any]] = {
    "done": {"facecolor": palette.LEAF},
    "stuck": {"facecolor": palette.TROUBLE, "edgecolor": palette.PAPER, "hatch": "////", "linewidth": 0},
    "trying": {"facecolor": palette.PAPER, "edgecolor": palette.VALUE, "linewidth": 1.4},
    "not tried": {"facecolor": palette.GRID},
}


def plot_board(board: Board) -> Picture:
    """One bar for each exercise that somebody has answered: how many are done, stuck, trying, and have not tried.

    Raises:
        TypeError: `board` is not what `read_board` returns.
        ValueError: nobody has answered anything yet.
    """
    if not isinstance(board, Board):
        raise TypeError(f"board is {describe(board)}; expected what read_board returns")
    rows = [row for row in board.rows if row.is_open]
    if not rows:
        raise ValueError("nobody has answered an exercise yet; there is nothing to draw")
    counts = {row.label: board.counts(row) for row in rows}
    figure, ax = palette.new_figure(width=8, height=1.2 + 0.32 * len(rows))
    with palette.style():
        for place, label in enumerate(counts):
            start = 0
            for state, count in counts[label].items():
                if count:
                    ax.barh(place, count, left=start, height=0.72, **LOOKS[state])
                start += count
        ax.set_yticks(range(len(counts)), list(counts))
        ax.set(xlim=(0, board.learners), xlabel="learners", ylim=(len(counts) - 0.4, -0.6))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.grid(visible=False)
        keys = [Patch(label=state, **look) for state, look in LOOKS.items()]
        figure.legend(handles=keys, loc="outside upper right", ncols=len(keys))
    told = "; ".join(f"{label} {_told(states)}" for label, states in counts.items())
    return Picture.from_figure(figure, description=f"the board, {board.learners} learners: {told}")


def _told(states: dict[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in states.items() if count)
