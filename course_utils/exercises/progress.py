"""`progress`: how far the learner is in each lesson, as a bar and a table."""

from __future__ import annotations

import html

from ..core.tables import Table
from . import find_exercises
from .records import passed, progress_file, reason
from .report import board_notice

BAR = 30  # squares of the bar for the whole course


class Progress:
    """How far the learner is: `done` and `total` by lesson; `trouble` says so if the file cannot be read.

    `board` says what the instructor's board learns, "" if there is none.
    """

    def __init__(self, done: dict[str, int], total: dict[str, int], trouble: str = "", board: str = ""):
        self.done, self.total, self.trouble, self.board = done, total, trouble, board

    @property
    def _summary(self) -> str:
        summary = f"{sum(self.done.values())} of {sum(self.total.values())} exercises done."
        return f"{self.trouble} {summary}".strip()

    @property
    def _bar(self) -> str:
        done, total = sum(self.done.values()), sum(self.total.values())
        return _squares(max(BAR * done // total, min(1, done)), BAR)

    @property
    def _table(self) -> Table:
        counts = [(lesson[-2:], self.done[lesson], total) for lesson, total in self.total.items()]
        rows = [[name, f"{done} of {total}", _squares(done, total)] for name, done, total in counts]
        return Table(["lesson", "done", "so far"], rows)

    def __repr__(self) -> str:
        return "\n".join(filter(None, [f"{self._bar}  {self._summary}", repr(self._table), self.board]))

    def _repr_html_(self) -> str:
        bar = f'<span aria-hidden="true">{self._bar}</span>'
        board = f"<p>{html.escape(self.board)}</p>" if self.board else ""
        return f"<p>{bar} <strong>{html.escape(self._summary)}</strong></p>{self._table._repr_html_()}{board}"

    def as_json(self) -> dict[str, object]:
        """What it shows, as `json` can write it."""
        return {"done": self.done, "total": self.total, "trouble": self.trouble}


def _squares(done: int, total: int) -> str:
    return "■" * done + "□" * (total - done)


def progress() -> Progress:
    """Which exercises of which lesson are done. The result says if the file cannot be read; that is never raised."""
    trouble, names = "", set()
    try:
        names = passed()
    except OSError as error:
        trouble = f"What was remembered cannot be read: {reason(error)} ({progress_file()})."
    exercises = find_exercises()
    done = {lesson: sum(f"{lesson}.{name}" in names for name in its) for lesson, its in exercises.items()}
    return Progress(done, {lesson: len(its) for lesson, its in exercises.items()}, trouble, board_notice())
