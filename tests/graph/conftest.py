"""Graphs made by hand: what is drawn is tested apart from what is traced."""

import math

import pytest

from course_utils.graph.data import Edge, Node, Summary
from course_utils.graph.graph import Graph
from course_utils.graph.words.operations import derivative
from course_utils.graph.words.text import inputs_of


def number(value):
    value = float(value)
    trouble = "nan" if math.isnan(value) else "inf" if math.isinf(value) else None
    return Summary((), (value,), abs(value), trouble)


def leaf(name, value, gradient=None):
    return Node("leaf", name, None, (), "float32", number(value), None if gradient is None else number(gradient))


def operation(kind, value, gradient=None, **more):
    grad = None if gradient is None else number(gradient)
    return Node("operation", None, kind, (), "float32", number(value), grad)._replace(**more)


def edge(source, target, slot=0, gradient=None, local=None):
    return Edge(source, target, slot, None if gradient is None else number(gradient), local)


def graph(nodes, edges):
    edges = tuple(sorted(edges, key=lambda edge: (edge.target, edge.slot)))
    return Graph(tuple(nodes), edges, tuple(reversed(range(len(nodes)))))


@pytest.fixture
def make():
    """The builders above, for graphs of a test's own."""

    class Make:
        number, leaf, operation, edge, graph = map(staticmethod, (number, leaf, operation, edge, graph))

    return Make


@pytest.fixture
def spelled():
    """`spelled(graph)`: the derivative along each edge that a gradient flows back along, in words."""

    def spell(found):
        inputs = inputs_of(found)
        return [derivative(found, edge, inputs) for edge in found.edges if edge.gradient is not None]

    return spell


@pytest.fixture
def lesson():
    """z = x² + y³ at (2, 3), after the backward pass; the exponents are constants."""
    return graph(
        [
            leaf("x", 2, 4),
            leaf("y", 3, 27),
            Node("constant", None, None, (), "int64", Summary((), (2,), 2.0)),
            operation("Pow", 4, 1, line="a = x**2", settings=(("exponent", 2),)),
            Node("constant", None, None, (), "int64", Summary((), (3,), 3.0)),
            operation("Pow", 27, 1, settings=(("exponent", 3),)),
            operation("Add", 31, 1, name="z", is_output=True),
        ],
        [
            edge(0, 3, 0, 4, 4.0),
            edge(2, 3, 1),
            edge(1, 5, 0, 27, 27.0),
            edge(4, 5, 1),
            edge(3, 6, 0, 1, 1.0),
            edge(5, 6, 1, 1, 1.0),
        ],
    )


def without_gradients(found):
    nodes = tuple(node._replace(gradient=None) for node in found.nodes)
    return Graph(nodes, tuple(edge._replace(gradient=None) for edge in found.edges), found.backward_order)


@pytest.fixture
def before(lesson):
    """The same before the backward pass."""
    return without_gradients(lesson)


@pytest.fixture
def fork():
    """y = u·sin(u) with u = 2·x at x = 1: u is used twice."""
    u, sine, cosine = 2.0, math.sin(2), math.cos(2)
    back = sine + u * cosine
    return graph(
        [
            leaf("x", 1, 2 * back),
            operation("Mul", u, back, name="u"),
            operation("Sin", sine, u),
            operation("Mul", u * sine, 1, name="y", is_output=True),
        ],
        [
            edge(0, 1, 0, 2 * back, 2.0),
            edge(1, 2, 0, u * cosine, cosine),
            edge(1, 3, 0, sine, sine),
            edge(2, 3, 1, u, u),
        ],
    )


@pytest.fixture
def square():
    """y = x·x at 3: one leaf, two edges."""
    return graph(
        [leaf("x", 3, 6), operation("Mul", 9, 1, name="y", is_output=True)],
        [edge(0, 1, 0, 3, 3.0), edge(0, 1, 1, 3, 3.0)],
    )


@pytest.fixture
def stack():
    """A model of four blocks with a parameter and ten operations each, behind an input; its loss is outside."""
    nodes, edges, last = [leaf("x", 1, 1)], [], 0
    for block in range(4):
        nodes.append(leaf(f"blocks.{block}.weight", 1, 1))
        weight = len(nodes) - 1
        for at in range(10):
            nodes.append(
                operation("Mul" if at == 0 else "Tanh", 1, 1, module=f"blocks.{block}.{'in' if at < 5 else 'out'}")
            )
            edges.append(edge(last, len(nodes) - 1, 0, 1))
            last = len(nodes) - 1
        edges.append(edge(weight, weight + 1, 1, 1))
    nodes.append(operation("Sum", 1, 1, is_output=True))
    edges.append(edge(last, len(nodes) - 1, 0, 1))
    return graph(nodes, edges)


@pytest.fixture
def loop():
    """500 steps of h = tanh(w·h + b), without modules."""
    nodes, edges, last = [leaf("w", 1, 1), leaf("b", 0, 1), leaf("h", 1, 1)], [], 2
    for _ in range(500):
        at = len(nodes)
        nodes += [operation("Mul", 1, 1), operation("Add", 1, 1), operation("Tanh", 1, 1)]
        edges += [edge(0, at, 0, 1), edge(last, at, 1, 1), edge(at, at + 1, 0, 1), edge(1, at + 1, 1, 1)]
        edges.append(edge(at + 1, at + 2, 0, 1))
        last = at + 2
    nodes[-1] = nodes[-1]._replace(is_output=True)
    return graph(nodes, edges)
