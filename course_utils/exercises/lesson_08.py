"""Exercises of lesson 08: when gradients go wrong. The six loops to repair are in `repairs`."""

from __future__ import annotations

import math

import torch

from .exercise import exercise, prediction
from .probes import GraphsAlive
from .repairs import added_in_place as added_in_place
from .repairs import carried_state as carried_state
from .repairs import growing_steps as growing_steps
from .repairs import lost_leaf as lost_leaf
from .repairs import masked_too_late as masked_too_late
from .repairs import rebuilt_loss as rebuilt_loss
from .sorts import names_among


def _numbers(value: object) -> object:
    """nan, inf and other numbers as numbers, however they were typed: "nan" and float("nan") are the same answer."""
    if isinstance(value, str) and "," in value:
        value = value.split(",")
    if isinstance(value, list | tuple):
        return [_numbers(part) for part in value]
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


@prediction(
    """
    At $w = 1$ the loss is $(w - 3)^2 + |w|$, but the second part was rebuilt from a number:
    `size = torch.tensor(w.abs().item())`. Then `loss = fit + size` and `loss.backward()`. What stands in `w.grad`? Type
    a number, or `"error"`.
    """,
    mistakes=[
        (-3.0, "That is the slope of the whole loss. But which of its two parts still knows `w`?"),
        ("error", "An error comes only if *no* path leads to `w`. One of the two parts still has one."),
        (4.0, "Mind the sign: at 1, left of the lowest point at 3, the curve falls."),
        (1.0, "That is the slope of the part that was rebuilt, the one that lost its path."),
        (5.0, "That is the value of the loss. `w.grad` holds a slope."),
    ],
    because="`item` turned the second part into a plain number, so only $2(w - 3) = -4$ comes back.",
    hints=[
        "A tensor made from a plain number has no past. Through which part does a path lead back to `w`?",
        "Only $(w - 3)^2$ counts. Its derivative is $2(w - 3)$.",
    ],
)
def half_a_loss():
    w = torch.tensor(1.0, requires_grad=True)
    fit = (w - 3) ** 2
    size = torch.tensor(w.abs().item())
    loss = fit + size
    loss.backward()
    return w.grad


@prediction(
    """
    `x` is a leaf at 3. Then `y = x * 2`, then `y *= 2`, in place, then `y.backward()`. What are `y` and `x.grad` at the
    end? Type two numbers, `prediction = [.., ..]`, or `"error"`.
    """,
    mistakes=[
        ("error", "That is what the tutorial prints. A change in place is an error only if someone has kept the value "
         "that was overwritten. What does a multiplication by 2 need to know for its slope?"),
        ([12.0, 2.0], "You let only one of the two steps count for the slope. The change in place is an operation like "
         "any other, and it is recorded."),
        ([6.0, 2.0], "`y` is changed in place, and that is recorded like any other operation: both steps count, for "
         "the value and for the slope."),
        ([12.0, 1.0], "Two operations stand between `x` and `y`, and each multiplies the slope."),
        ([12.0, 12.0], "`x.grad` holds the slope, not the value."),
    ],
    because="A product with a number saves nothing that the change could spoil, so the slope is $2 \\cdot 2 = 4$.",
    hints=[
        "Is the value of `y` before the change needed to know the slope of either step?",
        "If it is not, the chain rule holds as always: multiply the two slopes.",
    ],
)
def harmless_in_place():
    x = torch.tensor(3.0, requires_grad=True)
    y = x * 2
    y *= 2
    y.backward()
    return [y, x.grad]


