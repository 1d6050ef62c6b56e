"""A graph in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.graph.data import Summary
from course_utils.graph.graph import Graph
from course_utils.graph.words.text import called, cells, clean, format_summary, label


def test_a_graph_reads_as_a_sentence_and_a_table(lesson):
    assert str(lesson) == (
        "Graph of z = 31.00: 3 operations on 2 leaves, x = 2.00, y = 3.00. Gradient: x = 4.00, y = 27.00.\n"
        "    name  made by                      shape  value  gradient  passes back\n"
        "#0  x     leaf                         ()     2.00   4.00\n"
        "#1  y     leaf                         ()     3.00   27.00\n"
        "#3        Pow(x, 2)                    ()     4.00   1.00      1.00 × 4.00 = 4.00 to x\n"
        "#5        Pow(y, 3)                    ()     27.00  1.00      1.00 × 27.00 = 27.00 to y\n"
        "#6  z     Add(Pow #3, Pow #5), output  ()     31.00  1.00      "
        "1.00 × 1.00 = 1.00 to Pow #3; 1.00 × 1.00 = 1.00 to Pow #5"
    )


def test_before_the_backward_pass(before):
    lines = str(before).splitlines()
    assert lines[0].endswith("No gradient yet.")
    assert all(line.endswith("no gradient yet") for line in lines[2:])


def test_a_long_graph_is_cut(loop):
    text = str(loop)
    assert len(text.splitlines()) == 63
    assert text.endswith("(1,443 nodes before these are not listed)")


def test_an_empty_graph():
    assert str(Graph((), ())) == "Graph without nodes."


def test_what_was_left_out_is_said(lesson):
    cut = Graph(lesson.nodes, lesson.edges, lesson.backward_order, left_out=1234)
    assert "1,234 more nodes before these were not read." in str(cut)
    assert "More nodes before these were not read." in str(
        Graph(cut.nodes, cut.edges, cut.backward_order, left_out=None)
    )


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("x", "x"),
        ("", "(empty)"),
        ("a\nb", "a b"),
        ("\x00\u202e", "\ufffd\ufffd"),
        ("n" * 100, "n" * 17 + "…"),
        ("名" * 100, "名" * 8 + "…"),
        ("\ufffe\uffff", "\ufffd\ufffd"),
    ],
)
def test_clean(name, shown):
    assert clean(name) == shown


@given(st.text())
def test_clean_is_one_short_line_that_can_be_written(name):
    shown = clean(name)
    assert cells(shown) <= 18
    assert len(shown) <= 37
    assert shown == "".join(shown.splitlines())
    shown.encode()


def test_a_long_path_keeps_its_end():
    assert called("encoder.layers.0.attention.weight") == "…attention.weight"
    assert called("layer1.0.weight") == "layer1.0.weight"


def test_labels(lesson):
    assert [label(lesson, index) for index in (0, 2, 3, 6)] == ["x", "2", "Pow #3", "z"]


def test_format_summary_shows_entries_where_they_fit():
    matrix = Summary((2, 2), (1.0, 2.0, 3.0, 4.0), 5.477)
    assert format_summary(matrix) == "[[1.00, 2.00], [3.00, 4.00]]"
    assert format_summary(matrix, room=20) == "norm 5.477"
    assert format_summary(Summary((3, 3), (1.0,) * 9, 3.0), room=20) == "all 1.00"
    assert format_summary(Summary((), (4.0,), 4.0), room=1) == "4.00"
    assert format_summary(Summary((1, 1), (4.0,), 4.0)) == "[[4.00]]"


def test_format_summary_without_entries():
    assert format_summary(Summary((100,), (), 3.0)) == "norm 3.00"
    assert format_summary(Summary((100,), (), 15582.87), room=11) == "norm 1.56e4"
    assert format_summary(Summary((100,), (), 1.2345e-7), room=11) == "norm 1.2e−7"
    assert format_summary(Summary((0, 3), (), 0.0)) == "empty"
    assert format_summary(Summary((100,), (), None)) == "not shown"
    assert format_summary(Summary((100,), (), None, "nan")) == "has nan"
