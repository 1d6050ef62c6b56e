"""What moves the explorers of every notebook (test_solutions.py runs it there) finds them, and what is wrong."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

import explorers
import refresh

NAMED = """\
from course_utils import explore

@explore(x=(-2, 2, 0.5), of=["slope", "value"])
def told(x, of):
    return f"{of} at {x} is {5 / (x + OFFSET)}"
"""
SHOWN = """\
explore(lambda ax: lambda n: f"{n} of {ax.get_title()!r}", n=range(3))
"""


def visit(sources: list[str], folder: Path) -> list[str]:
    """The names of the explorers in a notebook with these code cells, after each was moved about."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    return explorers.visited(refresh.execute(explorers.with_visits(notebook), folder=folder))


def test_finds_explorers_with_and_without_a_name(tmp_path: Path) -> None:
    assert visit(["OFFSET = 7", NAMED, "told", SHOWN, "told"], tmp_path) == ["told", "<lambda>"]


def test_an_explorer_that_fails_at_one_end_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(CellExecutionError, match=r"told\(\{'x': -2\.0\}\) failed: ZeroDivisionError"):
        visit(["OFFSET = 2", NAMED], tmp_path)


def test_an_explorer_that_changes_between_calls_is_noticed(tmp_path: Path) -> None:
    counter = "from itertools import count\nn = count()\nexplore(lambda x: f'{x} {next(n)}', x=(0, 1))"
    with pytest.raises(CellExecutionError, match="back at the start it shows"):
        visit(["from course_utils import explore", counter], tmp_path)
