"""No formula that is not true: every rule at negative, zero, tied, tiny and huge values, and with its options."""

import itertools
import math
import re

import pytest
import torch
import torch.nn.functional as F

from course_utils import step_backward, trace
from course_utils.graph.words import proof
from course_utils.graph.words.operations import derivative
from course_utils.graph.words.rules import ELEMENTWISE
from course_utils.graph.words.text import inputs_of

VALUES = [
    2.0,
    0.5,
    -0.7,
    -3.0,
    0.0,
    1.0,
    -1.0,
    1e-20,
    -1e-7,
    9.0,
    40.0,
    1234567.0,
    -1e15,
    3e38,
    math.inf,
    -math.inf,
    math.nan,
]
ONE = {
    "neg": torch.neg, "reciprocal": torch.reciprocal, "exp": torch.exp, "exp2": torch.exp2, "expm1": torch.expm1,
    "log": torch.log, "log1p": torch.log1p, "log2": torch.log2, "log10": torch.log10, "sin": torch.sin,
    "cos": torch.cos, "tan": torch.tan, "asin": torch.asin, "acos": torch.acos, "atan": torch.atan,
    "sinh": torch.sinh, "cosh": torch.cosh, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "erf": torch.erf,
    "logsigmoid": F.logsigmoid, "softplus": F.softplus, "silu": F.silu, "gelu": F.gelu, "relu": torch.relu,
    "sqrt": torch.sqrt, "rsqrt": torch.rsqrt, "abs": torch.abs, "sign": torch.sign, "round": torch.round,
    "floor": torch.floor, "ceil": torch.ceil, "clone": torch.clone, "double": lambda x: x.double(),
    "square": torch.square, "cube": lambda x: x**3, "root": lambda x: x**0.5, "inverse": lambda x: x**-1,
    "to the π": lambda x: x**math.pi, "2 to the x": lambda x: 2**x, "x to the 0": lambda x: x**0,
    "clamp": lambda x: x.clamp(-1, 1), "clamp below": lambda x: x.clamp(max=1),
    "clamp by tensors": lambda x: x.clamp(torch.tensor(-1.0), torch.tensor(1.0)),
    "leaky": lambda x: F.leaky_relu(x, 0.3), "3 − x": lambda x: 3 - x, "rsub": lambda x: torch.rsub(x, 2, alpha=5),
    "softplus, beta": lambda x: F.softplus(x, beta=3), "softplus, threshold": lambda x: F.softplus(x, threshold=1),
    "gelu, tanh": lambda x: F.gelu(x, approximate="tanh"), "half": lambda x: x.half(), "elu": F.elu,
    "hardtanh": F.hardtanh, "mish": F.mish, "where": lambda x: torch.where(x > 0, x, x * 0),
    "division by a number": lambda x: x / 7, "floor division": lambda x: torch.div(x, 7, rounding_mode="trunc"),
    "digamma": torch.digamma, "sinc": torch.sinc, "round to 1": lambda x: x.round(decimals=1),
}  # fmt: skip
TWO = {
    "add": torch.add, "add, alpha": lambda x, y: torch.add(x, y, alpha=-2.5), "sub": torch.sub,
    "sub, alpha": lambda x, y: torch.sub(x, y, alpha=3), "rsub": lambda x, y: torch.rsub(x, y, alpha=4),
    "mul": torch.mul, "div": torch.div, "pow": torch.pow, "atan2": torch.atan2, "maximum": torch.maximum,
    "minimum": torch.minimum, "fmax": torch.fmax, "where": lambda x, y: torch.where(x > y, x, y),
    "floor": lambda x, y: torch.div(x, y, rounding_mode="floor"), "hypot": torch.hypot,
    "clamp": lambda x, y: torch.clamp(x, max=y), "lerp": lambda x, y: torch.lerp(x, y, 0.25),
    "remainder": torch.remainder, "copysign": torch.copysign, "xlogy": torch.xlogy, "mse": F.mse_loss,
}  # fmt: skip


def steps_of(text):
    """The formulas in what is said: "2·x = 2·3.00 = 6.00" has two, and the number."""
    *formulas, number = text.split(" = ")
    return formulas, number


