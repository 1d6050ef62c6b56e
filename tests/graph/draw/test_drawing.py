"""The drawing: what it shows, that no name breaks it, and that it is the same in every process."""

import math
import os
import re
import subprocess
import sys
from dataclasses import replace
from xml.etree import ElementTree

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import draw_graph
from course_utils.graph.draw.choose import ALL, Card, choose_cards
from course_utils.graph.draw.drawing import WIDTH, Drawing, Frame, frame_for, picture_of
from course_utils.graph.draw.faces import PAD, make_face
from course_utils.graph.draw.strokes import CELL, FONT
from course_utils.graph.words.text import cells

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "<script>alert(1)</script>",
    '"quo\'tes"',
    "a\nb\tc\r",
    "&amp;&",
    "😀名前",
    "n" * 10_000,
    "\x00\x1b\x7f\u202e\ud800\ufffe",
    "",
]


def texts(picture):
    root = ElementTree.fromstring(picture.svg)
    return ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]


def test_values_and_gradients_stand_on_every_node(lesson):
    shown = texts(picture_of(lesson))
    assert shown.count("value") == shown.count("grad") == 5
    for text in ("x", "y", "x²", "y³", "z = +", "2.00", "31.00", "27.00"):
        assert text in shown


def test_before_the_backward_pass_nothing_reads_zero(before):
    picture = picture_of(before)
    assert texts(picture).count("no gradient yet") == 5
    assert "grad" not in texts(picture)
    assert "No gradient yet." in picture.description
    assert 'class="k"' not in picture.svg


def test_a_gradient_of_zero_is_not_no_gradient(make):
    nodes = [make.leaf("x", 1, 0.0), make.operation("Round", 1, 1, is_output=True)]
    picture = picture_of(make.graph(nodes, [make.edge(0, 1, 0, 0.0, 0.0)]))
    assert "no gradient yet" not in texts(picture)
    assert "x = 0.00" in picture.description


def test_the_gradient_flows_back_on_every_edge(lesson):
    drawing = Drawing(lesson, choose_cards(lesson), Frame())
    svg = ElementTree.fromstring(drawing.svg())
    dashed = next(path for path in svg.iter(f"{SVG}path") if path.get("class") == "k")
    assert dashed.get("d").count("M") == 4
    assert texts(picture_of(lesson)).count("4.00") == 3  # two cards and an edge


def test_two_uses_are_two_edges_and_their_sum_is_spelled_out(square, fork):
    view = choose_cards(square)
    assert [(link.source, link.target) for link in view.links] == [(0, 1), (0, 1)]
    assert "= 3.00 + 3.00" in texts(picture_of(square))
    assert "= 0.9093 + (−0.8323)" in texts(picture_of(fork))


def test_kinds_look_different(lesson, make):
    svg = ElementTree.fromstring(picture_of(lesson).svg)
    looks = {
        rect.get("class"): rect.get("rx") for rect in svg.iter(f"{SVG}rect") if rect.get("width") and rect.get("rx")
    }
    assert {"leaf", "operation", "output"} <= set(looks)
    assert looks["leaf"] != looks["operation"]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_trouble_has_a_sign_and_a_word(make, value):
    nodes = [make.leaf("x", 1, value), make.operation("Sqrt", 1, 1, is_output=True)]
    picture = picture_of(make.graph(nodes, [make.edge(0, 1, 0, value)]))
    assert 'class="sign"' in picture.svg
    assert f"Marked: x ({value})." in picture.description


def test_a_cut_is_marked(make):
    twin = make.operation("Mul", 4)._replace(kind="constant", operation=None, name="d", note="detached here")
    nodes = [
        make.leaf("x", 2, 4),
        make.operation("Pow", 4, 4, name="u"),
        twin,
        make.operation("Mul", 16, 1, is_output=True),
    ]
    edges = [make.edge(0, 1, 0, 16, 4.0), make.edge(1, 2), make.edge(1, 3, 0, 4, 4.0), make.edge(2, 3, 1)]
    picture = picture_of(make.graph(nodes, edges))
    assert 'class="cut"' in picture.svg
    assert 'class="sign"' in picture.svg
    assert "detached here" in texts(picture)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text_and_nothing_else(make, name):
    nodes = [make.leaf(name, 1, 1), make.operation("Sin", 1, 1, name=name, is_output=True, line=name, note=name)]
    picture = picture_of(make.graph(nodes, [make.edge(0, 1, 0, 1, 1.0)]), title=name)
    root = ElementTree.fromstring(picture.svg)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg",
        "style",
        "rect",
        "path",
        "g",
        "text",
        "tspan",
    }
    assert max(map(len, texts(picture))) < 120
    assert "<script" not in picture.to_html()
    str(picture).encode()


@settings(max_examples=150, deadline=None)
@given(st.text(), st.text(max_size=8), st.text())
def test_any_name_gives_a_well_formed_drawing(name, kind, note):
    from course_utils.graph.data import Edge, Node
    from course_utils.graph.graph import Graph

    nodes = (Node("leaf", name), Node("operation", name, kind, is_output=True, note=note, line=note, module=name))
    graph = Graph(nodes, (Edge(0, 1),), (1, 0))
    picture = picture_of(graph, title=note)
    ElementTree.fromstring(picture.svg)


