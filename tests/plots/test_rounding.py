"""Descent on a rounded number: by hand, and what is refused."""

import pytest
import torch

from course_utils import explore_memory, explore_rounding
from course_utils.plots.rounding import descend


def through(x):
    return x + (torch.round(x) - x).detach()


def test_the_true_gradient_never_moves():
    walked = descend(torch.round, step=1.0, start=-1.8, target=1.3, updates=3)
    assert [at for at, _ in walked] == [-1.8] * 4 and not any(slope for _, slope in walked)


def test_straight_through_moves_by_the_slope_at_the_rounded_place():
    walked = descend(through, step=1.0, start=-1.8, target=1.3, updates=2)
    assert walked == [
        (-1.8, pytest.approx(2 * (-2 - 1.3))),
        (pytest.approx(-1.14), pytest.approx(2 * (-1 - 1.3))),
        (pytest.approx(-0.68), pytest.approx(2 * (-1 - 1.3))),
    ]


def test_it_comes_to_rest_where_the_target_is_a_multiple_of_the_step():
    assert descend(through, step=0.1, start=-1.8, target=1.3, updates=60)[-1][1] == pytest.approx(0, abs=1e-9)
    assert descend(through, step=1.0, start=-1.8, target=1.3, updates=60)[-1][1] != pytest.approx(0, abs=1e-3)


def test_the_readout_names_both_and_tells_where_they_are():
    picture = explore_rounding(true_gradient=torch.round, straight_through=through)(step=1.0, updates=1)
    assert "true gradient at w = −1.80 with slope 0.00" in picture.description
    assert "straight through at w = −1.14 with slope −4.60" in picture.description


def test_what_cannot_be_explored_is_said():
    with pytest.raises(ValueError, match="got 1 ways to round; expected two"):
        explore_rounding(one=torch.round)
    with pytest.raises(TypeError, match="other is 3; expected a function"):
        explore_rounding(one=torch.round, other=3)
    with pytest.raises(ValueError, match="without grad"):
        _ = explore_rounding(one=torch.round, other=lambda x: x.detach()).picture
    with pytest.raises(ValueError, match="got 2 sliders; expected one"):
        explore_memory(torch.ones, a=[1, 2, 3], b=[1, 2, 3])


def test_memory_starts_in_the_middle_and_tells_the_peak():
    explorer = explore_memory(lambda n: [torch.ones(1000) for _ in range(n)], n=[1, 2, 4])
    assert explorer.start == {"n": 2}
    assert explorer(n=4).description.endswith("n 4: at most 16.00 KB at a time, in 4 operations")
