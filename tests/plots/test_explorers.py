"""Every ready-made explorer, at both ends, in the middle and in between, on the live canvas and as a still picture."""

import contextlib
import random
import re

import numpy
import pytest
import torch

import course_utils as course
from course_utils.sliders.blit import Canvas


def cubic(x):
    return x**3 - 3 * x


def bowl(x, y):
    return x**2 + 5 * y**2


def pair(x):
    return torch.stack([x[0] * x[1], x[0] + x[1]])


def straight_paths(learning_rate):
    line = torch.linspace(1, learning_rate, 5, dtype=torch.float64)
    return {"one": torch.stack([line, line], 1), "two": torch.stack([line, -line], 1)}


def first_input(points):
    return points[:, 0] - 0.5


def second_input(points):
    return points[:, 1] - 0.5


CORNERS = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]


def deep(depth, residual):
    class Layer(torch.nn.Linear):
        def forward(self, x):
            return torch.tanh(super().forward(x)) + residual * x

    return torch.nn.Sequential(*[Layer(4, 4) for _ in range(depth)])


EXPLORERS = {
    "tangent": lambda: course.explore_tangent(cubic),
    "secant": lambda: course.explore_secant(cubic),
    "derivatives": lambda: course.explore_derivatives(torch.sin, order=3),
    "taylor": lambda: course.explore_taylor(torch.sin, order=4),
    "partials": lambda: course.explore_partials(lambda u, v: u**3 + v**2 + 4 * u * v, x=(-4, 4), y=(-5, 5), at=(3, 4)),
    "direction": lambda: course.explore_direction(bowl, at=(1, 1)),
    "descent": lambda: course.explore_descent(bowl, start=(-1.8, 1.2), learning_rate=(0.01, 0.25), steps=10),
    "newton": lambda: course.explore_newton(bowl),
    "vjp turned": lambda: course.explore_vjp(pair, at=[2.0, 3.0]),
    "vjp moved": lambda: course.explore_vjp([[1.0, 2.0], [0.0, 1.0], [3.0, -1.0]]),
    "microbatches": lambda: course.explore_microbatches([1.0, 2.0, 3.0, 10.0]),
    "accumulation": lambda: course.explore_accumulation(lambda x: x**2),
    "line": lambda: course.explore_line([1.0, 2.0, 3.0], [2.0, 4.0, 5.0]),
    "training": lambda: course.explore_training([1.0, 2.0], [2.0, 4.0], [torch.sin, torch.cos], losses=[2.0, 1.0]),
    "gradient flow": lambda: course.explore_gradient_flow(
        deep, inputs=torch.eye(4), loss=lambda output: output.square().mean(), depth=(1, 60), residual=False
    ),
    "rounding": lambda: course.explore_rounding(true=torch.round, through=lambda x: x + (torch.round(x) - x).detach()),
    "memory": lambda: course.explore_memory(lambda times: [torch.ones(1000) for _ in range(times)], times=[1, 2, 4]),
    "paths": lambda: course.explore_paths(bowl, straight_paths, learning_rate=(0.1, 0.5)),
    "boundary": lambda: course.explore_boundary(CORNERS, [0, 1, 1], {0: first_input, 3: second_input, 4: first_input}),
}


NUMBER = re.compile(r"-?\d+\.?\d*(?:e[+-]?\d+)?")
NAME = re.compile(r'(?<=id=")\w+(?=")|(?<=#)\w+(?=["\)])')


@pytest.mark.parametrize("name", EXPLORERS)
def test_every_position_has_a_picture_and_a_readout(name):
    explorer, chance = EXPLORERS[name](), random.Random(0)
    figure, update = explorer.new_figure()
    canvas = Canvas(figure)
    for fraction in [0, 1, 0.5, *(chance.random() for _ in range(12))]:
        values = {name: control.at(fraction) for name, control in explorer.controls.items()}
        frame = canvas.frame(lambda values=values: explorer.move(update, values))
        assert frame.pixels.std() > 1
        assert re.search(r"\d\.\d{2}", frame.result)
    if name != "derivatives":
        assert canvas.full_draws <= 2


@pytest.mark.parametrize("name", EXPLORERS)
def test_still_pictures_say_what_the_readout_says(name):
    explorer = EXPLORERS[name]()
    _, update = explorer.new_figure()
    assert explorer.picture.description == explorer.move(update, explorer.start)


def test_sliders_start_where_they_are_told():
    assert EXPLORERS["partials"]().start == {"u": 3.0, "v": 4.0}
    assert EXPLORERS["partials"]().picture.description.endswith("gradient (43.00, 20.00), length 47.42")


