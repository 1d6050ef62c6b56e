import math
import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.plots.functions import ScalarFunction, grid

NUMBERS = st.floats(-3, 3)


@settings(deadline=None)
@given(NUMBERS)
def test_derivatives_of_a_polynomial(x):
    found = ScalarFunction(lambda x: x**3 - 2 * x, probe=[0.5]).derivatives(x, order=5)
    torch.testing.assert_close(found, [x**3 - 2 * x, 3 * x**2 - 2, 6 * x, 6.0, 0.0, 0.0], rtol=1e-12, atol=1e-12)


@settings(deadline=None)
@given(NUMBERS, NUMBERS)
def test_gradient_and_hessian_of_the_lesson_function(u, v):
    function = ScalarFunction(lambda u, v: u**3 + v**2 + 4 * u * v, probe=[0.0, 0.0])
    value, gradient = function.value_and_gradient((u, v))
    torch.testing.assert_close(value, u**3 + v**2 + 4 * u * v)
    torch.testing.assert_close(gradient, (3 * u**2 + 4 * v, 2 * v + 4 * u))
    assert function.hessian((u, v)).tolist() == [[6 * u, 4.0], [4.0, 2.0]]


def test_a_function_that_would_mix_a_whole_range_is_differentiated_point_by_point():
    # over a tensor of many points, x - x.mean() would have the slopes of another function
    function = ScalarFunction(lambda x: x**2 - x.mean(), probe=[0.0])
    xs = grid(-1, 1, 5)
    torch.testing.assert_close(function.curve(xs)[1], 2 * xs - 1)


@pytest.mark.parametrize(
    ("f", "probe", "names", "dtype"),
    [
        (lambda w: w**2, [1.0], ("w",), torch.float64),
        (torch.sin, [1.0], ("x",), torch.float64),
        (lambda x, scale=2.0: scale * x, [1.0], ("x",), torch.float64),
        (lambda u, v: u * v, [1.0, 2.0], ("u", "v"), torch.float64),
        (lambda p: p.prod(), [1.0, 2.0], ("x", "y"), torch.float64),
        (lambda *numbers: numbers[0] * numbers[1], [1.0, 2.0], ("x", "y"), torch.float64),
        (lambda x: (torch.ones(1, 1) @ x.reshape(1, 1)).sum(), [1.0], ("x",), torch.float32),
        (torch.nn.Linear(1, 1), [1.0], ("x",), torch.float64),
        (torch.nn.Linear(2, 1), [1.0, 2.0], ("x", "y"), torch.float64),
    ],
)
def test_what_a_learner_may_hand_in(f, probe, names, dtype):
    function = ScalarFunction(f, probe=probe)
    assert (function.names, function.dtype) == (names, dtype)
    assert all(map(math.isfinite, function.value_and_gradient(probe)[1]))


def test_values_of_a_grid_keep_its_shape():
    points = torch.rand(3, 4, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = ScalarFunction(lambda x, y: x - 2 * y, probe=[0.0, 0.0]).values(points)
    torch.testing.assert_close(found, points[..., 0] - 2 * points[..., 1])


def test_a_grid_holds_its_middle_exactly():
    assert grid(-2, 2, 201)[100].item() == 0


def test_learners_module_stays_as_it_is():
    with torch.random.fork_rng(devices=[]):
        net = torch.nn.Sequential(torch.nn.Linear(1, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    net[0].weight.grad = torch.ones(4, 1)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    ScalarFunction(net, probe=[0.5]).curve(grid(-1, 1, 5), order=2)
    torch.testing.assert_close(net.state_dict(), before)
    assert net[0].weight.dtype == torch.float32
    assert net[0].weight.grad.tolist() == [[1.0]] * 4
    assert net[2].weight.grad is None


def test_running_statistics_move_in_a_copy_alone():
    class Counting(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, x):
            self.calls += 1
            return x**2

    net = Counting()
    ScalarFunction(net, probe=[0.5]).curve(grid(-1, 1, 5))
    assert net.calls.item() == 0


def test_learners_parameters_get_no_grad_and_random_functions_draw_nothing_of_theirs():
    weight = torch.tensor(3.0, requires_grad=True)
    function = ScalarFunction(lambda x: weight * x * torch.rand(()), probe=[1.0])
    function.curve(grid(-1, 1, 5))
    assert weight.grad is None


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_gradients_are_found_in_any_mode(mode):
    with mode():
        assert ScalarFunction(torch.square, probe=[3.0]).derivatives(3.0) == [9.0, 6.0]


def test_an_input_that_is_not_used_has_slope_zero():
    assert ScalarFunction(lambda x, y: x**2, probe=[1.0, 1.0]).value_and_gradient((3.0, 1.0)) == (9.0, (6.0, 0.0))


def broken(x):
    if x > 0.5:
        raise ZeroDivisionError("no way")
    return x


@pytest.mark.parametrize(
    ("f", "kind", "message"),
    [
        (3.0, TypeError, "f is 3.0; expected a function"),
        (lambda x: math.sin(x.item()), TypeError, r"f returned 0.47.* at x = 0.5; expected a tensor"),
        (lambda x: None, TypeError, "f returned None at x = 0.5"),
        (
            lambda x: torch.stack([x, x]),
            ValueError,
            r"f returned a float64 tensor of shape \(2,\) at x = 0.5; expected one",
        ),
        (lambda x: x.round().long(), ValueError, "f returned an int64 tensor with one value .* floating-point"),
        (
            lambda x: x.detach() ** 2,
            ValueError,
            "f returned a tensor without grad at x = 0.5; expected one computed from x",
        ),
        (lambda x: torch.tensor(x.item()), ValueError, "f returned a tensor without grad"),
        (lambda x: 1 / 0, ValueError, "f raised ZeroDivisionError at x = 0.5: division by zero"),
        (lambda x, y: x, ValueError, "f raised TypeError at x = 0.5"),
    ],
)
def test_bad_functions_are_told_apart(f, kind, message):
    with pytest.raises(kind, match=message):
        ScalarFunction(f, probe=[0.5])


def test_an_error_says_where_and_keeps_its_cause():
    function = ScalarFunction(broken, probe=[0.0])
    with pytest.raises(ValueError, match=r"f raised ZeroDivisionError at x = 0\.75: no way") as caught:
        function.curve(torch.tensor([0.0, 0.75]))
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_python_random_is_left_alone():
    state = random.getstate()
    ScalarFunction(torch.sin, probe=[0.0]).curve(grid(-1, 1, 5))
    assert random.getstate() == state
