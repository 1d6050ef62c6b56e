"""Exercises of lesson 03: one slope for each input."""

import torch

from .exercise import exercise, prediction
from .probes import differentiates


def _both(x, y):
    return x**2 * y + 3 * y


def _only_x(x, y):
    return torch.sin(x)


def _only_y(x, y):
    return 1 - y**3


def _gets_single_numbers(partials):
    shapes = []

    def noting(x, y):
        shapes.extend(part.shape for part in (x, y) if isinstance(part, torch.Tensor))
        return _both(x, y)

    partials(noting, 2.0, -5.0)
    return set(shapes) == {torch.Size()}


@exercise(
    """
    Write `partials(f, x, y)`: the pair
    $\\left(\\frac{\\partial f}{\\partial x}, \\frac{\\partial f}{\\partial y}\\right)$ at a point. `x` and `y` are
    Python numbers, `f` works on tensors. If `f` ignores one of its inputs, the derivative there is 0.
    """,
    probe={
        "f(x, y) = x²y + 3y": lambda partials: partials(_both, 2.0, -5.0),
        "f(x, y) = sin x, which ignores y": lambda partials: partials(_only_x, 2.0, 5.0),
        "f(x, y) = 1 − y³, which ignores x": lambda partials: partials(_only_y, 2.0, 5.0),
        "`f` gets single numbers, tensors of shape ()": _gets_single_numbers,
        "autograd finds the slopes": lambda partials: differentiates(lambda f: partials(f, 2.0, -5.0), _both),
    },
    mistakes=[
        (lambda f, x, y: sum(partials.answer(f, x, y)), "That is one number, the sum of both slopes. A gradient has "
         "one entry for each input: return the pair."),
        (lambda f, x, y: [(slope,) for slope in partials.answer(f, x, y)], "The numbers are right, each in a tuple of "
         "its own: `torch.autograd.grad` always returns a tuple. Take the tensor out of each."),
        (lambda f, x, y: torch.autograd.grad(f(*(leaves := [torch.tensor([v], requires_grad=True) for v in (x, y)])),
                                             leaves, materialize_grads=True),
         "The brackets in `torch.tensor([x])` make a tensor with one *entry*, shape (1,), and so is each slope. A "
         "single number has no brackets: `torch.tensor(x)`."),
        (lambda f, x, y: ((f(*map(torch.tensor, (x + 1e-6, y))) - f(*map(torch.tensor, (x - 1e-6, y)))) / 2e-6,
                          (f(*map(torch.tensor, (x, y + 1e-6))) - f(*map(torch.tensor, (x, y - 1e-6)))) / 2e-6),
         "The numbers are right, or nearly, but they are differences of values: estimates. Make leaves, and let "
         "autograd find the slopes."),
    ],
    because=(
        "The leaf that `f` ignores is not in the graph, so autograd answers None; the slope of a function that does"
        " not move is 0."
    ),
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
    "You call `backward` once for each input without clearing between: the second number holds two shares."
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
    because="Each entry moves the sum by as much as itself, and the mean by a ninth of that.",
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
    return torch.sin(x) * y**2 - 3 * x


def _calls_for_fifty_points(gradient_field):
    calls = []

    def counted(x, y):
        calls.append(x)
        return _hills(x, y)

    gradient_field(counted, torch.linspace(-1, 1, 50), torch.linspace(0, 2, 50))
    return 0 < len(calls) <= 2


def _five_points():
    return torch.linspace(-1, 1.5, 5), torch.linspace(0, 2, 5)


def _second_call(gradient_field):
    x, y = _five_points()
    gradient_field(_hills, x, y)
    return gradient_field(_hills, x, y)


@exercise(
    """
    Write `gradient_field(f, x, y)`: the gradient of `f` at many points in **one** backward pass. `x` and `y` are
    tensors of the same shape, one entry for each point; `f(x, y)` has that shape too. Return the pair
    $\\left(\\frac{\\partial f}{\\partial x}, \\frac{\\partial f}{\\partial y}\\right)$, both of that shape.
    """,
    probe={
        "five points": lambda field: field(_hills, *_five_points()),
        "a grid of shape (2, 3)": lambda field: field(_hills, torch.linspace(-1, 2, 6).view(2, 3), torch.ones(2, 3)),
        "f is called once for all points": _calls_for_fifty_points,
        "called again with the same x and y": _second_call,
        "autograd finds the slopes": lambda field: differentiates(lambda f: field(f, *_five_points()), _hills),
    },
    mistakes=[
        (lambda f, x, y: [slope.sum() for slope in gradient_field.answer(f, x, y)],
         "You add up the slopes of all points. Each point has its own: return `.grad` as it is."),
        (lambda f, x, y: gradient_field.answer(f, x, y)[::-1], "The two are swapped: first the derivative with respect "
         "to `x`, then the one with respect to `y`."),
        (lambda f, x, y: torch.autograd.grad(f(x, y).sum(), (x, y)),
         "`x` and `y` do not require a gradient: nothing is recorded until you make leaves of them with "
         "`requires_grad_()`."),
    ],
    because="Each output depends on its own point alone, so the gradient of the sum holds each point's slope unmixed.",
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
    "The numbers are right, but `f` is not called once for all points: you go through them one by one, or you did not "
    "ask autograd. One call of `f` and one walk are enough."
)
def _(f, x, y):
    slopes = []
    for a, b in zip(x.flatten(), y.flatten(), strict=True):
        a, b = a.detach().requires_grad_(), b.detach().requires_grad_()
        f(a, b).backward()
        slopes.append((a.grad, b.grad))
    return tuple(torch.stack(part).view(x.shape) for part in zip(*slopes, strict=True))


@gradient_field.mistake(
    "The first call is right, and every further call adds to it: you make leaves of the caller's tensors, and their "
    "`.grad` is still there. Work on leaves of your own."
)
def _(f, x, y):
    x.requires_grad_()
    y.requires_grad_()
    f(x, y).sum().backward()
    return x.grad, y.grad


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


@prediction(
    """
    Let $f(u, v) = u^3 + v^2 + 4uv$ at $u = 3$, $v = 4$. How steep is it along $u$, with $v$ held still? And
    along $v$, with $u$ held still? Type two numbers: `prediction = [.., ..]`.
    """,
    mistakes=[
        ([20.0, 43.0], "Both numbers are right, and they are swapped: the slope along $u$ comes first."),
        ([27.0, 8.0], "You left out the product: $4uv$ moves with $u$, and it moves with $v$."),
        (
            [31.0, 12.0],
            "With $v$ held still, $4uv$ is a line in $u$, and its slope is $4v$, not 4. Likewise for $v$.",
        ),
        ([39.0, 24.0], "The product's slopes are swapped: along $u$ the factor that stays is $v$."),
        ([43.0, 43.0], "The first is right. Along $v$ it is $u$ that stands still, so $u^3$ has no share."),
        (
            [63.0, 63.0],
            "Move one input at a time. You added the two slopes, which is what moving both at once would give.",
        ),
        (
            [51.0, 47.0],
            "Held still means: a term without the moving letter has slope 0. Along $u$ that is $v^2$, along $v$ "
            "it is $u^3$.",
        ),
        ([91.0, 91.0], "That is $f(3, 4)$, the height. The slopes are asked for."),
    ],
    because=(
        "$v$ counts as a constant for $\\partial f/\\partial u = 3u^2 + 4v$, and $u$ for $\\partial f/\\partial v ="
        " 2v + 4u$."
    ),
    hints=[
        "Hold $v$ at 4: what is left is $u^3 + 16 + 16u$, a function of $u$ alone. Differentiate that.",
        "Hold $u$ at 3: what is left is $27 + v^2 + 12v$.",
    ],
)
def two_slopes():
    u, v = torch.tensor(3.0, requires_grad=True), torch.tensor(4.0, requires_grad=True)
    z = u**3 + v**2 + 4 * u * v
    z.backward()
    return u.grad, v.grad


@prediction(
    """
    `x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)`, then `y = torch.cumsum(x, dim=0)`, which is
    $(1, 3, 6)$. What does `x.grad` hold after `y.sum().backward()`? Type three numbers:
    `prediction = [.., .., ..]`.
    """,
    mistakes=[
        (
            [1.0, 1.0, 1.0],
            "That is each output's slope for its *own* entry. But $x_1$ is part of other outputs too, and the "
            "sum counts them all.",
        ),
        (
            [1.0, 2.0, 3.0],
            "The other way round: which entry of $x$ is part of all three outputs, and which of the last one "
            "only?",
        ),
        (
            [1.0, 3.0, 6.0],
            "Those are the values of `y`. Ask how much the *sum* of `y` moves when one entry of `x` moves by 1.",
        ),
        (
            [6.0, 3.0, 1.0],
            "Nearly: count in how many outputs an entry occurs. You added those counts up once more.",
        ),
        (
            [3.0, 3.0, 3.0],
            "All three outputs depend on the first entry. Does the first output depend on the last entry?",
        ),
    ],
    because=(
        "The first entry is part of all three running sums and the last of one, so the slopes of the total are 3, 2"
        " and 1."
    ),
    hints=[
        "Write the outputs out: $y_1 = x_1$, $y_2 = x_1 + x_2$, $y_3 = x_1 + x_2 + x_3$.",
        "Now add them up, and read off how often each entry of `x` occurs in the sum.",
    ],
)
def mixed_sum():
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = torch.cumsum(x, dim=0)
    y.sum().backward()
    return x.grad


@prediction(
    """
    At some point the gradient is $(3, 4)$. What is the slope in the steepest direction uphill, along the contour,
    and in the steepest direction downhill? A direction is an arrow of length 1. Type three numbers:
    `prediction = [.., .., ..]`.
    """,
    mistakes=[
        (
            [7.0, 0.0, -7.0],
            "A direction of length 1 cannot go 1 along each axis: that arrow has length $\\sqrt 2$. How long is the "
            "gradient?",
        ),
        ([25.0, 0.0, -25.0], "That is the square of the arrow's length."),
        (
            [4.0, 0.0, -4.0],
            "4 is the slope straight along the second axis. There is a steeper way between the axes.",
        ),
        ([5.0, 0.0, 5.0], "The first two are right. Downhill the height falls: mind the sign."),
        (
            [5.0, 1.0, -5.0],
            "Uphill and downhill are right. A contour joins points of equal height: what does the height do "
            "along it?",
        ),
        ([1.0, 0.0, -1.0], "1 is the length of the direction. The slope says how fast the height changes that way."),
    ],
    because=(
        "The slope in a direction is the gradient's length times the cosine of the angle between them: 5 · 1, 5 · 0"
        " and 5 · (−1)."
    ),
    hints=[
        "The slope in the direction $d$ is $|\\nabla f| \\cos\\varphi$, with $\\varphi$ the angle between $d$ "
        "and the gradient.",
        "How long is the arrow $(3, 4)$? Pythagoras knows. And what are the cosines of 0°, 90° and 180°?",
    ],
)
def steepest():
    gradient = torch.tensor([3.0, 4.0])
    uphill = gradient / gradient.norm()
    along_contour = torch.stack([-uphill[1], uphill[0]])
    return [gradient @ uphill, gradient @ along_contour, gradient @ -uphill]


@prediction(
    """
    `column` has shape (3, 1), `row` has shape (1, 4), both require gradients. After
    `(column + row).sum().backward()` all entries of `column.grad` are equal, and so are those of `row.grad`.
    Which number stands in the one, which in the other? Type two numbers: `prediction = [.., ..]`.
    """,
    mistakes=[
        (
            [1.0, 1.0],
            "That would be right if each entry were used once. How many entries of the (3, 4) sum contain the "
            "first entry of `column`?",
        ),
        (
            [3.0, 4.0],
            "Swapped: along which axis is `column` stretched, and how often is one of its entries used then?",
        ),
        (
            [12.0, 12.0],
            "Twelve entries are added in all, but each of them contains only one entry of `column` and one of "
            "`row`.",
        ),
        ([0.25, 1 / 3], "A sum adds the shares; dividing by their number would be a mean."),
    ],
    because=(
        "Each entry of the column is copied into 4 cells and each of the row into 3; `backward` adds the shares of "
        "all copies."
    ),
    hints=[
        "Write out the (3, 4) tensor: which of its twelve entries contain `column[0, 0]`?",
        "Each use sends back a 1, and what comes back along several paths is added.",
    ],
)
def broadcast():
    column, row = torch.zeros(3, 1, requires_grad=True), torch.zeros(1, 4, requires_grad=True)
    z = (column + row).sum()
    z.backward()
    return [column.grad[0, 0], row.grad[0, 0]]


def _cubic(x):
    return x**3 - x


def _leaves_x_alone(difference):
    x = torch.tensor(1.5)
    difference(_cubic, x, 0.1)
    return x.item() == 1.5


@exercise(
    """
    Write `central_difference(f, x, h)`: an estimate of the derivative of `f` at `x` from two values of `f`, a
    step `h` to either side. No autograd. `x` is a tensor of any shape, and `f` works entry by entry.
    """,
    probe={
        "x³ − x at 1.5, h = 0.1": lambda difference: difference(_cubic, torch.tensor(1.5), 0.1),
        "cos at three points, h = 0.5": lambda difference: difference(torch.cos, torch.tensor([-1.0, 0.3, 2.0]), 0.5),
        "a kink, |x| at 0, h = 0.25": lambda difference: difference(torch.abs, torch.tensor(0.0), 0.25),
        "the caller's x keeps its value": _leaves_x_alone,
    },
    because="The two errors of a step to the right and to the left cancel, so what is left shrinks with $h^2$.",
    hints=[
        "Rise over run. You stand at $x$ and look at the two points $x + h$ and $x - h$: how far are they "
        "apart?",
        "The rise is $f(x + h) - f(x - h)$. In Python `a / 2 * h` means `(a / 2) * h`, so the run wants "
        "brackets.",
    ],
)
def central_difference(f, x, h):
    return (f(x + h) - f(x - h)) / (2 * h)


@central_difference.right
def _(f, x, h):
    ahead, behind = (f(x + h) - f(x)) / h, (f(x) - f(x - h)) / h
    return (ahead + behind) / 2


@central_difference.mistake(
    "That is the one-sided difference from `x` to `x + h`. Its error shrinks with $h$; from both sides it "
    "shrinks with $h^2$."
)
def _(f, x, h):
    return (f(x + h) - f(x)) / h


@central_difference.mistake(
    "That is the one-sided difference from `x - h` to `x`. Its error shrinks with $h$; from both sides it "
    "shrinks with $h^2$."
)
def _(f, x, h):
    return (f(x) - f(x - h)) / h


@central_difference.mistake(
    "The two points are $2h$ apart, and you divide by $h$: everything is twice too large."
)
def _(f, x, h):
    return (f(x + h) - f(x - h)) / h


@central_difference.mistake(
    "You measure from `x` to `x + h`: the two points are `h` apart, and you divide by `2 * h`. Half the slope is left. "
    "Take the second value on the other side of `x`."
)
def _(f, x, h):
    return (f(x + h) - f(x)) / (2 * h)


@central_difference.mistake("Mind the brackets: `/ 2 * h` divides by 2 and then *multiplies* by `h`.")
def _(f, x, h):
    return (f(x + h) - f(x - h)) / 2 * h


@central_difference.mistake(
    "Only `f(x - h)` is divided. The whole rise is divided by the run, so the rise needs brackets, too."
)
def _(f, x, h):
    return f(x + h) - f(x - h) / (2 * h)


@central_difference.mistake("You go half a step to either side. Here `h` is the whole step, to each side.")
def _(f, x, h):
    return (f(x + h / 2) - f(x - h / 2)) / h


@central_difference.mistake(
    "The sign is the wrong way round: a function that rises to the right has a positive slope."
)
def _(f, x, h):
    return (f(x - h) - f(x + h)) / (2 * h)


@central_difference.mistake("You add the two values of `f`. The rise is their *difference*.")
def _(f, x, h):
    return (f(x + h) + f(x - h)) / (2 * h)


@central_difference.mistake(
    "The numbers are right, but the caller's `x` is another one now: `x += h` changes the tensor itself. `x + h` makes "
    "a new one."
)
def _(f, x, h):
    x += h
    ahead = f(x)
    x -= 2 * h
    return (ahead - f(x)) / (2 * h)


@central_difference.mistake("The run is missing: the rise alone gets smaller with `h` whatever the slope is.")
def _(f, x, h):
    return f(x + h) - f(x - h)


@central_difference.mistake(
    "That is the exact slope, or very nearly: from autograd, or with a step of your own that is smaller than `h`. Here "
    "an independent witness is wanted: two values of `f`, a step `h` to either side."
)
def _(f, x, h):
    x = x.detach().clone().requires_grad_()
    f(x).sum().backward()
    return x.grad


@prediction(
    """
    `x = torch.tensor([2.0, 2.0, 1.0], requires_grad=True)`: two entries tie for the maximum. What does `x.grad`
    hold after `x.max().backward()`? Type three numbers: `prediction = [.., .., ..]`.
    """,
    mistakes=[
        (
            [1.0, 0.0, 0.0],
            "So it would be if one winner were picked. `x.max()` returns no position: it does not have to pick.",
        ),
        (
            [0.0, 1.0, 0.0],
            "So it would be if the last winner were picked. `x.max()` returns no position: it does not have to "
            "pick.",
        ),
        (
            [1.0, 1.0, 0.0],
            "Raise both by 1, and the maximum rises by 1, not by 2: the winners have one gradient of 1 to "
            "share.",
        ),
        (
            [0.0, 0.0, 0.0],
            "One of the slopes from the two sides may be zero here, but autograd does not give up: the winners "
            "get something.",
        ),
        ([2.0, 2.0, 0.0], "Those are values. The slopes of a maximum do not depend on how large it is."),
        (
            [1 / 3, 1 / 3, 1 / 3],
            "The third entry does not take part: moving it a little does not move the maximum.",
        ),
    ],
    because="The maximum has a kink here, and PyTorch's `max()` shares the slope equally among the entries that tie.",
    hints=[
        "The gradient 1 comes back to `max`. The third entry has no part in it. How can two equals be treated "
        "fairly?",
        "The two shares are equal, and together they make 1.",
    ],
)
def max_tie():
    x = torch.tensor([2.0, 2.0, 1.0], requires_grad=True)
    x.max().backward()
    return x.grad
