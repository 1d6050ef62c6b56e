"""How a number reads: one rule for graphs, their words and formulas, and tables."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.core.numbers import format_number


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
