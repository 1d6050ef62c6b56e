"""Every notebook asks as its exercises want to be asked; solved, it passes, and each of its explorers works anywhere.

A notebook is run once for both: with the solutions put in, and its explorers visited.
"""

from pathlib import Path

import nbformat
import pytest

from classroom.editions.questions import code_cells, exercises_of, questions, solved
from course_utils.exercises import lesson_08
from explorers import visited, with_visits
from refresh import execute
from solutions import complaints

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)

IMPORTS = "import torch\nfrom course_utils.exercises import lesson_00 as exercises"
FIRST = "prediction = ...\n\nexercises.first_gradient.check(prediction)"
SECOND = "def gradient_at(x):\n    ...\n\n\nexercises.gradient_at.check(gradient_at)"
ASKING = [IMPORTS, "exercises.first_gradient", FIRST, "exercises.gradient_at", SECOND, "gradient_at(2.0)"]


def run(sources, folder):
    return execute(nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, sources))), folder=folder)


@pytest.fixture(scope="module")
def asking(tmp_path_factory):
    return run(ASKING, tmp_path_factory.mktemp("asking"))


def verdicts(notebook):
    return [question.cell.outputs[-1].data["text/plain"].partition(".")[0] for question in questions(notebook)]


@every_notebook
def test_questions_are_put_as_the_exercises_want_them(path):
    assert complaints(nbformat.read(path, as_version=4)) == []


@every_notebook
def test_a_solved_notebook_is_right_and_its_explorers_work_at_all_positions(path):
    notebook = execute(with_visits(solved(nbformat.read(path, as_version=4))), folder=path.parent)
    assert len(verdicts(notebook)) == len(exercises_of(notebook)) and set(verdicts(notebook)) <= {"Right"}
    assert visited(notebook), "a lesson has at least one slider explorer"


def test_the_miniature_is_unfinished_and_then_right(asking, tmp_path):
    assert complaints(asking) == [] and verdicts(asking) == ["Unfinished", "Unfinished"]
    answered = execute(solved(asking), folder=tmp_path)
    assert verdicts(answered) == ["Right", "Right"]
    assert answered.cells[-1].outputs[0].data["text/plain"] == "tensor(12.)"


@pytest.mark.parametrize(
    ("at", "instead", "complaint"),
    [
        (2, FIRST.replace("first_gradient", "fist_gradient"), "fist_gradient: the lesson module has no such exercise"),
        (2, FIRST.replace("prediction =", "guess ="), "first_gradient: the stub does not begin as the solution does"),
        (2, "prediction = 18.0", "first_gradient: the lesson module has it, no cell checks it"),
        (2, FIRST + "\nprediction", "a check must be the cell's last line"),
        (1, "1 + 1", "first_gradient: no cell shows the task"),
        (4, SECOND.replace("(x):", "(f, x):"), "the stub does not begin as the solution does: def gradient_at(x)"),
        (4, "def f(x):\n    ...\n\n\nexercises.gradient_at.check(f)", "the solution does not define f"),
    ],
)
def test_each_complaint_is_made(asking, at, instead, complaint):
    spoilt = nbformat.from_dict(asking)
    spoilt.cells[at].source = instead
    assert any(complaint in found for found in complaints(spoilt))


def test_code_to_repair_is_given_as_the_module_has_it(tmp_path):
    given = lesson_08.growing_steps.given
    sources = [IMPORTS.replace("lesson_00", "lesson_08"), f"{given}\n\nexercises.growing_steps.check(growing_steps)"]
    asking = run(sources, tmp_path)
    about = [found for found in complaints(asking) if found.startswith("growing_steps")]
    assert about == ["growing_steps: no cell shows the task"] and verdicts(asking) == ["Not yet"]
    asking.cells[1].source = asking.cells[1].source.replace("optimizer.step()", "optimizer.step(None)")
    assert "growing_steps: the code to repair is not the one that the lesson module holds" in complaints(asking)


def test_a_stored_answer_is_noticed(asking):
    spoilt = nbformat.from_dict(asking)
    code_cells(spoilt)[2].outputs[-1].data["text/plain"] = "Right."
    assert complaints(spoilt) == ["first_gradient: its stored output is not Unfinished"]
