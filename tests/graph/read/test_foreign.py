"""Graphs of a learner's own objects: read, drawn, marked where they are wrong, and never changed."""

import math

import numpy
import pytest
import torch

from course_utils import draw_graph, step_backward, trace


class Value:
    def __init__(self, data, parents=(), local=(), operation=""):
        self.data, self.parents, self.local, self.operation, self.grad = data, parents, local, operation, None

    def __repr__(self):
        return f"Value({self.data})"

    def __add__(self, other):
        return Value(self.data + other.data, (self, other), (1.0, 1.0), "add")

    def __mul__(self, other):
        return Value(self.data * other.data, (self, other), (other.data, self.data), "mul")

    def sin(self):
        return Value(math.sin(self.data), (self,), (math.cos(self.data),), "sin")


def tensor(number):
    return torch.tensor(number, dtype=torch.float64, requires_grad=True)


def diamond(x, y):
    u = x * x
    return u * u.sin() + y


def square():
    x, w = Value(2.0), Value(3.0)
    u = x * w
    return u * u, {"x": x, "w": w, "u": u}


def notes(graph):
    return [node.note for node in graph.nodes]


def numbers(graph):
    return [None if node.gradient is None else node.gradient.numbers for node in graph.nodes]


def test_the_picture_is_the_one_of_pytorchs_own_nodes():
    pictures = []
    for kind in (Value, tensor):
        x, y = kind(1.5), kind(-0.5)
        pictures.append(draw_graph(diamond(x, y), x=x, y=y, gradients=True))
    assert pictures[0].svg == pictures[1].svg and repr(pictures[0]) == repr(pictures[1])


def test_before_a_backward_pass_there_is_no_gradient():
    y, named = square()
    graph = trace(y, **named)
    assert [node.name for node in graph.nodes] == ["x", "w", "u", None]
    assert [(node.kind, node.operation) for node in graph.nodes[1:]] == [("leaf", None), *[("operation", "Mul")] * 2]
    assert [node.is_output for node in graph.nodes] == [False, False, False, True]
    assert [edge[:3] for edge in graph.edges] == [(0, 2, 0), (1, 2, 1), (2, 3, 0), (2, 3, 1)]
    assert numbers(graph) == [None] * 4 and graph.left_out == 0


def test_the_objects_own_gradients_are_shown_and_those_that_are_wrong_are_marked():
    y, named = square()
    y.grad, named["u"].grad, named["x"].grad, named["w"].grad = 1.0, 12.0, 54.0, 24.0
    graph = trace(y, **named)
    assert numbers(graph) == [(54.0,), (24.0,), (12.0,), (1.0,)]
    assert notes(graph) == ["36.00 arrives here", None, None, None]
    assert "Marked: x (36.00 arrives here)" in draw_graph(y, **named).description


def test_a_backward_pass_of_the_graph_leaves_the_objects_alone():
    y, named = square()
    named["x"].grad = 7.0
    graph = trace(y, **named).backward()
    assert numbers(graph) == [(36.0,), (24.0,), (12.0,), (1.0,)] and notes(graph) == [None] * 4
    assert [edge.local for edge in graph.edges] == [3.0, 2.0, 6.0, 6.0]
    assert numbers(trace(y).backward(2.0))[0] == (72.0,)
    assert named["x"].grad == 7.0 and named["u"].grad is None and y.grad is None


def test_stepping_walks_the_right_pass_whatever_the_objects_hold():
    y, named = square()
    y.grad = named["u"].grad = named["x"].grad = named["w"].grad = 100.0
    walked = step_backward(y, **named)
    assert "6.00 + 6.00 = 12.00" in walked(step=1).description
    assert walked(step=3).description == "The backward pass is finished. x.grad = 36.00, w.grad = 24.00."


def column_plus_row():
    column, row = Value(torch.ones(3, 1)), Value(torch.ones(1, 4))
    table = column + row
    total = Value(table.data.sum(), (table,), (lambda g: g * torch.ones(3, 4),), "sum")
    return total, {"column": column, "row": row}


