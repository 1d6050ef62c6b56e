"""Operations as mathematics writes them, and their derivatives in words and numbers."""

import pytest
import torch
import torch.nn.functional as F

from course_utils import trace
from course_utils.core.internals import is_clamp_flat_at_its_bounds
from course_utils.graph.data import Node, Summary
from course_utils.graph.words.operations import Operand, sign_of, spell


def leaf(value):
    return torch.tensor(value, requires_grad=True)


@pytest.fixture
def formulas(spelled):
    return lambda output, **names: spelled(trace(output, **names).backward())


X, Y = leaf(2.0), leaf(3.0)
BELOW = "<" if is_clamp_flat_at_its_bounds() else "≤"  # what PyTorch's clamp calls inside
SCALARS = {
    "add": (lambda: X + Y, ["1", "1"]),
    "add with a factor": (lambda: torch.add(X, Y, alpha=2), ["1", "2"]),
    "sub": (lambda: X - Y, ["1", "−1"]),
    "number minus x": (lambda: 3 - X, ["−1"]),
    "mul": (lambda: X * Y, ["y = 3.00", "x = 2.00"]),
    "mul by a number": (lambda: X * 3, ["3"]),
    "div": (lambda: X / Y, ["1/y = 1/3.00 = 0.3333", "−x/y² = −2.00/3.00² = −0.2222"]),
    "square": (lambda: X**2, ["2·x = 2·2.00 = 4.00"]),
    "cube": (lambda: Y**3, ["3·y² = 3·3.00² = 27.00"]),
    "x squared": (lambda: X.square(), ["2·x = 2·2.00 = 4.00"]),
    "root as a power": (lambda: X**0.5, ["0.50·x^−0.50 = 0.50·2.00^−0.50 = 0.3536"]),
    "inverse": (lambda: X**-1, ["−x⁻² = −2.00⁻² = −0.25"]),
    "inverse square": (lambda: X**-2, ["−2·x⁻³ = −2·2.00⁻³ = −0.25"]),
    "to the first": (lambda: X**1, ["1"]),
    "power of tensors": (
        lambda: X**Y,
        ["y·x^(y − 1) = 3.00·2.00^(3.00 − 1) = 12.00", "x^y·ln x = 2.00^3.00·ln 2.00 = 5.545"],
    ),
    "number to the x": (lambda: 2**X, ["2^x·ln 2 = 2^2.00·ln 2 = 2.773"]),
    "neg": (lambda: -X, ["−1"]),
    "exp": (lambda: X.exp(), ["exp(x) = exp(2.00) = 7.389"]),
    "log": (lambda: X.log(), ["1/x = 1/2.00 = 0.50"]),
    "sin": (lambda: X.sin(), ["cos(x) = cos(2.00) = −0.4161"]),
    "cos": (lambda: X.cos(), ["−sin(x) = −sin(2.00) = −0.9093"]),
    "tan": (lambda: X.tan(), ["1 + tan(x)² = 1 + tan(2.00)² = 5.774"]),
    "tanh": (lambda: X.tanh(), ["1 − tanh(x)² = 1 − tanh(2.00)² = 0.07065"]),
    "sigmoid": (lambda: X.sigmoid(), ["σ(x)·(1 − σ(x)) = σ(2.00)·(1 − σ(2.00)) = 0.105"]),
    "relu": (lambda: X.relu(), ["1 if x > 0 else 0 = 1 if 2.00 > 0 else 0 = 1.00"]),
    "sqrt": (lambda: X.sqrt(), ["1/(2·√x) = 1/(2·√2.00) = 0.3536"]),
    "abs": (lambda: X.abs(), ["sign(x) = sign(2.00) = 1.00"]),
    "clamp": (lambda: X.clamp(min=0), [f"1 if 0 {BELOW} x else 0 = 1 if 0 {BELOW} 2.00 else 0 = 1.00"]),
    "where": (
        lambda: torch.where(X > 0, X, Y),
        ["1 if the condition holds else 0 = 1.00", "0 if the condition holds else 1 = 0.00"],
    ),
    "maximum": (
        lambda: torch.maximum(X, Y),
        ["1 if x > y else 0 = 1 if 2.00 > 3.00 else 0 = 0.00", "1 if y > x else 0 = 1 if 3.00 > 2.00 else 0 = 1.00"],
    ),
    "round": (lambda: X.round(), ["0"]),
    "clone": (lambda: X.clone(), ["1"]),
    "what has no formula": (lambda: torch.lgamma(X), ["0.4228"]),
}  # fmt: skip


