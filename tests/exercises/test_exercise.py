"""The mechanism on small exercises made here: what it says, what it keeps, what it shows."""

import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

import pytest
import torch

from course_utils.core import palette
from course_utils.exercises.compare import same
from course_utils.exercises.exercise import Exercise, Prediction, Verdict, exercise, prediction
from course_utils.exercises.observe import canonical, is_unfinished, observe
from course_utils.exercises.show import as_code

HINTS = ["look", "look closer"]


def ask(solution, probe=lambda answer: answer, **parts):
    return Exercise("What?", solution, probe=probe, hints=HINTS, **parts)


def message_for(answer, solution, **parts):
    verdict = ask(solution, **parts).grade(answer)
    assert verdict.status == "wrong" and verdict.mistake is None
    return verdict.message


@pytest.mark.parametrize("twelve", [12, 12.0, torch.tensor(12), torch.tensor(12.0, requires_grad=True)])
def test_twelve_is_twelve(twelve):
    assert ask(12.0).grade(twelve) == Verdict("right")


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ((torch.tensor(1.0), torch.tensor(2.0)), torch.tensor([1, 2]), True),
        ([Fraction(1, 2), Decimal("0.25")], [0.5, 0.25], True),
        ([[1, 2], [3, 4]], torch.tensor([[1.0, 2.0], [3.0, 4.0]]), True),
        ([torch.zeros(2), torch.zeros(3)], [torch.zeros(2), torch.zeros(3)], True),
        ([torch.zeros(2), torch.zeros(3)], [torch.zeros(2)], False),
        ({"b", "A"}, {"a", "B "}, True),
        ({"x": 1, "y": None}, {"y": None, "x": 1.0}, True),
        (" Error", "error", True),
        (float("nan"), float("nan"), True),
        (True, 1.0, True),
        (None, 0.0, False),
        (1.0, 1.0 + 1e-4, False),
        (torch.zeros(1), 0.0, False),
        (1 + 0j, 1.0, False),
        (torch.zeros(2).to_sparse(), [0, 0], True),
    ],
)
def test_what_counts_as_the_same(one, other, alike):
    assert same(canonical(one), canonical(other), tolerance=1e-5) is alike


def test_an_observation_is_a_copy_of_its_own():
    tensor = torch.ones(2)
    seen = observe(lambda answer: answer, tensor)
    tensor.zero_()
    assert seen[""].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("answer", "solution", "says"),
    [
        (None, 3.0, "None"),
        ("three", 3.0, "a text, and a single number is asked for"),
        ("3 or 4", 3.0, "a text, and a single number is asked for. Numbers are typed without quotation marks"),
        (["1", "2"], [1.0, 2.0], "typed without quotation marks"),
        ([1.0, 2.0], 3.0, "numbers of shape (2,), and a single number is asked for"),
        (3.0, [1.0, 2.0], "a single number, and numbers of shape (2,) are asked for"),
        ([1, 2, 3, 4], [[1, 2], [3, 4]], "right numbers, wrong shape"),
        ([[1, 3], [2, 4]], [[1, 2], [3, 4]], "rows and columns are swapped"),
        ([0, 0, 0], [1, 2, 3], "zero everywhere"),
        ([float("nan"), 2.0], [1.0, 2.0], "nan (not a number) in some places"),
        ([float("inf")] * 2, [1.0, 2.0], "infinity"),
        ([3, 2, 1], [1, 2, 3], "1 of the 3 numbers is right"),
        ([4, 3, 2, 1], [1, 2, 3, 4], "opposite order"),
        ([7.0, 8.5], [1.0, 2.0], "The shape (2,) is right, the numbers are not"),
        (1 + 2j, 1.0, "complex numbers"),
        ({"a", "b"}, {"a", "c"}, "You name 2, of which 1 belongs there; some are missing"),
        ([[1, 2], [3]], [[1, 2], [3], [4]], "2 things, and 3 are asked for"),
        ([[1, 2], [3]], [[1, 2], [4]], "Look at number 2 of 2"),
        (object(), 1.0, "of type object"),
        (lambda: 1.0, 1.0, "you passed a function"),
    ],
)
def test_diagnosis_of_values(answer, solution, says):
    assert says in message_for(answer, solution)


def double(x):
    return 2 * x