def test_broadcasting_is_undone_by_summing(spelled):
    total, named = column_plus_row()
    graph = trace(total, **named).backward()
    assert [node.gradient.shape for node in graph.nodes] == [(3, 1), (1, 4), (3, 4), ()]
    assert numbers(graph)[:2] == [(4.0,) * 3, (3.0,) * 4]
    assert spelled(graph) == [
        "upstream (3, 4) · local, summed to (3, 1)", "upstream (3, 4) · local, summed to (1, 4)", "upstream () → (3, 4)"
    ]  # fmt: skip


def test_a_gradient_of_another_shape_is_marked():
    total, named = column_plus_row()
    named["column"].grad = torch.ones(3, 4)
    assert notes(trace(total, **named)) == ["grad is (3, 4)", None, None, None]


def test_a_tensor_as_output_needs_v():
    x = Value(torch.tensor([1.0, 2.0]))
    graph = trace(x * x)
    assert numbers(graph.backward(torch.tensor([1.0, 10.0])))[0] == (2.0, 40.0)
    with pytest.raises(ValueError, match="v is missing"):
        graph.backward()
    with pytest.raises(ValueError, match="expected the output's shape"):
        graph.backward(torch.ones(3))
    with pytest.raises(TypeError, match="v is 'one'; expected a number or a tensor"):
        graph.backward("one")


def test_arrays_and_integers_are_values_too():
    x = Value(numpy.array([1.0, 2.0]))
    assert trace(x * x).nodes[1].value.numbers == (1.0, 4.0)
    assert trace(Value(2) + Value(3)).nodes[-1].dtype == "int"


def test_complex_values_and_nan_are_compared_too():
    x = Value(2j)
    y = x * x
    y.grad, x.grad = 1.0, 4j
    assert notes(trace(y)) == [None, None]
    x.grad = 4.0
    assert notes(trace(y))[0] == "0.00+4.00i arrives here"
    z, nan = Value(0.0), math.nan
    y = Value(nan, (z,), (nan,))
    y.grad, z.grad = 1.0, nan
    assert notes(trace(y)) == [None, None] and trace(y).nodes[1].operation == "Operation"


def test_a_deep_graph_needs_no_deep_stack_and_has_a_limit():
    y = x = Value(1.0)
    for _ in range(20_000):
        y = y + x
    assert trace(y).left_out is None
    graph = trace(y, limit=100_000, x=x)
    assert len(graph.nodes) == 20_001 and graph.left_out == 0
    assert graph.backward().nodes[0].gradient.numbers == (20_001.0,)


def test_names_must_fit():
    y, named = square()
    with pytest.raises(ValueError, match="z is Value.2.0., which is not in the graph"):
        trace(y, z=Value(2.0))
    with pytest.raises(ValueError, match="u and v name the same object"):
        trace(y, u=named["u"], v=named["u"])


@pytest.mark.parametrize(
    ("attribute", "given", "error", "message"),
    [
        ("local", (1.0,), ValueError, "parents: 2, local: 1"),
        ("local", 1.0, TypeError, "expected a tuple or a list"),
        ("parents", (1.0, 2.0), TypeError, "1.0 has no .data"),
        ("data", "six", TypeError, "data of Value.six. is 'six'; expected a number or a tensor"),
        ("grad", "big", TypeError, "grad of Value.6.0. is 'big'"),
    ],
)
def test_errors_name_what_is_wrong(attribute, given, error, message):
    z = Value(2.0) * Value(3.0)
    setattr(z, attribute, given)
    with pytest.raises(error, match=message):
        trace(z)


def test_a_part_that_is_missing_is_named():
    z = Value(2.0) * Value(3.0)
    del z.local
    with pytest.raises(TypeError, match="has no .local; an object of a graph has data, grad, parents, local"):
        draw_graph(z)


def test_a_circle_is_refused():
    x = Value(2.0)
    y = x * x
    x.parents, x.local = (y,), (1.0,)
    with pytest.raises(ValueError, match="lead back to itself"):
        trace(y)


def test_a_model_belongs_to_tensors():
    with pytest.raises(TypeError, match="model"):
        trace(Value(2.0), model=torch.nn.Linear(1, 1))
