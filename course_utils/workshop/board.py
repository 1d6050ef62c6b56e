"""The instructor's board: for each exercise how many are done, who is stuck, and on which foreseen mistake."""

from __future__ import annotations

import html
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

from ..exercises import find_exercises
from ..exercises.report import BOARD_VARIABLE, board_folder
from ..tables import Table
from .reading import Attempt, read_folder

STUCK_TRIES = 3
STUCK_AFTER = timedelta(minutes=10)
BAR = 30  # signs for the class, one a learner up to this many
SIGNS = {"done": "■", "stuck": "✗", "trying": "▫", "not there yet": "·"}
LEGEND = (
    f"{SIGNS['done']} done  {SIGNS['stuck']} stuck: {STUCK_TRIES} wrong answers, or {STUCK_AFTER.seconds // 60} minutes"
    f" since the first, and not right yet  {SIGNS['trying']} trying  {SIGNS['not there yet']} not there yet"
)


@dataclass
class Row:
    """One exercise of the course on the board.

    Attributes:
        exercise: as in "lesson_02.slope".
        mistakes: what the exercise says about each of its foreseen mistakes.
        done: how many learners have it right.
        stuck, trying: pseudonyms of those who have answered, and not right yet.
        on: how many of those made which mistake last, by its number from 1; None for one that was not foreseen.
    """

    exercise: str
    mistakes: list[str]
    done: int = 0
    stuck: list[str] = field(default_factory=list)
    trying: list[str] = field(default_factory=list)
    on: Counter[int | None] = field(default_factory=Counter)

    def add(self, learner: str, attempt: Attempt, now: datetime) -> None:
        """Counts a learner in; one who has run the cell without an answer is not there yet."""
        if attempt.done:
            self.done += 1
        elif attempt.tries:
            waits = now - attempt.since >= STUCK_AFTER
            (self.stuck if waits or attempt.tries >= STUCK_TRIES else self.trying).append(learner)
            self.on[attempt.mistake] += 1

    @property
    def label(self) -> str:
        """As in "02 slope"."""
        return self.exercise.removeprefix("lesson_").replace(".", " ")

    @property
    def is_open(self) -> bool:
        """True where somebody has answered, right or wrong."""
        return bool(self.done or self.stuck or self.trying)

    def on_what(self, limit: int) -> str:
        """The mistake that most made last, with as much of its words as `limit` characters hold; "" for none."""
        if not self.on:
            return ""
        number, count = min(self.on.items(), key=lambda item: (-item[1], item[0] is None, item[0]))
        says = "none of those foreseen" if number is None else f"“{shorten(self.mistakes[number - 1], limit)}”"
        return f"{count} × {says}"


def shorten(text: str, limit: int) -> str:
    """The first words of a text in Markdown, at most `limit` characters, no formula cut in two."""
    plain = " ".join(re.sub(r"[`*]", "", text).split())
    if len(plain) <= limit:
        return plain
    cut = plain[: max(1, limit - 1)].rpartition(" ")[0]
    if cut.count("$") % 2:
        cut = cut[: cut.rindex("$")]
    return f"{cut.rstrip(' ,;:')}…"


