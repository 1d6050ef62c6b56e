import math
import re

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from course_utils import explore_descent, explore_direction, explore_partials, plot_contour, plot_newton
from course_utils.core.numbers import typable
from course_utils.plots.descent import descend, descent_view, newton_step, path_names, paths_view
from course_utils.plots.drawing import still
from course_utils.plots.surfaces import Surface


def descent_still(f, *, start, learning_rate=0.1, steps=20, x=(-2, 2), y=(-2, 2)):
    return still(descent_view(Surface(f, x=x, y=y), start=start), learning_rate=learning_rate, steps=steps)


def paths_still(f, paths, *, x=(-2, 2), y=(-2, 2)):
    return still(paths_view(Surface(f, x=x, y=y), path_names(paths, what="paths is")), paths=paths)


def lesson(u, v):
    return u**3 + v**2 + 4 * u * v


def bowl(x, y):
    return x**2 + 5 * y**2


RANGES = {"x": (-4, 4), "y": (-5, 5)}


def test_contour_says_function_ranges_value_and_gradient():
    assert plot_contour(lesson, **RANGES, at=(3, 4)).description == (
        "level lines of lesson for u from −4 to 4 and v from −5 to 5, "
        "where lesson lies between −119.00 and 169.00; "
        "lesson(3, 4) = 91.00, gradient (43.00, 20.00), length 47.42"
    )


@pytest.mark.parametrize(
    "plot",
    [
        lambda: descent_still(bowl, start=(1, 2), x=(-1, 3), y=(0, 3)),
        lambda: paths_still(bowl, {"a": [[1.0, 2.0], [0.0, 1.0]]}, x=(-1, 3), y=(0, 3)),
        lambda: plot_newton(bowl, at=(1, 2), x=(-1, 3), y=(0, 3)),
        lambda: explore_partials(bowl, at=(1, 2), x=(-1, 3), y=(0, 3)).picture,
        lambda: explore_direction(bowl, at=(1, 2), x=(-1, 3), y=(0, 3)).picture,
    ],
)
def test_plots_show_the_ranges_asked_for(plot):
    axes = plot().figure.axes[0]
    assert (axes.get_xlim(), axes.get_ylim()) == ((-1, 3), (0, 3))


def test_levels_are_those_asked_for():
    assert Surface(bowl, x=(-2, 2), y=(-2, 2), levels=[5, 1, 90]).levels == [1, 5]
    assert Surface(bowl, x=(-2, 2), y=(-2, 2), levels=torch.tensor([2.0])).levels == [2]
    assert len(Surface(bowl, x=(-2, 2), y=(-2, 2), levels=3).levels) < 5


@settings(max_examples=8, deadline=None)
@given(st.floats(-1.5, 1.5), st.floats(-1.5, 1.5))
def test_gradient_stands_at_right_angles_on_the_level_line(x, y):
    surface = Surface(lambda x, y: x**2 + 2 * y**2, x=(-2, 2), y=(-2, 2))
    value, gradient = surface.function.value_and_gradient((x, y))
    assume(value > 1)  # nearer the middle the line bends within a cell of the grid
    line = torch.tensor(surface.level_line(value), dtype=torch.float64).T
    pieces, middles = line.diff(dim=0), (line[1:] + line[:-1]) / 2
    far = (middles - torch.tensor([x, y])).norm(dim=1).masked_fill(pieces.norm(dim=1) < 1e-3, torch.nan)
    along = pieces[far.nan_to_num(9).argmin()]
    cosine = torch.nn.functional.cosine_similarity(along, torch.tensor(gradient, dtype=torch.float64), dim=0)
    assert abs(cosine) < 0.15


def test_arrows_grow_with_the_slope_and_fit_the_plot():
    surface = Surface(bowl, x=(-2, 2), y=(-2, 2))
    lengths = [math.hypot(*surface.arrow((slope, 0.0))) for slope in (0.1, 1, 10, 1e9)]
    assert lengths == sorted(lengths)
    assert lengths[-1] < 2
    assert surface.arrow((0.0, 0.0)) == (0.0, 0.0)


def test_axes_have_one_scale_and_the_names_of_the_parameters():
    axes = plot_contour(lesson, **RANGES).figure.axes[0]
    assert axes.get_aspect() == 1
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("u", "v")


@pytest.mark.parametrize("arrows", [False, True])
def test_functions_with_poles_gaps_or_one_value_can_be_drawn(arrows):
    assert "between −5." in plot_contour(lambda p: p.log().sum(), arrows=arrows).description
    assert "between 1.00 and 1.00" in plot_contour(lambda x, y: 1 + 0 * x * y, at=(0, 0), arrows=arrows).description
    plot_contour(lambda x, y: 1 / (x * y), at=(1, 1), arrows=arrows)


def test_a_steep_valley_has_levels_on_its_floor():
    surface = Surface(lambda x, y: (1 - x) ** 2 + 10 * (y - x**2) ** 2, x=(-2, 2), y=(-2, 2))
    assert min(surface.levels) <= 2
    assert 3 <= len(surface.levels) <= 9


def test_levels_can_be_given():
    assert Surface(bowl, x=(-2, 2), y=(-2, 2), levels=[1, 4, 999]).levels == [1.0, 4.0]


