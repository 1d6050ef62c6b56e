"""The walk back, step by step, and the graph under sliders."""

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import explore_graph, step_backward, trace
from course_utils.graph.data import Summary
from course_utils.graph.words.steps import Stages, add, negative


def gradients(graph):
    return [node.gradient and node.gradient.numbers[0] for node in graph.nodes]


def places(picture):
    return re.findall(r"translate\([^)]*\)", picture.svg), re.search(r'width="\d+" height="\d+"', picture.svg)[0]


def test_a_pass_fills_node_by_node(lesson):
    stages = Stages(lesson)
    assert stages.last == 4
    assert gradients(stages.graph_at(0)) == [None] * 7
    assert gradients(stages.graph_at(1)) == [None, None, None, 1, None, 1, 1]
    assert gradients(stages.graph_at(2)) == [None, 27, None, 1, None, 1, 1]
    assert gradients(stages.graph_at(3)) == [4, 27, None, 1, None, 1, 1]
    assert stages.graph_at(4) is lesson
    assert [edge.gradient is not None for edge in stages.graph_at(2).edges] == [False, False, True, False, True, True]


def test_each_multiplication_is_spelled_out(lesson):
    stages = Stages(lesson)
    assert stages.said(0) == ["Before the backward pass", "No gradient yet; the pass starts at z and walks back"]
    assert stages.said(1) == [
        "Step 1 of 3: z = +",
        "Upstream: 1.00, the gradient of z with respect to itself",
        "To Pow #3: upstream 1.00 × local 1.00 = 1.00",
        "To Pow #5: upstream 1.00 × local 1.00 = 1.00",
    ]
    assert stages.said(3) == [
        "Step 3 of 3: Pow #3",
        "Code: a = x**2",
        "Upstream: 1.00",
        "To x: upstream 1.00 × local 4.00 = 4.00, where local is 2·x = 2·2.00 = 4.00",
    ]
    assert stages.said(4) == ["The backward pass is finished", "x.grad = 4.00, y.grad = 27.00"]


def test_gradients_that_meet_are_added(fork):
    stages = Stages(fork)
    assert gradients(stages.graph_at(1))[1] == pytest.approx(0.9093, abs=1e-4)
    assert stages.said(2)[-1] == "Meets at u: 0.9093 + (−0.8323) = 0.077"
    assert stages.said(3)[1] == "Upstream: 0.9093 + (−0.8323) = 0.077, the sum of 2 parts"


def test_both_edges_of_a_square_arrive_in_one_step(square):
    stages = Stages(square)
    assert stages.said(1)[2:] == [
        "To x: upstream 1.00 × local 3.00 = 3.00, where local is x = 3.00",
        "To x: upstream 1.00 × local 3.00 = 3.00, where local is x = 3.00",
        "Meets at x: 3.00 + 3.00 = 6.00",
    ]


def test_an_output_that_is_used_again_starts_with_its_own_part(make):
    nodes = [
        make.leaf("x", 2, 8),
        make.operation("Square", 4, 2, name="a", is_output=True),
        make.operation("Neg", -4, 1, name="b", is_output=True)._replace(gradient=make.number(1)),
    ]
    stages = Stages(make.graph(nodes, [make.edge(0, 1, 0, 8, 4.0), make.edge(1, 2, 0, 1, 1.0)]))
    assert gradients(stages.graph_at(0)) == [None, None, None]
    assert stages.arrivals[1][0] == (1, make.number(1))
    assert gradients(stages.graph_at(1)) == [None, 2, 1]


def test_tensors_name_the_rule_and_not_a_factor():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    said = Stages(trace((x * x).sum(), x=x).backward()).said(1)
    assert said[-1].startswith("To Mul #1: upstream () copied to every entry of (2,), which gives [1.00, 1.00]")


def test_sums_of_summaries():
    part = Summary((2,), (3.0, 4.0), 5.0)
    assert add([part]) is part
    assert add([part, part]) == Summary((2,), (6.0, 8.0), 10.0)
    assert add([part, negative(part)]) == Summary((2,), (0.0, 0.0), 0.0)
    assert add([part, Summary((2,), (float("nan"), 0.0), float("nan"), "nan")]).trouble == "nan"
    assert add([Summary((99,), (), 1.0)] * 2) == Summary((99,))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["sin", "mul", "add", "square"]), min_size=1, max_size=8), st.floats(-2, 2, width=32))
