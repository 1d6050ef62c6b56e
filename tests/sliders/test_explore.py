"""Both kinds of view, their stills, what is stored, and errors that name what is wrong."""

import subprocess
import sys

import matplotlib
import nbformat
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import slider_views as views
from course_utils import Picture, explore

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="99" height="50"><rect width="{}" height="9" fill="#0072b2"/></svg>'
)


@explore(n=(0, 4), loud=False)
def bar(n, loud):
    """A bar."""
    return Picture(SVG.format(10 * n), description=f"bar of {n}{'!' if loud else ''}", exact=True)


@pytest.fixture
def tangent():
    return explore(views.tangent, x=(-2, 2, 0.05))


def test_a_view_that_draws_its_own_picture():
    assert bar.start == {"n": 2, "loud": False}
    assert bar.picture.description == "bar of 2"
    assert bar(n=4, loud=True).description == "bar of 4!"
    assert 'width="40"' in bar(n=4).svg


def test_a_view_with_axes(tangent):
    assert tangent.picture.description == "The tangent of f: slope -1.500"
    assert tangent(x=1.5).description == "The tangent of f: slope 5.250"
    assert tangent(x=1.5).figure is not tangent(x=1.5).figure


def test_a_view_of_words_and_one_of_both():
    words = explore(lambda n: f"{n} squared is {n * n}", n=range(5))
    assert words(n=3) == "3 squared is 9"
    assert words.picture == "0 squared is 0"
    both = explore(lambda n: (bar(n=n), f"n is {n}"), n=range(5))
    assert both(n=3).description == "bar of 3"
    assert "<p>n is 0</p>" in both.stored()["text/html"]


def test_a_view_of_the_whole_figure():
    assert (
        explore(views.surface, x=(-2, 2, 0.1)).picture.description
        == "A point on a surface in three dimensions: surface"
    )


def test_the_size_of_the_figure():
    assert explore(views.tangent, x=(-2, 2, 0.05)).picture.width == 640
    assert explore(views.collections, x=(-2, 2, 0.05)).picture.width == 920
    assert explore(views.tangent, x=(-2, 2, 0.05), figure_size=(5, 3)).picture.width == 500


def test_the_title_is_the_first_line_of_the_docstring():
    assert bar.title == "A bar"
    assert explore(lambda n: "text", n=range(3)).title == ""


@given(st.floats(-2, 2))
@settings(max_examples=20, deadline=None)
def test_any_position_can_be_typed(x):
    assert explore(views.tangent, x=(-2, 2, 0.05))(x=x).description == f"The tangent of f: slope {3 * x**2 - 1.5:.3f}"


def test_what_is_stored_shows_the_still_and_says_what_to_do(tangent):
    live = tangent._repr_mimebundle_()
    widget = "application/vnd.jupyter.widget-view+json"
    assert set(live) == {"text/plain", "text/html", widget}
    stored = {kind: text for kind, text in live.items() if kind != widget}
    again = explore(views.tangent, x=(-2, 2, 0.05))._repr_mimebundle_()
    assert stored == {kind: text for kind, text in again.items() if kind != widget} == tangent.stored()
    assert stored["text/plain"] == "The tangent of f: slope -1.500\nRun this cell to move it: x from −2.00 to 2.00."
    assert '<img alt="The tangent of f: slope -1.500"' in stored["text/html"]
    assert "Run this cell to move it: x from −2.00 to 2.00." in stored["text/html"]
    assert bar.stored()["image/svg+xml"] == bar.picture.svg
    assert "<script>" not in explore(lambda n: "<script>", n=range(3)).stored()["text/html"]


def test_nbval_is_content_with_a_stored_still(tmp_path):
    """The notebook holds the still alone; a live run adds the widget's view; strict comparison stays green."""
    code = "from course_utils import explore\nexplore(lambda n: f'{n} squared', n=range(3))"
    result = nbformat.v4.new_output(
        "execute_result", explore(lambda n: f"{n} squared", n=range(3)).stored(), execution_count=1
    )
    cell = nbformat.v4.new_code_cell(code, outputs=[result], execution_count=1)
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=kernel), tmp_path / "stored.ipynb")
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "stored.ipynb"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, encoding="utf-8")
    assert "1 passed" in run.stdout, run.stdout


def test_the_learners_world_stays_as_it_is(tangent):
    state, settings, grad = torch.get_rng_state(), dict(matplotlib.rcParams), torch.is_grad_enabled()

    @explore(n=range(3))
    def wild(n):
        torch.manual_seed(n)
        torch.set_grad_enabled(False)
        return f"{torch.rand(1).item():.2f}"

    wild(n=1)
    tangent(x=1)
    tangent._repr_mimebundle_()
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.is_grad_enabled() == grad
    assert dict(matplotlib.rcParams) == settings
    assert "matplotlib.pyplot" not in vars(matplotlib) or not matplotlib.pyplot.get_fignums()


def nothing(x, loud=True):
    return None


def no_update(ax):
    return 3


def no_readout(ax):
    return lambda x: None


def other_update(ax):
    return lambda y: "text"


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: explore(lambda x: "t"), TypeError, "at least one slider"),
        (lambda: explore(3, x=(0, 1)), TypeError, "view = 3; expected a function"),
        (
            lambda: explore(nothing, y=(0, 1)).picture,
            TypeError,
            r"nothing was given axes as x and returned None; .* update\(y\)",
        ),
        (
            lambda: explore(nothing, x=(0, 1), y=(0, 1)),
            TypeError,
            "nothing has no parameter 'y' for this slider; it has x, loud",
        ),
        (lambda: explore(lambda x, y: "t", y=(0, 1)), TypeError, "a slider for 'x'"),
        (
            lambda: explore(nothing, x=(0, 1)).picture,
            TypeError,
            r"nothing returned None; expected a Picture, a text, or a pair",
        ),
        (
            lambda: explore(no_update, x=(0, 1)).picture,
            TypeError,
            r"no_update .* returned 3; expected the function update\(x\)",
        ),
        (
            lambda: explore(no_readout, x=(0, 1)).picture,
            TypeError,
            "update of no_readout returned None; expected the readout",
        ),
        (
            lambda: explore(other_update, x=(0, 1)).picture,
            TypeError,
            r"other_update returned .*\(y\); .* need update\(x\)",
        ),
        (lambda: bar(m=3), TypeError, "bar has no slider 'm'; it has n, loud"),
        (lambda: bar(n=9), ValueError, "n = 9 is outside the slider's range, 0 to 4"),
        (lambda: explore(views.tangent, x=(0, 1), figure_size=(3, 0)), ValueError, "figure_size = .*above zero"),
        (lambda: explore(views.tangent, x=(0, 1), figure_size=3), TypeError, "figure_size is 3; expected 2 numbers"),
        (lambda: explore(nothing, x=(1, 0)), ValueError, "x = .* minimum 1 is above the maximum 0"),
    ],
)
def test_errors_say_what_is_wrong(make, error, said):
    with pytest.raises(error, match=said):
        make()


def test_a_parameter_with_a_default_needs_no_slider():
    def view(n, base=2):
        return f"{base**n}"

    assert explore(view, n=range(9))(n=3) == "8"


def test_its_name_and_sliders_without_drawing():
    assert repr(explore(nothing, x=(0, 2), loud=False)) == "nothing, with sliders: x from 0 to 2; loud on or off"
