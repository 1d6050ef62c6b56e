"""What the learner's notebooks remember, such as a pass: small files of JSON lines, only ever appended to.

Each line is one write that starts on a fresh line: two notebooks at once cannot lose each other's lines, and a line cut
short by a full disk spoils only itself.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path

FOLDER_VARIABLE = "COURSE_UTILS_DATA"
"""Environment variable: the folder to keep records in, instead of the user's data folder."""

Opener = Callable[[str, int], int]


def data_folder() -> Path:
    """Where the learner's records are kept; the folder may not exist yet."""
    from platformdirs import user_data_dir

    return Path(os.environ.get(FOLDER_VARIABLE) or user_data_dir("course_utils", appauthor=False))


def progress_file() -> Path:
    """Where the passes are kept; the file may not exist yet."""
    return data_folder() / "progress.jsonl"


def recall_file() -> Path:
    """Where misses and the answers of recaps are kept; the file may not exist yet."""
    return data_folder() / "recall.jsonl"


def private(path: str, flags: int) -> int:
    """An opener (see `open`) for files that nobody else may read."""
    return os.open(path, flags, 0o600)


def append(path: Path, record: Mapping[str, object], *, opener: Opener | None = None, lasting: bool = False) -> None:
    """Appends the record as one line to the file, which is made where it is missing.

    Args:
        path: of the file; its folder exists.
        record: what `json` can write.
        opener: as for `open`.
        lasting: waits until the disk has it, so that it outlives a power cut.

    Raises:
        OSError: it could not be written, or not to its end (which a nearly full disk does without complaint).
    """
    line = f"\n{json.dumps(record)}".encode()
    with open(path, "ab", buffering=0, opener=opener) as file:
        if file.write(line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if lasting:
            os.fsync(file.fileno())


def read(path: Path) -> Iterator[dict[str, object]]:
    """The records of a file, oldest first; none if there is no file. Lines that cannot be read are left out.

    Raises:
        OSError: the file is there and cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            yield record


def reason(error: OSError) -> str:
    """Why a file failed, in the system's words."""
    return error.strerror or str(error)


def passed() -> set[str]:
    """The exercises passed so far, as in "lesson_02.slope". Lines that cannot be read are left out.

    Raises:
        OSError: the file is there and cannot be read.
    """
    names = (record.get("exercise") for record in read(progress_file()))
    return {name for name in names if isinstance(name, str)}


def remember_answer(name: str, *, is_right: bool) -> str:
    """Keeps the answer to a question for `recap` and returns a sentence if the disk fails, "" otherwise."""
    try:
        recall_file().parent.mkdir(parents=True, exist_ok=True)
        append(recall_file(), {"exercise": name, "asked": _now(), "right": is_right})
    except OSError as error:
        return f"This answer could not be remembered: {reason(error)} (`{recall_file()}`)."
    return ""


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def remember(name: str, lesson: Collection[str]) -> str:
    """Keeps the pass of an exercise ("lesson_02.slope") and returns what to tell the learner about it.

    Args:
        name: of the exercise.
        lesson: the names of all exercises of its lesson.

    The sentence says if the disk fails; that never becomes an exception in a lesson.
    """
    try:
        done = passed()
        if name not in done:
            progress_file().parent.mkdir(parents=True, exist_ok=True)
            append(progress_file(), {"exercise": name, "passed": _now()}, lasting=True)
    except OSError as error:
        return f"This pass could not be remembered: {reason(error)} (`{progress_file()}`)."
    return f"Done in this lesson: {len({*lesson} & (done | {name}))} of {len(lesson)}."
