import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import plot_matrix
from course_utils.core.numbers import typable
from course_utils.plots.drawing import still
from course_utils.plots.matrices import jacobian_of, vjp_view


def vjp_still(jacobian, v, *, at=None):
    return still(vjp_view(jacobian_of(jacobian, at=at)), v=v)


def pair(x):
    return torch.stack([x[0] * x[1], x[0] + x[1]])


def test_a_small_matrix_is_said_in_full():
    jacobian = torch.autograd.functional.jacobian(pair, torch.tensor([2.0, 3.0]))
    assert plot_matrix(jacobian, name="Jacobian").description == "Jacobian, 2 by 2: (3.00, 2.00), (1.00, 1.00)"


def test_a_large_matrix_is_summed_up():
    picture = plot_matrix(torch.eye(30))
    assert picture.description == "matrix, 30 by 30, entries from 0.00 to 1.00, 870 of 900 are zero"
    assert len(picture.svg) < 30_000


def test_rows_columns_and_numbers_are_written():
    axes = plot_matrix([[1.0, -2.5]], rows=["loss"], columns="w").figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["loss"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["w₀", "w₁"]
    assert [text.get_text() for text in axes.texts] == ["1.00", "−2.50"]


def test_a_row_and_a_column_can_be_framed():
    axes = plot_matrix(torch.ones(2, 3), row=1, column=2).figure.axes[0]
    assert [patch.get_bbox().bounds for patch in axes.patches] == [(-0.5, 0.5, 3, 1), (1.5, -0.5, 1, 2)]


def test_entries_that_are_not_finite_and_all_zero():
    assert plot_matrix([[1.0, float("nan")]]).description == "matrix, 1 by 2: (1.00, nan)"
    assert plot_matrix(torch.zeros(2, 2)).description == "matrix, 2 by 2: (0.00, 0.00), (0.00, 0.00)"


def test_vjp_of_the_lesson():
    assert vjp_still([[4.0, 0.0], [0.0, 6.0]], [1.0, 1.0]).description == "v = (1.00, 1.00), vᵀJ = (4.00, 6.00)"


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 4), st.integers(1, 5), st.integers(0, 99))
def test_vjp_of_any_shape_is_what_backward_computes(outputs, inputs, seed):
    numbers = torch.Generator().manual_seed(seed)
    weight = torch.randn(outputs, inputs, generator=numbers, dtype=torch.float64)
    v = torch.randn(outputs, generator=numbers, dtype=torch.float64)
    x = torch.ones(inputs, dtype=torch.float64, requires_grad=True)
    (weight @ x).backward(v)
    said = re.findall(r"−?\d[^,)]*", vjp_still(weight, v).description.split("vᵀJ")[1])
    found = torch.tensor([float(typable(text)) for text in said], dtype=torch.float64)
    torch.testing.assert_close(found, x.grad, atol=6e-4, rtol=6e-4)


def test_the_jacobian_of_a_learners_function_or_module():
    assert jacobian_of(pair, at=[2.0, 3.0]).tolist() == [[3.0, 2.0], [1.0, 1.0]]
    with torch.random.fork_rng(devices=[]):
        net = torch.nn.Linear(3, 2)
    torch.testing.assert_close(jacobian_of(net, at=[1.0, 2.0, 3.0]), net.weight.detach().double())
    assert net.weight.grad is None


def test_a_vjp_of_zero_is_drawn():
    assert vjp_still(torch.zeros(2, 2), [0.0, 0.0]).description == "v = (0.00, 0.00), vᵀJ = (0.00, 0.00)"


@pytest.mark.parametrize(
    ("plot", "kind", "message"),
    [
        (lambda: plot_matrix(torch.ones(3)), ValueError, "matrix is .* expected a tensor with 2 dimensions"),
        (lambda: plot_matrix("J"), TypeError, "matrix is 'J'; expected a tensor or a list of numbers"),
        (
            lambda: plot_matrix(torch.ones(2, 2), rows=["a"]),
            ValueError,
            "rows has 1 names for 2 rows; expected one for each",
        ),
        (lambda: plot_matrix(torch.ones(2, 2), row=2), ValueError, "row is 2; expected a whole number from 0 to 1"),
        (
            lambda: vjp_still(torch.sqrt, [1.0], at=[0.0]),
            ValueError,
            r"the Jacobian at \(0\) has an entry",
        ),
        (lambda: plot_matrix(torch.ones(2, 2), rows=3), TypeError, r"rows is 3; expected a list, such as \['a', 'b'\]"),
        (lambda: vjp_still(pair, [1.0, 1.0]), TypeError, "at is None; expected the point"),
        (
            lambda: vjp_still(lambda x: x.sum(), [1.0], at=[1.0]),
            ValueError,
            "returned something other than a vector",
        ),
        (
            lambda: vjp_still(lambda x: 1 / 0, [1.0], at=[1.0]),
            ValueError,
            r"jacobian raised Zero\w+ at \(1\)",
        ),
    ],
)
def test_bad_arguments(plot, kind, message):
    with pytest.raises(kind, match=message):
        plot()
