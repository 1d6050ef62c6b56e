"""Moves every explorer of a notebook through its positions; used inside a notebook's own kernel."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

import own_warnings
import refresh
import rules
from course_utils.core.picture import Picture
from course_utils.sliders import Explorer

RANDOM_POSITIONS = 50
PATH = [str(Path(module.__file__).parent) for module in (rules, refresh)]  # of the kernel that visits
PREPARE = "from explorers import visit_new as _visit_new\n_visited = set()"
VISIT = "_visit_new([*globals().values(), *Out.values()], _visited)"


def ends_and_middles(explorer: Explorer) -> Iterator[dict[str, Any]]:
    """The start; each slider at both ends and in the middle, the others at their start; all at their ends."""
    yield {}
    for name, control in explorer.controls.items():
        for fraction in (0, 0.5, 1):
            yield {name: control.at(fraction)}
    for fraction in (0, 1):
        yield {name: control.at(fraction) for name, control in explorer.controls.items()}


def random_positions(explorer: Explorer) -> Iterator[dict[str, Any]]:
    """Positions anywhere, the same in every run."""
    dice = random.Random(explorer.name)
    for _ in range(RANDOM_POSITIONS):
        yield {name: dice.choice(control.values) for name, control in explorer.controls.items()}


def visit(explorer: Explorer) -> None:
    """Calls the explorer at all its positions; warnings are errors.

    Raises:
        AssertionError: it raised, said nothing, or said something else when it came back to its start.
    """
    update = explorer.new_figure()[1] if explorer.axes_names else None
    values: dict[str, Any] = {}
    try:
        with own_warnings.are_errors():
            for values in ends_and_middles(explorer):
                shown = explorer(**values)
                assert str(shown).strip(), "it shows nothing"
            for values in random_positions(explorer):
                assert explorer.move(update, values) if update else explorer(**values), "it says nothing"
            values = {}
            first, again = explorer.picture, explorer()
            assert str(first) == str(again), f"back at the start it shows {again}, not {first}"
            assert not isinstance(first, Picture) or first.svg == again.svg, "back at the start it is drawn otherwise"
    except Exception as error:
        raise AssertionError(f"{explorer.name}({values}) failed: {type(error).__name__}: {error}") from error


def visit_new(values: Iterable[object], visited: set[int]) -> None:
    """Visits the explorers among `values` whose ids are not in `visited` yet, and prints their names."""
    for value in values:
        if isinstance(value, Explorer) and id(value) not in visited:
            visited.add(id(value))
            visit(value)
            print(f"visited {value.name}")


def with_visits(notebook: NotebookNode) -> NotebookNode:
    """A copy of the notebook that visits, after each code cell, the explorers which that cell has made."""
    code = nbformat.v4.new_code_cell
    cells = [code(f"import sys\nsys.path[:0] = {PATH!r}\n{PREPARE}")]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cells += [code(cell.source, metadata=cell.metadata)]
            cells += [] if rules.RAISES in rules.tags(cell) else [code(VISIT)]
    return nbformat.v4.new_notebook(cells=cells)


def visited(notebook: NotebookNode) -> list[str]:
    """The names of the explorers that an executed notebook has visited, in order."""
    said = [output.text for cell in notebook.cells for output in cell.outputs if output.output_type == "stream"]
    lines = "".join(said).splitlines()
    return [line.removeprefix("visited ") for line in lines if line.startswith("visited ")]