@pytest.mark.parametrize("bounds", [{"min": 2}, {"max": 2}, {"min": 2, "max": 2}], ids=str)
def test_at_a_bound_the_formula_of_clamp_is_what_this_torch_computes(bounds, formulas):
    x = torch.tensor(2.0, requires_grad=True)
    (slope,) = torch.autograd.grad(x.clamp(**bounds), x)
    sign, other = ("≤", "<") if slope else ("<", "≤")
    (formula,) = formulas(x.clamp(**bounds), x=x)
    assert sign in formula and other not in formula
    assert formula.endswith(f"= {slope.item():.2f}")


@pytest.mark.parametrize("name", SCALARS)
def test_scalars(name, formulas):
    make, expected = SCALARS[name]
    graph = trace(make()).backward()
    names = {"x": X, "y": Y}
    used = {
        name: tensor
        for name, tensor in names.items()
        if any(node.kind == "leaf" and node.value.numbers == (tensor.item(),) for node in graph.nodes)
    }
    assert formulas(make(), **used) == expected


def test_negative_numbers_stand_in_brackets(formulas):
    x, y = leaf(-1.5), leaf(-2.0)
    assert formulas(x**2, x=x) == ["2·x = 2·(−1.50) = −3.00"]
    assert formulas(torch.cos(x), x=x) == ["−sin(x) = −sin(−1.50) = 0.9975"]
    assert formulas(x * y, x=x, y=y) == ["y = −2.00", "x = −1.50"]


def test_without_names_the_numbers_stand_alone(formulas):
    assert formulas(torch.sin(leaf(2.0) ** 2)) == ["2·2.00 = 4.00", "cos(4.00) = −0.6536"]


def test_without_values_the_result_stands_alone(spelled):
    graph = trace(torch.sin(X), x=X, values=False).backward()
    assert spelled(graph) == ["cos(x) = −0.4161"]


A, B = torch.ones(2, 3, requires_grad=True), torch.ones(3, 4, requires_grad=True)
V = leaf([1.0, 2.0, 3.0])
TENSORS = {
    "elementwise": (lambda: V.sin(), ["upstream (3,) · cos(v)"]),
    "broadcast": (lambda: A * V, ["upstream (2, 3) · v", "upstream (2, 3) · a, summed to (3,)"]),
    "sum": (lambda: V.sum(), ["upstream () copied to every entry of (3,)"]),
    "mean": (lambda: V.mean(), ["upstream () / 3, copied to every entry of (3,)"]),
    "mean of rows": (lambda: A.mean(1), ["upstream (2,) / 3, copied to every entry of (2, 3)"]),
    "dot": (lambda: V @ V, ["upstream () · v (3,) → (3,)"] * 2),
    "mv": (lambda: A @ V, ["upstream (2,) ⊗ v (3,) → (2, 3)", "aᵀ (3, 2) @ upstream (2,) → (3,)"]),
    "mm": (lambda: A @ B, ["upstream (2, 4) @ bᵀ (4, 3) → (2, 3)", "aᵀ (3, 2) @ upstream (2, 4) → (3, 4)"]),
    "mse": (lambda: F.mse_loss(V, torch.zeros(3)), ["upstream () · 2·(v − B)/3 → (3,)"]),
    "reshape": (lambda: A.reshape(6), ["upstream (6,) reshaped to (2, 3)"]),
    "transpose": (lambda: A.T, ["upstream (3, 2) turned back to (2, 3)"]),
    "select": (lambda: V[1], ["upstream () put back where it was taken from, zeros elsewhere: (3,)"]),
    "expand": (lambda: V.expand(2, 3), ["upstream (2, 3) summed to (3,)"]),
    "cat": (lambda: torch.cat([V, V]), ["its own part of upstream (6,): (3,)"] * 2),
    "softmax": (lambda: V.softmax(0), ["softmax ⊙ (upstream − Σ upstream ⊙ softmax), (3,)"]),
    "what has no formula": (lambda: V.cumsum(0), ["upstream (3,) → (3,)"]),
}


