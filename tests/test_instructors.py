"""docs/instructors.md against the notebooks: times, counts, sections and exercises are as it says."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import nbformat
import pytest

from course_utils.exercises.exercise import Exercise, Prediction

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs/instructors.md").read_text(encoding="utf-8")
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PARTS = dict(re.findall(r"(?ms)^### (\d\d) .*?\n(.*?)(?=^##)", PAGE))
PLANS = PAGE[PAGE.index("**Half a day**") : PAGE.index("**Two days**")]


def headings(lesson: Path) -> set[str]:
    """All headings of a notebook."""
    cells = [cell.source for cell in nbformat.read(lesson, as_version=4).cells if cell.cell_type == "markdown"]
    return {heading for source in cells for heading in re.findall(r"(?m)^#+ (.+)$", source)}


def exercises(lesson: Path) -> dict[str, Exercise]:
    """The exercises of a lesson by name."""
    module = importlib.import_module(f"course_utils.exercises.lesson_{lesson.name[:2]}")
    return {name: thing for name, thing in vars(module).items() if isinstance(thing, Exercise)}


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_times_and_counts(lesson: Path) -> None:
    row = re.search(rf"\(\.\./notebooks/{lesson.name}\) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|", PAGE)
    minutes, in_a_room, predictions, tasks = map(int, row.groups())
    title = nbformat.read(lesson, as_version=4).cells[0].source
    assert int(re.search(r"\| Time \| (\d+) minutes", title)[1]) == minutes < in_a_room
    kinds = [isinstance(each, Prediction) for each in exercises(lesson).values()]
    assert (kinds.count(True), kinds.count(False)) == (predictions, tasks)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_answers_point_to_sections_and_exercises_that_are_there(lesson: Path) -> None:
    part = PARTS[lesson.name[:2]]
    pointers = re.findall(r"→\s+\*(.+?)\*(?=[\s;.]|$)", part)
    assert len(pointers) >= 4
    assert not set(pointers) - headings(lesson)
    asked = re.findall(r"`([a-z_]+)`", part[part.index("On the board:") :])
    assert set(asked) & set(exercises(lesson))


@pytest.mark.parametrize(("number", "section"), re.findall(r"\| (?:\d\d and )?(\d\d)[^|]*\| \*([^*|]+)\*", PLANS))
def test_plans_end_at_sections_that_are_there(number: str, section: str) -> None:
    (lesson,) = [path for path in LESSONS if path.name.startswith(number)]
    assert section in headings(lesson)
