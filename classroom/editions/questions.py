"""Where a notebook asks, and the notebook with every question answered.

A *prompt* is the line `exercises.NAME` that ends a code cell and shows the task. A *check cell* is a code cell whose
last line reads `exercises.NAME.check(VARIABLE)`. What stands above that line is the learner's place: a stub with `...`
in it, or broken code to repair. The solved notebook has the exercise's own solution there instead.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module

from nbformat import NotebookNode

from course_utils.exercises.exercise import Exercise

PROMPT = re.compile(r"\n*^exercises\.(\w+)\s*\Z", re.MULTILINE)
CHECK = re.compile(r"\n*^exercises\.(\w+)\.check\((\w+)\)\s*\Z", re.MULTILINE)
LESSON = re.compile(r"^from course_utils\.exercises import (lesson_\d\d) as exercises$", re.MULTILINE)


@dataclass(frozen=True)
class Question:
    """One check cell: its exercise (None where the lesson has none of that name), the variable, the stub."""

    cell: NotebookNode
    name: str
    exercise: Exercise | None
    variable: str
    stub: str


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The notebook's code cells in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def exercises_of(notebook: NotebookNode) -> dict[str, Exercise]:
    """The exercises of the lesson module that the notebook imports; {} where it imports none."""
    lessons = LESSON.findall("\n".join(cell.source for cell in code_cells(notebook)))
    modules = [vars(import_module(f"course_utils.exercises.{lesson}")) for lesson in lessons]
    return {name: it for module in modules for name, it in module.items() if isinstance(it, Exercise)}


def questions(notebook: NotebookNode) -> Iterator[Question]:
    """All check cells in order."""
    known = exercises_of(notebook)
    for cell in code_cells(notebook):
        if found := CHECK.search(cell.source):
            name, variable = found.groups()
            yield Question(cell, name, known.get(name), variable, cell.source[: found.start()])


def solved(notebook: NotebookNode) -> NotebookNode:
    """A copy of the notebook with the solution in every check cell."""
    answered = copy.deepcopy(notebook)
    for question in questions(answered):
        if question.exercise is None:
            raise ValueError(f"{question.name} is no exercise of the notebook's lesson; there is no solution to put in")
        solution = question.exercise.cell(question.variable)
        question.cell.source = f"{solution}\n\n\nexercises.{question.name}.check({question.variable})"
    return answered
