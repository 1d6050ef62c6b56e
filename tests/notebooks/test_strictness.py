"""A changed number in a stored output, a graph or a plot's description turns the suite red."""

from __future__ import annotations

import base64
import copy
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

import mini

ROOT = Path(__file__).resolve().parents[2]


def shown(lesson: NotebookNode, source: str) -> NotebookNode:
    """What the cell with this source shows, by kind."""
    return next(cell for cell in lesson.cells if cell.source == source).outputs[0].data


def change_number(lesson: NotebookNode) -> None:
    """18 becomes 19 in a printed tensor."""
    data = shown(lesson, mini.NUMBER)
    data["text/plain"] = data["text/plain"].replace("18", "19")


def change_graph(lesson: NotebookNode) -> None:
    """27 becomes 28 in the graph's drawing, in all its copies."""
    data = shown(lesson, mini.GRAPH)
    data["image/svg+xml"] = data["image/svg+xml"].replace(">27.00<", ">28.00<")
    encoded = base64.b64encode(data["image/svg+xml"].encode()).decode()
    data["text/html"] = re.sub('base64,[^"]+', f"base64,{encoded}", data["text/html"])


def change_plot(lesson: NotebookNode) -> None:
    """18 becomes 19 in what a plot says of itself, in the alternative text alone."""
    data = shown(lesson, mini.PLOT)
    data["text/html"] = data["text/html"].replace("slope = 18", "slope = 19")


CHANGES = {mini.NUMBER: change_number, mini.GRAPH: change_graph, mini.PLOT: change_plot}


def failures(folder: Path) -> set[str]:
    """Runs pytest with the project's options on a folder; "notebook::number" of every code cell that failed."""
    options = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder), "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *options, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert " passed" in done.stdout, done.stdout + done.stderr
    return {f"{name}::{cell}" for name, cell in re.findall(r"(?m)^FAILED \S*?(\w+)\.ipynb::Cell (\d+)", done.stdout)}


@pytest.fixture(scope="module")
def failed(_run_once: NotebookNode, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("changed")
    lessons = {"untouched": _run_once}
    for change in CHANGES.values():
        lessons[change.__name__] = copy.deepcopy(_run_once)
        change(lessons[change.__name__])
        assert lessons[change.__name__] != _run_once
    for name, lesson in lessons.items():
        nbformat.write(lesson, folder / f"{name}.ipynb")
    return failures(folder)


@pytest.mark.parametrize("source", CHANGES, ids=[change.__name__ for change in CHANGES.values()])
def test_the_changed_cell_fails_and_no_other(source: str, failed: set[str], lesson: NotebookNode) -> None:
    name = CHANGES[source].__name__
    number = next(i for i, cell in enumerate(c for c in lesson.cells if c.cell_type == "code") if cell.source == source)
    assert {each for each in failed if each.startswith(f"{name}::")} == {f"{name}::{number}"}


def test_the_untouched_lesson_passes(failed: set[str]) -> None:
    assert not [failure for failure in failed if failure.startswith("untouched")]