def worked_out(formula, values):
    """What a formula gives, with names and numbers put in; None for words."""
    inputs = []

    def placed(found):
        text = found[0]
        inputs.append(values[text] if text in values else float(text.replace("−", "-")))
        return f"{{{len(inputs) - 1}}}"

    text = re.sub(r"(?<![a-zσΦφ])(?:x|y|inf|nan|\d+\.?\d*(?:e−?\d+)?)(?![a-z])", placed, formula)
    return proof.work_out(text, [torch.as_tensor(one, dtype=torch.float64) for one in inputs])


def check(graph, names):
    """Each formula in symbols and in numbers, worked out anew, gives the local derivative that autograd has."""
    seen, inputs = 0, inputs_of(graph)
    values = {node.name: node.value.numbers[0] for node in graph.nodes if node.name in names}
    for edge in graph.edges:
        if edge.gradient is None or edge.local is None or edge.local != edge.local:
            continue
        said = derivative(graph, edge, inputs)
        formulas = steps_of(said)[0]
        for formula in formulas:
            if "the condition" in formula or "bound" in formula:
                assert edge.local in (0, 1)
            elif (found := worked_out(formula, values)) is not None:
                seen += 1
                assert same(found.item(), edge.local), (said, found.item(), edge.local)
        if not formulas and re.fullmatch(r"−?[\d.e−]+", said):
            assert same(float(said.replace("−", "-")), edge.local), (said, edge.local)
    return seen


def same(one, other):
    if one != one or other != other:
        return one != one and other != other
    return one == other or math.isclose(one, other, rel_tol=0.025)


@pytest.mark.parametrize("name", ONE)
def test_rules_of_one_input(name):
    for value in VALUES:
        x = torch.tensor(value, requires_grad=True)
        check(trace(ONE[name](x), x=x).backward(), ["x"])


@pytest.mark.parametrize("name", TWO)
def test_rules_of_two_inputs(name):
    for one, other in itertools.product([2.0, -3.0, 0.0, 1e-20, 1e15], repeat=2):
        x, y = torch.tensor(one, requires_grad=True), torch.tensor(other, requires_grad=True)
        check(trace(TWO[name](x, y), x=x, y=y).backward(), ["x", "y"])


def test_true_formulas_are_still_said():
    def said(make):
        x = torch.tensor(0.75, requires_grad=True)
        return check(trace(make(x), x=x).backward(), ["x"])

    assert [
        name for name in ("sin", "tanh", "sqrt", "cube", "log", "sigmoid", "relu", "abs") if not said(ONE[name])
    ] == []


def test_every_rule_can_be_worked_out():
    inputs = [torch.tensor(0.3, dtype=torch.float64), torch.tensor(0.6, dtype=torch.float64)]
    for operation, texts in ELEMENTWISE.items():
        for text in texts:
            assert proof.work_out(text, inputs) is not None or "condition" in text, operation


@pytest.mark.parametrize(("up", "down"), [(1e-30, 1e-14), (1e-20, 1e-32)])
def test_a_product_that_is_none_is_not_said(up, down):
    x = torch.tensor(1.0, requires_grad=True)
    graph = trace((x * down) * up, x=x).backward()
    assert graph.nodes[0].gradient.numbers[0] != pytest.approx(up * down, rel=1e-3, abs=0), "too small for its type"
    said = step_backward((x * down) * up, x=x)(step=2).description
    assert "× local" not in said and "which gives" in said


def leaf(*numbers):
    return torch.tensor(numbers[0] if len(numbers) == 1 else numbers, requires_grad=True)


