"""The commands `python -m course_utils lab`, `lesson` and `solutions`: editions made from the committed lessons."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from classroom.checkup import course_folder

from .source import GUIDE, Course, is_lesson, read_course

FOLDER, SOLUTIONS = "learn", "solutions"


def lab(options: argparse.Namespace) -> int:
    """Brings your folder `learn` up to date, loses nothing of yours, and opens it in JupyterLab."""
    from .lab import update

    folder, lessons = _learners(options)
    said = str(update(folder, lessons))
    print(f"{folder}\n{said}" if said else folder, flush=True)
    first = f"--LabApp.default_url=/lab/tree/{min(lessons)}"
    command = [sys.executable, "-m", "jupyter", "lab", f"--ServerApp.root_dir={folder}", first, *options.jupyter]
    try:
        return subprocess.call(command)
    except KeyboardInterrupt:
        return 0


def lesson(options: argparse.Namespace) -> int:
    """Puts a clean copy of one lesson into your folder `learn`, and keeps yours beside it."""
    from .lab import fresh

    folder, lessons = _learners(options)
    place, old = fresh(folder, lessons, options.number)
    print(f"{place} is clean." + (f" Yours is {old.name}, beside it." if old else ""))
    return 0


def solutions(options: argparse.Namespace) -> int:
    """Makes `solutions`, the instructor's edition: outputs, every solution filled in, and what learners ask."""
    from .files import replace_folder
    from .instructor import instructors_lessons

    place, lessons = _root(), instructors_lessons(committed_course(options))
    replace_folder(place / SOLUTIONS, lessons)
    print(f"{place / SOLUTIONS}: {len(lessons)} lessons. It is made anew each time; keep nothing of yours in it.")
    return 0


def committed_course(options: argparse.Namespace) -> Course:
    """The course that editions are made from; says in one line what was left out.

    Raises:
        ValueError: this Python uses no course's folder, or what was committed there cannot be read.
    """
    course = read_course(_root(), belongs=lambda path: is_lesson(path) or path == GUIDE, as_it_is=options.as_it_is)
    if course.notice:
        print(course.notice, flush=True)
    return course


def _root() -> Path:
    root = course_folder()
    if root is None:
        raise ValueError("this Python has the package without its course; run this in the course's folder, with make")
    return root


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds the commands to the command line."""

    def add(run: Callable[..., object]) -> argparse.ArgumentParser:
        command = commands.add_parser(run.__name__, help=run.__doc__, description=run.__doc__)
        command.set_defaults(run=run, json=False)
        command.add_argument("--as-it-is", action="store_true", help="the lessons on disk, not those committed")
        return command

    add(lab).add_argument("jupyter", nargs="*", metavar="-- …", help="goes to JupyterLab, as --port=9000")
    add(solutions)
    add(lesson).add_argument("number", metavar="NUMBER", help="of the lesson: 02")


def _learners(options: argparse.Namespace) -> tuple[Path, dict[str, bytes]]:
    from .lab import learners_lessons  # here, since it needs packages that the doctor may find missing

    course = committed_course(options)
    return _root() / FOLDER, learners_lessons(course)
