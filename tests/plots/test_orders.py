"""Taylor polynomials, n-th derivatives, finite differences."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_utils import explore_derivatives, explore_secant, explore_taylor, plot_difference_error
from course_utils.plots.differences import difference_errors, secant_view
from course_utils.plots.drawing import still
from course_utils.plots.functions import ScalarFunction
from course_utils.plots.taylor import nth_derivative_view, taylor_coefficients, taylor_view


def taylor_still(f, *, at=0.0, order=3):
    return still(taylor_view(f), at=at, order=order)


def nth_derivative_still(f, *, order, x=(-2, 2)):
    return still(nth_derivative_view(f, x=x), order=order)


def secant_still(f, *, at, h):
    return still(secant_view(f), at=at, h=h)


def test_taylor_polynomial_of_sin():
    description = taylor_still(torch.sin, order=5).description
    assert "coefficients 0.00, 1.00, 0.00, −0.1667, 0.00, 0.008333; within 0.1 from −2.44 to 2.44 of sin" in description


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=6), st.floats(-1, 1))
def test_taylor_polynomial_of_a_polynomial_is_itself(powers, at):
    def polynomial(x):
        return sum(factor * x**power for power, factor in enumerate(powers)) + 0 * x

    coefficients = taylor_coefficients(ScalarFunction(polynomial, probe=[0.5]), at, len(powers) - 1)
    there = sum(coefficient * (2 - at) ** power for power, coefficient in enumerate(coefficients))
    assert there == pytest.approx(polynomial(2.0), abs=1e-8)


def test_taylor_polynomial_where_nothing_is_near_and_where_all_is():
    assert "nowhere within 0.1 of f" in taylor_still(lambda x: 1 / x, at=0).description
    assert "within 0.1 from −4.00 to 4.00" in taylor_still(lambda x: x**2, order=2).description


def test_nth_derivative_of_sin_comes_round():
    described = [nth_derivative_still(torch.sin, order=order, x=(0, 6)).description for order in (0, 4)]
    assert described[0].split(" lies ")[1] == described[1].split(" lies ")[1]
    assert described[1].startswith("derivative of order 4: sin⁽⁴⁾ for x from 0 to 6; sin⁽⁴⁾ lies between")


def test_derivatives_past_the_last_are_zero():
    assert nth_derivative_still(lambda x: x**3, order=5).description.endswith("f⁽⁵⁾ is 0.00 throughout")


def test_secant_and_tangent():
    assert secant_still(lambda x: x**2, at=1, h=0.5).description == (
        "f at x = 1: slope of the tangent 2.00, of the secant 2.50 (h = 0.5), 0.50 apart"
    )


def test_difference_error_is_best_in_the_middle():
    description = plot_difference_error(torch.sin, at=1).description
    assert description.startswith("error of the forward difference of sin at x = 1: float32 is best near h = ")
    assert description.endswith("float64 is best near h = 1e−8")


@pytest.mark.parametrize(("central", "order"), [(False, 1), (True, 2)])
def test_large_steps_err_by_the_order_of_the_difference(central, order):
    steps = torch.tensor([0.02, 0.01], dtype=torch.float64)
    errors = difference_errors(torch.exp, 1.0, math.e, steps, dtype=torch.float64, central=central)
    assert (errors[0] / errors[1]).log2().item() == pytest.approx(order, abs=0.02)


def test_small_steps_err_in_float32_only():
    steps = torch.tensor([1e-6], dtype=torch.float64)
    single, double = (
        difference_errors(torch.exp, 1.0, math.e, steps, dtype=dtype, central=False).item()
        for dtype in (torch.float32, torch.float64)
    )
    assert single > 100 * double


def test_a_module_takes_both_dtypes():
    with torch.random.fork_rng(devices=[]):
        net = torch.nn.Sequential(torch.nn.Linear(1, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    assert "float64 is best" in plot_difference_error(net, at=0.3).description
    assert net[0].weight.dtype == torch.float32


@pytest.mark.parametrize(
    ("plot", "kind", "message"),
    [
        (lambda: explore_taylor(torch.sin, order=11), ValueError, "order is 11; expected a whole number from 1 to 10"),
        (lambda: explore_derivatives(torch.sin, order=0), ValueError, "order is 0"),
        (lambda: explore_secant(torch.sin, h=(-1, 1)), ValueError, r"h = \(-1.0, 1.0\) holds 0; expected a range"),
        (
            lambda: plot_difference_error(torch.square, at=0.0, central=True),
            ValueError,
            "the central difference of square at x = 0 is exact at every step",
        ),
        (
            lambda: plot_difference_error(lambda x: torch.ones(1) @ x.reshape(1)),
            ValueError,
            "f raised RuntimeError at x = 1",
        ),
    ],
)
def test_bad_arguments(plot, kind, message):
    with pytest.raises(kind, match=message):
        plot()