A, B = leaf(1.0, 2.0, 2.0), leaf(3.0, 2.0, 1.0)
CLASSES = torch.tensor([0, 2])
TENSORS = {
    "ties": (lambda: torch.maximum(A, B), "upstream (3,) · (1 if a > b else 0, ties share)"),
    "sub, alpha": (lambda: B * 0 + torch.sub(B.detach(), A, alpha=3), "upstream (3,) · −3"),
    "floor": (lambda: torch.div(A, B, rounding_mode="floor"), "upstream (3,) · 0"),
    "softplus": (lambda: F.softplus(A, beta=2), "upstream (3,) · σ(2·a)"),
    "gelu, tanh": (lambda: F.gelu(A, approximate="tanh"), "upstream (3,) → (3,)"),
    "clamp": (lambda: A.clamp(B.detach(), B.detach() + 1), "upstream (3,) · (1 between the bounds, 0 outside)"),
    "largest": (lambda: A.max(), "upstream () to the largest entry of (3,), ties share"),
    "largest of a row": (lambda: A.max(0).values, "upstream () to one largest entry along dimension 0 of (3,)"),
    "mse, mean": (lambda: F.mse_loss(A, B), "upstream () · 2·(a − b)/3 → (3,)"),
    "mse, sum": (lambda: F.mse_loss(A, B, reduction="sum"), "upstream () · 2·(a − b) → (3,)"),
    "mse, none": (lambda: F.mse_loss(A, B, reduction="none"), "upstream (3,) · 2·(a − b)"),
    "norm 1": (lambda: torch.linalg.vector_norm(A, 1), "upstream () · sign(a) → (3,)"),
    "norm 2": (lambda: torch.linalg.vector_norm(A), "upstream () · a/‖a‖ → (3,)"),
    "norm ∞": (lambda: torch.linalg.vector_norm(A, math.inf), "upstream () → (3,)"),
    "twice": (lambda: A[[0, 0, 1]], "upstream (3,) added up where it was taken from, zeros elsewhere: (3,)"),
}


@pytest.mark.parametrize("name", TENSORS)
def test_rules_of_tensors_know_their_options(name):
    make, expected = TENSORS[name]
    output = make()
    graph = trace(output, **({"a": A, "b": B} if "alpha" in name or _uses(output, B) else {"a": A}))
    graph = graph.backward(torch.full_like(output, 2.0))
    inputs = inputs_of(graph)
    said = [
        derivative(graph, one, inputs) for one in graph.edges if graph.nodes[one.source].name == "a" and one.gradient
    ]
    assert expected in said


def _uses(output, tensor):
    functions = [output.grad_fn]
    for function in functions:
        functions += [one for one, _ in function.next_functions if one is not None]
    return any(getattr(one, "variable", None) is tensor for one in functions)


def nll(**options):
    scores = leaf([1.0, 2.0, 3.0], [1.0, 0.0, 0.0])
    graph = trace(F.nll_loss(scores, CLASSES, **options), scores=scores)
    graph = graph.backward(None if options.get("reduction") != "none" else torch.ones(2))
    return derivative(graph, graph.edges[0], inputs_of(graph))


def test_nll_loss_knows_its_options():
    weight = torch.tensor([1.0, 2.0, 3.0])
    assert "(−1/n at each target's class" in nll()
    assert "(−1 at each target's class" in nll(reduction="sum")
    assert "(−1 at each target's class" in nll(reduction="none")
    assert "(−w/Σw at each target's class" in nll(weight=weight)
    assert "(−w at each target's class" in nll(weight=weight, reduction="sum")


def test_a_norm_of_zero_has_no_formula():
    x = torch.zeros(3, requires_grad=True)
    graph = trace(torch.linalg.vector_norm(x), x=x).backward()
    assert derivative(graph, graph.edges[0], inputs_of(graph)) == "upstream () → (3,)"


def test_complex_derivatives_are_conjugated():
    z, w = torch.tensor(1 + 2j, requires_grad=True), torch.tensor(3 - 1j, requires_grad=True)
    for make in (lambda: z * w, lambda: z.exp() * w, lambda: z / w, lambda: z**2 + w):
        graph = trace(make(), z=z, w=w).backward(torch.tensor(1 + 0j))
        inputs = inputs_of(graph)
        for edge in graph.edges:
            formulas, _ = steps_of(derivative(graph, edge, inputs)) if edge.gradient else ((), "")
            assert all(one.startswith("conj(") for one in formulas), formulas


def test_a_function_with_the_name_of_another_says_what_it_does():
    class Exp(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.exp()

        @staticmethod
        def backward(ctx, g):
            return g * 5

    for x in (
        torch.tensor(2.0, requires_grad=True),
        torch.ones(3, requires_grad=True),
        torch.ones(30, requires_grad=True),
    ):
        y = Exp.apply(x)
        graph = trace(y, x=x).backward(torch.ones_like(y))
        assert "exp" not in derivative(graph, graph.edges[0], inputs_of(graph))