@prediction(
    """
    `y = f(x)`, then `y.add_(1)`, then `y.sum().backward()`. For which of exp, sin, tanh, square, sqrt, log as `f` is
    that an **error**? Type their names: `prediction = ["…", "…"]`.
    """,
    probe=names_among("exp", "sin", "tanh", "square", "sqrt", "log"),
    mistakes=[
        (["exp", "sin", "tanh", "square", "sqrt", "log"], "Not all. For which of them can the slope be written with "
         "the *input* alone, and is?"),
        ([], "Some of them do fail: those whose slope is most easily computed from their own *result*."),
        (["sin", "square", "log"], "Just the other way round. These keep their input, and nobody has changed that."),
        (["exp"], "Right about exp. For two more the slope is a formula in the result."),
        (["exp", "tanh"], "Both right. One is missing: write the slope of a root with the root itself."),
        (["exp", "sqrt"], "Both right. One is missing: $1 - \\tanh^2 x$ is a formula in what?"),
        (["exp", "tanh", "sqrt", "log"], "One too many: the slope of log is one over its input."),
        (["exp", "tanh", "sqrt", "square"], "One too many: the slope of a square is twice its input."),
    ],
    because=(
        "`exp`, `tanh` and `sqrt` save their output for the way back; the others save their input, which `add_` "
        "leaves alone."
    ),
    hints=[
        "Write the six slopes down. In which of them does `f(x)` itself appear, so that PyTorch need not compute it "
        "again?",
        "$e^x$ is its own slope. That of tanh is one minus tanh squared. For the others, look for the result in the "
        "slope.",
    ],
)
def inplace_predict():
    broken = []
    for name in ("exp", "sin", "tanh", "square", "sqrt", "log"):
        x = torch.tensor([0.5, 2.0], requires_grad=True)
        y = getattr(torch, name)(x)
        y.add_(1)
        try:
            y.sum().backward()
        except RuntimeError:
            broken.append(name)
    return broken


@prediction(
    """
    `x` is $(-1, 4)$ and `y = torch.where(x > 0, torch.sqrt(x), 0.0)` is $(0, 2)$, as it should be. What are the two
    entries of `x.grad` after `y.sum().backward()`? Type numbers, `"inf"` or `"nan"`: `prediction = [.., ..]`.
    """,
    probe=_numbers,
    mistakes=[
        ([0.0, 0.25], "So says the formula: a constant has the slope 0. But `where` computes *both* branches first, "
         "and sends a gradient back through both. What does the root of −1 do with it?"),
        (["inf", 0.25], "That would be close by, at 0. What is the root of −1, and what its slope?"),
        (["nan", "nan"], "Right about −1. But entries do not mix here: the other one has its own slope."),
        ([0.0, 2.0], "The second is the root of 4 itself; its slope was asked for. And `where` computes *both* "
         "branches, the root of −1 as well."),
        (["nan", 2.0], "Right about −1. The second is the root of 4 itself; its slope was asked for."),
        (["nan", 0.5], "Right about −1. The slope of the root has a 2 in it as well: $1/(2\\sqrt{x})$."),
    ],
    because="`where` sends 0 to the branch that it did not take, and 0 times the root's slope at −1, nan, is nan.",
    hints=[
        "`torch.where` is a function: its arguments are computed before it chooses. So what was computed at −1?",
        "The branch that was not chosen gets the gradient 0, and multiplies it by its own slope.",
    ],
)
def where_leaks():
    x = torch.tensor([-1.0, 4.0], requires_grad=True)
    y = torch.where(x > 0, torch.sqrt(x), 0.0)
    y.sum().backward()
    return x.grad


@prediction(
    """
    Three slopes at 0: that of `torch.sqrt(x)`; that of `torch.sqrt((v**2).sum())` for `v = (0, 0)`; that of
    `torch.linalg.vector_norm(v)`, the same formula, ready-made. Type three words, each `"0"`, `"inf"` or `"nan"`; the
    second and the third stand for both entries of the gradient: `prediction = ["…", "…", "…"]`.
    """,
    probe=_numbers,
    mistakes=[
        (["inf", "inf", "inf"], "Right about the root. In the second one, the infinite slope is multiplied by another "
         "slope, that of $v^2$ at 0. And the third one was written by people who knew."),
        (["inf", "nan", "nan"], "The first two are right. The ready-made norm has its own rule for 0."),
        (["inf", "inf", "0"], "Infinity times the slope of $v^2$ at 0: what is infinity times 0?"),
        (["0", "0", "0"], "Draw the root near 0: how steep does it get?"),
        (["inf", "0", "0"], "Infinity times 0 is not 0: the computer has its own word for it."),
        (["nan", "nan", "nan"], "The root itself is steeper and steeper towards 0; it has a limit of another kind. And "
         "the ready-made norm has its own rule."),
        (["nan", "nan", "0"], "The last two are right. The slope of the root is $1/(2\\sqrt{x})$: put 0 in."),
    ],
    because=(
        "The root's slope at 0 is infinite; by hand it meets the inner slope 0 and gives nan, and the ready-made "
        "norm defines it as 0."
    ),
    hints=[
        "The slope of $\\sqrt{x}$ is $1/(2\\sqrt{x})$. In floating point, 1 divided by 0 is no error.",
        "In the second, that slope is multiplied by $2v$, and `v` is 0. The third sends back what you would like to "
        "have at the tip of a cone.",
    ],
)
def roots_at_zero():
    x, v = torch.tensor(0.0, requires_grad=True), torch.zeros(2, requires_grad=True)
    (root,) = torch.autograd.grad(torch.sqrt(x), x)
    (by_hand,) = torch.autograd.grad(torch.sqrt((v**2).sum()), v)
    (ready_made,) = torch.autograd.grad(torch.linalg.vector_norm(v), v)
    return [root, by_hand[0], ready_made[0]]