CALL = {"probe": lambda f: f(torch.tensor([1.0, 3.0]))}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda x: x, "Every number is 0.5 times what it should be"),
        (lambda x: 2.0001 * x, "close, but not close enough"),
        (lambda x: -2 * x, "The sign is wrong"),
        (lambda x: print(end=""), "Is there a `return`?"),
        (lambda x: x.undefined, "stops with AttributeError in the line"),
        (lambda x: "nan", "a text, and numbers of shape (2,) are asked for"),
        (double(3.0), "Pass the function itself, without calling it: `check(double)`"),
        (lambda: 1.0, "called as `double(x)`; your parameters are: none"),
        (lambda x, y: x, "your parameters are: x, y"),
        (lambda x: x.sum, "Are the brackets of a call missing?"),
        (lambda x: [x, None], "Number 2 in it is None"),
    ],
)
def test_diagnosis_of_functions(answer, says):
    assert says in message_for(answer, double, **CALL)


def test_a_wrong_word_of_a_probe_is_told():
    kind = {"slope at 0": lambda f: f(0.0)}
    assert "*slope at 0*. It gives “inf”, and that is not right." in message_for(
        lambda x: "inf", lambda x: "0", probe=kind
    )


def test_a_factor_is_told_of_functions_only_or_it_would_give_the_number_away():
    assert "times" not in message_for(6.0, 3.0)
    assert "The number is 2 times" in message_for(lambda: 6.0, lambda: 3.0, probe=lambda f: f())


def test_a_factor_of_one_number_is_told_only_where_it_means_something():
    assert "The number is not right" in message_for(lambda: 4.7312, lambda: 3.0, probe=lambda f: f())


def test_parameters_in_another_order_are_told():
    def power(a, b):
        return a**b

    said = message_for(lambda b, a: a**b, power, probe=lambda f: f(2.0, 3.0))
    assert said == "It is called as `power(a, b)`; your parameters are: b, a."
    assert ask(power, probe=lambda f: f(2.0, 3.0)).grade(lambda b, c: b**c) == Verdict("right")


def test_the_first_case_that_differs_is_named_and_the_others_are_counted():
    probe = {"at 1": lambda f: f(1.0), "at 2": lambda f: f(2.0), "at 3": lambda f: f(3.0)}
    said = message_for(lambda x: 2 * x if x < 2 else 1.0, double, probe=probe)
    assert said.startswith("Tried: *at 2*.") and "(1 of 3 tests agree.)" in said


def test_a_flag_is_told_by_its_name():
    said = message_for(lambda x: 3, lambda x: None, probe={"the list is left alone": lambda f: f([1]) is None})
    assert said.startswith("This should hold and does not: *the list is left alone*.")


global_tensor = torch.ones(2, requires_grad=True)


def test_a_function_that_reads_a_tensor_from_the_notebook_is_told_so():
    assert "reads `global_tensor` from the notebook" in message_for(lambda x: 3 * global_tensor, double, **CALL)


def test_gradients_of_tensors_outside_are_put_back():
    global_tensor.grad = kept = torch.full((2,), 5.0)
    ask(double, **CALL).grade(lambda x: (x.sum() * global_tensor).sum().backward())
    assert global_tensor.grad is kept and kept.tolist() == [5.0, 5.0]
    global_tensor.grad = None
    ask(double, **CALL).grade(lambda x: (x.sum() * global_tensor).sum().backward())
    assert global_tensor.grad is None


