"""Exercises of lesson 00: your first gradient."""

import torch

from .exercise import exercise, prediction
from .probes import asks_autograd


@prediction(
    "How steep is $f(x) = 3x^2$ at $x = 3$? Type the slope as a number.",
    mistakes=[
        (27.0, "That is the height $f(3) = 3 \\cdot 3^2$. The slope says how fast the height changes: put 3 into "
         "$f'(x) = 6x$."),
        (6.0, "6 is the factor in front of $x$ in $f'(x) = 6x$. It still has to be multiplied by $x$."),
        (9.0, "That is $3x$, or $x^2$. Differentiating $x^2$ brings the exponent 2 down as a factor: $f'(x) = 3 \\cdot "
         "2x$."),
        (54.0, "That is the slope of $(3x)^2$. In $3x^2$ only the $x$ is squared, not the 3."),
        (2.0, "2 is the exponent. It comes down as a factor: $f'(x) = 3 \\cdot 2x$, and 3 goes in for $x$."),
    ],
    because=(
        "The derivative of $3x^2$ is $6x$, and $6 \\cdot 3 = 18$: near 3, a small step in `x` moves `y` by 18 times"
        " as much."
    ),
    hints=[
        "The slope of a curve at a point is its derivative there, not its height.",
        "The derivative of $x^2$ is $2x$, and a factor in front stays: $f'(x) = 3 \\cdot 2x$.",
    ],
)
def first_gradient():
    x = torch.tensor(3.0, requires_grad=True)
    y = 3 * x**2
    y.backward()
    return x.grad


def _walk_from_x(x):
    x = torch.tensor(float(x), requires_grad=True)
    x.backward()
    return x


@exercise(
    """
    Write `gradient_at(x)`: for a number `x`, it returns the slope of $y = 3x^2$ at that place, computed by PyTorch
    with the four lines you have seen. `x` may be a whole number such as 2.
    """,
    probe={
        "at 0.37": lambda gradient_at: gradient_at(0.37),
        "at −2.0": lambda gradient_at: gradient_at(-2.0),
        "at the whole number 4": lambda gradient_at: gradient_at(4),
        "at 2³⁰, far too large for differences": lambda gradient_at: gradient_at(2.0**30),
        "PyTorch finds the slope": lambda gradient_at: asks_autograd(gradient_at, 0.5),
    },
    mistakes=[
        (lambda x: 6 * x, "The numbers are right, but they come from a formula of your own. Let PyTorch do it: make a "
         "tensor, compute $y = 3x^2$, walk back, and return what that leaves behind."),
        (lambda x: _walk_from_x(x).grad, "You start the walk at `x` itself, so you get the slope of `x`, which is 1 "
         "everywhere. Start at `y`."),
        (lambda x: (3 * (x + 1e-6) ** 2 - 3 * (x - 1e-6) ** 2) / 2e-6, "A difference of two heights is an estimate of "
         "the slope, and it fails where $x$ is large. Let PyTorch find it exactly: make a tensor, compute `y`, walk "
         "back."),
    ],
    because=(
        "You marked `x` before you computed `y`, so PyTorch noted each operation and could walk back from `y` to "
        "`x`."
    ),
    hints=[
        "Put the four lines into the function: make the tensor, compute `y`, call `y.backward()`, return what it has "
        "left behind.",
        "Make the tensor from the argument, not from 3.0. Only floating numbers can require a gradient, so `float(x)` "
        "helps.",
    ],
)
def gradient_at(x):
    x = torch.tensor(float(x), requires_grad=True)
    y = 3 * x**2
    y.backward()
    return x.grad


@gradient_at.right
def _(x):
    x = torch.tensor(x, dtype=torch.float32, requires_grad=True)
    (3 * x**2).backward()
    return x.grad.item()


@gradient_at.mistake(
    "It gives the same number wherever it is asked. Make the tensor from the argument `x`, not from 3.0."
)
def _(x):
    x = torch.tensor(3.0, requires_grad=True)
    y = 3 * x**2
    y.backward()
    return x.grad


@gradient_at.mistake("You return `y`, the height of the curve. The slope is what `backward` has left in `x.grad`.")
def _(x):
    x = torch.tensor(float(x), requires_grad=True)
    y = 3 * x**2
    y.backward()
    return y


@gradient_at.mistake(
    "Your function returns None. Is there a `return`, and does `y.backward()` stand before it? What to return is "
    "`x.grad`: `backward()` itself returns None, and `y` keeps no gradient."
)
def _(x):
    x = torch.tensor(float(x), requires_grad=True)
    y = 3 * x**2
    return y.backward()


@gradient_at.mistake(
    "Nothing here is tracked, so `backward` finds nothing to walk to. Make `x` with `requires_grad=True`, and compute "
    "`y` from that very tensor."
)
def _(x):
    x = torch.tensor(float(x))
    y = 3 * x**2
    y.backward()
    return x.grad


@gradient_at.mistake(
    "It works, except for whole numbers: a tensor of integers cannot require a gradient. Turn `x` into a float first."
)
def _(x):
    x = torch.tensor(x, requires_grad=True)
    y = 3 * x**2
    y.backward()
    return x.grad
