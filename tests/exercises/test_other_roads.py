"""Nobody passes by another road than the one that is asked for; and the probes are not blind to signs, sizes, order."""

import pytest
import torch

from course_utils.exercises import (
    lesson_00,
    lesson_02,
    lesson_03,
    lesson_04,
    lesson_05,
    lesson_06,
    lesson_07,
    lesson_09,
    lesson_10,
)
from course_utils.exercises.observe import Told
from course_utils.exercises.probes import asks_autograd, by_hand, differentiates, doubling, keeps_memory, samples_sent
from course_utils.exercises.side_effects import touches_nothing_else
from every_answer import ALL, over, world

NUMBERS = {
    name: it
    for name, it in ALL.items()
    if callable(it.answer)
    and not isinstance(it.answer, type)
    and it.given is None
    and name.partition(".")[2] not in {"classifier", "graph_nodes", "trainable", "freeze_first", "own_backward"}
}  # those that return numbers, or leave them in `.grad`
FILL_GRADIENTS = {"lesson_06.grad_accumulate", "lesson_06.token_accumulate"}
NEVER_NEGATIVE = {"lesson_07.train_step", "lesson_08.safe_sqrt", "lesson_09.layer_sizes"}


def each(change, found):
    if isinstance(found, list | tuple):
        return type(found)(each(change, part) for part in found)
    if isinstance(found, torch.Tensor | float | int):
        changed = change(torch.as_tensor(found))
        return changed.item() if isinstance(found, float) else changed
    return found


CHANGES = {
    "the size alone": torch.abs,
    "the sign alone": torch.sign,
    "clipped": lambda found: found.clamp(-1, 1),
    "rounded": lambda found: found.round(decimals=1),
    "in single precision, with noise": lambda found: found * (1 + 1e-4),
    "not a number": lambda found: found * torch.nan,
}


@pytest.mark.parametrize("change", CHANGES)
@over(NUMBERS)
def test_numbers_that_are_nearly_right_do_not_pass(exercise, change):
    def nearly(*arguments):
        return each(CHANGES[change], exercise.answer(*arguments))

    def nearly_left_behind(model, *rest):
        exercise.answer(model, *rest)
        for weight in model.parameters():
            weight.grad = CHANGES[change](weight.grad)

    allowed = change == "the size alone" and exercise.name in NEVER_NEGATIVE
    answer = nearly_left_behind if exercise.name in FILL_GRADIENTS else nearly
    assert (exercise.grade(answer).status == "right") == allowed


@pytest.mark.parametrize("exercise", [lesson_06.grad_accumulate, lesson_06.token_accumulate], ids=lambda it: it.name)
def test_a_clipped_gradient_shows(exercise):
    def clipped(model, *rest):
        exercise.answer(model, *rest)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)

    assert exercise.grade(clipped).status == "wrong"


@pytest.mark.parametrize("most", [1.0, 5.0])
def test_a_clipped_step_shows(most):
    def clipped(net, optimizer, loss_fn, x, y):
        loss = loss_fn(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), most)
        optimizer.step()
        return loss.item()

    assert lesson_07.train_step.grade(clipped).status == "wrong"


REPAIRS = {name: it for name, it in ALL.items() if it.given is not None}


@over(REPAIRS)
def test_a_clipped_repair_shows(exercise):
    clip, walk = torch.nn.utils.clip_grad_norm_, torch.Tensor.backward

    def repaired(w, *rest):
        def walk_and_clip(tensor, *arguments, **options):
            walk(tensor, *arguments, **options)
            clip([w], 1.0)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(torch.Tensor, "backward", walk_and_clip)
            return exercise.answer(w, *rest)

    assert exercise.grade(repaired).status == "wrong"


def cube(x):
    return x**3


def central(f, x, h=1e-6):
    return (f(x + h) - f(x - h)) / (2 * h)


def once(f, x):
    return torch.func.grad(f)(x)


DIFFERENCES = [
    lambda f: central(f, torch.tensor(1.5)),
    lambda f: (f(torch.tensor(1.5 + 1e-7)) - f(torch.tensor(1.5))) / 1e-7,
    lambda f: f(torch.tensor(1.5 + 1e-20j)).imag / 1e-20,
]


