"""Reading and drawing a big graph never stops to look for garbage, and leaves Python's search as it was."""

import gc

import pytest
import torch

from course_utils import draw_graph, trace
from course_utils.graph.garbage import collecting_later


@pytest.fixture
def searches():
    """The phases of the searches for garbage since the test began."""
    seen = []

    def note(phase, info):
        seen.append(phase)

    gc.callbacks.append(note)
    yield seen
    gc.callbacks.remove(note)


@collecting_later
def make_tuples(count):
    return [(at, at + 1) for at in range(count)]


def test_the_search_waits_until_the_function_is_done(searches):
    made = make_tuples(20_000)
    during = len(searches)
    more = [(at, [at]) for at in range(20_000)]
    assert len(made) == len(more) == 20_000
    assert during == 0
    assert searches


def test_the_search_goes_on_after_an_error():
    @collecting_later
    def fail():
        raise LookupError("nothing here")

    with pytest.raises(LookupError, match="nothing here"):
        fail()
    assert gc.isenabled()


def test_a_search_that_was_off_stays_off():
    gc.disable()
    try:
        make_tuples(10)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_big_graph_is_read_and_drawn_with_few_searches(searches):
    x = torch.tensor(1.0, requires_grad=True)
    z = x
    for _ in range(1000):
        z = torch.sin(z * 1.0001)
    gc.collect()
    searches.clear()
    graph = trace(z)
    picture = draw_graph(graph)
    # One between two steps at most; there were dozens.
    assert len(graph.nodes) > 2000
    assert picture.svg
    assert len(searches) // 2 <= 5
