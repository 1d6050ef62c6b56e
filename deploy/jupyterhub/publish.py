"""Publishes the lessons to the hub's learners, also while it runs: each gets them when the own server starts next.

python deploy/jupyterhub/publish.py notebooks hub/course
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path


def publish(source: Path, course: Path) -> None:
    """Makes the read-only course: the notebooks as they are in `source`, one commit for each change.

    Raises:
        ValueError: `source` has no notebook; the course then stays as it was.
    """
    lessons = sorted(source.glob("*.ipynb"))
    if not lessons:
        raise ValueError(f"there is no notebook in {source}; expected the folder with the lessons, as notebooks")
    git = ["git", "-C", str(course), "-c", "user.name=course", "-c", "user.email=course@localhost"]
    if not (course / ".git").exists():
        subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(course)], check=True)
    for old in course.glob("*.ipynb"):
        old.unlink()
    for lesson in lessons:
        shutil.copyfile(lesson, course / lesson.name)
    # Two versions of a notebook are never mixed: lines of two JSON files together may be none.
    (course / ".gitattributes").write_text("*.ipynb -merge\n", encoding="utf-8")
    subprocess.run([*git, "add", "--all"], check=True)
    if subprocess.call([*git, "diff", "--cached", "--quiet"]):
        subprocess.run([*git, "commit", "--quiet", "--message=The course"], check=True)


def main(arguments: list[str] | None = None) -> None:
    """Publishes what the command line names.

    Raises:
        SystemExit: one of the folders is not what it should be.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="the folder with the lessons: notebooks")
    parser.add_argument("course", type=Path, help="the folder `course` in the hub's folder: hub/course")
    told = parser.parse_args(arguments)
    if not told.course.is_dir():
        parser.error(f"there is no folder {told.course}; expected the hub's, which its first start makes: hub/course")
    os.umask(0o022)  # learners read it
    try:
        publish(told.source, told.course)
    except ValueError as error:
        sys.exit(f"{error}.")


if __name__ == "__main__":
    main()
