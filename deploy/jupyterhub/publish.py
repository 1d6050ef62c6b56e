"""Publishes the lessons to the hub's learners, also while it runs: each gets them when the own server starts next.

python deploy/jupyterhub/publish.py notebooks hub/course
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path


def publish(source: Path, course: Path) -> None:
    """Makes the read-only course: the notebooks as they are in `source`, one commit for each change."""
    git = ["git", "-C", str(course), "-c", "user.name=course", "-c", "user.email=course@localhost"]
    if not (course / ".git").exists():
        subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(course)], check=True)
    for old in course.glob("*.ipynb"):
        old.unlink()
    for lesson in source.glob("*.ipynb"):
        shutil.copyfile(lesson, course / lesson.name)
    # Two versions of a notebook are never mixed: lines of two JSON files together may be none.
    (course / ".gitattributes").write_text("*.ipynb -merge\n", encoding="utf-8")
    subprocess.run([*git, "add", "--all"], check=True)
    if subprocess.call([*git, "diff", "--cached", "--quiet"]):
        subprocess.run([*git, "commit", "--quiet", "--message=The course"], check=True)


if __name__ == "__main__":
    os.umask(0o022)  # learners read it
    publish(*map(Path, sys.argv[1:]))
