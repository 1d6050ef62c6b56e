"""How long a lesson takes: counted from its cells, so that nobody has to guess."""

from __future__ import annotations

import re

from nbformat import NotebookNode

import rules
from course_utils.exercises.exercise import Exercise, Prediction


def minutes(notebook: NotebookNode, exercises: dict[str, Exercise]) -> float:
    """Minutes: 200 words 1, a cell a half, a prediction 1, an exercise 5, a repair or a recap 3."""
    code = rules.code_cells(notebook)
    checked = {name for cell in code for name in re.findall(r"exercises\.(\w+)\.check\(", cell.source)}
    words = sum(rules.words(cell.source) for cell in rules.markdown_cells(notebook))
    recaps = sum("recap(" in cell.source for cell in code)
    return words / 200 + len(code) * 0.5 + recaps * 3 + sum(_answering(exercises[name]) for name in checked)


def _answering(exercise: Exercise) -> int:
    if isinstance(exercise, Prediction):
        return 1
    return 3 if exercise.heading == "Repair" else 5
