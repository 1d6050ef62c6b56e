"""Random expressions: what `trace` finds against what autograd itself says."""

import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import trace
from course_utils.graph.words.operations import derivative
from course_utils.graph.words.text import inputs_of

UNARY = [
    torch.sin, torch.cos, torch.tanh, torch.sigmoid, torch.neg, torch.square, torch.relu, torch.abs, torch.clone,
    lambda a: a.exp().clamp(max=5.0), lambda a: (a * a + 1).log(), lambda a: (a.abs() + 0.5).sqrt(),
    lambda a: a**3, lambda a: 1.5**a.tanh(), lambda a: 2 - a, lambda a: 3 / (a * a + 1), lambda a: a + 1,
    lambda a: torch.sin(a.detach()) * a, lambda a: a.double().float().double(),
]  # fmt: skip
BINARY = [
    torch.add, torch.sub, torch.mul, torch.maximum, torch.atan2, torch.hypot,
    lambda a, b: a / (b * b + 1), lambda a, b: torch.where(a > 0, a, b), lambda a, b: (a * a + 1) ** b.tanh(),
    lambda a, b: torch.add(a, b, alpha=3), lambda a, b: torch.lerp(a, b, 0.3),
]  # fmt: skip
SHAPES = [(), (1,), (3,), (2, 3), (2, 1)]


def reduce(a, choice):
    """Operations that change the shape, each with a result that the others can take."""
    flat = a.reshape(-1)
    return choice([
        lambda: a.sum(), lambda: a.mean(), lambda: flat[0], lambda: flat.softmax(0), lambda: flat.sort().values,
        lambda: torch.cat([flat, flat * 2]).sum(), lambda: torch.stack([flat, flat.sin()]).mean(0),
        lambda: flat @ flat, lambda: flat[:, None] @ flat[None, :], lambda: flat.split(1)[-1],
        lambda: flat.max(0).values, lambda: flat.unbind()[0], lambda: a.expand(2, *a.shape).sum(0),
        lambda: flat.log_softmax(0).cumsum(0), lambda: a.mT if a.dim() > 1 else a,
    ])()  # fmt: skip


def expression(rng):
    """Tensors of a random program in the order in which they were made, leaves first, and an output."""

    def leaf():
        return (
            torch.tensor(round(rng.uniform(-2, 2), 6), dtype=torch.float64)
            .expand(rng.choice(SHAPES))
            .clone()
            .requires_grad_()
        )

    tensors = [leaf() for _ in range(rng.randint(1, 3))]
    for _ in range(rng.randint(1, 9)):
        a, b = rng.choice(tensors), rng.choice(tensors)
        kind = rng.random()
        if kind < 0.4:
            made = rng.choice(UNARY)(a)
        elif kind < 0.75 and _broadcast(a, b):
            made = rng.choice(BINARY)(a, b)
        else:
            made = reduce(a, rng.choice)
        if made.numel() <= 12:
            tensors.append(made)
    return tensors, tensors[-1] + rng.choice(tensors).sum()


def _broadcast(a, b):
    return all(1 in sizes or len(set(sizes)) == 1 for sizes in zip(reversed(a.shape), reversed(b.shape)))


def places(graph):
    """For each number in the walk, the index of its node."""
    return graph._walk._nodes(graph._walk._first_uses())[1]


def close(summary, tensor, *, scale=0.0):
    """Whether a summary has a tensor's numbers, to the rounding of sums whose terms are as large as `scale`."""
    if tensor is None:
        return summary is None
    if tensor.numel() > 16:
        return summary.norm == pytest.approx(tensor.norm().item(), rel=1e-9, nan_ok=True)
    own = torch.tensor(summary.numbers, dtype=torch.float64).reshape(tensor.shape)
    rtol = 1e-9 if tensor.dtype is torch.float64 else 1e-6
    return torch.allclose(own, tensor.double(), rtol=rtol, atol=1e-12 + rtol * scale, equal_nan=True)


def is_subnormal(summary):
    """Whether a value is so near 0 that a double keeps few of its digits: 0.7·x/x is 1 there, for PyTorch too."""
    return summary is not None and 0 < summary.norm < 1e-300


def check(rng):
    tensors, out = expression(rng)
    v = torch.full_like(out, 0.7)
    graph = trace(out).backward(v)
    walk = graph._walk.walk
    place = places(graph)
    sums, scales = {}, {}
    for edge in graph.edges:
        if edge.gradient is not None:
            before = sums.get(edge.source, [0] * len(edge.gradient.numbers))
            sums[edge.source] = [one + other for one, other in zip(before, edge.gradient.numbers)]
            if edge.gradient.trouble is None:
                scales[edge.source] = max(scales.get(edge.source, 0.0), edge.gradient.norm)
    keys = list(zip(walk.functions, walk.outputs))
    ends = [torch.autograd.graph.GradientEdge(*key) for key in keys]
    expected = torch.autograd.grad(out, ends, v, retain_graph=True, allow_unused=True)
    for number, gradient in enumerate(expected):
        node = graph.nodes[place[number]]
        scale = scales.get(place[number], 0.0)
        assert close(node.gradient, gradient, scale=scale), (node, gradient)
        if not node.is_output and gradient.numel() <= 16:
            assert close(node.gradient._replace(numbers=sums[place[number]]), gradient, scale=scale)
    known = {(tensor.grad_fn, tensor.output_nr): tensor for tensor in tensors if tensor.grad_fn is not None}
    for number, key in enumerate(keys):
        node = graph.nodes[place[number]]
        if key in known and node.value is not None:
            assert close(node.value, known[key].detach())
    inputs = inputs_of(graph)
    for edge in graph.edges:
        source, target = graph.nodes[edge.source], graph.nodes[edge.target]
        if (
            not is_subnormal(target.value)
            and edge.local is not None
            and target.shape == ()
            and not target.gradient.trouble
        ):
            rel = 1e-9 if source.dtype == target.dtype == "float64" else 1e-6
            assert edge.gradient.numbers[0] == pytest.approx(
                edge.local * target.gradient.numbers[0], rel=rel, nan_ok=True
            )
        assert source.kind == "constant" or derivative(graph, edge, inputs)


@settings(max_examples=200, deadline=None)
@given(st.randoms(use_true_random=False))
def test_gradients_and_values_are_autograds_own(rng):
    check(rng)


def test_the_gradients_on_a_nodes_edges_sum_to_its_own_in_a_thousand_graphs():
    for seed in range(1000):
        check(random.Random(seed))


@settings(max_examples=200, deadline=None)
@given(st.floats(-3, 3), st.floats(-3, 3), st.integers(0, 10**6))
def test_a_traced_function_gives_the_same_as_the_function(x, y, seed):
    rng = random.Random(seed)
    steps = [(rng.choice(UNARY), rng.choice(BINARY)) for _ in range(3)]

    def f(x, y):
        for unary, binary in steps:
            x, y = unary(binary(x, y)), x
        return x + y

    leaves = [torch.tensor(number, dtype=torch.float64, requires_grad=True) for number in (x, y)]
    expected = torch.autograd.grad(f(*leaves), leaves, allow_unused=True)
    graph = trace(f, x=leaves[0], y=leaves[1]).backward()
    found = {node.name: node.gradient for node in graph.nodes if node.kind == "leaf"}
    for name, gradient in zip("xy", expected):
        if gradient is not None:
            assert found[name].numbers[0] == pytest.approx(gradient.item(), rel=1e-9, abs=1e-12, nan_ok=True)
    assert all(node.value is not None for node in graph.nodes)
