"""Every notebook of the course keeps every rule."""

from pathlib import Path

import nbformat
import pytest

import rules

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
LESSONS = [path for path in NOTEBOOKS if not path.name.startswith("00")]


@pytest.mark.parametrize("rule", rules.RULES)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook(path: Path, rule: rules.Rule) -> None:
    assert rule(nbformat.read(path, as_version=4)) == []


@pytest.mark.parametrize("rule", rules.LESSON_RULES)
@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_lesson(path: Path, rule: rules.Rule) -> None:
    assert rule(nbformat.read(path, as_version=4)) == []
