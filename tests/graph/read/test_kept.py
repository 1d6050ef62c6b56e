"""What `.grad` holds is shown on a graph that has no gradients of its own, and told apart from them."""

import torch

from course_utils import draw_graph, trace


def walked():
    x = torch.tensor(2.0, requires_grad=True)
    u = x**2
    u.retain_grad()
    y = 3 * u
    y.backward()
    return x, u, y


def test_leaves_and_retaining_tensors_show_what_their_grad_holds():
    x, u, y = walked()
    nodes = {node.name: node for node in trace(y, x=x, u=u, y=y).nodes}
    assert nodes["x"].kept.numbers == (12.0,)
    assert nodes["u"].kept.numbers == (3.0,)
    assert nodes["y"].kept is None
    assert nodes["x"].gradient is None


def test_the_picture_after_a_backward_says_what_was_kept_and_what_was_not():
    x, u, y = walked()
    picture = draw_graph(y, x=x, u=u, y=y)
    assert "Held: x.grad = 12.00." in picture.description
    assert ">.grad<" in picture.svg
    assert "gradient not kept" in picture.details
    assert "no gradient yet" not in picture.details


def test_a_new_graph_on_a_used_leaf_shows_the_old_grad_and_no_gradient_of_its_own():
    x, _, _ = walked()
    details = draw_graph(x**3, x=x).details
    assert ".grad 12.00" in details
    assert "no gradient yet" in details


def test_gradients_of_a_pass_stand_alone():
    x, _, _ = walked()
    graph = trace(x**3, x=x).backward()
    assert all(node.kept is None for node in graph.nodes)
    assert ".grad" not in str(graph)
