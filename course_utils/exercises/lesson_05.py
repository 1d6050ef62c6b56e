"""Exercises of lesson 05: differentiate the derivative."""

import torch

from .compare import same
from .exercise import exercise, prediction
from .observe import canonical
from .probes import differentiates, doubling, numbers_made


@prediction(
    """
    Let $y = x^3 + x^2$ at $x = 2$. What is the first derivative there, and what the second? Type two numbers:
    `prediction = [.., ..]`.
    """,
    mistakes=[
        ([12.0, 14.0], "12 is the value of $y$ at 2. The first derivative is $3x^2 + 2x$. Your second number is "
         "right."),
        ([16.0, 16.0], "The first is right. Differentiate it once more: $3x^2 + 2x$ is itself a function of $x$."),
        ([16.0, 12.0], "The first is right. In the second, the derivative of $2x$ is missing."),
        ([16.0, 32.0], "The first is right. The second is not twice the first: differentiate $3x^2 + 2x$ once more."),
        ([14.0, 16.0], "Both numbers are there, in the wrong order."),
        ([16.0, 256.0], "The first is right. The second derivative is not its square: differentiate $3x^2 + 2x$ once "
         "more."),
        ([12.0, 12.0], "Both derivatives have two terms, one from $x^3$ and one from $x^2$."),
    ],
    because="$3x^2 + 2x = 16$ and its derivative $6x + 2 = 14$, both at 2.",
    hints=[
        "The exponent comes down as a factor and goes down by one, in each term.",
        "The first derivative is $3x^2 + 2x$. Treat it as a new function.",
    ],
)
def two_slopes():
    x = torch.tensor(2.0, requires_grad=True)
    y = x**3 + x**2
    (first,) = torch.autograd.grad(y, x, create_graph=True)
    (second,) = torch.autograd.grad(first, x)
    return first, second


@prediction(
    """
    Let $y = x^3 + x^2$ at $x = 2$, with the derivatives 16 and 14. First `y.backward(create_graph=True)` is called, then
    `x.grad.backward()`. What stands in `x.grad` at the end? Type a number.
    """,  # noqa: E501
    mistakes=[
        (14.0, "That is the second derivative, and it did arrive. But `backward` never replaces what is in `.grad`."),
        (16.0, "That stands there after the first call. The second one brings its own share."),
        (32.0, "The first derivative does not arrive twice: the second call differentiates `x.grad` itself."),
        (28.0, "The second derivative arrives once only. What was there before it?"),
        (2.0, "The shares are added, not subtracted."),
    ],
    because="Both calls write to the same `.grad`, and `backward` adds: $16 + 14 = 30$.",
    hints=[
        "After the first call `x.grad` holds the first derivative. The second call differentiates that number.",
        "The last stop before a leaf is `AccumulateGrad`. It does the same as in lesson 02.",
    ],
)
def piles_up():
    x = torch.tensor(2.0, requires_grad=True)
    (first,) = torch.autograd.grad(x**3 + x**2, x, create_graph=True)
    (second,) = torch.autograd.grad(first, x)
    return (first + second).detach()


@prediction(
    """
    The Taylor polynomial of $e^{2x}$ around 0 begins $1 + 2x + 2x^2 + \\dots$ Which number stands in front of $x^3$?
    """,
    mistakes=[
        (8.0, "That is the third derivative at 0. The polynomial divides it by $3!$."),
        (1 / 6, "That is the number for $e^x$. Here each derivative brings a factor of 2 with it."),
        (1 / 3, "Each of the three derivatives brings a factor of 2, so there are three of them."),
        (8 / 3, "The third derivative is right. It is divided by $3!$, the product of 1, 2 and 3."),
        (2.0, "The third derivative is larger: every differentiation of $e^{2x}$ brings one more factor of 2."),
    ],
    tolerance=5e-3,
    because="The third derivative of $e^{2x}$ at 0 is $2^3 = 8$, and the coefficient is $8 / 3!$.",
    hints=[
        "The number in front of $x^n$ is the $n$-th derivative at 0, divided by $n!$.",
        "The derivative of $e^{2x}$ is $2e^{2x}$. Three times that, at 0, and then divide.",
    ],
)
def taylor_coefficient():
    x = torch.tensor(0.0, requires_grad=True)
    derivative = torch.exp(2 * x)
    for _ in range(3):
        (derivative,) = torch.autograd.grad(derivative, x, create_graph=True)
    return derivative.detach() / 6


