"""What every exercise of every lesson must do; a new lesson module is found and tested without a line here."""

import inspect
import random
import re
import warnings
from functools import cache

import numpy
import pytest
import torch

from course_utils.exercises.exercise import Prediction, Verdict
from every_answer import ALL, over, printed

MISTAKES = [
    pytest.param(it, number, id=f"{name}-mistake-{number}")
    for name, it in ALL.items()
    for number in range(1, len(it.mistakes) + 1)
]
SECOND_TRIES = [
    pytest.param(it, number, id=f"{name}-again-{number}")
    for name, it in ALL.items()
    for number in range(1, len(it.second_tries) + 1)
]
RIGHT = [
    pytest.param(it, answer, id=f"{name}-right-{number}")
    for name, it in ALL.items()
    for number, answer in enumerate([it.answer, *it.also_right], 1)
]


def is_one_number(value):
    return isinstance(value, int | float | torch.Tensor) and torch.as_tensor(value).numel() == 1


every_exercise = over(ALL)
every_function = over({name: it for name, it in ALL.items() if callable(it.answer)})
every_single_number = over({name: it for name, it in ALL.items() if is_one_number(it.answer)})


@pytest.mark.parametrize(("exercise", "answer"), RIGHT)
def test_right_answers_are_right(exercise, answer):
    assert exercise.grade(answer) == Verdict("right")


@every_exercise
def test_right_says_why_in_one_sentence(exercise):
    assert exercise.because[-1] in ".$" and len(exercise.because) <= 200
    assert not re.search(r"[.!?] [A-Z]", exercise.because), "more than one sentence"
    assert exercise.check(exercise.answer).message.startswith(exercise.because)


def test_each_reason_is_another():
    assert len({exercise.because for exercise in ALL.values()}) == len(ALL)


@pytest.mark.parametrize(("exercise", "number"), MISTAKES)
def test_each_mistake_gets_exactly_its_own_message(exercise, number):
    wrong, message = exercise.mistakes[number - 1]
    assert exercise.grade(wrong) == Verdict("wrong", message, mistake=number)


@pytest.mark.parametrize(("exercise", "number"), SECOND_TRIES)
def test_each_second_try_is_told_what_changed(exercise, number):
    code, message = exercise.second_tries[number - 1]
    verdict = exercise.grade(code)
    assert verdict.message == message and message.startswith("The same symptom as before. ")
    assert verdict.mistake == exercise.grade(exercise._broken).mistake


@over({name: it for name, it in ALL.items() if it.given is not None})
def test_second_tries_of_a_repair(exercise, tmp_path):
    messages = [message for _, message in exercise.second_tries]
    assert len(messages) >= 4 and len(set(messages)) == len(messages)
    symptom = next(message for wrong, message in exercise.mistakes if wrong is exercise._broken)
    assert exercise.grade(exercise._broken).message == symptom
    cell = tmp_path / "cell.py"  # torch comes from elsewhere, as from another cell of a notebook
    cell.write_text(exercise.given, encoding="utf-8")
    names = {"torch": torch}
    exec(compile(exercise.given, cell, "exec"), names)
    assert exercise.grade(names[exercise._broken.__name__]).message == symptom


@every_exercise
def test_enough_to_help_with(exercise):
    messages, hints = [message for _, message in exercise.mistakes], exercise.hints
    assert len(messages) >= 2 and len(set(messages)) == len(messages)
    assert 2 <= len(hints) <= 3 and len(set(hints)) == len(hints)


@every_exercise
def test_the_printed_solution_is_right_with_nothing_but_torch(exercise):
    assert exercise.grade(printed(exercise)) == Verdict("right")
    assert exercise.cell() in repr(exercise.solution())


def stubs(exercise):
    if not callable(exercise.answer):
        return [..., [..., 1.0], (1.0, ...)]
    parameters = inspect.signature(exercise.answer) if not isinstance(exercise.answer, type) else "(*args)"
    bodies = ["...", "pass", "raise NotImplementedError", '"What it does."', "return ...", "y = ...\n    return 2 * y"]
    cell = {"torch": torch}
    for number, body in enumerate(bodies):
        exec(f"def stub{number}{parameters}:\n    {body}", cell)
    return [..., *(cell[f"stub{number}"] for number in range(len(bodies)))]


@every_exercise
def test_an_unanswered_exercise_is_unfinished(exercise):
    assert {exercise.grade(stub).status for stub in stubs(exercise)} == {"unfinished"}


def fails(*arguments):
    raise OSError("the disk is on fire")


def recurses(*arguments):
    return recurses(*arguments)


