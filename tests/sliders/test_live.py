import pytest

from course_utils.core.picture import Picture
from course_utils.sliders import live
from course_utils.sliders.live import watch


def picture(number):
    return Picture(f'<svg width="10" height="10"><!--{number}--></svg>', description=f"picture {number}")


@pytest.fixture
def shown(monkeypatch):
    views = []
    monkeypatch.setattr(live, "display", views.append)
    return views


def test_every_step_is_given_and_the_last_picture_is_of_the_end(shown):
    steps = []
    for step in watch(range(7), lambda: picture(len(steps))):
        steps.append(step)
    (view,) = shown
    assert steps == list(range(7))
    assert (view.done, view.total, view.picture["alt"]) == (7, 7, "picture 7")


def test_a_long_loop_is_drawn_about_twenty_times(shown):
    drawn = []
    assert len(list(watch(range(1000), lambda: drawn.append(1) or picture(1)))) == 1000
    assert 20 <= len(drawn) <= 25


def test_nothing_is_drawn_before_the_first_step(shown):
    loop = iter(watch(range(3), lambda: picture(1)))
    next(loop)
    assert (shown[0].done, shown[0].picture) == (0, {})


def test_a_stored_notebook_keeps_a_line_that_says_what_was_to_be_seen(shown):
    list(watch(["a", "b"], lambda: picture(1), name="step"))
    bundle, _ = shown[0]._repr_mimebundle_()
    line = "2 steps, with a picture that moves while they run. Run this cell to watch them."
    assert bundle["text/plain"] == line
    assert line in bundle["text/html"]


def test_a_single_step_is_not_called_several(shown):
    list(watch([1], lambda: picture(1)))
    assert repr(shown[0]).startswith("1 epoch, with")


@pytest.mark.parametrize(
    ("use", "kind", "message"),
    [
        (lambda: watch(iter([1]), lambda: picture(1)), TypeError, "expected something with a length"),
        (lambda: watch([], lambda: picture(1)), ValueError, "steps is empty"),
        (lambda: watch([1], 3), TypeError, "draw is 3; expected a function"),
        (lambda: list(watch([1], lambda: 3)), TypeError, "draw returned 3; expected a Picture"),
    ],
)
def test_bad_arguments(shown, use, kind, message):
    with pytest.raises(kind, match=message):
        use()
