"""The instructor's board: for each exercise how many are done, who is stuck, and on which foreseen mistake."""

from __future__ import annotations

import html
import textwrap
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from itertools import accumulate
from pathlib import Path

from course_utils.core.tables import Table
from course_utils.exercises import find_exercises
from course_utils.exercises.report import BOARD_VARIABLE, board_folder

from .reading import Attempt, read_folder

STUCK_TRIES = 3
STUCK_AFTER = timedelta(minutes=10)
NOT_FORESEEN = "a mistake that was not foreseen"
BAR = 30  # signs for the class, one a learner up to this many
SIGNS = {"done": "■", "stuck": "✗", "trying": "▫", "not tried": "·"}
STUCK = f"stuck: {STUCK_TRIES} wrong answers, or {STUCK_AFTER.seconds // 60} minutes since the first, and not right yet"
LEGEND = "  ".join(f"{sign} {STUCK if state == 'stuck' else state}" for state, sign in SIGNS.items())


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
        """Counts a learner in; one who has run the cell without an answer has not tried."""
        if attempt.done:
            self.done += 1
        elif attempt.since is not None:
            waits = now - attempt.since >= STUCK_AFTER
            (self.stuck if waits or attempt.tries >= STUCK_TRIES else self.trying).append(learner)
            self.on[attempt.mistake] += 1

    def __repr__(self) -> str:
        return "\n".join(self._lines)

    def _repr_markdown_(self) -> str:
        return "\n".join(f"- {line}" if place else f"**{line}**\n" for place, line in enumerate(self._lines))

    @property
    def _lines(self) -> list[str]:
        """How many are where; each mistake in full, the most frequent first; who is stuck."""
        lines = [f"{self.label}: {self.done} done, {len(self.stuck)} stuck, {len(self.trying)} trying"]
        lines += [f"{count} × {self._says(number)}" for number, count in self._by_count()]
        return [*lines, f"Stuck: {', '.join(f'`{learner}`' for learner in self.stuck)}"] if self.stuck else lines

    def _by_count(self) -> list[tuple[int | None, int]]:
        return sorted(self.on.items(), key=lambda item: (-item[1], item[0] is None, item[0]))

    def _says(self, number: int | None) -> str:
        return NOT_FORESEEN if number is None else f"mistake {number}: {self.mistakes[number - 1]}"

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
        number, count = self._by_count()[0]
        return f"{count} × {shorten(self._says(number), limit)}"


def shorten(text: str, limit: int) -> str:
    """The first words of a text in Markdown, at most `limit` characters, no formula cut in two."""
    parts = [part if place % 2 else part.replace("*", "") for place, part in enumerate(text.split("`"))]  # odd: code
    plain = " ".join("".join(parts).split())
    if len(plain) <= limit:
        return plain
    room = plain[: max(1, limit - 1)]
    cut = room.rpartition(" ")[0] or room
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

    def __init__(self, rows: list[Row], *, learners: int, left_out: Counter[str] | None = None):
        self.rows, self.learners, self.left_out = rows, learners, left_out or Counter()

    @property
    def explain_next(self) -> Row | None:
        """The exercise on which most are stuck; None where nobody is."""
        return max((row for row in self.rows if row.stuck), key=lambda row: len(row.stuck), default=None)

    def __getitem__(self, exercise: str) -> Row:
        """The row of an exercise, as in `board["lesson_02.slope"]`.

        Raises:
            KeyError: the course has no such exercise.
        """
        for row in self.rows:
            if row.exercise == exercise:
                return row
        raise KeyError(f"the course has no exercise {exercise!r}; expected one such as 'lesson_02.slope'")

    def counts(self, row: Row) -> dict[str, int]:
        """How many learners are done with the exercise, stuck, trying, and have not tried."""
        counts = [row.done, len(row.stuck), len(row.trying)]
        return dict(zip(SIGNS, [*counts, self.learners - sum(counts)], strict=True))

    def as_json(self) -> dict[str, object]:
        """All of it, as `json` can write it."""
        return {
            "learners": self.learners,
            "explain_next": self.explain_next.exercise if self.explain_next else None,
            "exercises": [_as_json(row) for row in self.rows if row.is_open],
            "left_out": dict(self.left_out),
        }

    def text(self, width: int = 120, *, who: bool = False) -> str:
        """The board in lines of about `width` characters; `who` names those who are stuck, by pseudonym."""
        table = repr(self._table(width)) + "\n" if self._open else ""
        stuck = [f"Stuck on {row.label}: {', '.join(row.stuck)}" for row in self.rows if row.stuck and who]
        notes = [*stuck, LEGEND if self._open else "", self._omissions]
        told, below = ([textwrap.fill(line, width) for line in lines if line] for lines in (self._told, notes))
        shown = "\n".join([*told, "", table, *below] if table else [*told, *below])
        return shown.replace("$", "").replace(r"\cdot", "·")  # a terminal draws no formulas

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        told = [f"<strong>{html.escape(text)}</strong>" for text in self._told]
        table = self._table(150, bars=False)._repr_html_() if self._open else ""
        notes = filter(None, [f"S{STUCK[1:]}." if self._open else "", self._omissions])
        return f"<p>{'<br>'.join(told)}</p>{table}<p>{'<br>'.join(map(html.escape, notes))}</p>"

    @property
    def _open(self) -> list[Row]:
        return [row for row in self.rows if row.is_open]

    @property
    def _told(self) -> list[str]:
        """The sum of it, and what to explain next if there is anything."""
        if not self.learners:
            return ["Nobody has checked an answer yet."]
        stuck = len({learner for row in self.rows for learner in row.stuck})
        told = [f"{self.learners} {'learner' if self.learners == 1 else 'learners'}, {stuck or 'nobody'} stuck."]
        row = self.explain_next
        return [*told, f"Explain next: {row.label}, {len(row.stuck)} stuck, {row.on_what(500)}"] if row else told

    @property
    def _omissions(self) -> str:
        counts = ", ".join(f"{count} × {what}" for what, count in self.left_out.items())
        return f"Left out: {counts}." if counts else ""

    def _table(self, width: int, *, bars: bool = True) -> Table:
        signs = min(BAR, self.learners, max(8, (width - 70) // 2)) if bars else 0
        labels = max(len(row.label) for row in self._open)
        room = max(20, width - labels - signs - len("done  stuck  trying") - 20)
        columns = {
            "exercise": lambda row: row.label if bars else row.label.replace(" ", "\xa0"),
            **({"class": lambda row: self._bar(row, signs)} if bars else {}),
            "done": lambda row: row.done,
            "stuck": lambda row: len(row.stuck),
            "trying": lambda row: len(row.trying),
            "latest mistake of most": lambda row: row.on_what(room),
        }
        return Table(list(columns), [[show(row) for show in columns.values()] for row in self._open])

    def _bar(self, row: Row, signs: int) -> str:
        """The class as `signs` signs: one a learner, or in proportion."""
        ends = [round(so_far * signs / self.learners) for so_far in accumulate(self.counts(row).values())]
        lengths = [end - start for start, end in zip([0, *ends], ends, strict=False)]
        return "".join(sign * length for sign, length in zip(SIGNS.values(), lengths, strict=True))


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
        raise ValueError(f"no board: give its folder, or set the variable {BOARD_VARIABLE} to it")
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