NONSENSE = [
    None, 1e300, -12345.678, float("nan"), True, 3 + 4j, 10**400, "a text", "", [], [[1, 2], [3]], {"a": 1}, {1, 2},
    object(), int, torch, Exception("x"), torch.zeros(2, 3, 4), torch.tensor([1, 2], dtype=torch.int8), len, torch.sin,
    torch.zeros(3).to_sparse(), torch.nn.Linear(1, 1), numpy.array(["a"]), fails, recurses, lambda: 1, lambda *a: a,
    lambda *a: print(end=""), lambda *a: "a text", lambda *a: float("nan"), lambda *a: 123.456, lambda *a, **k: {},
    lambda *a: torch.zeros(1), lambda *a: torch.ones(2, 3, requires_grad=True), lambda a, b, c, d, e, f, g: 1,
]  # fmt: skip


@cache
def verdicts_on_nonsense(exercise):
    with warnings.catch_warnings(record=True):
        return [exercise.check(answer) for answer in NONSENSE]


@every_exercise
def test_nothing_that_is_passed_makes_a_check_raise(exercise):
    for answer, verdict in zip(NONSENSE, verdicts_on_nonsense(exercise), strict=True):
        assert verdict.status == "wrong" and verdict.message.strip(), answer
        assert "0x" not in repr(verdict)


@every_function
def test_an_interrupt_passes_through(exercise):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exercise.check(interrupted)
    assert torch.get_default_dtype() == torch.float32


def learners_world(leaf):
    return [
        torch.get_rng_state().tolist(), random.getstate(), numpy.random.get_state()[1].tolist(), list(warnings.filters),
        torch.get_default_dtype(), torch.is_grad_enabled(), torch.is_inference_mode_enabled(), leaf.grad.tolist(),
    ]  # fmt: skip


@every_exercise
@pytest.mark.parametrize(
    ("dtype", "mode"),
    [(torch.float32, torch.enable_grad), (torch.float64, torch.no_grad), (torch.float32, torch.inference_mode)],
)
def test_a_check_leaves_the_learners_world_as_it_was(exercise, dtype, mode):
    leaf = torch.ones(2, requires_grad=True)
    leaf.grad = torch.full((2,), 5.0)

    def meddles(*arguments):
        (leaf * torch.rand(2)).sum().backward()
        torch.set_default_dtype(torch.float16)
        torch.set_grad_enabled(False)
        warnings.simplefilter("error")
        random.random(), numpy.random.random()
        fails()

    before_all = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with mode():
            before = learners_world(leaf)
            verdicts = [exercise.grade(answer) for answer in (exercise.answer, exercise.mistakes[0][0], meddles)]
            assert learners_world(leaf) == before
    finally:
        torch.set_default_dtype(before_all)
    assert [verdict.status for verdict in verdicts] == ["right", "wrong", "wrong"]
    assert verdicts[1].mistake == 1


@every_single_number
def test_the_expected_value_is_told_only_by_the_solution(exercise):
    value = f"{torch.as_tensor(exercise.answer).item():g}"
    told = [exercise.prompt, *exercise.hints, *(message for _, message in exercise.mistakes)]
    told += [verdict.message for verdict in verdicts_on_nonsense(exercise)]
    assert not [text for text in told if re.search(rf"(?<![\w.]){re.escape(value)}(?![\d.]\d|\d)", text)]


@every_exercise
def test_no_hint_is_the_solution(exercise):
    def squeezed(text):
        return "".join(text.split())

    lines = exercise.cell().splitlines()
    steps = [step for step in map(squeezed, lines[1:] or lines) if len(step) > 3]
    for hint in exercise.hints:
        assert sum(step in squeezed(hint) for step in steps) < max(1, len(steps))


@every_exercise
def test_it_shows_itself(exercise):
    verdicts = map(exercise.grade, [..., exercise.answer, object()])
    for shown in (exercise, exercise.solution(), *verdicts):
        markdown, text = shown._repr_markdown_(), repr(shown)
        assert "0x" not in text and "0x" not in markdown
        assert markdown.startswith("<div style=") and markdown.endswith("</div>")
        prose = re.sub(r"(?s)```.*?```", "", markdown)
        assert prose.count("`") % 2 == 0 and re.sub(r"`[^`]*`", "", prose).count("$") % 2 == 0
    heading = "Predict" if isinstance(exercise, Prediction) else "Exercise" if exercise.given is None else "Repair"
    assert repr(exercise).startswith(f"{heading}. ")


@every_exercise
def test_texts_are_whole(exercise):
    for text in (exercise.prompt, *exercise.hints, *(message for _, message in exercise.mistakes)):
        assert text == text.strip() and re.search(r"[.?:!`$]$", text), text
        assert text.replace("**", "").count("*") % 2 == 0 or "`" in text
