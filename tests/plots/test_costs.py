import pytest

from course_utils import plot_memory, plot_times


def test_memory_is_said_and_time_is_not():
    description = "memory by micro-batch size: 1: 1.50 KB, 4: 6.00 KB"
    assert plot_memory([1, 4], memory=[1500, 6000]).description == description
    timed = plot_memory([1, 4], memory=[1500, 6000], time=[0.02, 0.01])
    assert timed.description == description
    assert len(timed.figure.axes) == 2
    assert plot_memory([1], memory=[12]).description == "memory by micro-batch size: 1: 12 B"


def test_times_say_which_way_is_clearly_fastest_and_no_times():
    picture = plot_times([1, 10], size="inputs", jacrev=[2e-4, 3e-4], forward_mode=[1.5e-4, 9e-4])
    assert picture.description == (
        "time by inputs for jacrev, forward mode: at 1 no way is clearly fastest, at 10 jacrev is fastest"
    )
    assert (
        plot_times([1, 10], jacrev=[2e-4, 3e-4]).description == "time by size for jacrev: at 1 measured, at 10 measured"
    )


def test_nothing_held_is_drawn_too():
    assert plot_memory([1, 4], memory=[0, 0]).description == "memory by micro-batch size: 1: 0 B, 4: 0 B"


@pytest.mark.parametrize(
    ("plot", "message"),
    [
        (lambda: plot_memory([4, 1], memory=[1, 2]), r"sizes = \[4.0, 1.0\] do not rise"),
        (lambda: plot_memory([0, 4], memory=[1, 2]), r"sizes = \[0.0, 4.0\] do not rise from above 0"),
        (lambda: plot_memory([1, 4], memory=[-1, 2]), "memory has a value below 0"),
        (lambda: plot_memory([1, 4], memory=[1, float("nan")]), "memory has an entry that is infinite or nan"),
        (lambda: plot_times([1], a=[1.0]), "sizes has 1 entries; expected at least 2"),
        (lambda: plot_memory([1, 4], memory=[1]), "memory has 1 values and sizes 2"),
        (lambda: plot_times([1, 4]), "plot_times got 0 ways to compute; expected one to four"),
        (lambda: plot_times([1, 4], a=[1.0]), "a has 1 values and sizes 2"),
        (lambda: plot_times([1, 4], a=[1.0, 0.0]), "a has a time that is not above 0"),
    ],
)
def test_bad_arguments(plot, message):
    with pytest.raises(ValueError, match=message):
        plot()
