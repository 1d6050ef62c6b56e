import math
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import plot_curves, plot_derivative, plot_tangent
from course_utils.core.numbers import typable
from course_utils.plots.curves import find_zeros
from course_utils.plots.drawing import primes, spread
from course_utils.plots.functions import grid


def cubic(x):
    return x**3 - 3 * x


def test_tangent_says_value_and_slope():
    assert (
        plot_tangent(lambda x: x**3 - 3 * x, at=0.5).description == "tangent of f at x = 0.5: f = −1.375, slope = −2.25"
    )


@settings(max_examples=10, deadline=None)
@given(st.floats(-1.9, 1.9))
def test_tangent_equals_the_closed_form(at):
    found = re.findall(r"= (\S+?)(?:,|$)", plot_tangent(cubic, at=at).description.split(": ")[1])
    assert [float(typable(text)) for text in found] == pytest.approx([at**3 - 3 * at, 3 * at**2 - 3], abs=5.1e-4)


@pytest.mark.parametrize("at", [1.5, torch.tensor(1.5), torch.tensor([1.5]), torch.tensor(1.5, dtype=torch.float64)])
def test_tangent_of_a_module_and_a_place_in_any_form(at):
    with torch.random.fork_rng(devices=[]):
        net = torch.nn.Linear(1, 1)
    net.load_state_dict({"weight": torch.tensor([[-2.0]]), "bias": torch.tensor([1.0])})
    assert plot_tangent(net, at=at).description == "tangent of f at x = 1.5: f = −2.00, slope = −2.00"


def test_the_function_lends_its_name_and_its_parameter():
    def loss(w):
        return (w - 1) ** 2

    assert plot_tangent(loss, at=2).description == "tangent of loss at w = 2: loss = 1.00, slope = 2.00"
    assert plot_tangent(loss, at=2).figure.axes[0].get_xlabel() == "w"


def test_derivative_says_ranges_zeros_and_marked_values():
    description = plot_derivative(cubic, x=(-2, 2), at=0.5).description
    assert description == (
        "cubic and cubic′ for x from −2 to 2; "
        "cubic lies between −2.00 and 2.00, zero at x = −1.732, 0.00, 1.732; "
        "cubic′ lies between −3.00 and 9.00, zero at x = −1.00, 1.00; at x = 0.5: cubic = −1.375, cubic′ = −2.25"
    )


def test_second_derivative():
    description = plot_derivative(torch.sin, x=(0, 3), order=2, at=1).description
    assert f"sin = {math.sin(1):.4f}, sin′ = {math.cos(1):.4f}, sin″ = −{math.sin(1):.4f}" in description


def test_a_pole_is_drawn_without_flattening_the_rest():
    axes = plot_derivative(lambda x: 1 / x).figure.axes[0]
    low, high = axes.get_ylim()
    assert high - low < 150


def test_a_function_with_gaps_and_a_constant():
    assert "nowhere finite" in plot_derivative(lambda x: torch.log(x), x=(-2, -1)).description
    assert "f is 2.00 throughout" in plot_derivative(lambda x: x * 0 + 2).description


def test_curves_keep_their_line_styles_beside_their_colours():
    axes = plot_derivative(torch.sin, order=2).figure.axes[0]
    curves = [line for line in axes.lines if len(line.get_xdata()) > 2]
    assert len({line.get_linestyle() for line in curves}) == len({line.get_color() for line in curves}) == 3
    assert [text.get_text().strip() for text in axes.texts] == ["sin", "sin′", "sin″"]


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"x": (1, 1)}, ValueError, "x = .* is an empty range"),
        ({"x": 3}, TypeError, "x is 3; expected 2 numbers"),
        ({"order": 0}, ValueError, "order is 0; expected a whole number from 1 to 3"),
        ({"order": 1.5}, TypeError, "order is 1.5"),
        ({"points": 1}, ValueError, "points is 1"),
        ({"at": "a"}, TypeError, "at is 'a'"),
    ],
)
def test_bad_arguments(arguments, kind, message):
    with pytest.raises(kind, match=message):
        plot_derivative(torch.sin, **arguments)


def test_a_tensor_instead_of_the_function():
    with pytest.raises(TypeError, match="f is a float32 tensor with one value; expected a function, .* not its value"):
        plot_tangent(torch.tensor(2.0))


@pytest.mark.parametrize(
    ("f", "zeros"),
    [
        (lambda x: x**2 - 1, [(-1, -1), (1, 1)]),
        (lambda x: x**2, [(0, 0)]),
        (torch.sign, [(0, 0)]),
        (lambda x: torch.sign(x + 0.01), []),
        (lambda x: 1 / (x + 0.01), []),
        (torch.relu, [(-2, 0)]),
        (lambda x: torch.full_like(x, torch.nan), []),
    ],
)
def test_zeros_are_where_the_curve_crosses_or_touches_or_lies(f, zeros):
    xs = grid(-2, 2, 201)
    found = find_zeros(xs, f(xs))
    assert len(found) == len(zeros)
    for pair, expected in zip(found, zeros, strict=True):
        assert pair == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("off", [-2, -1, 0, 1, 2])
def test_zeros_of_single_precision_are_the_same_wherever_rounding_puts_them(off):
    x = torch.linspace(0, 2 * math.pi, 201)
    wave = torch.sin(x) + off * 1e-7
    assert "zero at x = 0.00, 3.142, 6.283" in repr(plot_curves(x, wave=wave))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_labels_are_spread_in_order(heights):
    moved = spread(heights)
    order = sorted(range(len(heights)), key=heights.__getitem__)
    gaps = [moved[above] - moved[below] for below, above in zip(order, order[1:], strict=False)]
    assert all(gap > 0.0749 for gap in gaps)
    assert max(moved) <= 1


def test_names_of_derivatives():
    assert [primes("f", order) for order in (0, 1, 2, 3, 4, 12)] == ["f", "f′", "f″", "f‴", "f⁽⁴⁾", "f⁽¹²⁾"]
