"""The minutes that a lesson, the README and the guide claim are those that its cells take, to within a tenth."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import nbformat
import pytest

from course_utils.exercises.exercise import Exercise
from minutes import minutes

ROOT = Path(__file__).resolve().parents[2]
COUNTED = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", COUNTED, ids=lambda path: path.stem)
def test_the_minutes_claimed_are_those_that_the_lesson_takes(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    claimed = int(re.search(r"\| Time \| (\d+) minutes", notebook.cells[0].source)[1])
    module = importlib.import_module(f"course_utils.exercises.lesson_{path.name[:2]}")
    counted = minutes(notebook, {name: it for name, it in vars(module).items() if isinstance(it, Exercise)})
    assert counted == pytest.approx(claimed, rel=0.1)
    readme, guide = [(ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "docs/instructors.md")]
    assert int(re.search(rf"\(notebooks/{path.name}\) \|[^|]*\| (\d+) \|", readme)[1]) == claimed
    assert int(re.search(rf"\(\.\./notebooks/{path.name}\) \| (\d+) \|", guide)[1]) == claimed


@pytest.mark.parametrize("path", COUNTED[1:], ids=lambda path: path.stem)
def test_the_map_in_the_first_lesson_tells_the_same_minutes(path: Path) -> None:
    start = "\n".join(cell.source for cell in nbformat.read(COUNTED[0], as_version=4).cells)
    title = nbformat.read(path, as_version=4).cells[0].source
    assert re.search(rf"\({path.name}\) \|[^|]*\| (\d+) min \|", start)[1] == re.search(r"\| Time \| (\d+)", title)[1]
