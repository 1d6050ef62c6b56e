"""Errors in a notebook: the learner's own lines and the message; what ran inside libraries is folded into one line."""

from __future__ import annotations

import re
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

COURSE = Path(__file__).resolve().parents[1]
PYTHON = Path(sysconfig.get_path("stdlib"))
COLOUR = re.compile(r"\x1b\[[\d;]*m")
_FRAME = re.compile(r"File (?P<path>.+?):\d+(,|$)", re.MULTILINE)
# IPython paints the call at hand black on yellow, which glares in a dark theme; bold serves both.
_BOLD = [(re.compile(r"\x1b\[30;43(;\d+)*m"), "\x1b[1m"), (re.compile(r"\x1b\[39;49(;\d+)*m"), "\x1b[22;39m")]
_HOW = "from course_utils import full_tracebacks; full_tracebacks()"


def fold(frames: Sequence[str]) -> list[str]:
    """A traceback, frame by frame as IPython words it, with one line in place of each run of calls inside a library."""
    kept: list[str] = []
    for frame in frames:
        library = _library(frame)
        line = f"… calls inside {library}" if library else _in_bold(frame)
        if library is None or kept[-1:] != [line]:
            kept.append(line)
    first = next((number for number, line in enumerate(kept) if line.startswith("… ")), None)
    if first is not None and _HOW not in kept[first]:
        kept[first] += f"; to see them: {_HOW}"
    return kept


def _in_bold(frame: str) -> str:
    for pattern, code in _BOLD:
        frame = pattern.sub(code, frame)
    return frame


def _library(frame: str) -> str | None:
    """The library in whose file the frame stands; None for a cell, a file of the learner's, or the message."""
    if not (found := _FRAME.match(COLOUR.sub("", frame))):
        return None
    path = Path(found["path"]).expanduser()
    for parent in path.parents:
        if parent.name in ("site-packages", "dist-packages"):
            return path.relative_to(parent).parts[0].removesuffix(".py")
    if path.is_relative_to(COURSE):
        return COURSE.name
    return "Python" if path.is_relative_to(PYTHON) else None


def fold_tracebacks() -> None:
    """Folds the tracebacks of this kernel from now on; does nothing outside of IPython, or if it has been done."""
    for traceback in _tracebacks():
        if "structured_traceback" not in vars(traceback):
            traceback.structured_traceback = partial(_folded, traceback.structured_traceback)


def _folded(whole: Callable[..., Sequence[str]], *args: Any, **options: Any) -> list[str]:
    return fold(whole(*args, **options))


def full_tracebacks() -> None:
    """Shows the last error with every call, and all later ones as IPython does; `fold_tracebacks` has cut them so far.

    Outside of IPython it does nothing: nothing is folded there.
    """
    for traceback in _tracebacks():
        vars(traceback).pop("structured_traceback", None)
        if getattr(sys, "last_value", None) is not None:
            sys.modules["IPython"].get_ipython().showtraceback((sys.last_type, sys.last_value, sys.last_traceback))


def _tracebacks() -> Iterator[Any]:
    """What words the errors of this IPython, if there is one."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None:
        yield shell.InteractiveTB
