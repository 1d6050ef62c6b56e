"""The layout: nothing overlaps, nothing is crossed, rows end where they should, and it is the same everywhere."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.graph.draw.layout import lay_out

WIDTH = 960
CARD = (120.0, 80.0)


@st.composite
def drawings(draw):
    count = draw(st.integers(1, 24))
    sizes = draw(st.lists(st.tuples(st.integers(40, 220), st.integers(40, 120)), min_size=count, max_size=count))
    pairs = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(lambda pair: pair[0] < pair[1])
    links = draw(st.lists(pairs, max_size=40)) if count > 1 else []
    return [(float(wide), float(high)) for wide, high in sizes], links


def boxes(sizes, layout):
    return [(x, y, x + wide, y + high) for (wide, high), (x, y) in zip(sizes, layout.corners, strict=True)]


def walk(route):
    """Points along a route, closely."""
    for (x0, y0), (x1, y1) in zip(route, route[1:], strict=False):
        for step in range(17):
            t = step / 16
            level = t if x0 == x1 or y0 == y1 else t * t * (3 - 2 * t)
            yield x0 + (x1 - x0) * t, y0 + (y1 - y0) * level


@settings(max_examples=150, deadline=None)
@given(drawings())
def test_cards_do_not_overlap_and_fit_the_sheet(drawing):
    sizes, links = drawing
    layout = lay_out(sizes, links, width=WIDTH)
    placed = boxes(sizes, layout)
    for (a, b, c, d), (e, f, g, h) in combinations(placed, 2):
        assert c <= e or g <= a or d <= f or h <= b
    for a, b, c, d in placed:
        assert 0 <= a < c <= layout.width
        assert 0 <= b < d <= layout.height


@settings(max_examples=150, deadline=None)
@given(drawings())
def test_links_run_from_card_to_card_and_through_none(drawing):
    sizes, links = drawing
    layout = lay_out(sizes, links, width=WIDTH)
    placed = boxes(sizes, layout)
    for (source, target), route in zip(links, layout.routes, strict=True):
        assert route[0][0] == pytest.approx(placed[source][2], abs=0.2)
        assert route[-1][0] == pytest.approx(placed[target][0], abs=0.2)
        assert placed[source][1] < route[0][1] < placed[source][3]
        assert placed[target][1] < route[-1][1] < placed[target][3]
        for x, y in walk(route):
            assert 0 <= x <= layout.width
            assert not any(a + 0.2 < x < c - 0.2 and b + 0.2 < y < d - 0.2 for a, b, c, d in placed)


@settings(max_examples=50, deadline=None)
@given(drawings())
def test_a_row_ends_before_the_width(drawing):
    sizes, links = drawing
    layout = lay_out(sizes, links, width=WIDTH)
    tracks = 14 * 2 * len(links)  # what runs back at both ends of a row
    assert layout.width <= max(WIDTH, max(wide for wide, _ in sizes) + 40 + tracks)


@settings(max_examples=30, deadline=None)
@given(drawings())
def test_the_same_drawing_twice(drawing):
    assert lay_out(*drawing) == lay_out(*drawing)


def test_a_chain_is_one_level_line():
    layout = lay_out([CARD] * 4, [(0, 1), (1, 2), (2, 3)])
    assert len({y for route in layout.routes for _, y in route}) == 1
    assert [x for x, _ in layout.corners] == sorted(x for x, _ in layout.corners)


def test_a_long_chain_breaks_into_rows():
    layout = lay_out([CARD] * 20, [(at, at + 1) for at in range(19)], width=WIDTH)
    rows = sorted({y for _, y in layout.corners})
    assert len(rows) == 5
    assert layout.width <= WIDTH


def test_two_links_between_the_same_cards_are_apart():
    layout = lay_out([CARD] * 2, [(0, 1), (0, 1)], port=26)
    (first, second) = layout.routes
    assert second[0][1] - first[0][1] == second[-1][1] - first[-1][1] == 26


def test_a_leaf_sits_beside_what_uses_it_first():
    layout = lay_out([CARD] * 5, [(0, 1), (1, 2), (2, 4), (3, 4)])
    assert layout.corners[3][0] == layout.corners[2][0]


def test_branches_of_a_tree_do_not_cross():
    links = [(child, 14 - (13 - child) // 2) for child in range(14)]
    layout = lay_out([CARD] * 15, links, width=5000)
    curves = [(route[0], route[-1]) for route in layout.routes]
    for ((ax, ay), (bx, by)), ((cx, cy), (dx, dy)) in combinations(curves, 2):
        if ax == cx and bx == dx:
            assert (ay - cy) * (by - dy) >= 0


def test_thousands_of_cards_take_no_recursion():
    layout = lay_out([CARD] * 3000, [(at, at + 1) for at in range(2999)])
    assert len(layout.corners) == 3000


def test_nothing_to_draw():
    layout = lay_out([], [])
    assert layout.corners == layout.routes == ()
