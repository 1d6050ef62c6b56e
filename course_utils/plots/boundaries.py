"""What a classifier makes of the plane: its decision boundary between two classes of points."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping

import numpy
import torch
from contourpy import ContourGenerator, FillType, contour_generator
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from ..core import palette
from ..core.checks import check_function, check_tensor, describe
from ..core.numbers import format_measured
from ..sliders import Explorer, explore, play
from .drawing import Update, View, caption
from .functions import undisturbed

BOUNDARY = (6.4, 4.0)  # inches

POINTS = 41  # each way, for the boundary
SURE = (0.5, 0.8, 0.95)  # probabilities from which on the colour is stronger
TINT = 0.14  # how much stronger
FARTHEST = 20.0  # scores beyond count as this
NOTHING = Path(numpy.empty((0, 2)))
CLASSES = ((palette.VALUE, "o"), (palette.GRADIENT, "s"))


def boundary_view(points: object, labels: object) -> View:
    """The view behind `explore_boundary`; `update(model)` draws another model's boundary between the same points."""
    points, labels = _checked(points, labels)
    margins = 0.12 * (points.amax(0) - points.amin(0)).clamp_min(0.1)
    low, high = (points.amin(0) - margins).tolist(), (points.amax(0) + margins).tolist()
    xs, ys = (torch.linspace(*ends, POINTS, dtype=torch.float64) for ends in zip(low, high, strict=True))
    plane = torch.cartesian_prod(ys, xs).flip(1)

    def boundary(ax: Axes) -> Update:
        ax.grid(False)
        ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
        ax.set(xlabel="first input", ylabel="second input")
        sides = [_Side(ax, kind) for kind in (0, 1)]
        (line,) = ax.plot([], [], color=palette.INK, linewidth=2, zorder=3)
        for kind, (colour, marker) in enumerate(CLASSES):
            look = {"color": colour, "markersize": 6, "markeredgecolor": palette.PAPER, "markeredgewidth": 0.8}
            ax.plot(*points[labels == kind].T, marker, zorder=4, **look)
        (rings,) = ax.plot([], [], "o", markersize=11, fillstyle="none", color=palette.TROUBLE, zorder=5)
        told = caption(ax, palette.INK, palette.MUTED)

        def update(model: object) -> str:
            everywhere, scores = scores_of(model, torch.cat([plane, points])).split([len(plane), len(points)])
            heights = everywhere.reshape(POINTS, POINTS).clamp(-FARTHEST, FARTHEST).numpy()
            contours = contour_generator(xs.numpy(), ys.numpy(), heights, fill_type=FillType.OuterCode)
            for side in sides:
                side.fill(contours)
            line.set_data(*_joined(contours))
            wrong = (scores > 0) != (labels > 0)
            rings.set_data(*points[wrong].T)
            right = len(points) - wrong.sum().item()
            loss = format_measured(torch.nn.functional.softplus(torch.where(wrong, 1, -1) * scores.abs()).mean())
            told[0].set_text(f"{right} of {len(points)} on their side")
            told[1].set_text(f"loss {loss}")
            return f"{right} of {len(points)} points on their own side of the boundary, loss {loss}"

        return update

    return boundary


def explore_boundary(points: object, labels: object, models: Mapping[int, object]) -> Explorer:
    """How a classifier's decision boundary came about: the model as it was at some epochs, on a slider that also plays.

    Points of two classes, the line where the model changes its mind, and stronger colour where it is surer. Points on
    the wrong side are ringed. The loss is the mean cross entropy of the scores.

    Args:
        points: shape (n, 2), at least 2.
        labels: shape (n,) or (n, 1), each 0 or 1.
        models: the model at each epoch that is to be shown, such as `{0: copy.deepcopy(net), 10: …}`, epochs rising: an
            nn.Module or a function that takes shape (m, 2) and returns a score for each, shape (m,) or (m, 1), above 0
            for class 1 (as BCEWithLogitsLoss has it), or two, shape (m, 2) (as CrossEntropyLoss has it).

    Raises:
        TypeError: not numbers; models is no such dict; a model that is not a function or does not return a tensor.
        ValueError: other shapes, labels other than 0 and 1; fewer than two models, or one that raises.
    """
    check_models(models)
    view = boundary_view(points, labels)

    def boundary(ax: Axes) -> Update:
        move = view(ax)
        return lambda epoch: f"epoch {epoch}: {move(models[epoch])}"

    return explore(boundary, figure_size=BOUNDARY, epoch=play(list(models), seconds=0.15, at_end=True))


