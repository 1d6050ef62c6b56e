"""Where a notebook asks, and the notebook with every question answered.

A *check cell* is a code cell whose last line reads `exercises.NAME.check(VARIABLE)`. What stands above that line is the
learner's place: a stub with `...` in it, or broken code to repair. The solved notebook has the exercise's own solution
there instead.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module

from nbformat import NotebookNode

from course_utils.exercises.exercise import Exercise
from rules import code_cells

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
        solution = question.exercise.cell(question.variable)
        question.cell.source = f"{solution}\n\n\nexercises.{question.name}.check({question.variable})"
    return answered


def complaints(notebook: NotebookNode) -> list[str]:
    """What is wrong with the questions of a notebook as it is stored."""
    asked = list(questions(notebook))
    sources = [cell.source for cell in code_cells(notebook)]
    found = [f"{question.name}: {what}" for question in asked for what in _complaints_about(question)]
    for name in exercises_of(notebook):
        if name not in {question.name for question in asked}:
            found.append(f"{name}: the lesson module has it, no cell checks it")
        if not any(source.endswith(f"exercises.{name}") for source in sources):
            found.append(f"{name}: no cell shows the task")
    strays = [cell.id for cell in code_cells(notebook) if ".check(" in cell.source and not CHECK.search(cell.source)]
    return found + [f"{cell}: a check must be the cell's last line, exercises.NAME.check(VARIABLE)" for cell in strays]


def _complaints_about(question: Question) -> Iterator[str]:
    if question.exercise is None:
        yield "the lesson module has no such exercise"
        return
    said = [output.get("data", {}).get("text/plain", "") for output in question.cell.outputs]
    given = question.exercise.given
    verdict = "Unfinished" if given is None else "Not yet"
    if not any(text.startswith(f"{verdict}.") for text in said):
        yield f"its stored output is not {verdict}"
    if given is not None and question.stub.strip() != given:
        yield "the code to repair is not the one that the lesson module holds"
    wanted = _head(question.exercise.cell(question.variable), question.variable)
    if wanted is None:
        yield f"the solution does not define {question.variable}"
    elif _head(question.stub, question.variable) != wanted:
        yield f"the stub does not begin as the solution does: {wanted}"


def _head(source: str, variable: str) -> str | None:
    """How `source` defines `variable`: a function with its parameters, a class with its bases, or a value."""
    heads = None
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.FunctionDef) and statement.name == variable:
            heads = f"def {variable}({ast.unparse(statement.args)})"
        elif isinstance(statement, ast.ClassDef) and statement.name == variable:
            heads = f"class {variable}({', '.join(map(ast.unparse, statement.bases))})"
        elif isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == variable:
            heads = f"{variable} = …"
    return heads