def _wavy(x):
    return torch.sin(x) - x**4


def _cube(x):
    return x**3


def _line(x):
    return 3 * x + 1


@exercise(
    """
    Write `nth_derivative(f, x, n)`: the `n`-th derivative of `f` at the Python number `x`. For `n` = 0 that is
    `f(x)`. It is right also when a derivative has become constant: the ones after it are 0.
    """,
    probe={
        "the first of sin x − x⁴": lambda nth: nth(_wavy, 1.5, 1),
        "the third of sin x − x⁴": lambda nth: nth(_wavy, -0.5, 3),
        "f itself, n = 0": lambda nth: nth(_wavy, 0.5, 0),
        "the third of x³, a constant": lambda nth: nth(_cube, 2.0, 3),
        "the sixth of x³": lambda nth: nth(_cube, 2.0, 6),
        "the second of 3x + 1": lambda nth: nth(_line, 2.0, 2),
        "autograd finds the derivatives": lambda nth: differentiates(lambda f: nth(f, 1.5, 2), _wavy, times=2),
    },
    mistakes=[
        (lambda f, x, n: nth_derivative.answer(f, x, n + 1), "One derivative too many: for `n` = 0 nothing is "
         "differentiated."),
        (lambda f, x, n: nth_derivative.answer(f, x, n - 1), "One derivative too few: for `n` = 1 you return `f(x)` "
         "itself."),
        (lambda f, x, n: nth_derivative.answer(f, x, 1) ** n, "That is the first derivative to the power `n`. The "
         "second derivative is not the square of the first: differentiate `n` times."),
    ],
    because=(
        "`create_graph=True` makes each derivative differentiable in turn, and one that no longer depends on `x` "
        "has the slope 0."
    ),
    hints=[
        "Start with `y = f(x)` and replace `y` by its derivative, `n` times.",
        "A gradient is differentiable only if its own computation was recorded: `create_graph=True`.",
        "A constant has no graph behind it: its `requires_grad` is False. What is its derivative?",
    ],
)
def nth_derivative(f, x, n):
    x = torch.tensor(float(x), requires_grad=True)
    y = f(x)
    for _ in range(n):
        if not y.requires_grad:
            return torch.zeros_like(x)
        (y,) = torch.autograd.grad(y, x, create_graph=True)
    return y


@nth_derivative.right
def _(f, x, n):
    for _ in range(n):
        f = torch.func.grad(f)
    return f(torch.tensor(float(x)))


@nth_derivative.right
def _(f, x, n):
    if n == 0:
        return f(torch.tensor(float(x)))
    x = torch.tensor(float(x), requires_grad=True)
    y = f(x)
    for _ in range(n):
        (y,) = torch.autograd.grad(y + 0 * x, x, create_graph=True)
    return y.item()


@nth_derivative.mistake(
    "The first derivative works, but nobody recorded how it was computed, so it cannot be differentiated again. "
    "`retain_graph=True` keeps the old graph and records nothing new; `create_graph=True` does."
)
def _(f, x, n):
    x = torch.tensor(float(x), requires_grad=True)
    y = f(x)
    for _ in range(n):
        (y,) = torch.autograd.grad(y, x, retain_graph=True)
    return y


@nth_derivative.mistake(
    "Right, until a derivative is constant: it has no graph behind it, and `grad` raises. Look at `y.requires_grad` "
    "first; the derivative of a constant is 0."
)
def _(f, x, n):
    x = torch.tensor(float(x), requires_grad=True)
    y = f(x)
    for _ in range(n):
        (y,) = torch.autograd.grad(y, x, create_graph=True)
    return y


