"""Whatever an answer does, there is a verdict in words, the session lives on, and the learner's world is as it was."""

import subprocess
import sys

import pytest
import torch

from course_utils.exercises import lesson_02, limits
from course_utils.exercises.exercise import Exercise

HINTS = ["look", "look closer"]
sine, backward = torch.sin, torch.Tensor.backward


def ask(solution=lambda x: 2 * x):
    return Exercise("What?", solution, probe={"at 1": lambda f: f(1.0), "at 2": lambda f: f(2.0)}, hints=HINTS)


class Own(Exception):
    def __str__(self):
        raise ValueError("no words")


class OwnBase(BaseException):
    pass


def raises(error):
    def answer(x):
        raise error

    return answer


def for_ever(x):
    while True:
        pass


def for_ever_after_a_catch(x):
    try:
        for_ever(x)
    except:  # noqa: E722
        for_ever(x)


def deletes_backward(x):
    del torch.Tensor.backward
    return 2 * x


def replaces_sine(x):
    torch.sin = torch.cos
    return 2 * x


@pytest.mark.parametrize("answer", [for_ever, for_ever_after_a_catch])
def test_an_endless_loop_is_stopped(answer, monkeypatch):
    monkeypatch.setattr(limits, "PATIENCE", 0.2)
    assert "was still running" in ask().grade(answer).message
    assert ask().grade(lambda x: 2 * x).status == "right"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (raises(Own()), "stops with Own"), (raises(OwnBase("mine")), "stops with OwnBase"),
        (raises(SystemExit(1)), "stops with SystemExit"), (raises(GeneratorExit()), "stops with GeneratorExit"),
        (lambda x: torch.zeros(1).expand(10**12), "of type tensor with 1,000,000,000,000 numbers"),
        (lambda x: [0] * 10**7, "of type list of 10,000,000"), (lambda x: "a" * 10**7, "of type str of 10,000,000"),
        (lambda x: torch.empty(10**15), "more memory than there is"),
        (deletes_backward, "replaces or deletes `torch.Tensor.backward`"), (replaces_sine, "deletes `torch.sin`"),
    ],
)  # fmt: skip
def test_there_is_a_verdict_in_words(answer, says):
    assert says in ask().grade(answer).message
    assert torch.sin is sine and torch.Tensor.backward is backward


def test_values_that_are_too_large():
    it = Exercise("What?", 1.0, hints=HINTS)
    for value in (torch.zeros(1).expand(10**12), [1] * 10**7, "1" * 10**7):
        assert "of type" in it.grade(value).message


def test_only_the_beginning_of_a_long_print_is_shown(capsys):
    def prints(x):
        print("a" * 10_000_000)
        print("more", file=sys.stderr)
        return 2 * x

    assert ask().grade(prints).status == "right"
    printed, told = capsys.readouterr()
    assert len(printed) < 4 * limits.PRINTED and "left out" in printed and told == "more\nmore\n"


def test_a_deleted_backward_does_not_reach_the_next_check():
    assert lesson_02.slope.grade(lambda f, x: delattr(torch.Tensor, "backward")).status == "wrong"
    assert lesson_02.slope.grade(lesson_02.slope.answer).status == "right"


def test_a_profiler_still_runs_after_a_check():
    """Python 3.11 waits for ever under a profiler if an error for a thread was called back."""
    lines = [
        "import sys",
        "from course_utils.exercises import lesson_02",
        "print(lesson_02.slope.grade(lambda f, x: 1).status)",
        "sys.setprofile(lambda *_: None)",
        "(lambda: 1)()",
    ]
    run = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, encoding="utf-8", timeout=120)
    assert (run.returncode, run.stdout) == (0, "wrong\n")