@pytest.mark.parametrize("road", DIFFERENCES)
def test_differences_are_no_autograd(road):
    with world(seed=0, dtype=torch.float64):
        assert not differentiates(road, cube)
        assert differentiates(lambda f: once(f, torch.tensor(1.5)), cube)


@pytest.mark.parametrize(
    ("road", "by_autograd"),
    [
        (lambda f, x: once(lambda x: once(f, x), x), True),
        (lambda f, x: central(lambda x: once(f, x), x), False),
        (lambda f, x: once(lambda x: central(f, x, 1e-4), x), False),
        (lambda f, x: central(lambda x: central(f, x, 1e-3), x, 1e-3), False),
        (lambda f, x: torch.func.hessian(f)(x), True),
        (lambda f, x: torch.autograd.functional.hessian(f, x), True),
    ],
)
def test_each_derivative_is_autograds(road, by_autograd):
    assert differentiates(lambda f: road(f, torch.tensor(1.5, dtype=torch.float64)), cube, times=2) is by_autograd


def test_a_function_of_pytorch_can_be_steeper():
    x = torch.tensor([0.5, 2.0], dtype=torch.float64)
    with doubling("sin"):
        assert torch.equal(torch.sin(x), x.sin())
        assert torch.allclose(torch.func.vmap(torch.func.grad(torch.sin))(x), 2 * torch.cos(x))
        assert torch.allclose(torch.func.vmap(torch.func.grad(torch.cos))(x), -torch.sin(x))


def test_a_failed_attempt_is_no_work_by_hand():
    assert by_hand(lambda x: 2 * x, torch.ones(2))
    assert not by_hand(lambda x: (x**2).sum().backward(), torch.ones(2))
    with pytest.raises(ZeroDivisionError):
        by_hand(lambda x: 1 / 0, torch.ones(2))
    assert asks_autograd(lambda x: torch.func.grad(torch.sin)(x), torch.tensor(1.0))


def network():
    net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3), torch.nn.Dropout())
    net[0].register_forward_hook(lambda *_: None)
    net[0].weight.register_hook(lambda gradient: None)
    return net


def step(net, x, loss_fn):
    torch.optim.SGD(net.parameters(), lr=0.1).step()


@pytest.mark.parametrize(
    ("does", "says"),
    [
        (step, "lets an optimiser take a step"),
        (lambda net, x, loss_fn: setattr(loss_fn, "reduction", "sum"), "changes `loss_fn.reduction`"),
        (lambda net, x, loss_fn: net[0]._forward_hooks.clear(), "that somebody else put on `net.0` is gone"),
        (lambda net, x, loss_fn: net[2].register_forward_hook(print), "A hook is left on `net.2`"),
        (lambda net, x, loss_fn: net[2].register_full_backward_hook(print), "A hook is left on `net.2`"),
        (lambda net, x, loss_fn: net[0].weight._backward_hooks.clear(), "somebody else put on `net.0.weight`"),
        (lambda net, x, loss_fn: net[0].bias.data.zero_(), "changes the numbers in `net.0.bias`"),
        (lambda net, x, loss_fn: net(torch.ones(4, 2)), "changes the numbers in `net.1.running_mean`"),
        (lambda net, x, loss_fn: net.eval(), "changes `net.training`"),
        (lambda net, x, loss_fn: setattr(net[2], "p", 0.0), "changes `net.2.p`"),
        (lambda net, x, loss_fn: net[0].weight.requires_grad_(False), "changes `net.0.weight.requires_grad`"),
        (lambda net, x, loss_fn: (net[0].bias.sum() * 2).backward(), "changes `net.0.bias.grad`"),
        (lambda net, x, loss_fn: net.append(torch.nn.Tanh()), "changes"),
        (lambda net, x, loss_fn: x.mul_(2), "changes the numbers in `x`"),
        (lambda net, x, loss_fn: x.requires_grad_(), "changes `x.requires_grad`"),
    ],
)
def test_side_effects_are_told(does, says):
    things = {"net": network(), "x": torch.ones(2), "loss_fn": torch.nn.MSELoss()}
    told = touches_nothing_else(lambda: does(*things.values()), things)
    assert isinstance(told, Told) and says in told.text


