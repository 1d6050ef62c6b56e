"""What people hand in, and what they are told where it cannot be drawn."""

from collections import namedtuple
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course_utils import draw_graph, explore_graph, step_backward, trace

X = torch.tensor(3.0, requires_grad=True)
NET, BATCH = nn.Linear(3, 2), torch.ones(5, 3)


@dataclass
class Output:
    logits: torch.Tensor
    note: str = "none"
    loss: torch.Tensor | None = None


Pair = namedtuple("Pair", "one other")
HELD = {
    "a dataclass": lambda: Output(X * 2),
    "a generator": lambda: (X * at for at in range(1, 3)),
    "the values of a dict": lambda: {"a": X * 2, "b": X**2}.values(),
    "the items of a dict": lambda: {"a": X * 2}.items(),
    "a named tuple": lambda: Pair(X * 2, X**2),
    "a set": lambda: {X * 2},
    "a nested dict": lambda: {"a": [X * 2, (X**2,)]},
    "an object": lambda: SimpleNamespace(logits=X * 2, hidden=None),
    "map": lambda: map(torch.sin, [X, X * 2]),
}


@pytest.mark.parametrize("name", HELD)
def test_tensors_are_found_in_what_a_model_returns(name):
    assert any(node.is_output for node in trace(HELD[name](), X=X).nodes)
    assert "X = 3.00" in draw_graph(HELD[name](), X=X).description
    graph = trace(lambda x: HELD[name]() if x is None else [x * 2, HELD[name]()], x=2.0)
    assert sum(node.kind == "leaf" for node in graph.nodes) == 2


def test_of_an_object_with_a_loss_the_loss_is_drawn():
    output = SimpleNamespace(loss=X.exp(), logits=torch.ones(3) * X)
    assert [node.operation for node in trace(output).nodes if node.is_output] == ["Exp"]


