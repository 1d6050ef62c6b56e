import warnings

import numpy as np
import pytest
import torch

from course_utils import show_tensors, table


def test_columns_line_up_and_underscores_become_spaces():
    shown = repr(table(calls_so_far=[1, 20], grad=[4.0, torch.tensor(8.0)]))
    assert shown.splitlines() == ["calls so far  grad", "1             4.00", "20            8.00"]


def test_a_column_of_numbers_shares_its_decimals_and_has_a_real_minus():
    assert repr(table(x=[-1.92, 1.898, -0.0, None, 3])).splitlines()[1:] == ["−1.920", "1.898", "0.000", "None", "3"]
    assert repr(table(x=torch.tensor([1.92, 1.898]))).splitlines()[1:] == ["1.920", "1.898"]
    assert repr(table(x=np.array([1.92, 1.898], dtype="float32"))).splitlines()[1:] == ["1.920", "1.898"]


def test_each_tensor_shares_the_decimals_of_its_entries():
    cells = [torch.tensor([[1.0, -2.5], [0.125, 4.0]]), [torch.tensor(1.0), 0.25, 7, "a"], "words", -1_000_000, 1.5]
    assert repr(table(x=cells)).splitlines()[1:] == [
        "[[1.000, −2.500], [0.125, 4.000]]",
        "[1.00, 0.25, 7, a]",
        "words",
        "−1000000",
        "1.50",
    ]


def test_numbers_stand_right_and_words_left():
    html = table(word=["a"], number=[torch.tensor(1.5)], flag=[True])._repr_html_()
    assert '<td style="text-align: left">a</td><td style="text-align: right">1.50</td>' in html
    assert '<td style="text-align: left">True</td>' in html


def test_html_is_escaped():
    assert "<script>" not in table(x=["<script>"])._repr_html_()


@pytest.mark.parametrize(
    ("columns", "error", "names"),
    [
        ({}, ValueError, "no columns"),
        ({"x": [1], "y": [1, 2]}, ValueError, "'y': 2"),
        ({"x": 3}, TypeError, "column 'x'"),
        ({"x": "abc"}, TypeError, "column 'x'"),
        ({"x": torch.tensor(1.0)}, TypeError, "column 'x' is a float32 tensor with one value; expected a list"),
        ({"x": {1, 2}}, TypeError, "column 'x' is {1, 2}"),
        ({"x": abs}, TypeError, "column 'x' is the function abs"),
    ],
)
def test_bad_columns_are_named(columns, error, names):
    with pytest.raises(error, match=names):
        table(**columns)


def test_show_tensors_reads_a_non_leaf_without_a_warning():
    x = torch.tensor([2.0], requires_grad=True)
    y = 3 * x**2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shown = repr(show_tensors(x=x, y=y))
    assert "not kept (not a leaf)" in shown
    assert "MulBackward0" in shown


def test_show_tensors_shows_a_kept_gradient():
    x = torch.tensor(2.0, requires_grad=True)
    y = x**2
    y.retain_grad()
    (3 * y).backward()
    assert repr(show_tensors(x=x, y=y)).splitlines()[-1].split() == ["grad", "12.00", "3.00"]


def test_show_tensors_names_what_is_no_tensor():
    with pytest.raises(TypeError, match="x is 2.0; expected a tensor"):
        show_tensors(x=2.0)
    with pytest.raises(ValueError, match="no tensors"):
        show_tensors()
