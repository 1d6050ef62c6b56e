"""Every entry of the table of errors is about a message that the installed PyTorch, or Python, really gives."""

import copy

import numpy
import pytest
import torch

from course_utils.exercises.errors import PLAIN_WORDS, in_plain_words


def leaf(*values):
    return torch.tensor(values or (1.0, 2.0), requires_grad=True)


class OneGradientForTwo(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a, b):
        return a * b

    @staticmethod
    def backward(ctx, upstream):
        return upstream


class GradientForANumber(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, k):
        return k * x

    @staticmethod
    def backward(ctx, upstream):
        return None, upstream


class NothingKept(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, k):
        return k * x

    @staticmethod
    def backward(ctx, upstream):
        return ctx.k * upstream, None


class WrongDerivative(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x**2

    @staticmethod
    def backward(ctx, upstream):
        return upstream


def second_backward():
    y = leaf().square().sum()
    y.backward()
    y.backward()


def part_of_a_leaf_in_place():
    leaf()[0] = 3.0


def leaf_in_place():
    x = leaf()
    x += 1


def saved_value_in_place():
    y = leaf().exp()
    y.add_(1)
    y.sum().backward()


def gradient_without_create_graph():
    x = leaf()
    (g,) = torch.autograd.grad((x**3).sum(), x)
    g.sum().backward()


def inference_tensor():
    with torch.inference_mode():
        x = torch.ones(2)
    (leaf() * x).sum()


def nan_in_backward():
    with torch.autograd.detect_anomaly(check_nan=True):
        (torch.zeros(1, requires_grad=True) * 0).sqrt().mul(0).sum().backward()


class Once(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, upstream):
        return upstream


def twice_through_once():
    x = leaf()
    (g,) = torch.autograd.grad(Once.apply(x).square().sum(), x, create_graph=True)
    g.sum().backward()


RAISE = [
    second_backward,
    part_of_a_leaf_in_place,
    leaf_in_place,
    saved_value_in_place,
    lambda: torch.tensor(1.0).backward(),
    gradient_without_create_graph,
    lambda: torch.autograd.grad(leaf().sum(), torch.ones(2)),
    lambda: leaf().square().backward(),
    lambda: leaf().square().backward(torch.ones(3)),
    lambda: torch.autograd.grad(leaf().sum(), leaf()),
    lambda: torch.tensor([1, 2], requires_grad=True),
    lambda: torch.tensor([1, 2]).requires_grad_(),
    lambda: setattr(leaf() * 2, "requires_grad", False),
    lambda: torch.optim.SGD([leaf() * 2], lr=0.1),
    lambda: copy.deepcopy(leaf() * 2),
    lambda: leaf().numpy(),
    inference_tensor,
    lambda: OneGradientForTwo.apply(leaf(), leaf()).sum().backward(),
    lambda: GradientForANumber.apply(leaf(), 2.0).sum().backward(),
    lambda: NothingKept.apply(leaf(), 2.0).sum().backward(),
    lambda: leaf() * (leaf(),),
    lambda: 2.0 * (leaf(),),
    nan_in_backward,
    lambda: torch.autograd.gradcheck(WrongDerivative.apply, torch.ones(1, dtype=torch.float64, requires_grad=True)),
    lambda: leaf().sum().item().backward(),
    lambda: leaf().next_functions,
    lambda: [] + list(leaf().sin().grad_fn),
    lambda: leaf().sin().grad_fn.next_functions[0].name(),
    twice_through_once,
    lambda: torch.empty(10**15),
    lambda: leaf() ^ 2,
    lambda: 2.0 ^ 2,
    lambda: leaf() * leaf().detach,
    lambda: list(torch.nn.Linear(1, 1).parameters),
    lambda: torch.Tensor(2.0, requires_grad=True),
    lambda: torch.tensor(2.0, require_grad=True),
    lambda: torch.sin(2.0),
    lambda: torch.func.grad(torch.sin)(2.0),
    lambda: torch.func.jvp(torch.sin, torch.ones(2), (torch.ones(2),)),
    lambda: numpy.float64(2).backward(),
    lambda: torch.stack([leaf(), None]),
    lambda: leaf().requires_grad(True),
    lambda: leaf()(2.0),
    lambda: leaf().grad + 1,
    lambda: leaf().grad.abs(),
    lambda: torch.func.vmap(lambda x: x.item())(torch.ones(2)),
    lambda: torch.ones(2).item(),
    lambda: float(torch.ones(2)),
    lambda: torch.stack([torch.autograd.grad(leaf().sum(), torch.ones(2, requires_grad=True), allow_unused=True)]),
    lambda: torch.autograd.grad(leaf().sum(), torch.ones(2, requires_grad=True), allow_unused=True).sum(),
    lambda: torch.autograd.grad(leaf().sum(), torch.ones(2, requires_grad=True), allow_unused=True) @ torch.ones(2),
    lambda: torch.func.grad(torch.sin)(torch.ones(2)),
    lambda: bool(torch.ones(2) > 0),
    lambda: torch.ones(2, 3) @ torch.ones(2, 3),
    lambda: torch.ones(2) @ torch.ones(3),
    lambda: torch.ones(2, 3) @ torch.ones(2),
    lambda: torch.ones(2) + torch.ones(3),
    lambda: torch.nn.functional.cross_entropy(torch.ones(2, 4, 5), torch.zeros(2, 4, dtype=torch.long)),
    lambda: torch.nn.functional.cross_entropy(torch.ones(2, 5), torch.zeros(3, dtype=torch.long)),
    lambda: torch.ones(2, 2) @ torch.ones(2, 2, dtype=torch.float64),
    lambda: torch.nn.Linear(2, 2)(torch.ones(2, dtype=torch.float64)),
    lambda: torch.nn.functional.binary_cross_entropy(leaf(0.5), torch.ones(1, dtype=torch.float64)).backward(),
    lambda: (lambda a, b: a)(1),
    lambda: (lambda a: a)(1, 2),
    lambda: undefined_name,  # noqa: F821
]


def message_of(snippet):
    with pytest.raises(Exception) as caught:  # noqa: PT011
        snippet()
    return str(caught.value)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("pattern", PLAIN_WORDS)
def test_every_entry_is_met_by_a_real_error(pattern):
    assert any(in_plain_words(message_of(snippet)) == PLAIN_WORDS[pattern] for snippet in RAISE)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("snippet", RAISE)
def test_every_error_met_in_the_course_has_plain_words(snippet):
    assert in_plain_words(message_of(snippet)), message_of(snippet)


def test_other_errors_have_none():
    assert in_plain_words("the disk is on fire") == ""