@settings(max_examples=100, deadline=None)
@given(st.floats(allow_nan=False, width=32), st.floats(allow_nan=False, width=32))
def test_sizes_do_not_depend_on_numbers(a, b):
    from course_utils.graph.data import Edge, Node, Summary
    from course_utils.graph.graph import Graph

    def drawing(number):
        shown = Summary((), (number,), abs(number))
        nodes = (
            Node("leaf", "x", None, (), "float32", shown, shown),
            Node("operation", None, "Sin", (), "float32", shown, shown),
        )
        graph = Graph(nodes, (Edge(0, 1, 0, shown, number),), (1, 0))
        view = choose_cards(graph)
        return Drawing(graph, view, frame_for(graph, view)).layout

    assert drawing(a) == drawing(b)


@given(st.floats(-99999, 99999, width=32).filter(lambda number: number == 0 or abs(number) > 0.001))
def test_usual_numbers_fit_their_cards(number):
    from course_utils.graph.data import Node, Summary
    from course_utils.graph.graph import Graph

    shown = Summary((), (number,), abs(number))
    graph = Graph((Node("operation", None, "Sin", (), "float32", shown, shown),), ())
    face = make_face(graph, Card((0,)), [], [], with_values=True, is_numbered=False, least=0)
    for _, name, text in face.rows:
        assert (cells(name) + 1 + cells(text)) * CELL <= face.width - 2 * PAD + CELL


def test_the_same_bytes_in_every_process():
    code = (
        "import torch; from course_utils import draw_graph, step_backward\n"
        "x = torch.tensor(1.5, requires_grad=True); w = torch.ones(2, 2, requires_grad=True)\n"
        "u = x**2; y = u * torch.sin(u) + (w @ w).sum()\n"
        "print(draw_graph(y, x=x, u=u, w=w, gradients=True).svg)\n"
        "print(step_backward(y, x=x, u=u, w=w)(step=3).svg)\n"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1"},
            capture_output=True, check=True, timeout=120,
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert runs[0] == runs[1]
    assert len(runs[0]) > 5000


def test_it_reads_what_a_learner_has():
    x, y = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0, requires_grad=True)
    z = x**2 + y**3
    plain = draw_graph(z, x=x, y=y, z=z)
    assert plain.description == "Graph of z = 31.00: 3 operations on 2 leaves, x = 2.00, y = 3.00. No gradient yet."
    assert x.grad is None
    full = draw_graph(z, x=x, y=y, z=z, gradients=True)
    assert full.description.endswith("Gradient: x = 4.00, y = 27.00.")
    assert x.grad is None
    assert "1.00 × 27.00 = 27.00 to y" in repr(full)
    assert full.exact
    called = draw_graph(lambda x, y: x**2 + y**3, x=2.0, y=3.0, gradients=True)
    assert "Gradient: x = 4.00, y = 27.00." in called.description
    both = draw_graph((x * y, x + y), x=x, y=y)
    assert both.svg.count('class="output"') == 3  # two cards and the legend


def test_a_freed_graph_says_so():
    x = torch.tensor(2.0, requires_grad=True)
    y = x.sin().exp()
    y.backward()
    assert "freed" in draw_graph(y, x=x).description


def test_bad_input(lesson):
    with pytest.raises(TypeError, match="x given with a Graph"):
        draw_graph(lesson, x=1)
    with pytest.raises(TypeError, match="title is 3; expected a text"):
        draw_graph(lesson, title=3)
    with pytest.raises(TypeError, match="open is"):
        draw_graph(lesson, open=3)
    with pytest.raises(TypeError, match="gradients is"):
        draw_graph(lesson, gradients="yes")
    with pytest.raises(ValueError, match="limit is 5000; expected a whole number from 2 to 1000"):
        draw_graph(lesson, limit=5000)
    with pytest.raises(TypeError, match="target is"):
        draw_graph(3)
    with pytest.raises(ValueError, match="does not require grad"):
        draw_graph(torch.ones(2))


def test_text_is_large_enough_at_900_pixels(stack, loop, lesson):
    for graph in (stack, loop, lesson):
        assert FONT * 900 / max(900, picture_of(graph).width) >= 12
    assert FONT * 900 / WIDTH >= 12


def test_a_group_draws_its_stack_and_count(loop):
    picture = picture_of(loop)
    assert "× 499" in texts(picture)
    assert "1497 operations, output" in texts(picture)
    assert "Drawn in parts: Mul Add Tanh × 499." in picture.description


def test_trouble_inside_a_module_shows_on_its_card(stack):
    assert 'class="sign"' not in picture_of(stack).svg
    nodes = list(stack.nodes)
    nodes[5] = nodes[5]._replace(value=nodes[5].value._replace(numbers=(math.nan,), norm=math.nan, trouble="nan"))
    assert 'class="sign"' in picture_of(replace(stack, nodes=tuple(nodes))).svg


def test_a_big_graph_is_drawn_up_to_the_limit(loop):
    picture = picture_of(loop, open=ALL, limit=50)
    assert len(re.findall("<g transform", picture.svg)) == 51  # the cards, and the one around them
    assert "farther from the output" in picture.description
