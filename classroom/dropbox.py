"""A folder for the instructor's board on a computer with many accounts: a drop box.

Learners may put their own file into it, and neither list the folder nor read or change another's file. Members of one
group, the instructors, may read all of them:

    drwxrws-wt  owner  instructors  board/            mode 3773: others may only enter and add; sticky; setgid
    -rw-r-----  ada    instructors  board/3f9a2c71.jsonl

The setgid bit gives each new file to the instructors' group, the sticky bit keeps its name for its owner, and the
pseudonym, random and never listed, keeps others from guessing it. (Who may list the folder sees also which account owns
which file: to instructors a pseudonym is a courtesy, not a secret.) This needs one account for each learner. Where all
notebooks run under the same account (containers, a hub without accounts), mount for each learner a folder of their own
instead, side by side in one folder; the board reads both.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

from course_utils.exercises import find_exercises
from course_utils.exercises.report import OPENED

from .editions.files import write_all

MODE = 0o3773


def prepare(folder: str | Path, *, group: str | None = None) -> Path:
    """Makes the folder, or changes one that the caller owns, so that it is a drop box; returns its whole path.

    Args:
        folder: its parents exist, and every account may pass through them.
        group: who may read the board: the name of a group that the caller is in. The caller's own group, if None.

    Raises:
        ValueError: no such group, a group that needs to be named, or parents that learners cannot pass through.
        OSError: the folder cannot be made or changed; on Windows always.
    """
    if os.name != "posix":
        raise OSError("a drop box needs accounts and groups as Linux and macOS have them")
    number = _group_number(group)
    place = Path(folder).absolute()
    closed = [str(parent) for parent in place.parents if not parent.stat().st_mode & stat.S_IXOTH]
    if closed:
        raise ValueError(f"learners cannot reach {place}: closed to others (chmod o+x opens it): {', '.join(closed)}")
    place.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        os.fchown(handle, -1, number)
        os.fchmod(handle, MODE)
        mode = stat.S_IMODE(os.fstat(handle).st_mode)
    finally:
        os.close(handle)
    if mode != MODE:  # the system drops setgid without a word where the caller is not in the group
        raise OSError(f"{place} got mode {mode:o} instead of {MODE:o}; are you in the group, and is this a local disk?")
    return place


def open_solutions(folder: str | Path, lesson: str) -> list[str]:
    """Opens the solutions of a lesson to all learners of the board; returns the numbers of the lessons open now.

    Args:
        folder: the board's; the caller owns it, or learners' notebooks would not believe it.
        lesson: its number, "02".

    Raises:
        ValueError: there is no such lesson, or the folder is another account's.
        OSError: the folder cannot be read or written.
    """
    place, known = Path(folder), {name.removeprefix("lesson_") for name in find_exercises()}
    if lesson not in known:
        raise ValueError(f"there is no lesson {lesson!r} with exercises; expected one of {', '.join(sorted(known))}")
    if os.name == "posix" and place.stat().st_uid != os.geteuid():
        raise ValueError(f"{place} belongs to another account, and only its owner opens solutions; on the hub: sudo")
    try:
        opened = json.loads((place / OPENED).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        opened = []
    opened = sorted({lesson, *(opened if isinstance(opened, list) else [])} & known)
    write_all(place, {OPENED: f"{json.dumps(opened)}\n".encode()})
    (place / OPENED).chmod(0o644)
    return opened


def _group_number(name: str | None) -> int:
    import grp
    import pwd

    if name is None:
        own = grp.getgrgid(os.getegid())
        if own.gr_name != pwd.getpwuid(os.geteuid()).pw_name:
            raise ValueError(f"your group {own.gr_name} may hold learners too; name the instructors' (--group NAME)")
        return own.gr_gid
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise ValueError(f"there is no group {name!r}; `groupadd {name}` makes one (as root)") from None