@nth_derivative.mistake(
    "Where a derivative has become constant, you return that constant again and again. But its own derivative is 0: "
    "the second derivative of $3x + 1$ is not 3."
)
def _(f, x, n):
    x = torch.tensor(float(x), requires_grad=True)
    y = f(x)
    for _ in range(n):
        if y.requires_grad:
            (y,) = torch.autograd.grad(y, x, create_graph=True)
    return y


@nth_derivative.mistake(
    "In each turn you differentiate the same `f` again, so the first derivative is all you get. Replace the *function* "
    "in each turn: `f = torch.func.grad(f)`, and call it after the loop."
)
def _(f, x, n):
    x = torch.tensor(float(x))
    y = f(x)
    for _ in range(n):
        y = torch.func.grad(f)(x)
    return y


@nth_derivative.mistake(
    "That is the first derivative, whatever `n` is. Differentiate the result again, `n` times in all."
)
def _(f, x, n):
    x = torch.tensor(float(x), requires_grad=True)
    (g,) = torch.autograd.grad(f(x), x, create_graph=True)
    return g


@nth_derivative.mistake(
    "Two things. Every `backward` adds to the same `x.grad`, so the derivatives pile up: `torch.autograd.grad` keeps "
    "nothing. And a derivative that is constant has no graph behind it: the ones after it are 0."
)
def _(f, x, n):
    x = torch.tensor(float(x), requires_grad=True)
    y = f(x)
    for _ in range(n):
        y.backward(create_graph=True)
        y = x.grad
    x.grad = None
    return y


@nth_derivative.mistake(
    "The derivatives pile up: `backward` adds each of them to the same `x.grad`. Use `torch.autograd.grad`, which "
    "returns each one and keeps nothing."
)
def _(f, x, n):
    x = torch.tensor(float(x), requires_grad=True)
    y = f(x)
    for _ in range(n):
        if not y.requires_grad:
            return torch.zeros_like(x)
        y.backward(create_graph=True)
        y = x.grad.clone()
    x.grad = None
    return y


def _points():
    return torch.linspace(-3, 4, 8)


def _both_by_autograd(derivatives):
    first, second = map(canonical, derivatives(_points()))
    with doubling("sin"):
        steeper = canonical(derivatives(_points()))
    return same(steeper, torch.stack([2 * first, 4 * second]), tolerance=1e-5)