def _slope_of(function, at):
    x = torch.tensor(at, requires_grad=True)
    (slope,) = torch.autograd.grad(function(x).sum(), x)
    return slope


def _leaves_x_alone(function):
    x = torch.tensor([4.0, -1.0, 0.0])
    before = x.clone()
    function(x)
    return torch.equal(x, before)


@exercise(
    """
    Write `safe_sqrt(x)` for a tensor `x`: $\\sqrt{x}$ where $x > 0$, else 0, exactly. Its gradient is that of the root
    where $x > 0$, and 0 elsewhere: no nan, no inf.
    """,
    probe={
        "values at 4, −1 and 0.25": lambda safe_sqrt: safe_sqrt(torch.tensor([4.0, -1.0, 0.25])),
        "slopes at 4 and 0.25": lambda safe_sqrt: _slope_of(safe_sqrt, [4.0, 0.25]),
        "exactly 0 at −1 and 0": lambda safe_sqrt: not safe_sqrt(torch.tensor([-1.0, 0.0])).any().item(),
        "slope at −1": lambda safe_sqrt: _kind(_slope_of(safe_sqrt, [4.0, -1.0])[1]),
        "slope at 0": lambda safe_sqrt: _kind(_slope_of(safe_sqrt, [4.0, 0.0])[1]),
        "`x` stays as it is": _leaves_x_alone,
    },
    because="The root only ever sees numbers with a finite slope, so no inf and no nan meets a 0 on the way back.",
    hints=[
        "The root must never see a number that is not positive. What could you give it instead, where the result does "
        "not matter?",
        "Two times `torch.where`: one before the root, that puts a harmless number in; one after it, that puts 0 in.",
    ],
)
def safe_sqrt(x):
    positive = x > 0
    root = torch.sqrt(torch.where(positive, x, 1.0))
    return torch.where(positive, root, 0.0)


def _kind(slope):
    """A slope by its kind, so that two mistakes that differ by a small number only are the same mistake."""
    number = slope.item()
    if math.isfinite(number):
        return "0" if number == 0 else "a number other than 0"
    return str(number)


@safe_sqrt.right
def _(x):
    return torch.relu(x).sqrt()


@safe_sqrt.right
def _(x):
    result = torch.zeros_like(x)
    result[x > 0] = x[x > 0].sqrt()
    return result


@safe_sqrt.right
def _(x):
    return torch.stack([number.sqrt() if number > 0 else torch.tensor(0.0) for number in x])


@safe_sqrt.mistake("`nan_to_num` fixes the values only. The root of −1 is computed all the same, and its slope too.")
def _(x):
    return torch.sqrt(x).nan_to_num()


@safe_sqrt.mistake("Right so far: the root sees positive numbers only. But where $x$ is not positive, 0 was asked for.")
def _(x):
    return torch.sqrt(torch.where(x > 0, x, 1.0))


@safe_sqrt.mistake(
    "Values and slopes are right, but you write into the tensor that was passed in, and whoever needs it later finds "
    "other numbers."
)
def _(x):
    positive = x > 0
    x.data[~positive] = 1.0
    return torch.where(positive, torch.sqrt(x), 0.0)


@safe_sqrt.mistake(
    "The values are right, the slopes are nan: the root was computed for an entry that is not positive, or for a 0 in "
    "its place, and a slope of nan or inf times 0 is nan. Show the root positive numbers only."
)
def _(x):
    return torch.where(x > 0, torch.sqrt(x), 0.0)


