"""A frame equals a full draw in every pixel, whatever moves."""

import numpy
import pytest

import slider_views as views
from course_utils import explore
from course_utils.core import palette
from course_utils.sliders.blit import Canvas
from course_utils.sliders.dark import renderer_for

PLACES = [-1.5, 0.3, 0.3, 1.9, -2.0, 0.0, 1.0]


def make(view):
    """The view's figure, moved by a function of x."""
    explorer = explore(view, x=(-2, 2, 0.05))
    figure, update = explorer.new_figure()
    return figure, lambda x: explorer.move(update, {"x": x})


def full_draw(figure, *, dark):
    """The figure as it stands, drawn from nothing; layout aside, which gives other last digits on every run."""
    moving = [artist for artist in figure.findobj() if artist.get_animated()]
    for artist in moving:
        artist.set_animated(False)
    engine = figure.get_layout_engine()
    renderer = renderer_for(figure, dark=dark)
    with palette.style():
        figure.set_layout_engine("none")
        figure.draw(renderer)
        figure.set_layout_engine(engine)
    for artist in moving:
        artist.set_animated(True)
        artist.stale = False
    figure.stale = False
    return numpy.asarray(renderer.buffer_rgba())


def composed(frame):
    """What the page shows: the still picture with the changed rectangle over it."""
    shown = frame.still.copy()
    if frame.changed:
        shown[frame.changed] = frame.pixels[frame.changed]
    return shown


@pytest.mark.parametrize("view", views.ALL, ids=lambda view: view.__name__)
@pytest.mark.parametrize(("ratio", "dark"), [(1, False), (1.5, True)])
def test_a_frame_is_a_full_draw(view, ratio, dark):
    figure, move = make(view)
    canvas = Canvas(figure)
    for x in PLACES:
        frame = canvas.frame(lambda x=x: move(x), ratio=ratio, dark=dark)
        differ = (composed(frame) != full_draw(figure, dark=dark)).any(2).sum()
        assert differ == 0, f"{differ} pixels differ at {x}"
    always = views.FULL_EVERY_TIME
    assert canvas.fast_draws == (0 if view in always else len(PLACES) - 1), (canvas.full_draws, canvas.fast_draws)
