import math

import numpy
import pytest
import torch
from torch import nn

from course_utils import explore_boundary
from course_utils.plots.boundaries import boundary_view, scores_of
from course_utils.plots.drawing import still

POINTS = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
LABELS = torch.tensor([0.0, 0.0, 1.0, 1.0])


def boundary_still(points, labels, *, model):
    return still(boundary_view(points, labels), model=model)


def upper(points):
    return 4 * (points[:, 1] - 0.5)


def line_of(picture):
    return next(line for line in picture.figure.axes[0].lines if len(line.get_xdata()) and line.get_marker() == "None")


def test_says_how_many_are_right_and_the_loss():
    loss = math.log1p(math.exp(-2))
    assert boundary_still(POINTS, LABELS, model=upper).description == (
        f"4 of 4 points on their own side of the boundary, loss {loss:.4f}"
    )


def test_the_boundary_is_where_the_score_is_zero():
    heights = numpy.array(line_of(boundary_still(POINTS, LABELS, model=upper)).get_ydata())
    assert numpy.allclose(heights[numpy.isfinite(heights)], 0.5)


def test_points_on_the_wrong_side_are_ringed():
    picture = boundary_still(POINTS, LABELS, model=lambda points: points[:, 0] - 0.5)
    rings = next(line for line in picture.figure.axes[0].lines if line.get_fillstyle() == "none")
    assert sorted(zip(*rings.get_data(), strict=True)) == [(0.0, 1.0), (1.0, 0.0)]
    assert picture.description.startswith("2 of 4 points")


def test_a_model_that_never_changes_its_mind_has_no_boundary():
    picture = boundary_still(POINTS, LABELS, model=lambda points: torch.full((len(points),), 3.0))
    assert picture.description.startswith("2 of 4 points")


@pytest.mark.parametrize("shape", [(), (1,), (2,)])
def test_scores_in_every_form(shape):
    def model(points):
        score = upper(points)
        return torch.stack([torch.zeros_like(score), score], 1) if shape == (2,) else score.reshape(-1, *shape)

    assert torch.allclose(scores_of(model, POINTS.double()), upper(POINTS.double()))


def test_the_model_is_left_alone():
    with torch.random.fork_rng(devices=[]):
        model = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Dropout(), nn.Linear(4, 1))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    boundary_still(POINTS, LABELS, model=model)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_the_explorer_stands_at_the_last_epoch_until_it_is_played():
    explorer = explore_boundary(POINTS, LABELS, {0: lambda points: -upper(points), 5: upper})
    assert explorer.start == {"epoch": 5}
    assert explorer(epoch=0).description.startswith("epoch 0: 0 of 4 points")
    assert explorer.picture.description.startswith("epoch 5: 4 of 4 points")


@pytest.mark.parametrize(
    ("plot", "kind", "message"),
    [
        (lambda: boundary_still(POINTS[:, :1], LABELS, model=upper), ValueError, r"points has shape \(4, 1\)"),
        (lambda: boundary_still(POINTS, LABELS[:3], model=upper), ValueError, "there are 3 labels; expected"),
        (lambda: boundary_still(POINTS, LABELS + 1, model=upper), ValueError, r"values than 0 and 1: \[1.0, 2.0\]"),
        (lambda: boundary_still(POINTS, LABELS, model=3), TypeError, "model is 3; expected a function"),
        (lambda: boundary_still(POINTS, LABELS, model=nn.Linear), ValueError, "model raised TypeError at"),
        (lambda: boundary_still(POINTS, LABELS, model=torch.Tensor.tolist), TypeError, "expected a tensor of scores"),
        (lambda: boundary_still(POINTS, LABELS, model=torch.sum), ValueError, "expected one score or two"),
        (lambda: boundary_still(POINTS, LABELS, model=nn.Linear(3, 1)), ValueError, "model raised RuntimeError at"),
        (lambda: explore_boundary(POINTS, LABELS, [upper]), TypeError, "expected a dict of epochs and models"),
        (lambda: explore_boundary(POINTS, LABELS, {0: upper}), ValueError, "models has 1 entries"),
    ],
)
def test_bad_arguments(plot, kind, message):
    with torch.random.fork_rng(devices=[]), pytest.raises(kind, match=message):
        plot()
