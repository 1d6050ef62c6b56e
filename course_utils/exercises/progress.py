"""Which exercises the learner has passed, kept in one small file that outlives the kernel.

The file has one line of JSON for each pass and is only ever appended to, in a single write that starts on a fresh line:
two notebooks at once cannot lose each other's passes, and a line cut short by a full disk spoils only itself.
"""

from __future__ import annotations

import html
import json
import os
import re
from datetime import datetime, timezone
from pathlib import Path

from ..tables import Table
from . import find_exercises

FOLDER_VARIABLE = "COURSE_UTILS_DATA"
"""Environment variable: the folder to keep passes in, instead of the user's data folder."""


def progress_file() -> Path:
    """Where the passes are kept; the file may not exist yet."""
    from platformdirs import user_data_dir

    return Path(os.environ.get(FOLDER_VARIABLE) or user_data_dir("course_utils", appauthor=False)) / "progress.jsonl"


def passed() -> set[str]:
    """The exercises passed so far, as in "lesson_02.slope". Lines that cannot be read are left out.

    Raises:
        OSError: the file is there and cannot be read.
    """
    try:
        lines = progress_file().read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return set()
    return {name for line in lines if (name := _exercise_in(line)) is not None}


def _exercise_in(line: str) -> str | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    name = record.get("exercise") if isinstance(record, dict) else None
    return name if isinstance(name, str) else None


def remember(name: str) -> str:
    """Keeps the pass of an exercise ("lesson_02.slope") and returns what to tell the learner about it.

    A disk that fails is told in that sentence; it never becomes an exception in a lesson.
    """
    try:
        done = passed()
        if name not in done:
            _append({"exercise": name, "passed": datetime.now(timezone.utc).isoformat(timespec="seconds")})
    except OSError as error:
        return f"This pass could not be remembered: {error.strerror or error} (`{progress_file()}`)."
    lesson = name.partition(".")[0]
    names = {f"{lesson}.{exercise}" for exercise in find_exercises()[lesson]}
    return f"Done in this lesson: {len(names & (done | {name}))} of {len(names)}."


def _append(record: dict[str, str]) -> None:
    path = progress_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab", buffering=0) as file:
        file.write(f"\n{json.dumps(record)}".encode())
        os.fsync(file.fileno())


class Progress:
    """How far the learner is: `done` and `total` by lesson; `trouble` says so if the file cannot be read."""

    def __init__(self, done: dict[str, int], total: dict[str, int], trouble: str = ""):
        self.done, self.total, self.trouble = done, total, trouble

    @property
    def _summary(self) -> str:
        summary = f"{sum(self.done.values())} of {sum(self.total.values())} exercises done."
        return f"{self.trouble} {summary}".strip()

    @property
    def _table(self) -> Table:
        counts = [(lesson[-2:], self.done[lesson], total) for lesson, total in self.total.items()]
        rows = [[name, f"{done} of {total}", "■" * done + "□" * (total - done)] for name, done, total in counts]
        return Table(["lesson", "done", "so far"], rows)

    def __repr__(self) -> str:
        return f"{self._summary}\n{self._table!r}"

    def _repr_html_(self) -> str:
        table = re.sub(r"<t([dh])\b", r'<t\1 style="text-align: left"', self._table._repr_html_())
        return f"<p><strong>{html.escape(self._summary)}</strong></p>{table}"


def progress() -> Progress:
    """Which exercises of which lesson are done. A file that cannot be read is told in the result, never raised."""
    trouble, names = "", set()
    try:
        names = passed()
    except OSError as error:
        trouble = f"What was remembered cannot be read: {error.strerror or error} ({progress_file()})."
    exercises = find_exercises()
    done = {lesson: sum(f"{lesson}.{name}" in names for name in its) for lesson, its in exercises.items()}
    return Progress(done, {lesson: len(its) for lesson, its in exercises.items()}, trouble)
