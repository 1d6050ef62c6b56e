"""Exercises of lesson 03: one slope for each input."""

import torch

from .exercise import exercise, prediction


def _both(x, y):
    return x**2 * y + 3 * y


def _only_x(x, y):
    return torch.sin(x)


def _only_y(x, y):
    return y**3


@exercise(
    """
    Write `partials(f, x, y)`: the pair
    $\\left(\\frac{\\partial f}{\\partial x}, \\frac{\\partial f}{\\partial y}\\right)$ at a point. `x` and `y` are
    Python numbers, `f` works on tensors. If `f` ignores one of its inputs, the derivative there is 0.
    """,
    probe={
        "f(x, y) = x²y + 3y": lambda partials: partials(_both, 2.0, 5.0),
        "f(x, y) = sin x, which ignores y": lambda partials: partials(_only_x, 2.0, 5.0),
        "f(x, y) = y³, which ignores x": lambda partials: partials(_only_y, 2.0, 5.0),
    },
    mistakes=[
        (lambda f, x, y: sum(partials.answer(f, x, y)), "That is one number, the sum of both slopes. A gradient has "
         "one entry for each input: return the pair."),
    ],
    hints=[
        "Make two leaves, one for each number, and call `f` with both. One walk back finds both slopes.",
        "`torch.autograd.grad(z, (a, b))` returns a tuple of gradients. It complains about an input that was not used: "
        "see its arguments `allow_unused` and `materialize_grads`.",
        "With `backward`, the `.grad` of an unused leaf stays None. None says *no path*; here you are asked for the "
        "slope.",
    ],
)
def partials(f, x, y):
    a = torch.tensor(float(x), requires_grad=True)
    b = torch.tensor(float(y), requires_grad=True)
    return torch.autograd.grad(f(a, b), (a, b), materialize_grads=True)


@partials.right
def _(f, x, y):
    leaves = [torch.tensor(float(value), requires_grad=True) for value in (x, y)]
    f(*leaves).backward()
    return tuple(0.0 if leaf.grad is None else leaf.grad.item() for leaf in leaves)


@partials.right
def _(f, x, y):
    return torch.func.grad(f, argnums=(0, 1))(torch.tensor(x), torch.tensor(y))


@partials.mistake(
    "Right where `f` uses both inputs. Where it ignores one, there is no path to that leaf, and `autograd.grad` "
    "raises. It has an argument that turns the missing gradient into zeros."
)
def _(f, x, y):
    a = torch.tensor(float(x), requires_grad=True)
    b = torch.tensor(float(y), requires_grad=True)
    return torch.autograd.grad(f(a, b), (a, b))


@partials.mistake(
    "Right where `f` uses both inputs. Where it ignores one you return None: *no path*. The slope of `f` in that "
    "direction is a number: 0."
)
def _(f, x, y):
    a = torch.tensor(float(x), requires_grad=True)
    b = torch.tensor(float(y), requires_grad=True)
    f(a, b).backward()
    return a.grad, b.grad


@partials.mistake("The two are swapped: first the derivative with respect to `x`, then the one with respect to `y`.")
def _(f, x, y):
    a = torch.tensor(float(x), requires_grad=True)
    b = torch.tensor(float(y), requires_grad=True)
    return torch.autograd.grad(f(a, b), (b, a), materialize_grads=True)


@partials.mistake(
    "You call `backward` (or `grad`) once for each input without clearing between: the second number holds two shares."
)
def _(f, x, y):
    a = torch.tensor(float(x), requires_grad=True)
    b = torch.tensor(float(y), requires_grad=True)
    f(a, b).backward()
    first = 0.0 if a.grad is None else a.grad.item()
    f(a, b).backward()
    return first, 0.0 if b.grad is None else b.grad.item()


@prediction(
    """
    `x` is a tensor of shape (3, 3) that requires a gradient. What is `x.grad` after `x.sum().backward()`? And what
    after `x.mean().backward()` instead, with a fresh `x`? Type both as tensors: `prediction = (…, …)`. `torch.ones`
    and `torch.full` help.
    """,
    mistakes=[
        ((torch.ones(3, 3), torch.ones(3, 3)), "The first is right. For the mean, the sum is divided by the number of "
         "entries; so is each slope."),
        ((torch.ones(3, 3), torch.full((3, 3), 1 / 3)), "The first is right. The mean of a (3, 3) tensor divides by "
         "the number of all its entries, not by that of the rows."),
        ((1.0, 1 / 9), "The numbers are right for one entry. A gradient has the shape of the tensor: one slope for "
         "each entry."),
        ((9.0, 1.0), "You added the slopes up. A gradient has the shape of the tensor: one slope for each entry."),
        ((torch.full((3, 3), 9.0), torch.ones(3, 3)), "If *one* entry grows by a little, by how much does the sum "
         "grow? The other eight stay where they are."),
        ((torch.ones(3), torch.full((3,), 1 / 9)), "Nine entries can be moved one by one. The gradient has the shape "
         "of `x`."),
        ((torch.ones(3, 3), torch.full((3, 3), 9.0)), "The first is right. The mean moves *less* than the entry you "
         "move, not more."),
    ],
    hints=[
        "Each entry of `.grad` answers one question: if only this entry grows a little, how fast does the result grow?",
        "`.grad` always has the shape of its tensor. The mean is the sum divided by how many there are.",
    ],
)
def sum_gradient():
    gradients = []
    for reduce in (torch.sum, torch.mean):
        x = torch.rand(3, 3, requires_grad=True)
        reduce(x).backward()
        gradients.append(x.grad)
    return tuple(gradients)