def test_what_is_asked_for_is_no_side_effect():
    things = {"net": network(), "x": torch.ones(2)}
    things["optimizer"] = torch.optim.SGD(things["net"].parameters(), lr=0.1)

    def train():
        (things["net"][0](things["x"])).sum().backward()
        things["optimizer"].step()

    assert touches_nothing_else(train, things, but={"values of net", "grad of net", "step"}) is True
    assert isinstance(touches_nothing_else(train, things, but={"grad of net", "step"}), Told)
    assert touches_nothing_else(lambda: None, things) is True

    def slower():
        things["optimizer"].param_groups[0]["lr"] = 1e-9

    assert "`optimizer.param_groups[0]['lr']`" in touches_nothing_else(slower, things).text


def test_graphs_that_are_kept_show():
    net, kept = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Tanh()), []
    assert keeps_memory(lambda: [net(torch.ones(1, 2)).sum().backward() for _ in range(3)], net)
    assert not keeps_memory(lambda: kept.extend([net(torch.ones(1, 2)) for _ in range(3)]), net)
    assert not keeps_memory(lambda: None, net)
    with samples_sent(net) as sizes:
        net(torch.ones(5, 2)), net(torch.ones(1, 2))
    assert sizes == [5, 1] and not net._forward_pre_hooks


def says(exercise, answer):
    verdict = exercise.grade(answer)
    assert verdict.status == "wrong"
    return verdict.message


def test_what_was_accepted_and_wrong():
    """FINDINGS.md, 4, with other steps and in other words than the foreseen mistakes."""
    h = 3e-6

    def ahead(f, x, v):
        return (f(x + h * v) - f(x)) / h

    def diagonal(f, x):
        wiggles = 1e-4 * torch.eye(len(x))
        return torch.stack([(f(x + w) - 2 * f(x) + f(x - w)) / 1e-8 for w in wiggles])

    def hvp(f, x, v):
        x = x.detach()
        return (once(f, x + h * v) - once(f, x)) / h

    assert "a difference of two values" in says(lesson_04.jvp, ahead)
    assert "Is something approximated" in says(lesson_05.hvp, hvp)
    assert lesson_05.hessian_diag.grade(diagonal).status == "wrong"
    y = lambda x: x**2 * torch.sin(x**2)  # noqa: E731
    assert lesson_02.diamond.grade(lambda x: (y(x + h) - y(x)) / h).status == "wrong"

    def with_adam(model, loss_fn, batches):
        lesson_06.grad_accumulate.answer(model, loss_fn, batches)
        torch.optim.Adam(model.parameters()).step()

    assert "optimiser" in says(lesson_06.grad_accumulate, with_adam)

    def hooks_cleared(net, x):
        sizes = lesson_09.layer_sizes.answer(net, x)
        for part in net.modules():
            part._forward_hooks.clear()
        return sizes

    assert "other people" in says(lesson_09.layer_sizes, hooks_cleared)


@pytest.mark.parametrize(
    ("exercise", "differences"),
    [
        (lesson_00.gradient_at, lambda x: central(lambda x: 3 * x**2, x, 1e-4)),
        (lesson_02.slope, lambda f, x: central(f, x.detach(), 1e-5)),
        (lesson_03.gradient_field, lambda f, x, y: (central(lambda x: f(x, y), x), central(lambda y: f(x, y), y))),
        (lesson_05.nth_derivative, lambda f, x, n: f(torch.tensor(x)) if n == 0 else central(f, torch.tensor(x))),
        (lesson_05.sin_derivatives, lambda x: (central(torch.sin, x), -torch.sin(x))),
        (
            lesson_05.sin_derivatives,
            lambda x: (s := lesson_05.sin_derivatives.answer, (s(x)[0], central(torch.cos, x)))[1],
        ),
        (lesson_10.quotient, lambda a, b: (a / b, (1 / b, central(lambda b: a / b, b)))),
    ],
)
def test_differences_pass_nowhere(exercise, differences):
    assert exercise.grade(differences).status == "wrong"
