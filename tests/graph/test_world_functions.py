"""Functions and hooks of the learner's: called as autograd's engine calls them, or named where they are not."""

import random

import numpy as np
import pytest
import torch
from torch import nn

from course_utils import step_backward, trace

CALLS = []


class Joint(torch.autograd.Function):
    """Scales both of its gradients by their common length."""

    @staticmethod
    def forward(ctx, x):
        return x.sin(), x.cos()

    @staticmethod
    def backward(ctx, a, b):
        CALLS.append((a.item(), b.item()))
        return (a - 3 * b) / (1 + a.abs() + b.abs())


class Lazy(torch.autograd.Function):
    """Tells an output that nobody used from one with a gradient of zero."""

    @staticmethod
    def forward(ctx, x):
        ctx.set_materialize_grads(False)
        return x * 5, x * 7

    @staticmethod
    def backward(ctx, a, b):
        return (a * 5 if a is not None else 1000.0) + (b * 7 if b is not None else torch.tensor(100.0))


class Spread(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 1, x * 2

    @staticmethod
    def backward(ctx, a, b):
        return (a * b).exp()


class Clip(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, g):
        return g.clamp(-0.5, 0.5)


class Noisy(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, counter):
        ctx.counter = counter
        return x * 3

    @staticmethod
    def backward(ctx, g):
        CALLS.append(g.item())
        ctx.counter.seen.add_(1)
        torch.rand(()), np.random.rand(), random.random()
        return g * 3, None


class Counter(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("seen", torch.zeros(()))


def leaf(value=2.0):
    return torch.tensor(value, requires_grad=True)


MIXES = {
    "both outputs": lambda a, b: 3 * a + 4 * b,
    "the first alone": lambda a, b: a * 2,
    "the second alone": lambda a, b: b * 2,
    "one behind the other": lambda a, b: a * (b + a.sin()).exp(),
}


@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("function", [Joint, Lazy, Spread])
def test_several_outputs_go_back_together(function, mix):
    x = leaf()
    z = MIXES[mix](*function.apply(x))
    CALLS.clear()
    graph = trace(z, x=x).backward()
    assert len(CALLS) == (function is Joint)
    (expected,) = torch.autograd.grad(z, x)
    at = next(at for at, node in enumerate(graph.nodes) if node.name == "x")
    assert graph.nodes[at].gradient.numbers == pytest.approx((expected.item(),))
    sent = [edge.gradient.numbers[0] for edge in graph.edges if edge.source == at and edge.gradient is not None]
    assert sum(sent) == pytest.approx(expected.item())


def test_a_rule_that_is_no_multiplication_has_no_factor():
    x = leaf()
    graph = trace(5 * Clip.apply(x), x=x).backward()
    assert graph.edges[0].local is None and graph.nodes[0].gradient.numbers == (0.5,)
    said = step_backward(5 * Clip.apply(x), x=x)(step=2).description
    assert "To x: Clip: its own rule, which gives 0.50." in said and "×" not in said


def test_a_rule_that_is_one_keeps_its_factor():
    x = leaf()
    graph = trace(5 * Noisy.apply(x, Counter()), x=x).backward()
    assert graph.edges[0].local == 3.0


def test_a_pass_calls_a_rule_once_and_leaves_the_world_as_it_was():
    counter, x = Counter(), leaf()
    states = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()
    CALLS.clear()
    trace(4 * Noisy.apply(x, counter), x=x).backward()
    assert CALLS == [4.0, 1.0], "once for the pass, and once for the factor"
    CALLS.clear()
    trace(Noisy.apply(x, counter), x=x).backward()
    assert CALLS == [1.0]
    assert counter.seen == 0
    assert torch.equal(states[0], torch.get_rng_state()) and random.getstate() == states[2]
    assert np.random.get_state()[1].tolist() == states[1]


def double(grads):
    return (grads[0] * 2,)


def hook_on_a_tensor(x):
    y = x**2
    y.register_hook(lambda g: g * 10)
    return y * 3, [y]


def hook_on_a_leaf(x):
    x.register_hook(lambda g: g * 10)
    return x**2, []


def hook_after_accumulating(x):
    x.register_post_accumulate_grad_hook(print)
    return x**2, []


def hook_before_a_node(x):
    y = x**2
    y.grad_fn.register_prehook(double)
    return y * 3, []


def hook_after_a_node(x):
    y = x**2
    y.grad_fn.register_hook(lambda sent, come: double(sent))
    return y * 3, []


def hook_on_a_module(x):
    identity = nn.Identity()
    identity.register_full_backward_hook(lambda module, sent, come: double(sent))
    return identity(x * 2) * 3, []


def hook_before_a_module(x):
    identity = nn.Identity()
    identity.register_full_backward_pre_hook(lambda module, come: double(come))
    return identity(x * 2) * 3, []


HOOKS = [
    hook_on_a_tensor, hook_on_a_leaf, hook_after_accumulating, hook_before_a_node, hook_after_a_node, hook_on_a_module,
    hook_before_a_module,
]  # fmt: skip


@pytest.mark.parametrize("make", HOOKS)
def test_every_hook_is_named(make):
    z, _kept = make(leaf())
    for graph in (trace(z), trace(z).backward(), trace(z, values=False), trace(lambda x: make(x)[0], x=2.0)):
        assert any("hook" in (node.note or "") for node in graph.nodes)


def test_a_hook_on_a_parameter_is_named():
    layer = nn.Linear(1, 1, bias=False)
    layer.weight.register_hook(torch.zeros_like)
    graph = trace(layer(torch.ones(1, 1)).sum(), model=layer)
    assert [node.name for node in graph.nodes if node.note] == ["weight"]


def test_without_a_hook_none_is_named():
    x = leaf()
    removed = x.register_hook(print)
    removed.remove()
    for graph in (trace(x**2), trace(lambda x: x**2, x=2.0)):
        assert [node.note for node in graph.nodes if node.note] == []
