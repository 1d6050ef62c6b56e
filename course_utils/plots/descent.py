"""Paths over a function of two numbers: gradient descent, other optimisers' paths, Newton's step."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from matplotlib.axes import Axes

from ..core import palette
from ..core.checks import check_function, check_number, check_numbers, check_range, check_tensor, check_whole, describe
from ..core.numbers import format_given, format_measured, format_point, format_vector
from ..core.picture import Picture
from ..sliders import Explorer, explore
from ..sliders.controls import control
from .drawing import DOT, HALO, Arrow, Update, View, slider_over, still
from .surfaces import Surface

SURFACE = (6.4, 4.6)  # inches

STEPS = 1000  # the most steps of a path
CROSS = 0.12  # half the length of an eigenvector's line, as a part of the plot's smaller side
NO_STEP = "Newton has none, as the Hessian is singular"
LOST = 1e6  # a path is over once it is this many plot sizes away


def descend(surface: Surface, start: Sequence[float], *, learning_rate: float, steps: int) -> torch.Tensor:
    """The points of gradient descent from `start`, shape (n + 1, 2); n is below `steps` where it runs away."""
    points = [tuple(start)]
    for _ in range(steps):
        _, gradient = surface.function.value_and_gradient(points[-1])
        moved = tuple(at - learning_rate * slope for at, slope in zip(points[-1], gradient, strict=True))
        if not math.hypot(*moved) < LOST * max(surface.size):
            break
        points.append(moved)
    return torch.tensor(points, dtype=torch.float64)


def descent_view(surface: Surface, *, start: object) -> View:
    """The view behind `explore_descent`; `update(learning_rate, steps)` takes the path anew."""
    start = check_numbers(start, name="start", count=2)

    def descent(ax: Axes) -> Update:
        surface.draw(ax)
        path = _Path(ax, palette.CYCLE[1])
        ax.plot(*[[value] for value in start], "s", color=palette.LEAF, **DOT)

        def update(learning_rate: float, steps: int) -> str:
            points = descend(surface, start, learning_rate=learning_rate, steps=steps)
            path.set(points, surface)
            path.note.set_text(f"{len(points) - 1} steps")
            way = _describe_path(points, surface, steps)
            return f"gradient descent with learning rate {format_given(learning_rate)}: {way}"

        return update

    return descent


def explore_descent(
    f: object,
    *,
    start: object,
    learning_rate: object = (0.01, 0.5),
    steps: int = 30,
    x: object = (-2, 2),
    y: object = (-2, 2),
) -> Explorer:
    """The path of gradient descent on the level lines of a function, from crawling to running away.

    Args:
        f: `f(x, y)`, `f(p)` with p of shape (2,), or an nn.Module that takes shape (1, 2).
        start: the first point (x, y).
        learning_rate: the range (low, high) of what each gradient is multiplied by.
        steps: the most steps to take, 1 to 1000.
        x, y: the ranges (low, high) of the first and the second input.

    Raises:
        TypeError: `f` is not a function or does not return a tensor; a range or the start is not two numbers.
        ValueError: `f` raises, returns several values or a value without grad; an empty range; `steps` out of range.
    """
    view = descent_view(Surface(f, x=x, y=y), start=start)
    steps = check_whole(steps, name="steps", low=1, high=STEPS)
    rates = check_range(learning_rate, name="learning_rate")
    return explore(
        view, figure_size=SURFACE, learning_rate=slider_over(rates, start=rates[0]), steps=(0, steps, 1, steps)
    )


def path_names(paths: object, *, what: str) -> list[str]:
    """The names of one to four paths; errors begin with `what` and are those of `explore_paths`."""
    expected = "expected one to four paths by name, such as {'SGD': points}"
    if not isinstance(paths, Mapping):
        raise TypeError(f"{what} {describe(paths)}; {expected}")
    if not 1 <= len(paths) <= len(palette.CYCLE):
        raise ValueError(f"{what} a dict of {len(paths)} paths; {expected}")
    return list(paths)


def paths_view(surface: Surface, names: Sequence[str]) -> View:
    """The view behind `explore_paths`; `update(paths)` draws other paths of the same names."""

    def view(ax: Axes) -> Update:
        surface.draw(ax)
        lines = {name: _Path(ax, look) for name, look in zip(names, palette.CYCLE, strict=False)}
        handles = [path.line for path in lines.values()]
        above = {"loc": "lower left", "bbox_to_anchor": (0, 1), "ncols": len(names), "borderaxespad": 0.2}
        legend = ax.legend(handles, names, handlelength=2.4, columnspacing=1.6, **above)
        for text, look in zip(legend.get_texts(), palette.CYCLE, strict=False):
            text.set(color=look["color"], fontweight="bold")

        def update(paths: Mapping[str, object]) -> str:
            tracks = {name: _checked_path(paths[name], name) for name in names}
            for name, points in tracks.items():
                lines[name].set(points, surface)
            told = (f"{name}: {_describe_path(points, surface, len(points) - 1)}" for name, points in tracks.items())
            return "; ".join(told)

        return update

    return view


def explore_paths(
    f: object,
    paths: Callable[[float], Mapping[str, object]],
    *,
    learning_rate: object = (0.01, 0.5),
    x: object = (-2, 2),
    y: object = (-2, 2),
) -> Explorer:
    """The paths of several optimisers from the same start, with a slider for the learning rate.

    Args:
        f: `f(x, y)`, `f(p)` with p of shape (2,), or an nn.Module that takes shape (1, 2).
        paths: given a learning rate, the points of each path, shape (n, 2), by name; up to four, always the same names.
        learning_rate: the rates to choose from, as `explore` takes them: (low, high), (low, high, step, start), a list.
        x, y: the ranges (low, high) of the first and the second input.

    Raises:
        TypeError: `f` or `paths` is not a function; it returns no dict, or a path is not a tensor.
        ValueError: no paths or more than four, a path of another shape; an empty range.
    """
    surface = Surface(f, x=x, y=y)
    first = check_function(paths, name="paths")(control("learning_rate", learning_rate).at(0))
    names = path_names(first, what="paths returned")

    def optimisers(ax: Axes) -> Update:
        move = paths_view(surface, names)(ax)

        def update(learning_rate: float) -> str:
            tracks = paths(learning_rate)
            move(tracks)
            ends = [torch.as_tensor(tracks[name][-1]).tolist() for name in names]
            values = [surface.function.value_and_gradient(end)[0] for end in ends]
            steps = len(tracks[names[0]]) - 1
            told = ", ".join(f"{name} {format_measured(value)}" for name, value in zip(names, values, strict=True))
            return f"learning rate {format_given(learning_rate)}, {surface.function.label} after {steps} steps: {told}"

        return update

    return explore(optimisers, figure_size=SURFACE, learning_rate=learning_rate)


def _checked_path(points: object, name: str) -> torch.Tensor:
    points = check_tensor(points, name=f"paths[{name!r}]", dims=2)
    if points.shape[1] != 2:
        raise ValueError(f"paths[{name!r}] has shape {tuple(points.shape)}; expected (points, 2)")
    return points


class _Path:
    """A line through points with a dot at each, its end marked and with a note that is empty at first."""

    def __init__(self, ax: Axes, look: Mapping[str, str]):
        (self.line,) = ax.plot([], [], linewidth=1.8, zorder=4, path_effects=HALO, **look)
        (self.dots,) = ax.plot([], [], "o", color=look["color"], markersize=4, zorder=5)
        (self.end,) = ax.plot([], [], "o", color=look["color"], **DOT)
        self.note = ax.annotate(
            "", (0, 0), (9, 9), textcoords="offset points", color=look["color"], fontweight="bold", zorder=7,
            path_effects=HALO, annotation_clip=True,
        )  # fmt: skip
        self.note.set_in_layout(False)

    def set(self, points: torch.Tensor, surface: Surface) -> None:
        # what lies far outside is not drawn anyway, and its size would upset the line's dashes
        width, height = surface.size
        middle = torch.tensor([sum(surface.x) / 2, sum(surface.y) / 2], dtype=points.dtype)
        far = ((points - middle).abs() > 10 * torch.tensor([width, height])).any(1).nonzero()
        shown = points[: far[0].item() + 1] if len(far) else points
        for artist in (self.line, self.dots):
            artist.set_data(*shown.T)
        self.end.set_data(*shown[-1:].T)
        self.note.xy = tuple(shown[-1].tolist())


def _describe_path(points: torch.Tensor, surface: Surface, steps: int) -> str:
    """Where a path leads, in words."""
    first, last = points[0].tolist(), points[-1].tolist()
    label, taken = surface.function.label, len(points) - 1
    if taken < steps:
        return f"from {format_point(first)} it runs away, past all bounds after {taken} steps"
    lowest, highest = torch.tensor([surface.x, surface.y], dtype=points.dtype).T
    outside = ((points < lowest) | (points > highest)).any(1)
    left = f", having left the picture at step {outside.nonzero()[0].item()}" if outside[-1] else ""
    value = surface.function.value_and_gradient(last)[0]
    way = f"from {format_point(first)} to {format_vector(last)} in {taken} steps"
    return f"{way}, {label} = {format_measured(value)}{left}"


def plot_newton(
    f: object, *, at: object, learning_rate: object = 0.1, x: object = (-2, 2), y: object = (-2, 2)
) -> Picture:
    """One step of gradient descent and one of Newton from the same point, with the Hessian's eigenvectors there.

    The eigenvectors are drawn as a cross, with the curvature (the eigenvalue) along each.

    Args:
        f: `f(x, y)`, `f(p)` with p of shape (2,), or an nn.Module that takes shape (1, 2).
        at: the point (x, y).
        learning_rate: of the gradient step.
        x, y: the ranges (low, high) of the first and the second input.

    Raises:
        TypeError: `f` is not a function or does not return a tensor; a range or the point is not two numbers.
        ValueError: `f` raises, returns several values or a value without grad; an empty range.
    """
    surface = Surface(f, x=x, y=y)
    rate = check_number(learning_rate, name="learning_rate")
    return still(newton_view(surface), height=4.6, learning_rate=rate, **surface.named(at))


def newton_view(surface: Surface) -> View:
    """The view behind `plot_newton`; `update(learning_rate, and the point by its names)` moves it."""

    def newton(ax: Axes) -> Update:
        surface.draw(ax)
        cross = [ax.plot([], [], line, color=palette.INK, linewidth=1.5, zorder=4)[0] for line in (":", "-")]
        gradient_arrow = Arrow(ax, palette.GRADIENT, label="gradient", line="--")
        newton_arrow = Arrow(ax, palette.LEAF, label="Newton")
        (dot,) = ax.plot([], [], "o", color=palette.VALUE, **DOT)

        def update(*, learning_rate: float, **values: float) -> str:
            at = torch.tensor([values[name] for name in surface.names], dtype=torch.float64)
            _, gradient = surface.function.value_and_gradient(at.tolist())
            hessian = surface.function.hessian(at.tolist())
            down = -learning_rate * torch.tensor(gradient, dtype=torch.float64)
            step = newton_step(hessian, gradient)
            gradient_arrow.set(at.tolist(), down.tolist())
            newton_arrow.set(at.tolist(), step.tolist())
            dot.set_data(*at[:, None])
            curvatures, directions = torch.linalg.eigh(hessian) if hessian.isfinite().all() else (step, hessian)
            for line, direction in zip(cross, CROSS * min(surface.size) * directions.T, strict=True):
                line.set_data(*torch.stack([at - direction, at + direction]).T)
            newton_end = f"Newton's at {surface.value_at(at + step)}" if step.isfinite().all() else NO_STEP
            return (
                f"from {surface.value_at(at, form=format_point)}, curvatures {format_vector(curvatures.tolist())}: "
                f"the gradient step ends at {surface.value_at(at + down)}, {newton_end}"
            )

        return update

    return newton


def explore_newton(
    f: object, *, learning_rate: object = (0.01, 0.5), x: object = (-2, 2), y: object = (-2, 2)
) -> Explorer:
    """A gradient step and Newton's from a point that sliders move. As in `plot_newton`; `learning_rate` is a range."""
    surface = Surface(f, x=x, y=y)
    places = {name: slider_over(values, start=values[0] + 0.2 * (values[1] - values[0]))
              for name, values in zip(surface.names, (surface.x, surface.y), strict=True)}  # fmt: skip
    rates = check_range(learning_rate, name="learning_rate")
    return explore(newton_view(surface), figure_size=SURFACE, **places, learning_rate=rates)


def newton_step(hessian: torch.Tensor, gradient: Sequence[float]) -> torch.Tensor:
    """-H⁻¹g, shape (2,); nan where the Hessian is singular or not finite."""
    slope = torch.tensor(gradient, dtype=torch.float64)
    if not hessian.isfinite().all() or torch.linalg.matrix_rank(hessian) < 2:
        return torch.full((2,), math.nan, dtype=torch.float64)
    return -torch.linalg.solve(hessian, slope)
