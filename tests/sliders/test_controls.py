"""What a learner writes for a slider, and what is said where it makes no sense."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_utils.sliders import play
from course_utils.sliders.controls import control


@pytest.mark.parametrize(
    ("written", "kind", "values", "start"),
    [
        ((0, 4), "range", [0, 1, 2, 3, 4], 2),
        ((0, 10, 5, 0), "range", [0, 5, 10], 0),
        ((-1, 1, 0.5), "range", [-1, -0.5, 0, 0.5, 1], 0),
        ((0, 1, 0.3, 0.5), "range", [0, 0.3, 0.6, 0.9], 0.6),
        (range(1, 4), "range", [1, 2, 3], 1),
        (range(3, 0, -1), "range", [1, 2, 3], 3),
        ([0.01, 0.1, 1.0], "range", [0.01, 0.1, 1.0], 0.01),
        (["sgd", "adam"], "choice", ["sgd", "adam"], "sgd"),
        ([3, 1, 2], "choice", [3, 1, 2], 3),
        ({"sine": torch.sin, "cosine": torch.cos}, "choice", [torch.sin, torch.cos], torch.sin),
        ([torch.sin, torch.cos], "choice", [torch.sin, torch.cos], torch.sin),
        (True, "checkbox", [False, True], True),
        ((torch.tensor(0.0), torch.tensor(1.0), 0.5), "range", [0, 0.5, 1], 0.5),
    ],
)
def test_every_form(written, kind, values, start):
    made = control("x", written)
    assert (made.kind, list(made.values), made.values[made.start]) == (kind, values, start)
    assert len(made.labels) == len(made.values)
    assert made.at(0) == values[0]
    assert made.at(1) == values[-1]


def test_whole_numbers_stay_whole_and_others_do_not():
    assert {type(value) for value in control("n", (0, 3)).values} == {int}
    assert {type(value) for value in control("x", (-2, 2, 0.05)).values} == {float}
    assert control("x", (0.0, 3.0, 1)).labels == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    ("width", "step"), [((0.0, 1.0), 0.01), ((-2.0, 2.0), 0.02), ((0.0, 6.28), 0.05), ((0.0, 1e-3), 1e-5)]
)
def test_a_range_without_a_step_gets_a_round_one(width, step):
    values = control("x", width).values
    assert values[1] - values[0] == pytest.approx(step)
    assert 100 <= len(values) - 1 <= 250


@given(low=st.floats(-1e3, 1e3), width=st.floats(1e-2, 1e3), parts=st.integers(1, 500))
def test_values_rise_and_stay_inside(low, width, parts):
    made = control("x", (low, low + width, width / parts))
    assert all(a < b for a, b in zip(made.values, made.values[1:], strict=False))
    assert made.values[0] >= low - 1e-9
    assert made.values[-1] <= low + width + 1e-9
    for value in made.values:
        made.check(min(max(value, low), low + width))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ((2, -2), r"x = \(2, -2\): the minimum 2 is above the maximum -2"),
        ((1, 1), "empty"),
        ((0, 1, 0), "step 0 must be above zero"),
        ((0, 1, -0.1), "above zero"),
        ((0, 1, 5), "at most 1"),
        ((2, 5, 9), "step 9 must be above zero and at most 3"),
        ((0, 1, 0.1, 3), "start 3 is outside 0 to 1"),
        ((0, 1, 1e-9), "larger step"),
        ((0, float("nan")), "nan; expected a finite number"),
        ((0, float("inf")), "finite"),
        ((1,), r"expected \(low, high\)"),
        ([], "holds no choices"),
        ({}, "holds no choices"),
        ([1, "1"], "same label"),
        (range(0), "no numbers"),
        (play([1]), "two values"),
        (play(True), "two values"),
    ],
)
def test_errors_name_the_slider(written, said):
    with pytest.raises(ValueError, match=said) as caught:
        control("x", written)
    assert str(caught.value).startswith("x")


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ((0, 4, 2), "x from 0 to 4"),
        ([1, 2], "x: 1, 2"),
        ([1, 2, 5], "x from 1 to 5"),
        ([5, 2, 1], "x: 5, 2, 1"),
        (True, "x on or off"),
    ],
)
def test_a_slider_in_words(written, words):
    assert control("x", written).describe() == words


def test_a_slider_has_ten_thousand_positions_at_most():
    assert len(control("x", (1, 10_000)).values) == 10_000
    with pytest.raises(ValueError, match="x = .* has 10001 positions; expected a larger step"):
        control("x", (0, 10_000))


@pytest.mark.parametrize("written", ["abc", 3, None, {1, 2}])
def test_other_forms_are_told_what_is_expected(written):
    with pytest.raises(TypeError, match=r"^x = .*; expected \(low, high\), .* or play"):
        control("x", written)


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [((-2, 2, 0.05), "−2.00", "2.00"), ((-math.pi, math.pi, 0.1), "−3.14", "3.06"), ((0, 1, 1 / 3), "0.000", "1.000"),
     ((0, 1e-3, 1e-4), "0.0000", "0.0010"), ((0.5, 100, 0.5), "0.5", "100.0")],
)  # fmt: skip
def test_labels_have_the_digits_of_the_step(written, first, last):
    labels = control("x", written).labels
    assert (labels[0], labels[-1]) == (first, last)
    assert len(set(labels)) == len(labels)


def test_numbers_below_zero_are_understood_with_either_minus():
    made = control("x", [-0.5, 0.1, 1])
    assert list(made.labels) == ["−0.5", "0.1", "1"]
    assert control("x", range(-2, 3)).labels[0] == "−2"
    assert [made.check(typed) for typed in (-0.5, "-0.5", "−0.5", 1)] == [-0.5, -0.5, -0.5, 1]


def test_typed_values_are_checked():
    whole, real, choice, box = (control("v", each) for each in [(0, 9), (0, 1, 0.1), ["a", "b"], False])
    assert (whole.check(3.0), real.check(torch.tensor(0.25)), choice.check("b"), box.check(True)) == (
        3,
        0.25,
        "b",
        True,
    )
    for made, wrong in [(whole, 2.5), (whole, 10), (real, 1.01), (choice, "c"), (box, 1)]:
        with pytest.raises(ValueError, match=r"^v = "):
            made.check(wrong)
    named = control("f", {"sine": torch.sin})
    assert named.check("sine") is named.check(torch.sin) is torch.sin


def test_play_keeps_the_range_and_its_pace():
    made = control("n", play((0, 3), seconds=0.5, repeat=True))
    assert (list(made.values), made.seconds, made.repeat, made.start) == ([0, 1, 2, 3], 0.5, True, 1)
    assert control("n", play([3, 1], at_end=True)).start == 1
    with pytest.raises(ValueError, match="seconds = 0"):
        play((0, 3), seconds=0)
