"""Operations as mathematics writes them."""

import pytest

from course_utils.graph.words.signs import Operand, sign_of, spell

U, V, BOX = Operand("u"), Operand("v"), Operand(None)


def number(text):
    return Operand(text, True)


@pytest.mark.parametrize(
    ("operation", "operands", "sign"),
    [
        ("Mul", [U, V], "u × v"),
        ("Mul", [U, BOX], "×"),
        ("Mul", [BOX, number("3.00")], "× 3.00"),
        ("Sub", [U, number("1")], "u − 1"),
        ("Sub", [number("1"), BOX], "1 −"),
        ("Rsub", [BOX, number("1")], "1 −"),
        ("Rsub", [U, number("1")], "1 − u"),
        ("Div", [number("1"), U], "1 ÷ u"),
        ("Add", [U], "+"),
        ("Pow", [U, number("2")], "u²"),
        ("Pow", [BOX, number("2.00")], "□²"),
        ("Pow", [BOX, number("−1")], "□⁻¹"),
        ("Pow", [U, number("0.50")], "u^0.50"),
        ("Pow", [number("2"), U], "2^u"),
        ("Pow", [BOX, BOX], "□ⁿ"),
        ("Sin", [U], "sin(u)"),
        ("Sin", [BOX], "sin"),
        ("Sigmoid", [U], "σ(u)"),
        ("Neg", [U], "−u"),
        ("Sqrt", [BOX], "√□"),
        ("T", [Operand("W")], "Wᵀ"),
        ("Mm", [Operand("X"), Operand("W")], "X @ W"),
        ("Stack", [U, V], "stack"),
        ("MyOwnFunction", [U], "MyOwnFunction(u)"),
        ("MyOwnFunctionLong", [U], "MyOwnFunctionLong"),
        ("", [], "(empty)"),
    ],
)
def test_spell(operation, operands, sign):
    assert spell(operation, operands) == sign


def test_long_names_give_way_and_numbers_stay():
    long = Operand("residual")
    assert spell("Mul", [long, long]) == "×"
    assert spell("Mul", [long, number("123.46")]) == "× 123.46"


def test_signs_of_a_graph(lesson, fork, square):
    def signs(graph):
        return [
            sign_of(graph, index, [edge for edge in graph.edges if edge.target == index])
            for index, node in enumerate(graph.nodes)
            if node.kind == "operation"
        ]

    assert signs(lesson) == ["x²", "y³", "+"]
    assert signs(fork) == ["×", "sin(u)", "×"]
    assert signs(square) == ["x × x"]


def test_a_scaled_sum_is_not_spelled_as_a_plain_one(make):
    nodes = [make.leaf("x", 1), make.leaf("y", 1), make.operation("Add", 3)]
    plain = make.graph(nodes, [make.edge(0, 2, 0, 1, 1.0), make.edge(1, 2, 1, 1, 1.0)])
    scaled = make.graph(nodes, [make.edge(0, 2, 0, 1, 1.0), make.edge(1, 2, 1, 2, 2.0)])
    assert sign_of(plain, 2, plain.edges) == "x + y"
    assert sign_of(scaled, 2, scaled.edges) == "+"
