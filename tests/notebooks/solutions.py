"""What is wrong with the questions of a stored notebook."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from nbformat import NotebookNode

from classroom.editions.questions import CHECK, Question, code_cells, exercises_of, questions

RECAP = re.compile(r"again\.check\((\.\.\., )*\.\.\.\)\Z")  # the questions of a recap, left open


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
    checks = [cell for cell in code_cells(notebook) if ".check(" in cell.source and not RECAP.match(cell.source)]
    strays = [cell.id for cell in checks if not CHECK.search(cell.source)]
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
