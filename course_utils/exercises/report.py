"""Telling the instructor's board of each check. Off unless `COURSE_UTILS_BOARD` is set; every card says when it is on.

The board is a folder. Each learner appends to a file of their own in it, which is named by a pseudonym and holds one
line of JSON for each check: exercise, verdict, number of the foreseen mistake, time. Nothing else is stored: no name,
no answer. `classroom.dropbox` prepares a folder where learners cannot read each other's files, and
`classroom.board` reads it.
"""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import stat
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from threading import Thread

from .records import append, data_folder, private, read, reason

BOARD_VARIABLE = "COURSE_UTILS_BOARD"
"""Environment variable: the board's folder. Unset or empty: there is no board."""
PSEUDONYM_VARIABLE = "COURSE_UTILS_PSEUDONYM"
"""Environment variable: the learner's pseudonym, instead of one made at random and kept beside the progress."""
PSEUDONYM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,47}")
SUFFIX = ".jsonl"
OPENED = "solutions-open.json"
"""File of the board's owner in its folder: the list of the lessons, as "02", whose solutions are open to all."""
PATIENCE = 0.1  # seconds that a check waits for the board's disk; the line may still arrive after that

_TOLD: set[str] = set()  # troubles that this kernel has already told


def board_folder() -> Path | None:
    """The board's folder, or None if there is no board."""
    folder = os.environ.get(BOARD_VARIABLE)
    return Path(folder) if folder else None


def pseudonym() -> str:
    """The learner's name on the board: `COURSE_UTILS_PSEUDONYM`, or a random one that is made once and kept.

    Raises:
        ValueError: the variable holds what cannot be a pseudonym.
        OSError: the random one cannot be kept.
    """
    if given := os.environ.get(PSEUDONYM_VARIABLE):
        if not PSEUDONYM.fullmatch(given):
            raise ValueError(f"{PSEUDONYM_VARIABLE} is {given[:60]!r}; expected up to 48 letters, digits, - and _")
        return given
    path = data_folder() / "pseudonym.jsonl"
    if not (kept := _kept(path)):
        path.parent.mkdir(parents=True, exist_ok=True)
        append(path, {"pseudonym": secrets.token_hex(4)}, opener=private)
        kept = _kept(path)
    if not kept:
        raise OSError(f"{path} does not keep what is written to it")
    return kept[0]  # where two notebooks come here at once, the first line names both


def _kept(path: Path) -> list[str]:
    names = (record.get("pseudonym") for record in read(path))
    return [name for name in names if isinstance(name, str) and PSEUDONYM.fullmatch(name)]


def report(exercise: str, verdict: str, mistake: int | None) -> str:
    """Tells the board of a check and returns what to tell the learner about that; "" if there is no board.

    Never raises, and never waits longer than `PATIENCE`. If the board fails, a sentence says so, once in a kernel.

    Args:
        exercise: as in "lesson_02.slope".
        verdict: "right", "wrong" or "unfinished".
        mistake: which foreseen mistake it was, counted from 1, or None.
    """
    folder = board_folder()
    if folder is None:
        return ""
    time = datetime.now(timezone.utc).isoformat(timespec="seconds")
    record = {"exercise": exercise, "verdict": verdict, "mistake": mistake, "time": time}
    outcome = [("no answer yet, the check may arrive late", "")]
    writer = Thread(target=lambda: outcome.append(_write(folder, record)), daemon=True)
    try:
        writer.start()
        writer.join(PATIENCE)
    except RuntimeError:  # the learner's code has taken every thread there is
        outcome.append(_write(folder, record))
    trouble, name = outcome[-1]
    if not trouble:
        return f"Also on the instructor's board, as `{name}`."
    said = f"The instructor's board was not told: {trouble} (`{folder}`). This is said once; all else works."
    if said in _TOLD:
        return ""
    _TOLD.add(said)
    return said


def has_opened(lesson: str) -> bool:
    """Whether the board's owner has opened the solutions of a lesson ("02").

    What another account wrote counts for nothing; a board that cannot be read has opened nothing.
    """
    folder = board_folder()
    if folder is None:
        return False
    try:
        file = os.open(folder / OPENED, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with open(file, encoding="utf-8") as text:
            is_owners = os.fstat(file).st_uid == os.stat(folder).st_uid
            return is_owners and lesson in json.loads(text.read(1000))
    except (OSError, ValueError, TypeError):
        return False


def wrong_answers(exercise: str) -> int:
    """How many wrong answers to the exercise the learner's own file on the board has; 0 if it is not there."""
    folder = board_folder()
    if folder is None:
        return 0
    try:
        lines = list(read(folder / f"{pseudonym()}{SUFFIX}"))
    except (OSError, ValueError):
        return 0
    return sum((line.get("exercise"), line.get("verdict")) == (exercise, "wrong") for line in lines)


def board_notice() -> str:
    """One sentence: what the board learns and under which name; "" if there is no board."""
    folder = board_folder()
    if folder is None:
        return ""
    try:
        name = pseudonym()
    except (OSError, ValueError) as error:
        return f"The instructor's board is set ({folder}), and has no name for you: {_reason(error)}."
    kept = "exercise, verdict, number of the mistake and time"
    return f"The instructor's board is on: each check is also kept there as {name}, with {kept}, nothing else."


def touch_board(folder: Path) -> tuple[str, str]:
    """Makes the learner's file on the board, as a check would, and writes nothing.

    Returns:
        What went wrong, "" where nothing did; and the learner's pseudonym.
    """
    return _write(folder, None)


def _write(folder: Path, record: Mapping[str, object] | None) -> tuple[str, str]:
    try:
        name = pseudonym()
        path = folder / f"{name}{SUFFIX}"
        if record is None:
            open(path, "ab", opener=_open_own).close()
        else:
            append(path, record, opener=_open_own)
    except (OSError, ValueError) as error:
        return _reason(error), ""
    return "", name


def _reason(error: OSError | ValueError) -> str:
    return reason(error) if isinstance(error, OSError) else str(error)


def _open_own(path: str, flags: int) -> int:
    """Opens a plain file of the learner's own, for others to read only where the folder's setgid group says who.

    A folder that everybody may write to is no place to trust: a link or a pipe in the file's place is refused.
    """
    mode = 0o640 if os.stat(os.path.dirname(path)).st_mode & stat.S_ISGID else 0o600
    file = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0), mode)
    try:
        found = os.fstat(file)
        is_own = os.name != "posix" or found.st_uid == os.geteuid()
        if not (is_own and stat.S_ISREG(found.st_mode) and found.st_nlink == 1):
            raise PermissionError(errno.EPERM, "what has this name there is not a file of your own")
        if os.name == "posix" and stat.S_IMODE(found.st_mode) != mode:  # by a umask, or made before the folder was
            os.fchmod(file, mode)
    except OSError:
        os.close(file)
        raise
    return file