def test_the_last_step_is_the_gradient_and_none_goes_back(operations, value):
    x = torch.tensor(value, requires_grad=True)
    found = [x]
    for operation in operations:
        last, other = found[-1], found[len(found) // 2]
        found.append({"sin": last.sin(), "mul": last * other, "add": last + other, "square": last**2}[operation])
    stages = Stages(trace(found[-1], x=x).backward())
    (expected,) = torch.autograd.grad(found[-1], x)
    assert gradients(stages.graph_at(stages.last))[0] == pytest.approx(expected.item(), rel=1e-5, abs=1e-6)
    known = [
        sum(gradient is not None for gradient in gradients(stages.graph_at(step))) for step in range(stages.last + 1)
    ]
    assert known == sorted(known)
    assert gradients(stages.graph_at(stages.last - 1)) == gradients(stages.graph_at(stages.last))


def test_the_slider_walks_there_and_back_and_nothing_jumps(fork):
    walk = step_backward(fork)
    frames = [walk(step=step) for step in range(5)]
    assert len({str(places(frame)) for frame in frames}) == 1
    assert [frame.svg.count('class="lit"') for frame in frames] == [0, 1, 1, 1, 0]
    assert frames[2].svg == walk(step=2).svg
    assert "× −0.4161" in frames[2].svg
    assert "= −0.8323" in frames[2].svg
    assert frames[2].description.startswith("Step 2 of 3: Sin #2. Upstream: 2.00.")


def test_the_still_picture_is_the_finished_pass(fork):
    walk = step_backward(fork)
    assert walk.start == {"step": 4}
    assert walk.picture.description == "The backward pass is finished. x.grad = 0.154."
    assert "application/vnd.jupyter.widget-view+json" not in walk.stored()


def test_it_takes_what_draw_graph_takes_and_leaves_it_alone():
    x = torch.tensor(2.0, requires_grad=True)
    z = x**2
    walk = step_backward(z, x=x, z=z)
    assert "x.grad = 4.00" in walk.picture.description
    assert x.grad is None
    z.backward()
    called = step_backward(lambda x: x**2, x=3.0)
    assert "x.grad = 6.00" in called.picture.description
    assert "Code: " in called(step=1).description


def test_a_title_stands_over_the_picture_and_a_model_lends_its_names():
    net = torch.nn.Linear(1, 1, bias=False)
    walk = step_backward(net(torch.ones(1)), model=net, title="One & only")
    assert ">One &amp; only</text>" in walk.picture.svg
    assert walk.picture.description.startswith("One & only: ")
    assert "weight.grad = " in walk.picture.description
    explorer = explore_graph(torch.sin, title="sine", input=(0.0, 1.0))
    assert explorer.picture.description.startswith("sine: ")


def test_a_graph_too_long_to_walk_is_an_error(loop):
    with pytest.raises(ValueError, match="has 1,503 nodes; step_backward walks at most 200"):
        step_backward(loop)


def test_numbers_change_in_place():
    explorer = explore_graph(lambda x, y: x * y + torch.sin(x), x=(-3.0, 3.0), y=(-3.0, 3.0))
    first, second = explorer(x=1.0, y=2.0), explorer(x=-2.5, y=0.0)
    assert places(first) == places(second)
    assert "Gradient: x = 2.54, y = 1.00." in first.description
    assert "x = −2.50, y = 0.00" in second.description


def test_a_graph_that_changes_keeps_its_sheet():
    def f(x):
        return x * x * x if x > 0 else -x

    explorer = explore_graph(f, x=(-1.0, 1.0))
    long, short = explorer(x=0.5), explorer(x=-0.5)
    assert places(long)[1] == places(short)[1]
    assert long.svg.count("<g transform") > short.svg.count("<g transform")


def test_a_loop_with_a_whole_number_of_turns():
    def f(x, turns):
        for _ in range(turns):
            x = torch.sin(x)
        return x

    explorer = explore_graph(f, x=(0.0, 1.0), turns=range(1, 5))
    assert len({places(explorer(turns=turns))[1] for turns in range(1, 5)}) == 1
    assert "4 operations on 1 leaf" in explorer(turns=4).description


def test_bad_input():
    with pytest.raises(TypeError, match="function is"):
        explore_graph(torch.ones(1), x=(0, 1))
    with pytest.raises(TypeError, match="at least one slider"):
        explore_graph(lambda x: x)
    with pytest.raises(TypeError, match="title is 3; expected a text"):
        explore_graph(torch.sin, title=3, x=(0.0, 1.0))
    with pytest.raises(TypeError, match="title is 3; expected a text"):
        step_backward(torch.tensor(1.0, requires_grad=True) * 2, title=3)