@safe_sqrt.mistake(
    "The mask comes too late: nan times 0 is nan, in the values already. Choose *before* the root."
)
def _(x):
    return torch.sqrt(x) * (x > 0)


@safe_sqrt.mistake(
    "Adding a small number keeps infinity away, but now the value at 0 is not 0, and the slope there is huge."
)
def _(x):
    return torch.sqrt(torch.maximum(x, torch.zeros_like(x)) + 1e-12)


@safe_sqrt.mistake(
    "The slopes are right. But the small number that you add under the root stays in the result: where $x$ is not "
    "positive, exactly 0 was asked for."
)
def _(x):
    return torch.sqrt(torch.relu(x) + 1e-12)


@safe_sqrt.mistake(
    "Nearly: at exactly 0 the slope is still infinite. The root sees the 0, and the gradient gets through to it."
)
def _(x):
    return torch.maximum(x, torch.zeros_like(x)).sqrt()


@safe_sqrt.mistake("The values are right, but nothing is tracked any more: the slope is 0 for positive numbers, too.")
def _(x):
    return 0 * x.nan_to_num() + torch.where(x > 0, torch.sqrt(x.detach()), 0.0)


def _losses(alive):
    """Three losses, each computed when it is asked for; notes in `alive` how many graphs there are each time."""
    graphs, w = GraphsAlive(), torch.tensor(2.13, requires_grad=True)
    for value in (1.0, 4.25, 2.0):
        with torch.enable_grad(), graphs:
            loss = (w * value - 1) ** 2 - 40
        yield loss
        loss = None
        alive.append(graphs.count)


def _one_graph_at_a_time(running_loss):
    alive = []
    running_loss(_losses(alive))
    return max(alive, default=2) <= 1


@exercise(
    """
    Write `running_loss(losses)`. `losses` is anything that a `for` loop can run through; each loss is a tensor with a
    graph behind it. Return their sum as a number, and keep no graph alive, neither on the way nor in the result.
    """,
    probe={
        "the sum of three losses": lambda running_loss: running_loss(_losses([])),
        "the same sum when it is called again": lambda running_loss: running_loss(_losses([])),
        "the result has no graph": lambda running_loss: not getattr(running_loss(_losses([])), "requires_grad", False),
        "each graph is gone before the next but one is made": _one_graph_at_a_time,
    },
    because="`item` takes the number and leaves the graph, so each graph is freed as soon as its loss is gone.",
    hints=[
        "What does `total + loss` give when `loss` has a graph: a number, or a tensor with a longer graph?",
        "Turn each loss into a plain number *before* you add it.",
    ],
)
def running_loss(losses):
    total = 0.0
    for loss in losses:
        total += loss.item()
    return total


@running_loss.right
def _(losses):
    return sum(loss.detach() for loss in losses)


@running_loss.right
def _(losses):
    total = torch.tensor(0.0)
    with torch.no_grad():
        for loss in losses:
            total += loss
    return total


@running_loss.mistake(
    "The number is right, but it is a tensor that keeps the graphs of all losses alive. In training that is every "
    "batch of the epoch."
)
def _(losses):
    total = 0.0
    for loss in losses:
        total = total + loss
    return total


@running_loss.right
def _(losses):
    with torch.no_grad():
        return sum(losses)


@running_loss.mistake(
    "The result is right and has no graph. But on the way you keep all losses, or a sum that has a graph: until the "
    "end, all graphs are alive together."
)
def _(losses):
    return sum(losses).item()


@running_loss.mistake("That is the first loss alone: the `return` stands inside the loop.")
def _(losses):
    for loss in losses:
        return loss.item()


@running_loss.mistake("`losses` need not be a list: it may have no length and no places. Use a `for` loop.")
def _(losses):
    return sum(losses[place].item() for place in range(len(losses)))


@running_loss.mistake("That is the last loss alone. Add them up on the way.")
def _(losses):
    for loss in losses:
        total = loss.item()
    return total


@running_loss.mistake("That is the mean. The sum was asked for.")
def _(losses):
    numbers = [loss.item() for loss in losses]
    return sum(numbers) / len(numbers)
