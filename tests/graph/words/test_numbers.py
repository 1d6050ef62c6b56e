"""Numbers on a graph: one rule for the drawing, the text and the formulas."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.graph.data import Summary
from course_utils.graph.words.numbers import format_number, format_summary


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (4.0, "4.00"),
        (-1.375, "−1.375"),
        (0.9092974, "0.9093"),
        (27.346, "27.35"),
        (123.456, "123.46"),
        (0.0, "0.00"),
        (-0.0, "0.00"),
        (0.001, "0.001"),
        (9.99999, "10.00"),
        (0.00099999, "1.00e−3"),
        (1.5e-7, "1.50e−7"),
        (-123456.0, "−1.235e5"),
        (math.inf, "inf"),
        (-math.inf, "−inf"),
        (math.nan, "nan"),
        (3, "3"),
        (-3, "−3"),
        (12345678, "1.235e7"),
        (True, "True"),
        (1 - 2j, "1.00−2.00i"),
    ],
)
def test_format_number(number, text):
    assert format_number(number) == text


@given(st.floats(width=32))
def test_format_number_is_short_and_close(number):
    text = format_number(number)
    assert len(text) <= 10
    assert "-" not in text
    if math.isfinite(number):
        assert float(text.replace("−", "-")) == pytest.approx(number, rel=6e-4)


def test_format_summary_shows_entries_where_they_fit():
    matrix = Summary((2, 2), (1.0, 2.0, 3.0, 4.0), 5.477)
    assert format_summary(matrix) == "[[1.00, 2.00], [3.00, 4.00]]"
    assert format_summary(matrix, room=20) == "norm 5.477"
    assert format_summary(Summary((3, 3), (1.0,) * 9, 3.0), room=20) == "all 1.00"
    assert format_summary(Summary((), (4.0,), 4.0), room=1) == "4.00"
    assert format_summary(Summary((1, 1), (4.0,), 4.0)) == "[[4.00]]"


def test_format_summary_without_entries():
    assert format_summary(Summary((100,), (), 3.0)) == "norm 3.00"
    assert format_summary(Summary((100,), (), 15582.87), room=11) == "norm 1.6e4"
    assert format_summary(Summary((100,), (), 1.2345e-7), room=11) == "norm 1.2e−7"
    assert format_summary(Summary((0, 3), (), 0.0)) == "empty"
    assert format_summary(Summary((100,), (), None)) == "not shown"
    assert format_summary(Summary((100,), (), None, "nan")) == "has nan"
