"""Reading the board's folder, whatever learners have put there: what no check writes is left out and counted."""

from __future__ import annotations

import json
import os
import stat
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from course_utils.exercises.report import OPENED, PSEUDONYM, SUFFIX

AHEAD = timedelta(minutes=2)  # how far another machine's clock may be ahead
MAX_ENTRIES = 5_000
MAX_FILE, MAX_LINE, MAX_TOTAL = 256_000, 500, 32_000_000  # bytes; a check writes about 110

NOT_A_FILE, UNREADABLE, TOO_LONG = "no learner's file", "file that cannot be read", "file too long to read to its end"
BROKEN, UNKNOWN, FUTURE = "line that no check writes", "line on an exercise unknown here", "line from the future"


@dataclass
class Attempt:
    """One learner at one exercise: `tries` are wrong answers, the first at `since`, the latest of this `mistake`."""

    done: bool = False
    tries: int = 0
    since: datetime | None = None
    mistake: int | None = None

    def add(self, verdict: str, mistake: int | None, time: datetime) -> None:
        """Takes in the next check; after the first right answer nothing changes."""
        if self.done or verdict == "unfinished":
            return
        if verdict == "right":
            self.done = True
        else:
            self.tries, self.since, self.mistake = self.tries + 1, self.since or time, mistake


Learner = tuple[str, dict[str, Attempt]]


def read_folder(folder: Path, *, mistakes: Mapping[str, int], now: datetime) -> tuple[list[Learner], Counter[str]]:
    """Every learner's pseudonym with the attempts by exercise; and what was left out, counted by its reason.

    A file is a learner: no file can change what another one says.

    Args:
        folder: with files of learners, or folders of learners with their files.
        mistakes: how many foreseen mistakes each known exercise has.
        now: lines from after it are left out.

    Raises:
        OSError: the folder cannot be listed.
    """
    learners: list[Learner] = []
    left_out: Counter[str] = Counter()
    budget = MAX_TOTAL
    files = sorted(_files(folder, left_out), key=lambda found: found[0])  # so that no huge file hides the others
    for _, path in files[:MAX_ENTRIES]:
        text = _head(path, min(MAX_FILE, budget), left_out)
        budget -= len(text)
        attempts: dict[str, Attempt] = defaultdict(Attempt)
        for line in filter(None, text.split(b"\n")):
            check = _check(line, mistakes, now)
            if isinstance(check, str):
                left_out[check] += 1
            else:
                exercise, verdict, mistake, time = check
                attempts[exercise].add(verdict, mistake, time)
        if attempts:
            learners.append((path.name.removesuffix(SUFFIX), attempts))
    left_out[TOO_LONG] += len(files[MAX_ENTRIES:])
    return learners, +left_out


def _files(folder: Path, left_out: Counter[str], *, inner: bool = True) -> Iterator[tuple[int, Path]]:
    """Size and path of each file of a learner; no link is followed."""
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                found = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(found.st_mode) and inner:
                    yield from _files(Path(entry.path), left_out, inner=False)
                elif stat.S_ISREG(found.st_mode) and _is_learners(entry.name):
                    yield found.st_size, Path(entry.path)
                elif entry.name != OPENED:
                    left_out[NOT_A_FILE] += 1
            except OSError:
                left_out[UNREADABLE] += 1


def _is_learners(name: str) -> bool:
    return name.endswith(SUFFIX) and PSEUDONYM.fullmatch(name.removesuffix(SUFFIX)) is not None


def _head(path: Path, limit: int, left_out: Counter[str]) -> bytes:
    """The first `limit` bytes in whole lines, b"" if there is no plain file to read (any more)."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        with open(path, "rb", opener=lambda name, mode: os.open(name, mode | flags)) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                left_out[NOT_A_FILE] += 1
                return b""
            text = file.read(limit + 1)
    except OSError:
        left_out[UNREADABLE] += 1
        return b""
    if len(text) <= limit:
        return text
    left_out[TOO_LONG] += 1
    return text[:limit].rpartition(b"\n")[0]


def _check(line: bytes, mistakes: Mapping[str, int], now: datetime) -> tuple[str, str, int | None, datetime] | str:
    """Exercise, verdict, mistake and time of a line; or why it is left out."""
    if len(line) > MAX_LINE:
        return BROKEN
    try:
        record = json.loads(line)
        if not isinstance(record, dict) or record.keys() != {"exercise", "verdict", "mistake", "time"}:
            return BROKEN
        exercise, verdict, mistake = record["exercise"], record["verdict"], record["mistake"]
        time = datetime.fromisoformat(record["time"])
        is_future = time > now + AHEAD
    except (ValueError, TypeError, OverflowError, RecursionError):
        return BROKEN
    if not isinstance(exercise, str) or exercise not in mistakes:
        return UNKNOWN
    if verdict not in ("right", "wrong", "unfinished"):
        return BROKEN
    foreseen = type(mistake) is int and verdict == "wrong" and 1 <= mistake <= mistakes[exercise]
    if not foreseen and mistake is not None:
        return BROKEN
    return FUTURE if is_future else (exercise, verdict, mistake, time)