def _checked(points: object, labels: object) -> tuple[torch.Tensor, torch.Tensor]:
    """Both as float64, shapes (n, 2) and (n,); errors as in `explore_boundary`."""
    points, labels = check_tensor(points, name="points", dims=2), check_tensor(labels, name="labels").flatten()
    if points.shape[1] != 2 or len(points) != len(labels) or len(points) < 2:
        given = f"points has shape {tuple(points.shape)} and there are {len(labels)} labels"
        raise ValueError(f"{given}; expected (n, 2) and n, at least 2")
    if not ((labels == 0) | (labels == 1)).all():
        raise ValueError(f"labels has other values than 0 and 1: {labels.unique().tolist()[:5]}")
    return points, labels


class _Side:
    """The part of the plane that the model gives to one class, in a stronger colour where it is surer."""

    def __init__(self, ax: Axes, kind: int):
        colour, _ = CLASSES[kind]
        self.sign = 2 * kind - 1
        look = {"facecolor": colour, "alpha": TINT, "linewidth": 0, "zorder": 1}
        self.patches = [ax.add_patch(PathPatch(NOTHING, **look)) for _ in SURE]

    def fill(self, contours: ContourGenerator) -> None:
        for patch, sure in zip(self.patches, SURE, strict=True):
            ends = self.sign * math.log(sure / (1 - sure)), self.sign * 2 * FARTHEST
            pieces = contours.filled(min(ends), max(ends))
            patch.set_path(Path(*map(numpy.concatenate, pieces)) if pieces[0] else NOTHING)
            patch.stale = True


def _joined(contours: ContourGenerator) -> tuple[list[float], list[float]]:
    """The line of score 0; its pieces are parted by nan."""
    pieces = [numpy.vstack([piece, [math.nan, math.nan]]) for piece in contours.lines(0.0)]
    return tuple(numpy.concatenate(pieces).T.tolist()) if pieces else ([], [])


def check_models(models: object) -> None:
    """The model at each of several epochs; errors as in `explore_boundary`."""
    if not isinstance(models, Mapping):
        raise TypeError(f"models is {describe(models)}; expected a dict of epochs and models")
    if len(models) < 2:
        raise ValueError(f"models has {len(models)} entries; expected the model at two epochs at least")
    for epoch, model in models.items():
        check_function(model, name=f"models[{epoch!r}]")


def scores_of(model: object, points: torch.Tensor) -> torch.Tensor:
    """The model's score of class 1 over class 0 at each point, shape (n,), float64; the model stays as it is.

    Raises:
        TypeError: the model is not a function, or does not return a tensor.
        ValueError: it raises, or returns another shape.
    """
    model = _still_copy(check_function(model, name="model"))
    weights = model.parameters() if isinstance(model, torch.nn.Module) else ()
    dtype = next((weight.dtype for weight in weights), torch.get_default_dtype())
    with undisturbed(), torch.no_grad():
        try:
            scores = model(points.to(dtype))
        except Exception as error:
            raise ValueError(f"model raised {type(error).__name__} at {len(points)} points: {error}") from error
    if not isinstance(scores, torch.Tensor):
        raise TypeError(f"model returned {describe(scores)}; expected a tensor of scores")
    if scores.shape == (len(points), 2):
        scores = scores[:, 1] - scores[:, 0]
    if scores.shape not in {(len(points),), (len(points), 1)}:
        raise ValueError(
            f"model returned {describe(scores)} for {len(points)} points; expected one score or two scores for each"
        )
    return scores.detach().flatten().to(torch.float64)


def _still_copy(model: Callable[..., object]) -> Callable[..., object]:
    """A copy of a module that neither learns nor drops out; a function as it is."""
    return copy.deepcopy(model).eval() if isinstance(model, torch.nn.Module) else model
