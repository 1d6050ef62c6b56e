"""Ready-made explorers: the course's plots with sliders on them.

Each is a view from `course_utils.plots` and a call of `explore`, so any of them can serve as a pattern for your own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import torch
from matplotlib.axes import Axes

from .core.checks import check_function, check_number, check_range, check_sequence, check_tensor, check_whole
from .plots.boundaries import boundary_view, check_models
from .plots.curves import tangent_view
from .plots.descent import STEPS, descent_view, newton_view, path_names, paths_view
from .plots.differences import secant_view
from .plots.drawing import WIDE, Update, View, number, place, vector
from .plots.fits import check_steps, fit_view, loss_part
from .plots.flow import flow_of, flow_view
from .plots.functions import ScalarFunction
from .plots.matrices import jacobian_of, vjp_view
from .plots.memory import memory_view
from .plots.rounding import rounding_view
from .plots.surfaces import DIRECTION, PARTIALS, Surface, direction_view, partials_view
from .plots.taylor import HIGHEST, nth_derivative_view, taylor_view
from .plots.training import MOST_CALLS, accumulation_view, microbatch_view, split_evenly
from .sliders import Explorer, explore, play
from .sliders.controls import control

SURFACE = (6.4, 4.6)  # inches
BOUNDARY = (6.4, 4.0)
FLOW = (7.4, 4.8)


def _slider(values: tuple[float, float], *, start: float | None = None) -> tuple[float, ...]:
    """The range `values` for a slider, which starts in the middle or near `start`."""
    low, high = values
    step = 10.0 ** math.floor(math.log10((high - low) / 50))
    return (low, high) if start is None else (low, high, step, start)


def _along(f: object, view: View, *, x: object, **more: object) -> Explorer:
    """`view` with a slider for the place on the curve of `f`, named as the input of `f`; it starts off the middle."""
    low, high = check_range(x, name="x")
    (name,) = ScalarFunction(f, probe=[(low + high) / 2]).names

    def along(ax: Axes) -> Update:
        move = view(ax)
        return lambda **values: move(at=values.pop(name), **values)

    along.__name__ = view.__name__
    return explore(along, **{name: _slider((low, high), start=low + 0.75 * (high - low))}, **more)


def explore_tangent(f: object, *, x: object = (-2, 2)) -> Explorer:
    """The tangent of a function, moved along its curve. Arguments and errors as in `plot_tangent`."""
    return _along(f, tangent_view(f, x=x), x=x)


def explore_secant(f: object, *, x: object = (-2, 2), h: object = (0.01, 1.5)) -> Explorer:
    """A secant that turns into the tangent as its step h shrinks. As in `plot_secant`; `h` is a range without 0."""
    steps = check_range(h, name="h")
    if steps[0] <= 0 <= steps[1]:
        raise ValueError(f"h = ({steps[0]:g}, {steps[1]:g}) holds 0; expected a range of steps without it")
    return _along(f, secant_view(f, x=x), x=x, h=steps)


def explore_derivatives(f: object, *, x: object = (-2, 2), order: int = 6) -> Explorer:
    """A function and its n-th derivative, n from 0 to `order`. Arguments and errors as in `plot_nth_derivative`."""
    return explore(nth_derivative_view(f, x=x), order=(0, check_whole(order, name="order", low=1, high=HIGHEST), 1, 1))


def explore_taylor(f: object, *, x: object = (-4, 4), order: int = 8) -> Explorer:
    """Taylor polynomials up to `order`, around any place. Arguments and errors as in `plot_taylor`."""
    highest = check_whole(order, name="order", low=1, high=HIGHEST)
    return explore(taylor_view(f, x=x), order=(0, highest, 1, 1), at=check_range(x, name="x"))


def explore_partials(f: object, *, x: object = (-2, 2), y: object = (-2, 2), at: object = None) -> Explorer:
    """Gradient and slices at a point that two sliders move, named as the function's inputs. As in `plot_partials`.

    Without `at` it starts in the middle of both ranges; a point outside them is a ValueError.
    """
    surface = Surface(f, x=x, y=y)
    starts = (None, None) if at is None else surface.inside(at)
    sliders = [_slider(values, start=start) for values, start in zip((surface.x, surface.y), starts, strict=True)]
    return explore(partials_view(surface), figure_size=PARTIALS, **dict(zip(surface.names, sliders, strict=True)))


def explore_direction(f: object, *, at: object, x: object = (-2, 2), y: object = (-2, 2)) -> Explorer:
    """The slope in a direction that a slider turns. Arguments and errors as in `plot_direction`."""
    return explore(direction_view(Surface(f, x=x, y=y), at=at), figure_size=DIRECTION, angle=(0, 360, 5, 0))


def explore_descent(
    f: object,
    *,
    start: object,
    learning_rate: object = (0.01, 0.5),
    steps: int = 30,
    x: object = (-2, 2),
    y: object = (-2, 2),
) -> Explorer:
    """Gradient descent, from crawling to running away. As in `plot_descent`; `learning_rate` is a range."""
    view = descent_view(Surface(f, x=x, y=y), start=start)
    steps = check_whole(steps, name="steps", low=1, high=STEPS)
    rates = check_range(learning_rate, name="learning_rate")
    return explore(view, figure_size=SURFACE, learning_rate=_slider(rates, start=rates[0]), steps=(0, steps, 1, steps))


def explore_newton(
    f: object, *, learning_rate: object = (0.01, 0.5), x: object = (-2, 2), y: object = (-2, 2)
) -> Explorer:
    """A gradient step and Newton's from a point that sliders move. As in `plot_newton`; `learning_rate` is a range."""
    surface = Surface(f, x=x, y=y)
    places = {name: _slider(values, start=values[0] + 0.2 * (values[1] - values[0]))
              for name, values in zip(surface.names, (surface.x, surface.y), strict=True)}  # fmt: skip
    rates = check_range(learning_rate, name="learning_rate")
    return explore(newton_view(surface), figure_size=SURFACE, **places, learning_rate=rates)