NUMBERS = {
    "a loop": (lambda x, n: sum(x**i for i in range(n)), {"x": 2.0, "n": 3}, {"n"}),
    "a loop, all whole": (lambda x, n: sum(x * i for i in range(1, n)), {"x": 2, "n": 3}, {"n"}),
    "an index": (lambda x, k: x[k], {"x": torch.tensor([1.0, 2.0]), "k": 1}, {"k"}),
    "a share": (lambda x, p: F.dropout(x, p).sum(), {"x": torch.ones(4), "p": 0.5}, {"p"}),
    "two of them": (lambda x, i, j: x[i, j], {"x": torch.ones(2, 2), "i": 0, "j": 1}, {"i", "j"}),
    "a boolean": (lambda x, up: x * 2 if up else x, {"x": 2.0, "up": True}, set()),
    "a text": (lambda x, how: getattr(torch, how)(x), {"x": 2.0, "how": "sin"}, set()),
    "nothing": (lambda x, mask: x * 2 if mask is None else mask, {"x": 2.0, "mask": None}, set()),
    "a whole number that can be a leaf": (lambda x: x**2, {"x": 2}, set()),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_that_cannot_be_tensors_are_handed_on(name):
    function, given, plain = NUMBERS[name]
    graph = trace(function, **given)
    assert {node.name for node in graph.nodes if node.kind == "leaf"} <= {"x"}
    assert graph.remarks == (
        (f"No leaf: {', '.join(sorted(plain))}; the function needs a plain number there.",) if plain else ()
    )
    assert all(remark in draw_graph(function, **given).svg for remark in graph.remarks)


@pytest.mark.parametrize("given", [(2.0, 3.0), (torch.tensor(2.0), torch.tensor(3.0))])
def test_tensors_in_lists_and_dicts_become_leaves(given):
    one, other = map(torch.as_tensor, given)
    graph = trace(lambda ab: ab[0] * ab[1], ab=(one, other))
    assert [node.name for node in graph.nodes if node.kind == "leaf"] == ["ab[0]", "ab[1]"]
    graph = trace(lambda p: p["w"] * 2 + p["b"], p={"w": one, "b": other})
    assert [node.name for node in graph.nodes if node.kind == "leaf"] == ["p['w']", "p['b']"]
    assert one.grad is None and not one.requires_grad


def test_names_may_be_equal_to_an_option():
    for name in ("limit", "title", "open", "gradients", "model", "v"):
        for shown in (trace(X**2, **{name: X}), draw_graph(X**2, **{name: X})):
            assert f"{name} = 3.00" in str(shown)
        assert f"{name}.grad = 6.00" in step_backward(X**2, **{name: X})(step=2).description


def test_inputs_may_be_called_like_an_option():
    assert "title = 2.00" in draw_graph(lambda title, limit: title * limit, title=2.0, limit=3.0).description
    assert "model.grad = 4.00" in step_backward(lambda model: model**2, model=2.0)(step=2).description
    assert "title = 1.00" in explore_graph(lambda title: title**2, title=(0.0, 2.0))(title=1.0).description


def test_gradients_of_vectors_and_several_outputs():
    v = torch.ones(5, 2)
    shown = draw_graph(NET(BATCH), model=NET, gradients=True, v=v)
    (expected,) = torch.autograd.grad(NET(BATCH), NET.bias, v)
    assert f"bias = [{expected[0]:.2f}, {expected[1]:.2f}]" in shown.description
    both = draw_graph([X * 2, X**2], X=X, gradients=True, v=[1.0, 10.0])
    assert "X = 62.00" in both.description
    assert "X.grad = 20.00" in step_backward(X * torch.ones(2), X=X, v=torch.tensor([10.0, 10.0]))(step=2).description
    assert "x = 20.00" in draw_graph(lambda x: x * torch.ones(2), x=1.0, gradients=True, v=[10.0, 10.0]).description
    assert "X = 20.00" in draw_graph(trace(X * torch.ones(2), X=X), gradients=True, v=[10.0, 10.0]).description


REFUSED = {
    "a vector": (lambda: draw_graph(NET(BATCH), gradients=True), ValueError, "give the loss, or v=…, a tensor of"),
    "steps of a vector": (lambda: step_backward(NET(BATCH)), ValueError, r"give the loss, or v=…"),
    "a dict": (
        lambda: draw_graph({"logits": NET(BATCH), "loss": NET(BATCH).sum()}, gradients=True),
        ValueError, r"output 1 of 2 .* give the loss alone, such as outputs\['loss'\], or v=…, .* for each output",
    ),
    "a module and its input": (lambda: draw_graph(NET, BATCH), TypeError, r"name the input: .*net, input=x"),
    "a function and its input": (lambda: trace(lambda t: t**2, 2.0), TypeError, r"name the input: trace\(net, t=x\)"),
    "a tensor and its input": (lambda: step_backward(X**2, X), TypeError, r"name it: step_backward\(z, x=x\)"),
    "what backward returns": (
        lambda: draw_graph((X**2).backward()), TypeError, r"backward\(\) returns None: give the tensor"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_every_refusal_says_what_to_do_next(name):
    act, kind, message = REFUSED[name]
    with pytest.raises(kind, match=message):
        act()
    X.grad = None


def test_a_function_that_raises_half_way_leaves_its_graph_so_far():
    def f(x):
        u = x.sin()
        w = u * 2
        return w.reshape(7, 7)

    with pytest.raises(RuntimeError, match="invalid for input of size 3") as caught:
        trace(f, x=torch.ones(3))
    graph = caught.value.graph
    assert [(node.name, node.is_output) for node in graph.nodes if node.kind == "operation"] == [
        ("u", False),
        ("w", True),
    ]
    assert "w = [1.683, 1.683, 1.683]" in draw_graph(graph).description
    notes = getattr(caught.value, "__notes__", ["stopped at `return w.reshape(7, 7)`"])
    assert any("stopped at `return w.reshape(7, 7)`" in note for note in notes)


def test_temporaries_are_in_the_graph_so_far():
    with pytest.raises(KeyError) as caught:
        trace(lambda x: (x.sin() * 2).exp() + {}["missing"], x=1.0)
    assert [node.operation for node in caught.value.graph.nodes if node.is_output] == ["Exp"]


def test_a_function_that_made_nothing_just_raises():
    with pytest.raises(KeyError) as caught:
        trace(lambda x: {}["missing"], x=1.0)
    assert not hasattr(caught.value, "graph")
