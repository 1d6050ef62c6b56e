import math

import numpy
import pytest
import torch

from course_utils.core import checks


@pytest.mark.parametrize("value", [0.5, 1, torch.tensor(0.5), torch.tensor([2]), torch.tensor(3.0, requires_grad=True)])
def test_one_number_in_any_form(value):
    assert checks.check_number(value, name="at") == pytest.approx(torch.as_tensor(value).item())


@pytest.mark.parametrize(
    ("check", "kind", "message"),
    [
        (lambda: checks.check_number("1", name="at"), TypeError, "at is '1'; expected one number"),
        (lambda: checks.check_number(None, name="at"), TypeError, "at is None; expected one number"),
        (lambda: checks.check_number(True, name="at"), TypeError, "at is True"),
        (lambda: checks.check_number(numpy.ones(2), name="at"), TypeError, "at is array.*; expected one number"),
        (lambda: checks.check_number(math.nan, name="at"), ValueError, "at is nan; expected a finite number"),
        (lambda: checks.check_number(torch.ones(3), name="at"), ValueError, r"at is a float32 tensor of shape \(3,\)"),
        (lambda: checks.check_numbers(3, name="start", count=2), TypeError, r"start is 3; .* such as \(1, 2\)"),
        (lambda: checks.check_sequence("ab", name="sizes", sample="[2, 1]"), TypeError, r"sizes is 'ab'; .* \[2, 1\]"),
        (lambda: checks.check_sequence(torch.ones(()), name="sizes", sample="[2]"), TypeError, "sizes is a float32"),
        (lambda: checks.check_text(3, name="title"), TypeError, "title is 3; expected a text"),
        (lambda: checks.check_numbers((1, 2, 3), name="start", count=2), ValueError, "start has 3 entries"),
        (lambda: checks.check_numbers((1, "b"), name="start", count=2), TypeError, r"start\[1\] is 'b'"),
        (lambda: checks.check_range((2, 2), name="x"), ValueError, r"x = \(2.0, 2.0\) is an empty range"),
        (lambda: checks.check_range((2, -2), name="x"), ValueError, "low below high"),
        (lambda: checks.check_range("ab", name="x"), TypeError, "x is 'ab'"),
        (
            lambda: checks.check_whole(2.5, name="order", low=1, high=3),
            TypeError,
            "order is 2.5; expected a whole number",
        ),
        (lambda: checks.check_whole(torch.tensor(1.5), name="order", low=1, high=3), TypeError, "order is a float32"),
        (lambda: checks.check_whole(True, name="order", low=1, high=3), TypeError, "order is True; expected a whole"),
        (lambda: checks.check_whole(9, name="order", low=1, high=3), ValueError, "order is 9; .* from 1 to 3"),
        (
            lambda: checks.check_function(torch.ones(2)),
            TypeError,
            "f is a float32 tensor .* or an nn.Module, not its value",
        ),
        (lambda: checks.check_function(3), TypeError, "f is 3; expected a function"),
        (lambda: checks.check_tensor("ab", name="v"), TypeError, "v is 'ab'; expected a tensor or a list of numbers"),
        (lambda: checks.check_tensor([[1.0]], name="v", dims=1), ValueError, "expected a tensor with 1 dimension$"),
        (lambda: checks.check_tensor([], name="v"), ValueError, "v is empty"),
        (lambda: checks.check_tensor(torch.ones(2) * 1j, name="v"), TypeError, "v is a complex64 tensor"),
    ],
)
def test_errors_name_the_argument_what_was_given_and_what_is_expected(check, kind, message):
    with pytest.raises(kind, match=message):
        check()


@pytest.mark.parametrize("value", [2, torch.tensor(2), numpy.int64(2)])
def test_a_whole_number_in_any_form(value):
    assert checks.check_whole(value, name="order", low=1, high=3) == 2


@pytest.mark.parametrize("value", [1, 3])
def test_both_ends_of_a_range_of_whole_numbers_are_in_it(value):
    assert checks.check_whole(value, name="order", low=1, high=3) == value


@pytest.mark.parametrize("values", [[1, 2], (1, 2), range(2), torch.ones(2), numpy.ones(2)])
def test_what_counts_as_a_list(values):
    assert checks.check_sequence(values, name="sizes", sample="[2, 1]") is values


def test_tensors_come_out_detached_and_in_float64():
    given = torch.ones(2, requires_grad=True)
    checked = checks.check_tensor(given, name="v")
    assert checked.dtype == torch.float64
    assert not checked.requires_grad
    assert checks.check_tensor([1, 2], name="v", dims=1).tolist() == [1.0, 2.0]


def test_long_values_are_named_by_their_kind():
    assert checks.describe(list(range(100))) == "an object of type list"
    assert checks.describe(iter([1])) == "an object of type list_iterator"
    assert checks.describe([torch.zeros(2, 1)]) == "an object of type list"
    assert checks.describe(torch.sin) == "the function sin"
    assert checks.describe(torch.nn.Linear) == "the class Linear"
    assert checks.describe(torch.tensor([1])) == "an int64 tensor of shape (1,)"
    assert checks.describe(torch.nn.Linear(1, 1)) == "the module Linear"
