"""Publishes the lessons to the hub's learners, also while it runs: each gets them when the own server starts next.

python deploy/jupyterhub/publish.py notebooks hub/course
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from classroom.editions.files import write_all
from classroom.editions.learner import learners_pages
from classroom.editions.source import Course, read_course


def publish(source: Path, course: Path, *, as_it_is: bool = False) -> str:
    """Makes the read-only course: the learner's edition of the notebooks in `source`, one commit for each change.

    Args:
        source: the folder with the lessons; what is committed there counts.
        course: the folder to fill, and nothing else goes into it.
        as_it_is: takes the notebooks as they lie on disk.

    Returns:
        One line on what was left out, "" if nothing was.

    Raises:
        ValueError: `source` has no notebook, or one that is none; the course then stays as it was.
    """
    read = read_course(source, belongs=_is_notebook, as_it_is=as_it_is) if source.is_dir() else Course({})
    if not read.files:
        raise ValueError(f"there is no notebook in {source}; expected the folder with the lessons, as notebooks")
    # Two versions of a notebook are never mixed: lines of two JSON files together may be none.
    files = learners_pages(read.files) | {".gitattributes": b"*.ipynb -merge\n"}
    git = ["git", "-C", str(course), "-c", "user.name=course", "-c", "user.email=course@localhost"]
    if not (course / ".git").exists():
        subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(course)], check=True)
    write_all(course, files)
    for path in course.iterdir():
        if path.name not in files and path.is_file():
            path.unlink()
    subprocess.run([*git, "add", "--all"], check=True)
    if subprocess.call([*git, "diff", "--cached", "--quiet"]):
        subprocess.run([*git, "commit", "--quiet", "--message=The course"], check=True)
    return read.notice


def _is_notebook(path: str) -> bool:
    return "/" not in path and path.endswith(".ipynb") and not path.startswith(".")


def main(arguments: list[str] | None = None) -> None:
    """Publishes what the command line names.

    Raises:
        SystemExit: one of the folders is not what it should be.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="the folder with the lessons: notebooks")
    parser.add_argument("course", type=Path, help="the folder `course` in the hub's folder: hub/course")
    parser.add_argument("--as-it-is", action="store_true", help="the notebooks on disk, not those that are committed")
    told = parser.parse_args(arguments)
    if not told.course.is_dir():
        parser.error(f"there is no folder {told.course}; expected the hub's, which its first start makes: hub/course")
    os.umask(0o022)  # learners read it
    try:
        print(publish(told.source, told.course, as_it_is=told.as_it_is), flush=True)
    except (ValueError, OSError) as error:
        sys.exit(f"{error}.")


if __name__ == "__main__":
    main()
