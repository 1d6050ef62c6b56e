import re

import pytest
import torch

from course_utils import plot_curves


def waves():
    x = torch.linspace(-3, 3, 61, requires_grad=True)
    y = torch.sin(2 * x)
    y.sum().backward()
    return x, y


def test_description_carries_names_ranges_and_zeros():
    x, y = waves()
    description = plot_curves(x, value=y, first_slope=x.grad).description
    assert description.startswith("value and first slope for x from −3 to 3; value lies between −0.9996 and 0.9996")
    assert "first slope lies between −1.997 and 2.00, zero at x = −2.356" in description


@pytest.mark.parametrize("off", [-0.04, -0.01, 0.0, 0.01, 0.04])
def test_rounded_words_are_the_same_wherever_a_training_ended(off):
    x = torch.linspace(0, 2, 5)
    picture = plot_curves(x, decimals=1, f=2 * (x - 1) + off)
    assert picture.description == (
        "f for x from 0 to 2; f lies between −2.00 and 2.00, zero at x = 1.00; values rounded to 0.1"
    )


def test_learners_tensors_stay_as_they_are():
    x, y = waves()
    before = x.grad.clone()
    plot_curves(x, value=y)
    assert x.requires_grad
    assert y.grad_fn is not None
    torch.testing.assert_close(x.grad, before)


def test_height_fixes_the_vertical_axis():
    x, y = waves()
    (axes,) = plot_curves(x, value=y, height=(-5, 5)).figure.axes
    assert axes.get_ylim() == (-5, 5)


def test_axis_names_the_horizontal_axis():
    picture = plot_curves(torch.arange(3.0), axis="outputs", cost=torch.tensor([1.0, 4.0, 9.0]))
    (axes,) = picture.figure.axes
    assert axes.get_xlabel() == "outputs"
    assert "for outputs from 0 to 2" in picture.description


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"x": torch.ones(3)}, ValueError, "x does not rise"),
        ({"x": torch.tensor([1.0])}, ValueError, "x does not rise"),
        ({"x": torch.arange(3.0)}, ValueError, "got no curves"),
        ({"x": torch.arange(3.0), "y": torch.ones(3), "decimals": -1}, ValueError, "decimals is -1"),
        ({"x": torch.arange(3.0), "slope": torch.ones(4)}, ValueError, "slope has 4 entries and x has 3"),
        ({"x": torch.arange(3.0), "slope": torch.ones(3, 1)}, ValueError, "slope is a float32 tensor of shape (3, 1)"),
        ({"x": torch.arange(3.0), "slope": None}, TypeError, "slope is None"),
        ({"x": torch.arange(3.0), "slope": torch.ones(3), "height": (1, 0)}, ValueError, "height"),
    ],
)
def test_bad_input_is_named(arguments, kind, message):
    with pytest.raises(kind, match=re.escape(message)):
        plot_curves(arguments.pop("x"), **arguments)