def _hills(x, y):
    return torch.sin(x) * y**2 + x


def _calls_for_fifty_points(gradient_field):
    calls = []

    def counted(x, y):
        calls.append(x)
        return _hills(x, y)

    gradient_field(counted, torch.linspace(-1, 1, 50), torch.linspace(0, 2, 50))
    return 0 < len(calls) <= 2


@exercise(
    """
    Write `gradient_field(f, x, y)`: the gradient of `f` at many points in **one** backward pass. `x` and `y` are
    tensors of the same shape, one entry for each point; `f(x, y)` has that shape too. Return the pair
    $\\left(\\frac{\\partial f}{\\partial x}, \\frac{\\partial f}{\\partial y}\\right)$, both of that shape.
    """,
    probe={
        "five points": lambda field: field(_hills, torch.linspace(-1, 1, 5), torch.linspace(0, 2, 5)),
        "a grid of shape (2, 3)": lambda field: field(_hills, torch.linspace(-1, 1, 6).view(2, 3), torch.ones(2, 3)),
        "f is called once for all points": _calls_for_fifty_points,
    },
    mistakes=[
        (lambda f, x, y: [slope.sum() for slope in gradient_field.answer(f, x, y)],
         "You add up the slopes of all points. Each point has its own: return `.grad` as it is."),
        (lambda f, x, y: gradient_field.answer(f, x, y)[::-1], "The two are swapped: first the derivative with respect "
         "to `x`, then the one with respect to `y`."),
        (lambda f, x, y: torch.autograd.grad(f(x, y).sum(), (x, y)),
         "`x` and `y` are plain numbers here: nothing is tracked until you make leaves of them with "
         "`requires_grad_()`."),
    ],
    hints=[
        "`backward` starts at one number, and you have one for each point. Which operation makes one number of many "
        "and leaves each slope alone?",
        "A point's value does not depend on any other point. So in the derivative of the sum by `x[3]` all terms but "
        "one vanish.",
    ],
)
def gradient_field(f, x, y):
    a = x.detach().clone().requires_grad_()
    b = y.detach().clone().requires_grad_()
    f(a, b).sum().backward()
    return a.grad, b.grad


@gradient_field.right
def _(f, x, y):
    a, b = x.detach().requires_grad_(), y.detach().requires_grad_()
    z = f(a, b)
    return torch.autograd.grad(z, (a, b), torch.ones_like(z))


@gradient_field.mistake(
    "The numbers are right, but you go through the points one by one. One call of `f` and one walk are enough for all."
)
def _(f, x, y):
    slopes = []
    for a, b in zip(x.flatten(), y.flatten(), strict=True):
        a, b = a.detach().requires_grad_(), b.detach().requires_grad_()
        f(a, b).backward()
        slopes.append((a.grad, b.grad))
    return tuple(torch.stack(part).view(x.shape) for part in zip(*slopes, strict=True))


@gradient_field.mistake(
    "All slopes are too small by the same factor: `mean` divides by the number of points, and so are their slopes. Use "
    "the sum."
)
def _(f, x, y):
    a, b = x.detach().requires_grad_(), y.detach().requires_grad_()
    f(a, b).mean().backward()
    return a.grad, b.grad


@gradient_field.mistake(
    "`backward` needs one number to start from, and `f` gives one for each point. Make one number of them, without "
    "mixing their slopes."
)
def _(f, x, y):
    a, b = x.detach().requires_grad_(), y.detach().requires_grad_()
    f(a, b).backward()
    return a.grad, b.grad


@gradient_field.mistake(
    "You add the points before `f` sees them, so you get the slope at one point, the sum. Add the *values* of `f`, "
    "after it."
)
def _(f, x, y):
    a, b = x.detach().requires_grad_(), y.detach().requires_grad_()
    f(a.sum(), b.sum()).backward()
    return a.grad, b.grad