def test_a_warning_that_pytorch_gives_once_is_not_used_up():
    program = """
import torch
from course_utils.exercises import lesson_05

def nth_derivative(f, x, n):
    x = torch.tensor(x, requires_grad=True)
    f(x).backward(create_graph=True)
    return x.grad

assert lesson_05.nth_derivative.grade(nth_derivative).status == "wrong"
torch.ones(1, requires_grad=True).square().backward(create_graph=True)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, encoding="utf-8")
    assert ran.stderr.count("reference cycle") == 1


@pytest.mark.parametrize("done", [0, 0.0, None, "...", [], lambda x: 0, lambda x: x, len, torch.nn.Module])
def test_what_is_finished(done):
    assert not is_unfinished(done)


def test_a_function_of_autograd_is_to_be_passed_by_its_apply():
    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(x):
            return 2 * x

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

        @staticmethod
        def backward(ctx, upstream):
            return 2 * upstream

    twice = Exercise("Twice.", lambda x: 2 * x, probe=lambda twice: twice(torch.ones(2)), hints=["Add.", "Add x."])
    assert twice.grade(Twice.apply).status == "right"
    assert "`check(Twice.apply)`" in twice.grade(Twice).message


def test_a_class_with_an_empty_method_is_unfinished():
    class Empty(torch.autograd.Function):
        @staticmethod
        def forward(x): ...

    assert is_unfinished(Empty)


def test_a_whole_autograd_function_is_finished():
    class Same(torch.autograd.Function):
        @staticmethod
        def forward(x):
            return x.clone()

    assert not is_unfinished(Same)


def test_a_not_implemented_of_pytorch_itself_is_an_error():
    said = message_for(lambda x: torch.empty(2, device="meta").to("cpu"), double, **CALL)
    assert "NotImplementedError" in said


def test_a_decorated_solution_becomes_an_exercise_and_its_source_has_no_decorator():
    @exercise("Twice?", probe=lambda f: f(2.0), hints=HINTS)
    def twice(x):
        return 2 * x

    @twice.mistake("That is once.")
    def _(x):
        return x

    @twice.right
    def _(x):
        return x + x

    assert twice.cell() == "def twice(x):\n    return 2 * x"
    assert [twice.grade(answer).status for answer in (*twice.also_right, twice.mistakes[0][0])] == ["right", "wrong"]
    assert twice.name is None and "exercise.hint()" in twice.grade(...).message


def test_broken_code_is_a_mistake_with_its_symptom_and_can_be_shown():
    @exercise("Fix it.", probe=lambda twice: twice(3.0), hints=HINTS)
    def twice(x):
        return x + x

    @twice.broken("It gives 9 for 3.")
    def twice(x):
        return x * x

    assert isinstance(twice, Exercise) and repr(twice) == "Repair. Fix it."
    assert twice.given == "def twice(x):\n    return x * x"
    again = twice.grade(lambda x: x**2)
    assert again.mistake == 1 and again.message.startswith("The same symptom as before. It gives 9 for 3.")
    assert twice.grade(lambda x: 2 * x) == Verdict("right")
    assert ask(12.0).given is None


def test_a_prediction_runs_its_code_and_shows_it():
    @prediction("How much?", hints=HINTS)
    def how_much():
        return torch.tensor(1.0) / 3

    assert [how_much.grade(given).status for given in (1 / 3, 0.333, 0.3)] == ["right", "right", "wrong"]
    assert how_much.cell("guess").endswith("guess = how_much()")
    assert Prediction("?", 18.0, hints=HINTS).cell() == "prediction = 18.0"


def test_hints_come_one_by_one_and_the_last_one_stays():
    it = ask(1.0)
    assert [it.hint().word for _ in range(3)] == ["Hint 1 of 2", "Hint 2 of 2", "Hint 2 of 2"]
    assert "`exercise.solution()`" in repr(it.hint())


@pytest.mark.parametrize("status", ["right", "wrong", "unfinished"])
def test_a_verdict_is_text_first_and_colour_only_as_a_border(status):
    verdict = Verdict(status, "Why, in `code`.")
    word = {"right": "Right", "wrong": "Not yet", "unfinished": "Unfinished"}[status]
    assert repr(verdict) == f"{word}. Why, in `code`."
    markdown = verdict._repr_markdown_()
    assert markdown.count("#") == 1 and 'style="border-left: 4px solid #' in markdown and "color" not in markdown
    assert f"\n\n**{word}.** Why, in `code`.\n\n" in markdown


def luminance(tone):
    channels = [int(tone[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("paper", ["#ffffff", "#111111"])
@pytest.mark.parametrize("tone", [palette.LEAF, palette.TROUBLE, palette.VALUE, palette.MUTED])
def test_borders_are_seen_on_both_papers(tone, paper):
    lighter, darker = sorted((luminance(tone), luminance(paper)), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 3


def test_code_of_the_learner_cannot_break_out_of_its_quotes():
    assert as_code("a `b`\n<script>" + "x" * 500).count("`") == 2
    assert len(as_code("x" * 500)) == 162 and as_code("") == ""