@exercise(
    """
    Write `sin_derivatives(x)`: the first and the second derivative of $\\sin$ at all points of the tensor `x`, as a
    pair of tensors of the shape of `x`. Let autograd do both.
    """,
    probe={
        "the first and the second at eight points": lambda derivatives: derivatives(_points()),
        "autograd differentiates the sine, and then its derivative": _both_by_autograd,
    },
    mistakes=[
        (lambda x: (torch.cos(x), -torch.sin(x)), "The numbers are right, but they come from formulas, or from values "
         "of the sine close by. Let autograd differentiate the sine, and then its derivative."),
        (lambda x: (torch.cos(x), torch.sin(x)), "The sign of the second is wrong: where the sine is above zero, its "
         "curve bends *down*."),
        (lambda x: (torch.cos(x), torch.cos(x)), "Your second is the first again: you differentiated $\\sin$ twice "
         "from the start. Differentiate the first derivative."),
        (lambda x: (torch.cos(x), torch.cos(x) - torch.sin(x)), "The second holds the first as well: `backward` adds "
         "to `x.grad`. Use `torch.autograd.grad`, which returns each one by itself."),
        (lambda x: (torch.cos(x) - torch.sin(x),) * 2, "Both hold the sum of the two: `first = x.grad` is no copy, and "
         "the second `backward` adds to that very tensor. Use `torch.autograd.grad`."),
        (lambda x: (-torch.sin(x), torch.cos(x)), "Both are there, in the wrong order: the first derivative comes "
         "first."),
        (lambda x: (torch.sin(x), torch.cos(x)), "Those are the sine and its first derivative. The first and the "
         "*second* derivative are asked for."),
    ],
    because=(
        "The graph of the first derivative is what the second one walks; the sum keeps the points apart because "
        "each depends on itself only."
    ),
    hints=[
        "`torch.sin(x).sum()` is one number, and each point sees its own slope in it.",
        "Record how the first derivative is computed (`create_graph=True`), sum it, differentiate again.",
    ],
)
def sin_derivatives(x):
    x = x.detach().clone().requires_grad_()
    (first,) = torch.autograd.grad(torch.sin(x).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    return first, second


@sin_derivatives.right
def _(x):
    slope = torch.func.grad(torch.sin)
    return torch.func.vmap(slope)(x), torch.func.vmap(torch.func.grad(slope))(x)


@sin_derivatives.mistake(
    "You differentiate something that has no history. Either `x` is not tracked (`requires_grad_()` before the sine), "
    "or the first derivative was computed without `create_graph=True`."
)
def _(x):
    x = x.detach().requires_grad_()
    (first,) = torch.autograd.grad(torch.sin(x).sum(), x)
    (second,) = torch.autograd.grad(first.sum(), x)
    return first, second


@sin_derivatives.mistake(
    "`grad` needs one number to start from, and you give it one for each point. Sum first: the slopes stay apart."
)
def _(x):
    x = x.detach().requires_grad_()
    (first,) = torch.autograd.grad(torch.sin(x), x, create_graph=True)
    return first, torch.autograd.grad(first.sum(), x)[0]


@sin_derivatives.mistake(
    "`torch.autograd.grad` always returns a tuple, with one gradient for each input. Take out the tensor: `(first,) = "
    "…`."
)
def _(x):
    first, second = sin_derivatives.answer(x)
    return (first,), (second,)


def _mixed(x):
    return x[0] ** 3 * x[1] + torch.sin(x[1]) * x[2] + torch.exp(x[2])


@exercise(
    """
    Write `hessian_diag(f, x)`: the second derivatives $\\partial^2 f / \\partial x_i^2$, one for each entry of `x`,
    where `f` maps a tensor with one dimension to one number.
    """,
    probe={
        "three inputs that mix": lambda diagonal: diagonal(_mixed, torch.tensor([1.5, 0.7, -0.4])),
        "another f, with five inputs": lambda diagonal: diagonal(_chain, torch.linspace(-1, 1.5, 5)),
        "autograd finds both derivatives": lambda diagonal: differentiates(
            lambda f: diagonal(f, torch.tensor([1.5, 0.7, -0.4])), _mixed, times=2
        ),
    },
    mistakes=[
        (lambda f, x: torch.stack([(torch.func.grad(f)(x + step) - torch.func.grad(f)(x - step))[i] / 2e-5
                                   for i, step in enumerate(1e-5 * torch.eye(len(x), dtype=x.dtype))]),
         "The numbers are right, or nearly, but a derivative is taken by differences, which are estimates. Let "
         "autograd differentiate the gradient as well."),
        (lambda f, x: torch.func.hessian(f)(x), "That is the whole Hessian. The second derivatives by one and the same "
         "entry stand on its diagonal."),
        (lambda f, x: torch.func.grad(f)(x) ** 2, "That is the gradient, squared. A second derivative says how the "
         "*slope* changes: differentiate the gradient again."),
        (lambda f, x: torch.func.grad(f)(x), "That is the gradient. Differentiate it once more."),
        (lambda f, x: torch.func.hessian(f)(x)[0], "That is the first row of the Hessian. From row $i$ take the entry "
         "$i$."),
        (lambda f, x: torch.func.hessian(f)(x).trace(), "That is one number, the sum of the diagonal. Return its "
         "entries."),
    ],
    because=(
        "Each second derivative needs its own entry of the gradient; the sum of all would mix in the rest of the "
        "row."
    ),
    hints=[
        "First the gradient `g`, recorded with `create_graph=True`. The Hessian is the Jacobian of `g`.",
        "Differentiate one entry `g[i]` at a time. That gives row `i` of the Hessian; which entry of it do you need?",
    ],
)
def hessian_diag(f, x):
    x = x.detach().clone().requires_grad_()
    (g,) = torch.autograd.grad(f(x), x, create_graph=True)
    rows = [torch.autograd.grad(slope, x, retain_graph=True)[0] for slope in g]
    return torch.stack([row[i] for i, row in enumerate(rows)])


@hessian_diag.right
def _(f, x):
    return torch.func.hessian(f)(x).diagonal()


@hessian_diag.mistake(
    "You differentiate the sum of the gradient. So entry $i$ holds the sum of row $i$ of the Hessian, mixed "
    "derivatives included. Differentiate one `g[i]` at a time."
)
def _(f, x):
    x = x.detach().requires_grad_()
    (g,) = torch.autograd.grad(f(x), x, create_graph=True)
    return torch.autograd.grad(g.sum(), x)[0]


@hessian_diag.mistake(
    "`x[i]` is a new tensor, taken from `x`, and `f` has never seen it: no path leads there. Differentiate `g[i]` by "
    "all of `x`, and take entry `i` of the result."
)
def _(f, x):
    x = x.detach().requires_grad_()
    (g,) = torch.autograd.grad(f(x), x, create_graph=True)
    return torch.stack([torch.autograd.grad(g[i], x[i], retain_graph=True)[0] for i in range(len(x))])


@hessian_diag.mistake(
    "A walk starts at one number, and the gradient has several. Their sum would mix what you want apart: start at one "
    "`g[i]` at a time."
)
def _(f, x):
    x = x.detach().requires_grad_()
    (g,) = torch.autograd.grad(f(x), x, create_graph=True)
    return torch.autograd.grad(g, x)[0]


@hessian_diag.mistake(
    "You differentiate something that has no history. Either `x` is not tracked (`requires_grad_()` before `f` is "
    "called), or the gradient was computed without `create_graph=True`."
)
def _(f, x):
    x = x.detach().requires_grad_()
    (g,) = torch.autograd.grad(f(x), x)
    return torch.stack([torch.autograd.grad(slope, x, retain_graph=True)[0][i] for i, slope in enumerate(g)])


@hessian_diag.mistake(
    "The first row works, then the graph is freed. It is walked once for each entry: pass `retain_graph=True`."
)
def _(f, x):
    x = x.detach().requires_grad_()
    (g,) = torch.autograd.grad(f(x), x, create_graph=True)
    return torch.stack([torch.autograd.grad(slope, x)[0][i] for i, slope in enumerate(g)])


def _chain(x):
    return (torch.sin(x) * x.roll(1) ** 2).sum()


def _without_a_hessian(hvp):
    x, v = torch.linspace(0, 1, 120), torch.linspace(-1, 1, 120)
    return numbers_made(hvp, _chain, x, v) < 400 * 120


def _leaves_nothing_behind(hvp):
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    canonical(hvp(_chain, x, torch.ones(3)))
    return x.grad is None


@exercise(
    """
    Write `hvp(f, x, v)`: the product $Hv$ of the Hessian of `f` at `x` with the vector `v`, without ever building
    $H$, neither whole nor row by row. `f` maps a tensor with one dimension to one number.
    """,
    probe={
        "three inputs": lambda hvp: hvp(_mixed, torch.tensor([1.5, 0.7, -0.4]), torch.tensor([1.0, -2.0, 3.0])),
        "with 120 inputs, no more work than a few calls of f": _without_a_hessian,
        "the caller's x.grad stays None": _leaves_nothing_behind,
        "autograd finds both derivatives": lambda hvp: differentiates(
            lambda f: hvp(f, torch.tensor([1.5, 0.7, -0.4]), torch.tensor([1.0, -2.0, 3.0])), _mixed, times=2
        ),
    },
    mistakes=[
        (lambda f, x, v: (torch.func.grad(f)(x.detach() + 1e-5 * v) - torch.func.grad(f)(x.detach() - 1e-5 * v)) / 2e-5,
         "The numbers are right, or nearly: the difference of two gradients is an estimate. Let autograd differentiate "
         "the gradient, with the weights `v`."),
        (lambda f, x, v: torch.func.hessian(f)(x.detach()) @ v, "The numbers are right, but you build all of $H$ to "
         "use it once: $n^2$ numbers. A second walk with weights gives the product alone."),
        (lambda f, x, v: torch.func.grad(f)(x.detach()) * v, "That is the gradient times `v`, entry by entry. Nothing "
         "has been differentiated twice yet."),
        (lambda f, x, v: torch.func.grad(f)(x.detach()) @ v, "That is $g \\cdot v$, the slope of `f` along `v`, one "
         "number. Differentiate it by `x`: that gives $Hv$."),
        (lambda f, x, v: hvp.answer(f, x, v) @ v, "That is $v^T H v$, the curvature along `v`, one number. $Hv$ has "
         "one entry for each input."),
        (lambda f, x, v: (hvp.answer(f, x, v),), "You return a tuple with the product in it. `torch.autograd.grad` "
         "always gives one, with a gradient for each input: take out the tensor."),
        (lambda f, x, v: hvp.answer(f, x, torch.ones_like(x)), "You differentiate the sum of the gradient: that is $H$ "
         "times a vector of ones. `v` has no part in it yet."),
        (lambda f, x, v: hvp.answer(f, x, v) + torch.func.grad(f)(x.detach()), "That is the gradient and the product, "
         "added up: the second `backward` adds to the same `.grad`. Use `torch.autograd.grad`."),
    ],
    because="$Hv$ is the gradient of the number $\\nabla f \\cdot v$, so two passes replace the whole matrix.",
    hints=[
        "The Hessian is the Jacobian of the gradient `g`, and it is symmetric: $Hv$ and $v^T H$ have the same entries.",
        "A second walk computes $v^T H$: differentiate `g` with the weights `v`, or the number `g @ v`.",
    ],
)
def hvp(f, x, v):
    x = x.detach().clone().requires_grad_()
    (g,) = torch.autograd.grad(f(x), x, create_graph=True)
    return torch.autograd.grad(g, x, v)[0]


@hvp.right
def _(f, x, v):
    x = x.detach().requires_grad_()
    (g,) = torch.autograd.grad(f(x), x, create_graph=True)
    return torch.autograd.grad(g @ v, x)[0]


@hvp.right
def _(f, x, v):
    return torch.func.jvp(torch.func.grad(f), (x,), (v,))[1]


@hvp.right
def _(f, x, v):
    return torch.func.jacfwd(lambda step: torch.func.grad(f)(x + step * v))(torch.tensor(0.0))


@hvp.mistake(
    "You differentiate `g.sum()` and multiply by `v` afterwards: that is $(H \\cdot 1) \\cdot v$, entry by entry. The "
    "weights belong *into* the second walk."
)
def _(f, x, v):
    x = x.detach().requires_grad_()
    (g,) = torch.autograd.grad(f(x), x, create_graph=True)
    return torch.autograd.grad(g.sum(), x)[0] * v


@hvp.mistake(
    "That is the gradient and the product, added up: the second `backward` adds to what the first has left in "
    "`x.grad`. Use `torch.autograd.grad`, which keeps nothing there."
)
def _(f, x, v):
    x.requires_grad_()
    f(x).backward(create_graph=True)
    (x.grad @ v).backward()
    return x.grad


@hvp.mistake(
    "You differentiate something that has no history. Either the gradient was computed without `create_graph=True`, or "
    "`x` is not tracked: `requires_grad_()` belongs before the call of `f`."
)
def _(f, x, v):
    x = x.detach().requires_grad_()
    (g,) = torch.autograd.grad(f(x), x)
    return torch.autograd.grad(g, x, v)[0]


@hvp.mistake(
    "The numbers are right, but the two walks have filled the caller's `x.grad`. Work on a leaf of your own, or use "
    "`torch.autograd.grad`."
)
def _(f, x, v):
    x.requires_grad_()
    f(x).backward(create_graph=True)
    g, x.grad = x.grad, None
    (g @ v).backward()
    return x.grad