def test_partial_derivatives_are_said_and_slices_name_what_moves():
    picture = explore_partials(lesson, at=(3, 4), **RANGES).picture
    assert picture.description == "lesson(3, 4) = 91.00, gradient (43.00, 20.00), length 47.42"
    _, first, second = picture.figure.axes
    assert [ax.get_xlabel() for ax in (first, second)] == ["u", "v"]
    assert [ax.texts[0].get_text() for ax in (first, second)] == ["∂lesson/∂u = 43.00", "∂lesson/∂v = 20.00"]


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 72))
def test_directional_derivative_is_the_gradient_times_the_direction(turn):
    angle = 5 * turn
    description = explore_direction(bowl, at=(1, 0.5))(angle=angle).description
    slope, steepest = (float(typable(text)) for text in re.findall(r"(?:slope|steepest is) (−?\d[^ ;]*)", description))
    assert slope == pytest.approx(2 * math.cos(math.radians(angle)) + 5 * math.sin(math.radians(angle)), abs=6e-4)
    assert steepest == pytest.approx(math.hypot(2, 5), abs=6e-4)


def test_descent_follows_the_closed_form():
    path = descend(Surface(bowl, x=(-2, 2), y=(-2, 2)), (1.0, 1.0), learning_rate=0.1, steps=5)
    steps = torch.arange(6, dtype=torch.float64)
    torch.testing.assert_close(path, torch.stack([0.8**steps, 0.0**steps], -1))


def test_descent_says_where_it_ends():
    assert descent_still(bowl, start=(1, 1), learning_rate=0.1, steps=10).description == (
        "gradient descent with learning rate 0.1: from (1, 1) to (0.1074, 0.0000) in 10 steps, bowl = 0.01153"
    )


def test_a_path_that_leaves_or_runs_away_is_said_to():
    leaves = descent_still(bowl, start=(0, 0.2), learning_rate=0.22, steps=30).description
    assert "having left the picture at step 13" in leaves
    lost = descent_still(lambda x, y: x**4 + y**4, start=(-1.8, 1.2), learning_rate=0.9, steps=30)
    assert "it runs away, past all bounds after 2 steps" in lost.description
    assert len(lost.svg) < 150_000


def test_no_steps_at_all():
    assert "to (1.00, 1.00) in 0 steps" in descent_still(bowl, start=(1, 1), steps=0).description


def test_paths_side_by_side():
    straight = torch.linspace(1, 0, 11)[:, None].expand(-1, 2)
    description = paths_still(bowl, {"one": straight, "two": 2 * straight}).description
    assert description == (
        "one: from (1, 1) to (0.00, 0.00) in 10 steps, bowl = 0.00; "
        "two: from (2, 2) to (0.00, 0.00) in 10 steps, bowl = 0.00"
    )


def test_newton_reaches_the_bottom_of_a_bowl_in_one_step():
    assert plot_newton(bowl, at=(1, 1)).description == (
        "from bowl(1, 1) = 6.00, curvatures (2.00, 10.00): "
        "the gradient step ends at bowl(0.80, 0.00) = 0.64, Newton's at bowl(0.00, 0.00) = 0.00"
    )


def test_newton_says_where_it_has_no_step():
    assert plot_newton(lambda x, y: x**2, at=(1, 1)).description.endswith("Newton has none, as the Hessian is singular")
    assert newton_step(torch.full((2, 2), torch.nan), (1.0, 1.0)).isnan().all()


@pytest.mark.parametrize(
    ("plot", "kind", "message"),
    [
        (lambda: plot_contour(bowl, x=(1, -1)), ValueError, r"x = \(1.0, -1.0\) is an empty range"),
        (lambda: plot_contour(bowl, at=(1, 2, 3)), ValueError, "at has 3 entries; expected 2 numbers"),
        (lambda: plot_contour(bowl, at=1), TypeError, "at is 1; expected 2 numbers"),
        (lambda: plot_contour(torch.ones(2)), TypeError, "f is a float32 tensor"),
        (lambda: plot_contour(lambda x, y: x * torch.nan), ValueError, "f is nowhere finite"),
        (
            lambda: plot_contour(lambda x, y: torch.stack([x, y])),
            ValueError,
            r"shape \(2,\) at x = 0, y = 0; expected one",
        ),
        (
            lambda: explore_descent(bowl, start=(1, 1), steps=0),
            ValueError,
            "steps is 0; expected a whole number from 1",
        ),
        (lambda: explore_descent(bowl, start=(1, 1), learning_rate=None), TypeError, "learning_rate is None"),
        (lambda: paths_still(bowl, {}), ValueError, "paths is a dict of 0 paths; expected one to four"),
        (
            lambda: paths_still(bowl, torch.ones(3, 2)),
            TypeError,
            "paths is a float32 tensor .*; expected one to four",
        ),
        (lambda: plot_contour(bowl, levels=0), ValueError, "levels is 0; expected a whole number from 1 to 100"),
        (lambda: plot_contour(bowl, levels=2.5), TypeError, "levels is 2.5; expected how many, such as 7, or a list"),
        (lambda: plot_contour(bowl, levels="abc"), TypeError, "levels is 'abc'; expected how many"),
        (lambda: plot_contour(bowl, levels=[None]), TypeError, r"levels is \[None\]; expected a tensor or a list"),
        (lambda: paths_still(bowl, {"a": [[1.0, 2.0, 3.0]]}), ValueError, r"paths\['a'\] has shape \(1, 3\)"),
    ],
)
def test_bad_arguments(plot, kind, message):
    with pytest.raises(kind, match=message):
        plot()
