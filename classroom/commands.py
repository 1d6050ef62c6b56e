"""The commands `python -m course_utils doctor`, `progress`, `board` and those of the editions."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .editions import commands as editions


def doctor(options: argparse.Namespace) -> int:
    """Says what is wrong with this machine and how to fix it; exits with 0 only when the lessons will run."""
    from .doctor import examine, show

    return show(examine(), as_json=options.json)


def progress(options: argparse.Namespace) -> int:
    """Shows which exercises are done."""
    from course_utils.exercises.progress import progress

    shown = progress()
    print(json.dumps(shown.as_json(), indent=2) if options.json else shown)
    return 0


def board(options: argparse.Namespace) -> int:
    """Shows the instructor's board, once or live, or prepares its folder."""
    from course_utils.exercises.report import board_folder

    from .board import read_board
    from .dropbox import open_solutions, prepare
    from .watch import watch

    if options.prepare:
        place = prepare(options.prepare, group=options.group)
        print(f"{place} is ready: each learner may add a file and see no other's.")
        print(f"Every learner:  COURSE_UTILS_BOARD={place}")
        print(f"Instructors:    python -m course_utils board {place} --live")
    elif options.open:
        folder = options.folder or board_folder()
        if folder is None:
            raise ValueError("which board? name its folder, or set COURSE_UTILS_BOARD")
        print(f"Solutions are open for {', '.join(open_solutions(folder, options.open))}.")
    elif options.live is not None:
        watch(options.folder, every=options.live, who=options.who)
    else:
        shown = read_board(options.folder)
        width = shutil.get_terminal_size((120, 40)).columns
        print(json.dumps(shown.as_json(), indent=2) if options.json else shown.text(width, who=options.who))
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m course_utils", description="Commands beside the lessons.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def add(run: Callable[..., object], **texts: Any) -> argparse.ArgumentParser:
        command = commands.add_parser(run.__name__, help=run.__doc__, description=run.__doc__, **texts)
        command.set_defaults(run=run)
        command.add_argument("--json", action="store_true", help="print it for programs")
        return command

    add(doctor)
    add(progress)
    classroom = add(board, epilog="The folder is the one that COURSE_UTILS_BOARD names, if none is given.")
    classroom.add_argument("folder", nargs="?", type=Path, help="the board's folder")
    kind = classroom.add_mutually_exclusive_group()
    again, make = "look again every few seconds", "make a folder that learners may add to and not look into"
    kind.add_argument("--live", nargs="?", type=_seconds, const=5.0, metavar="SECONDS", help=again)
    kind.add_argument("--prepare", type=Path, metavar="FOLDER", help=make)
    kind.add_argument("--open", metavar="NUMBER", help="open the solutions of a lesson, as 02, to all learners")
    classroom.add_argument("--who", action="store_true", help="name those who are stuck, by pseudonym")
    classroom.add_argument("--group", help="with --prepare: the group whose members may read the board")
    editions.add_to(commands)
    return top


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.2 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r}; expected seconds, from 0.2 to 3600")
    return seconds


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code: 0, or 1 where something is wrong (2 for a wrong command line)."""
    commands = parser()
    options = commands.parse_args(arguments)
    if getattr(options, "group", None) and not options.prepare:
        commands.error(f"--group {options.group} goes with --prepare FOLDER")
    if options.json and (getattr(options, "live", None) is not None or getattr(options, "prepare", None)):
        commands.error("--json prints the board once; leave out --live and --prepare")
    try:
        return options.run(options)
    except ModuleNotFoundError as error:
        print(f"{error.name} is not installed; `{sys.executable} -m course_utils doctor` says more", file=sys.stderr)
    except OSError as error:
        print(f"{error.strerror}: {error.filename}" if error.filename else error, file=sys.stderr)
    except ValueError as error:
        print(error, file=sys.stderr)
    return 1