class Board:
    """The class at one moment; shows itself as a table.

    Attributes:
        learners: how many there are.
        rows: one for each exercise of the course, in its order.
        left_out: what was not counted, by its reason.
    """

    def __init__(self, rows: list[Row], *, learners: int, left_out: Counter[str] = Counter()):  # noqa: B008
        self.rows, self.learners, self.left_out = rows, learners, left_out

    @property
    def explain_next(self) -> Row | None:
        """The exercise on which most are stuck; None where nobody is."""
        return max((row for row in self.rows if row.stuck), key=lambda row: len(row.stuck), default=None)

    def as_json(self) -> dict[str, object]:
        """All of it, as `json` can write it."""
        return {
            "learners": self.learners,
            "explain_next": self.explain_next.exercise if self.explain_next else None,
            "exercises": [_as_json(row) for row in self.rows if row.is_open],
            "left_out": dict(self.left_out),
        }

    def text(self, width: int = 120) -> str:
        """The board in lines of about `width` characters."""
        table = repr(self._table(width)) + "\n" if self._open else ""
        lines = [self._summary, self._advice(width), table, LEGEND if self._open else "", self._omissions]
        return "\n".join(filter(None, lines))

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        told = [f"<strong>{html.escape(text)}</strong>" for text in (self._summary, self._advice(160)) if text]
        table = self._table(150)._repr_html_() if self._open else ""
        notes = "<br>".join(html.escape(text) for text in (LEGEND if self._open else "", self._omissions) if text)
        return f"<p>{'<br>'.join(told)}</p>{table}<p>{notes}</p>"

    @property
    def _open(self) -> list[Row]:
        return [row for row in self.rows if row.is_open]

    @property
    def _summary(self) -> str:
        if not self.learners:
            return "Nobody has checked an answer yet."
        stuck = len({learner for row in self.rows for learner in row.stuck})
        return f"{self.learners} {'learner' if self.learners == 1 else 'learners'}, {stuck or 'nobody'} stuck."

    def _advice(self, width: int) -> str:
        row = self.explain_next
        if row is None:
            return ""
        start = f"Explain next: {row.label}, {len(row.stuck)} stuck"
        return f"{start}, {row.on_what(max(30, width - len(start) - 10))}"

    @property
    def _omissions(self) -> str:
        counts = ", ".join(f"{count} × {what}" for what, count in self.left_out.items())
        return f"Left out: {counts}." if counts else ""

    def _table(self, width: int) -> Table:
        signs = min(BAR, self.learners, max(8, width // 5))
        labels = max(len(row.label) for row in self._open)
        room = max(20, width - labels - signs - len("done  stuck  trying") - 20)
        rows = [
            [row.label, self._bar(row, signs), row.done, len(row.stuck), len(row.trying), row.on_what(room)]
            for row in self._open
        ]
        return Table(["exercise", "class", "done", "stuck", "trying", "latest mistake of most"], rows)

    def _bar(self, row: Row, signs: int) -> str:
        """The class as `signs` signs: one a learner, or in proportion."""
        counts = [row.done, len(row.stuck), len(row.trying)]
        ends = [round(sum(counts[: place + 1]) * signs / self.learners) for place in range(3)] + [signs]
        starts = [0, *ends]
        return "".join(sign * (end - start) for sign, start, end in zip(SIGNS.values(), starts, ends, strict=False))


def read_board(folder: str | Path | None = None, *, now: datetime | None = None) -> Board:
    """The board in `folder`, or in the one that `COURSE_UTILS_BOARD` names.

    Args:
        folder: the board's folder.
        now: the moment to read it at, with its time zone; the present, if None.

    Raises:
        ValueError: no folder given and none set.
        OSError: the folder cannot be listed.
    """
    place = Path(folder) if folder else board_folder()
    if place is None:
        raise ValueError(f"no board: give its folder, or set the environment variable {BOARD_VARIABLE} to it")
    now = now or datetime.now(timezone.utc)
    rows = {
        f"{lesson}.{name}": Row(f"{lesson}.{name}", [message for _, message in it.mistakes])
        for lesson, its in find_exercises().items()
        for name, it in its.items()
    }
    mistakes = {exercise: len(row.mistakes) for exercise, row in rows.items()}
    learners, left_out = read_folder(place, mistakes=mistakes, now=now)
    for learner, attempts in sorted(learners, key=lambda learner: learner[0]):
        for exercise, attempt in attempts.items():
            rows[exercise].add(learner, attempt, now)
    return Board(list(rows.values()), learners=len(learners), left_out=left_out)


def _as_json(row: Row) -> dict[str, object]:
    mistakes = [
        {"mistake": number, "learners": count, "says": None if number is None else row.mistakes[number - 1]}
        for number, count in row.on.most_common()
    ]
    return {"exercise": row.exercise, "done": row.done, "stuck": row.stuck, "trying": row.trying, "mistakes": mistakes}
