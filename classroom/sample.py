"""A class that never was, to try the board with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random

from course_utils.exercises import find_exercises
from course_utils.exercises.report import SUFFIX

HALF_AN_HOUR, LATELY = timedelta(minutes=30), timedelta(minutes=3)  # both far from the time after which one is stuck
Check = tuple[str, str, "int | None", datetime]


def write_sample(folder: str | Path, *, learners: int = 24, now: datetime | None = None) -> Path:
    """Writes the files of a class that is working on lessons 00 to 02 into the folder, the same on every call.

    Args:
        folder: is there and may be written to.
        learners: how many, at least 1.
        now: when the last checks were made; the present, if None.

    Returns:
        The folder.

    Raises:
        ValueError: no learners.
    """
    if learners < 1:
        raise ValueError(f"learners = {learners}; expected at least 1")
    now, chance = now or datetime.now(timezone.utc), Random(0)
    lessons = [item for item in find_exercises().items() if item[0] <= "lesson_02"]
    course = [(f"{lesson}.{name}", len(it.mistakes)) for lesson, its in lessons for name, it in its.items()]
    for number in range(1, learners + 1):
        reached = int(len(course) * (0.6 + 0.4 * chance.random() ** 2))
        lines = [_line(*check) for check in _checks(course[: max(1, reached)], chance, now)]
        (Path(folder) / f"sample-{number:03d}{SUFFIX}").write_text("\n".join(lines), encoding="utf-8")
    return Path(folder)


def _checks(course: list[tuple[str, int]], chance: Random, now: datetime) -> Iterator[Check]:
    """One learner: some wrong answers to each exercise, right at last, but for some of the latest."""
    for place, (exercise, mistakes) in enumerate(course, 1 - len(course)):
        time = now - (LATELY if place == 0 else HALF_AN_HOUR)
        yield exercise, "unfinished", None, time
        for _ in range(int((7 if place == 0 else 4) * chance.random() ** 1.5)):
            usual = 1 + int(mistakes * chance.random() ** 4)
            yield exercise, "wrong", usual if chance.random() < 0.8 else None, time
        if chance.random() < (0.3 if place == 0 else 0.95):
            yield exercise, "right", None, time


def _line(exercise: str, verdict: str, mistake: int | None, time: datetime) -> str:
    when = time.isoformat(timespec="seconds")
    return json.dumps({"exercise": exercise, "verdict": verdict, "mistake": mistake, "time": when})