def explore_vjp(jacobian: object, *, at: object = None) -> Explorer:
    """vᵀJ while v turns (two outputs) or while each of its parts moves. Arguments and errors as in `plot_vjp`."""
    matrix = jacobian_of(jacobian, at=at)
    outputs = len(matrix)

    def turned(left: Axes, right: Axes) -> Update:
        move = vjp_view(matrix)(left, right)
        return lambda angle: move([math.cos(math.radians(angle)), math.sin(math.radians(angle))])

    def moved(left: Axes, right: Axes) -> Update:
        move = vjp_view(matrix, reach=math.sqrt(outputs))(left, right)
        return lambda **parts: move(list(parts.values()))

    if outputs == 2:
        return explore(turned, figure_size=(WIDE, 3.8), angle=(0, 360, 5, 45))
    return explore(moved, figure_size=(WIDE, 3.8), **{f"v{index}": (-1.0, 1.0, 0.05, 1.0) for index in range(outputs)})


def explore_microbatches(samples: object) -> Explorer:
    """Micro-batches of a size that a slider sets, the last one uneven. Errors as in `plot_microbatches`."""
    view, count = microbatch_view(samples), len(samples)

    def microbatches(ax: Axes) -> Update:
        move = view(ax)
        return lambda size: move(sizes=split_evenly(count, size))

    return explore(microbatches, size=(1, count, 1, count // 2 + 1))


def explore_accumulation(f: object, *, at: object = 2.0, calls: int = 6) -> Explorer:
    """What `.grad` holds after several calls of backward for f at a point, with and without zeroing before each.

    Args:
        f: a function of one number.
        at: the value of the leaf.
        calls: the most calls of backward.

    Raises:
        TypeError: `f` is not a function or does not return a tensor; `at` is not a number.
        ValueError: `f` raises, returns several values or a value without grad.
    """
    at = check_number(at, name="at")
    calls = check_whole(calls, name="calls", low=2, high=MOST_CALLS)
    slope = ScalarFunction(f, probe=[at]).derivatives(at)[1]

    def accumulation(ax: Axes) -> Update:
        move = accumulation_view(calls=calls, reach=sorted([0.0, slope * calls]))(ax)

        def update(calls: int, zero: bool) -> str:
            numbers = range(1, calls + 1)
            return move([slope if zero else slope * call for call in numbers], zeroed=list(numbers)[1:] if zero else [])

        return update

    return explore(accumulation, calls=(1, calls, 1, 2), zero=False)


def explore_line(x: object, y: object, *, w: object = (-4, 4), b: object = (-4, 4)) -> Explorer:
    """The line w·x + b through samples, with its mean squared error and the error's gradient.

    Args:
        x, y: the samples, shape (n,) or (n, 1), at least 2.
        w, b: the ranges (low, high) of both sliders.

    Raises:
        TypeError: not numbers.
        ValueError: x and y of different lengths; an empty range.
    """
    view = fit_view(x, y)
    samples, targets = (check_tensor(values, name=name).flatten() for name, values in (("x", x), ("y", y)))

    def line(ax: Axes) -> Update:
        move = view(ax)

        def update(w: float, b: float) -> str:
            move(lambda position: w * position + b)
            errors = w * samples + b - targets
            gradient = (2 * (errors * samples).mean(), 2 * errors.mean())
            return (
                f"line with w = {place(w)}, b = {place(b)}: mean squared error {number(errors.square().mean())}, "
                f"its gradient by (w, b) {vector(gradient)}"
            )

        return update

    return explore(line, w=check_range(w, name="w"), b=check_range(b, name="b"))


def explore_training(
    x: object, y: object, models: Sequence[object], *, losses: Sequence[float] | None = None
) -> Explorer:
    """How a fit came about: the model as it was at each step, on a slider that also plays.

    Args:
        x, y: the samples, shape (n,) or (n, 1), at least 2.
        models: the model at each step, such as copies made with `copy.deepcopy(net)`.
        losses: the loss at each step, or None.

    Raises:
        TypeError: not numbers, or a model that is not a function.
        ValueError: fewer than two models, or another number of losses.
    """
    view = fit_view(x, y)
    check_steps(models, losses)

    def training(ax: Axes) -> Update:
        move = view(ax)
        return lambda step: f"step {step}: {move(models[step])}"

    def training_with_losses(left: Axes, right: Axes) -> Update:
        move, mark = view(left), loss_part(right, losses)
        return lambda step: f"step {step}: {mark(step)}, {move(models[step])}"

    if losses is None:
        return explore(training, step=play(range(len(models))))
    return explore(training_with_losses, figure_size=(WIDE, 3.8), step=play(range(len(models))))


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
            told = ", ".join(f"{name} {number(value)}" for name, value in zip(names, values, strict=True))
            return f"learning rate {learning_rate:g}, {surface.function.label} after {steps} steps: {told}"

        return update

    return explore(optimisers, figure_size=SURFACE, learning_rate=learning_rate)


def explore_boundary(points: object, labels: object, models: Mapping[int, object]) -> Explorer:
    """How a classifier's decision boundary came about: the model as it was at some epochs, on a slider that also plays.

    Args:
        points, labels: as in `plot_boundary`.
        models: the model at each epoch that is to be shown, such as `{0: copy.deepcopy(net), 10: …}`, epochs rising.

    Raises:
        TypeError: models is no such dict; what `plot_boundary` raises.
        ValueError: fewer than two models; what `plot_boundary` raises.
    """
    check_models(models)
    view = boundary_view(points, labels)

    def boundary(ax: Axes) -> Update:
        move = view(ax)
        return lambda epoch: f"epoch {epoch}: {move(models[epoch])}"

    return explore(boundary, figure_size=BOUNDARY, epoch=play(list(models), seconds=0.15, at_end=True))


def explore_rounding(*, start: object = -1.8, target: object = 1.3, updates: int = 30, **roundings: object) -> Explorer:
    """Descent on a rounded number with two ways to round, and with steps as coarse as a slider sets.

    Minimised is (step · rounding(w / step) − target)², with a learning rate of 0.1.

    Args:
        start, target: where w begins and where it should go.
        updates: the most updates.
        roundings: two functions by name that round a tensor, such as `torch.round` and one with a gradient of its own.

    Raises:
        TypeError: not a function, or not a number.
        ValueError: not two functions, or one that returns a tensor without grad.

    Example:
        >>> explore_rounding(true_gradient=torch.round, straight_through=lambda x: x + (torch.round(x) - x).detach())
    """
    if len(roundings) != 2:
        raise ValueError(f"explore_rounding got {len(roundings)} ways to round; expected two, by name")
    named = {name.replace("_", " "): check_function(rounding, name=name) for name, rounding in roundings.items()}
    most = check_whole(updates, name="updates", low=1, high=STEPS)
    start, target = check_number(start, name="start"), check_number(target, name="target")
    view = rounding_view(named, start=start, target=target, updates=most)
    return explore(view, figure_size=(WIDE, 3.8), step=(0.1, 2.0, 0.1, 1.0), updates=(0, most, 1, most // 3))


def explore_memory(f: object, **slider: Sequence[object]) -> Explorer:
    """The memory that a computation holds while it runs, operation by operation; dashed is the slider's first value.

    Args:
        f: a function of one argument, named as the slider; called once for each of its values.
        slider: its name and the list of values, such as `parts=[1, 2, 4]`.

    Raises:
        TypeError: `f` is not a function, or the slider's values are no list.
        ValueError: not exactly one slider, no values, or one for which `f` makes no tensors.
    """
    if len(slider) != 1:
        raise ValueError(f"explore_memory got {len(slider)} sliders; expected one, such as parts=[1, 2, 4]")
    ((name, given),) = slider.items()
    values = list(check_sequence(given, name=name, sample="[1, 2, 4]"))
    middle = replace(control(name, values), start=(len(values) - 1) // 2)
    view = memory_view(check_function(f), values)

    def memory(ax: Axes) -> Update:
        move = view(ax)
        return lambda **at: f"{name} {at[name]}: {move(at[name])}"

    return Explorer(memory, {name: middle}, figure_size=None)


def explore_gradient_flow(
    build: object,
    *,
    inputs: torch.Tensor | None = None,
    targets: torch.Tensor | None = None,
    loss: object = torch.nn.functional.mse_loss,
    sizes: object = (1e-10, 1e4),
    **sliders: object,
) -> Explorer:
    """The gradient of each layer of a network that sliders build anew: its depth, its initialisation, what you like.

    Each move builds the network with random numbers of its own, the same ones each time, and runs one forward and one
    backward pass; torch's random state and every `.grad` stay as they are. Bars as in `gradient_flow`.

    Args:
        build: a function of the sliders that returns an nn.Module, or (module, loss) with the loss worked out.
        inputs: a batch for the module, where `build` returns no loss.
        targets: second argument of `loss`, or None for a loss of the output alone.
        loss: a function of output and targets.
        sizes: the ends of the axis (low, high), both above 0.
        sliders: as `explore` takes them: `depth=(1, 30)`, `gain=(0.1, 3.0, 0.1, 1.0)`, `residual=False`.

    Raises:
        TypeError: `build` or `loss` is not a function, or gives none of the above; a slider that `build` does not take.
        ValueError: an axis that is empty or not above 0; a module without parameters, or a loss with several values.

    Example:
        >>> explore_gradient_flow(network, inputs=x, targets=y, depth=(1, 30), gain=(0.1, 3.0, 0.1, 1.0))
    """
    build, loss = check_function(build, name="build"), check_function(loss, name="loss")
    limits = check_range(sizes, name="sizes")
    if limits[0] <= 0:
        raise ValueError(f"sizes = {limits} reaches down to {limits[0]:g}; expected two numbers above 0")

    def gradient_flow(ax: Axes) -> Update:
        move = flow_view(limits)(ax)

        def update(**values: object) -> str:
            with torch.inference_mode(False), torch.enable_grad():
                return move(flow_of(partial(build, **values), inputs=inputs, targets=targets, loss=loss))

        return update

    return explore(gradient_flow, figure_size=FLOW, **sliders)
