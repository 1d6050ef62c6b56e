"""The learner's own folder, `learn`: made from the committed lessons, and brought up to date without losing work.

`.editions.json` in it holds, for each lesson, the digest of the page that was handed out. A lesson whose cells have
another digest now, or that was run, is the learner's: nothing overwrites it.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from .files import write_all
from .learner import learners_pages, to_notebook
from .source import Course, is_lesson

HANDED_OUT = ".editions.json"


@dataclass
class Update:
    """What an update did, each a list of file names; `kept` has newer versions that the learner's work was spared."""

    new: list[str] = field(default_factory=list)
    renewed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        fresh = f"make lesson FRESH={self.kept[0][:2]} gives a clean copy beside it" if self.kept else ""
        said = {
            "New": self.new,
            "Renewed": self.renewed,
            "No longer in the course, and yours": self.gone,
            "Newer in the course, and left as you have it": self.kept,
        }
        lines = [f"{what}: {', '.join(Path(name).stem for name in its)}" for what, its in said.items() if its]
        return "\n".join([*lines[:-1], f"{lines[-1]} ({fresh})"] if fresh else lines)


def learners_lessons(course: Course) -> dict[str, bytes]:
    """The learner's edition of every lesson, by file name.

    Raises:
        ValueError: a lesson is not a notebook, or no lesson is there.
    """
    lessons = {Path(path).name: course.files[path] for path in sorted(filter(is_lesson, course.files))}
    if not lessons:
        raise ValueError("the course has no lesson; expected files as notebooks/00_start_here.ipynb")
    return learners_pages(lessons)


def update(folder: Path, lessons: dict[str, bytes]) -> Update:
    """Brings the learner's folder up to date with the lessons, made by `learners_lessons`.

    Raises:
        OSError: the folder cannot be read or written, or the disk is full.
    """
    done, written, handed_out = Update(), {}, _handed_out(folder)
    for name, page in lessons.items():
        place, digest = folder / name, _digest(page)
        its = _digest(place.read_bytes()) if place.exists() else ""
        if its in ("", handed_out.get(name)) or its == digest:
            if its != digest:
                written[name] = page
                (done.renewed if its else done.new).append(name)
            handed_out[name] = digest
        elif handed_out.get(name) != digest:
            done.kept.append(name)
    for name in sorted(set(handed_out) - set(lessons)):
        if (folder / name).exists():
            done.gone.append(name)
        del handed_out[name]
    _write(folder, written, handed_out)
    return done


def fresh(folder: Path, lessons: dict[str, bytes], number: str) -> tuple[Path, Path | None]:
    """Puts a clean copy of one lesson into the learner's folder, and keeps the one that was there beside it.

    Args:
        folder: the learner's.
        lessons: made by `learners_lessons`.
        number: of the lesson: "02", or "2".

    Returns:
        The clean copy, and where the old one is now; None if there was none, or it was clean.

    Raises:
        ValueError: there is no such lesson.
        OSError: the folder cannot be read or written, or the disk is full.
    """
    found = [name for name in lessons if name.startswith(f"{number.zfill(2)}_")]
    if not re.fullmatch(r"\d{1,2}", number) or not found:
        numbers = sorted(name[:2] for name in lessons)
        raise ValueError(f"there is no lesson {number!r}; expected a number from {numbers[0]} to {numbers[-1]}")
    (name,) = found
    place, old = folder / name, None
    if place.exists() and place.read_bytes() != lessons[name]:
        taken = {path.name for path in folder.iterdir()}
        names = (f"{place.stem}_old_{count}.ipynb" for count in range(1, len(taken) + 2))
        old = folder / next(each for each in names if each not in taken)
        write_all(folder, {old.name: place.read_bytes()})
    _write(folder, {name: lessons[name]}, _handed_out(folder) | {name: _digest(lessons[name])})
    return place, old


def _write(folder: Path, pages: dict[str, bytes], handed_out: dict[str, str]) -> None:
    write_all(folder, pages | {HANDED_OUT: f"{json.dumps(handed_out, indent=1)}\n".encode()})


def _handed_out(folder: Path) -> dict[str, str]:
    """The digests of the pages that were handed out; none where the file is not there or is spoilt."""
    try:
        known = json.loads((folder / HANDED_OUT).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _digest(page: bytes) -> str:
    """Of what a learner does to a page: its cells, and whether they ran; not of what JupyterLab notes on opening."""
    try:
        cells = to_notebook(page).cells
    except ValueError:
        return hashlib.sha256(page).hexdigest()
    kept = [(cell.cell_type, cell.source, len(cell.get("outputs", [])), cell.get("execution_count")) for cell in cells]
    return hashlib.sha256(json.dumps(kept).encode()).hexdigest()