@pytest.mark.parametrize("name", TENSORS)
def test_tensors(name, spelled):
    make, expected = TENSORS[name]
    output = make()
    names = {"a": A, "b": B, "v": V}
    functions, leaves = [output.grad_fn], set()
    for function in functions:
        for source, _ in function.next_functions:
            if source is not None:
                functions.append(source)
                leaves.add(id(getattr(source, "variable", None)))
    used = {name: tensor for name, tensor in names.items() if id(tensor) in leaves}
    graph = trace(output, **used).backward(torch.ones_like(output))
    assert spelled(graph) == expected


def test_operations_that_a_gradient_was_made_with_have_unknown_inputs(formulas):
    def slope(x):
        return torch.autograd.grad(x**3, x, create_graph=True)[0]

    assert formulas(slope, x=2.0) == ["2.00·x = 2.00·2.00 = 4.00", "3.00", "1.00"]


def test_a_linear_layer_is_told_with_its_weight(spelled):
    layer = torch.nn.Linear(3, 2)
    x = torch.ones(5, 3, requires_grad=True)
    graph = trace(layer(x).sum(), model=layer, x=x).backward()
    spoken = [text for text in spelled(graph) if "turned back" not in text and "copied" not in text]
    assert spoken == [
        "upstream (5, 2), summed to (2,)",
        "upstream (5, 2) @ weight (2, 3) → (5, 3)",
        "xᵀ (3, 5) @ upstream (5, 2) → (3, 2)",
    ]


def test_cross_entropy(spelled):
    graph = trace(F.cross_entropy(A, torch.tensor([0, 2])), a=A).backward()
    assert spelled(graph) == [
        "upstream − softmax·Σ upstream, (2, 3)",
        "upstream () · (−1/n at each target's class, 0 elsewhere) → (2, 3)",
    ]


def named(name):
    return Operand(Node("leaf", name))


def number(value):
    return Operand(Node("constant", value=Summary((), (value,), abs(value))))


AN_U, A_V, BOX = named("u"), named("v"), Operand()


@pytest.mark.parametrize(
    ("operation", "operands", "sign"),
    [
        ("Mul", [AN_U, A_V], "u × v"),
        ("Mul", [AN_U, BOX], "×"),
        ("Mul", [BOX, number(3.00)], "× 3.00"),
        ("Sub", [AN_U, number(1)], "u − 1"),
        ("Sub", [number(1), BOX], "1 −"),
        ("Rsub", [BOX, number(1)], "1 −"),
        ("Rsub", [AN_U, number(1)], "1 − u"),
        ("Div", [number(1), AN_U], "1 ÷ u"),
        ("Add", [AN_U], "+"),
        ("Pow", [AN_U, number(2)], "u²"),
        ("Pow", [BOX, number(2.00)], "□²"),
        ("Pow", [BOX, number(-1)], "□⁻¹"),
        ("Pow", [AN_U, number(0.50)], "u^0.50"),
        ("Pow", [number(2), AN_U], "2^u"),
        ("Pow", [BOX, BOX], "□ⁿ"),
        ("Sin", [AN_U], "sin(u)"),
        ("Sin", [BOX], "sin"),
        ("Sigmoid", [AN_U], "σ(u)"),
        ("Neg", [AN_U], "−u"),
        ("Sqrt", [BOX], "√□"),
        ("T", [named("W")], "Wᵀ"),
        ("Mm", [named("X"), named("W")], "X @ W"),
        ("Stack", [AN_U, A_V], "stack"),
        ("MyOwnFunction", [AN_U], "MyOwnFunction(u)"),
        ("MyOwnFunctionLong", [AN_U], "MyOwnFunctionLong"),
        ("", [], "(empty)"),
    ],
)
def test_spell(operation, operands, sign):
    assert spell(operation, operands) == sign


def test_long_names_give_way_and_numbers_stay():
    long = named("residual")
    assert spell("Mul", [long, long]) == "×"
    assert spell("Mul", [long, number(123.46)]) == "× 123.46"


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