def test_typed_values_draw_the_same_picture():
    assert EXPLORERS["tangent"]()(x=0.5).description == "tangent of cubic at x = 0.5: cubic = −1.375, slope = −2.25"
    assert EXPLORERS["accumulation"]()(calls=3).description.endswith("4.00, 8.00, 12.00")
    assert EXPLORERS["accumulation"]()(calls=2, zero=True).description.endswith("4.00, 4.00; zeroed before call 2")
    assert EXPLORERS["microbatches"]()(size=3).description.endswith("mean of means 6.00, off by 2.00")
    assert EXPLORERS["vjp turned"]()(angle=0).description == "v = (1.00, 0.00), vᵀJ = (3.00, 2.00)"
    assert EXPLORERS["vjp moved"]()(v0=0, v1=0, v2=1).description.endswith("vᵀJ = (3.00, −1.00)")
    assert (
        "mean squared error 0.3333, its gradient by (w, b) (2.0000, 0.6667)"
        in EXPLORERS["line"]()(w=2, b=0).description
    )
    assert EXPLORERS["training"]()(step=1).description.startswith("step 1: loss 1.00, 2 samples")
    paths = EXPLORERS["paths"]()(learning_rate=0.5)
    assert paths.description == "learning rate 0.5, bowl after 4 steps: one 1.50, two 1.50"


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: course.explore_tangent(cubic, x=(1, 1)), ValueError, "x = .* is an empty range"),
        (lambda: course.explore_tangent(torch.ones(1)), TypeError, "f is a float32 tensor"),
        (
            lambda: course.explore_taylor(cubic, order=0),
            ValueError,
            "order is 0; expected a whole number from 1 to 10",
        ),
        (lambda: course.explore_descent(bowl, start=1), TypeError, "start is 1; expected 2 numbers"),
        (
            lambda: course.explore_partials(bowl, at=(9, 0)),
            ValueError,
            r"at\[0\] is 9.0; expected a place from -2.0",
        ),
        (lambda: course.explore_vjp(pair), TypeError, "at is None; expected the point"),
        (lambda: course.explore_training([1.0, 2.0], [1.0, 2.0], [torch.sin]), ValueError, "models has 1 entries"),
        (
            lambda: course.explore_training([1.0, 2.0], [1.0, 2.0], [torch.sin, torch.cos], losses=[1.0]),
            ValueError,
            "losses has 1 entries and models 2",
        ),
        (
            lambda: course.explore_training([1.0, 2.0], [1.0, 2.0], torch.sin),
            TypeError,
            "models is the function sin; expected a list",
        ),
        (
            lambda: course.explore_training([1.0, 2.0], [1.0, 2.0], [torch.sin, 3]),
            TypeError,
            r"models\[1\] is 3; expected a function",
        ),
        (
            lambda: course.explore_training([1.0, 2.0], [1.0], [torch.sin] * 2),
            ValueError,
            "x has 2 samples and y 1; expected equally many",
        ),
        (lambda: course.explore_line([1.0, 2.0], [1.0]), ValueError, "x has 2 samples and y 1"),
        (lambda: course.explore_microbatches([1.0]), ValueError, "the number of samples is 1; expected .* from 2"),
        (lambda: course.explore_secant(cubic, h=(0, 1)), ValueError, r"h = \(0.0, 1.0\) holds 0; expected a range"),
        (lambda: course.explore_boundary(CORNERS, [0, 1], {0: first_input, 1: 3}), TypeError, r"models\[1\] is 3"),
        (
            lambda: course.explore_boundary(CORNERS, [0, 1], {0: first_input, 1: second_input}),
            ValueError,
            r"points has shape \(3, 2\) and there are 2 labels",
        ),
        (lambda: course.explore_rounding(one=torch.round, two=3), TypeError, "two is 3; expected a function"),
        (lambda: course.explore_memory(torch.ones, size=3), TypeError, "size is 3; expected a list, such as"),
        (
            lambda: course.explore_memory(torch.ones, size=[]),
            ValueError,
            "size holds no choices; expected at least one",
        ),
        (
            lambda: course.explore_memory(abs, size=[1, 2]),
            ValueError,
            "f makes no tensors at 1; expected",
        ),
        (lambda: course.explore_paths(bowl, lambda rate: None), TypeError, "paths returned None; expected one to"),
        (lambda: course.explore_paths(bowl, 3), TypeError, "paths is 3; expected a function"),
        (
            lambda: course.explore_paths(bowl, lambda rate: {}),
            ValueError,
            "returned a dict of 0 paths; expected one",
        ),
    ],
)
def test_bad_arguments(make, kind, message):
    with pytest.raises(kind, match=message):
        make()


def assert_drawn_alike(one, other):
    """The layout, which is solved by iteration, gives other last digits, and names with them."""
    one, other = (NAME.sub("name", svg) for svg in (one, other))
    assert NUMBER.sub("0", one) == NUMBER.sub("0", other)
    numbers = ([float(number) for number in NUMBER.findall(svg)] for svg in (one, other))
    numpy.testing.assert_allclose(*numbers, atol=0.05)


@pytest.mark.parametrize("name", [name for name in EXPLORERS if name != "memory"])  # which measures
def test_no_matplotlibrc_reaches_a_still_picture(name, hostile_settings):
    usual = EXPLORERS[name]().picture
    with hostile_settings():
        assert_drawn_alike(EXPLORERS[name]().picture.svg, usual.svg)


def test_no_matplotlibrc_reaches_a_slider(hostile_settings):
    frames = []
    for settings in (contextlib.nullcontext, hostile_settings):
        with settings():
            explorer = EXPLORERS["tangent"]()
            figure, update = explorer.new_figure()
            canvas = Canvas(figure)
            for x in (0.5, -1.0):
                frame = canvas.frame(lambda x=x, update=update, explorer=explorer: explorer.move(update, {"x": x}))
            frames.append(frame.pixels.astype(int))
    assert abs(frames[0] - frames[1]).mean() < 0.1
