"""Torch's random state is one for all threads: a slider moved beside a running cell must not put it back."""

import random
import threading

import pytest
import torch

from course_utils import explore, trace
from course_utils.core import randomness
from course_utils.core.randomness import random_state_kept
from course_utils.plots.functions import ScalarFunction


def in_a_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def moves_a_plot(pause):
    ScalarFunction(lambda x: pause() or x**2, probe=[1.0])


def traces_a_graph(pause):
    trace(lambda x: pause() or x**2, x=1.0)


def moves_a_slider(pause):
    def view(x):
        return pause() or f"{x}"

    explore(view, x=(0, 1))(x=1)


@pytest.mark.parametrize("work", [moves_a_plot, traces_a_graph, moves_a_slider])
def test_a_cell_that_draws_while_a_slider_moves_never_draws_the_same_twice(work):
    started, drawn = threading.Event(), threading.Event()

    def pause():
        started.set()
        drawn.wait(30)

    generator, chance, python_state = torch.Generator().manual_seed(0), random.Random(0), random.getstate()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        random.seed(0)
        thread = in_a_thread(lambda: work(pause))
        assert started.wait(30)
        first = torch.rand(3), random.random()
        drawn.set()
        thread.join()
        second = torch.rand(3), random.random()
    random.setstate(python_state)
    for found, number in (first, second):
        assert torch.equal(found, torch.rand(3, generator=generator))
        assert number == chance.random()


@pytest.mark.parametrize("work", [moves_a_plot, traces_a_graph, moves_a_slider])
def test_in_the_main_thread_what_was_drawn_is_put_back(work):
    state = torch.get_rng_state()
    work(lambda: torch.rand(3) is None)
    assert torch.equal(torch.get_rng_state(), state)


@random_state_kept()
def draws_and_fails():
    raise ZeroDivisionError(torch.rand(3))


def test_the_state_is_put_back_after_an_error():
    state = torch.get_rng_state()
    with pytest.raises(ZeroDivisionError):
        draws_and_fails()
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    "draw",
    [
        lambda x: torch.rand_like(x),
        lambda x: torch.randn_like(x, dtype=torch.float64),
        lambda x: torch.randint_like(x, 5),
        lambda x: torch.randint_like(x, 3, 9),
    ],
)
def test_where_like_takes_no_generator_the_same_numbers_are_drawn(draw, monkeypatch):
    x = torch.ones(3, 4)
    with randomness.OwnRandomness(7):
        here = draw(x)
    names = randomness.argument_names
    randomness._with_generator.cache_clear()
    without = lambda each: names(each) - ({"generator"} if "_like" in str(each) else set())  # noqa: E731
    monkeypatch.setattr(randomness, "argument_names", without)
    try:
        with randomness.OwnRandomness(7):
            assert torch.equal(draw(x), here) and len(here.unique()) > 2
    finally:
        randomness._with_generator.cache_clear()
