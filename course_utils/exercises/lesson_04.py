"""Exercises of lesson 04: what backward really computes."""

import torch

from .exercise import Prediction, exercise, prediction
from .probes import differentiates, numbers_made
from .sorts import names_among


@prediction(
    """
    Let $x = (2, 3)$ and $y = (x_0 x_1,\\; x_0 + x_1)$. What is `x.grad` after `y.backward(torch.tensor([1., 10.]))`?
    Type two numbers: `prediction = [.., ..]`.
    """,
    mistakes=[
        ([4.0, 3.0], "You gave both outputs the weight 1. The argument of `backward` weighs the rows of the Jacobian: "
         "the second counts ten times."),
        ([23.0, 11.0], "That is $Jv$, the other product: it says where the *output* goes when `x` moves along $v$. "
         "`backward` computes $v^T J$, weights on the outputs."),
        ([[3.0, 2.0], [10.0, 10.0]], "The rows are weighted as they should be. `backward` adds them up: `x.grad` has "
         "the shape of `x`."),
        ([[3.0, 2.0], [1.0, 1.0]], "That is the Jacobian itself. `backward` multiplies it from the left by the "
         "weights, which makes one row of it."),
        ([6.0, 50.0], "You weighted the outputs $(6, 5)$. It is their *slopes* that are weighted and added up."),
        ([3.0, 2.0], "That is the first row alone. The second row counts too, with its own weight."),
        ([3.0, 20.0], "You weighted the entries of one row. Each *row* of the Jacobian (each output) gets one weight."),
    ],
    because="The vector weighs the rows of the Jacobian: $1 \\cdot (3, 2) + 10 \\cdot (1, 1) = (13, 12)$.",
    hints=[
        "Write the Jacobian first: one row for each output, one column for each input.",
        "One weight for each output: multiply each row by its weight, then add the rows.",
    ],
)
def vjp_predict():
    x = torch.tensor([2.0, 3.0], requires_grad=True)
    y = torch.stack([x[0] * x[1], x[0] + x[1]])
    y.backward(torch.tensor([1.0, 10.0]))
    return x.grad


def _tall(x):
    return torch.stack([x[0] * x[1], torch.sin(x[0]), -(x[1] ** 3)])


def _wide(x):
    return torch.stack([x[0] * x[1] * x[2], x[0] - x[2] ** 2])


def _three():
    return torch.tensor([1.0, -2.0, 3.0])


@exercise(
    """
    Write `jacobian(f, x)`: the matrix with the entries $J_{ij} = \\partial y_i / \\partial x_j$ for $y = f(x)$, built
    from repeated vector-Jacobian products. `x` and `f(x)` are tensors with one dimension; their lengths may differ.
    """,
    probe={
        "a function of 2 inputs with 3 outputs": lambda jacobian: jacobian(_tall, torch.tensor([0.5, 2.0])),
        "a function of 3 inputs with 2 outputs": lambda jacobian: jacobian(_wide, _three()),
        "autograd finds the slopes": lambda jacobian: differentiates(lambda f: jacobian(f, _three()), _wide),
    },
    mistakes=[
        (lambda f, x: jacobian.answer(f, x).T, "The numbers are right, but rows and columns are swapped: each product "
         "is a *row*, one for each output. Stack them on top of each other."),
        (lambda f, x: jacobian.answer(f, x).flatten(), "The rows are right, but they are still a list. Make one tensor "
         "of them with `torch.stack`, not `torch.cat`, which puts them in one line."),
    ],
    because="A vector with a single 1 picks one row of $J$, so one backward pass for each output builds the matrix.",
    hints=[
        "If all weights are 0 but one, which is 1, the vector-Jacobian product is one row of the Jacobian.",
        "`torch.autograd.grad(y, x, weights)` gives one such row. Ask once for each *output*, and see to it that the "
        "graph survives.",
        "Put the rows on top of each other with `torch.stack`.",
    ],
)
def jacobian(f, x):
    x = x.detach().clone().requires_grad_()
    y = f(x)
    weights = torch.eye(len(y), dtype=y.dtype)
    rows = [torch.autograd.grad(y, x, one, retain_graph=True)[0] for one in weights]
    return torch.stack(rows)


@jacobian.right
def _(f, x):
    x = x.detach().requires_grad_()
    rows = []
    for i in range(len(f(x))):
        x.grad = None
        f(x)[i].backward()
        rows.append(x.grad)
    return torch.stack(rows)


@jacobian.right
def _(f, x):
    return torch.func.jacrev(f)(x)


@jacobian.mistake(
    "The numbers are right, or nearly, but they are differences of values: an estimate, column by column. Let autograd "
    "find them, row by row."
)
def _(f, x):
    wiggles = 1e-6 * torch.eye(len(x), dtype=x.dtype)
    return torch.stack([(f(x + wiggle) - f(x - wiggle)) / 2e-6 for wiggle in wiggles], dim=1)


@jacobian.mistake("That is the sum of all rows: weights of 1 for all outputs at once. Ask for one output at a time.")
def _(f, x):
    x = x.detach().requires_grad_()
    y = f(x)
    return torch.autograd.grad(y, x, torch.ones_like(y))[0]


@jacobian.mistake(
    "The first row works, then the graph is gone: it is freed after a walk, and you want to walk it again. Keep it, or "
    "call `f` again."
)
def _(f, x):
    x = x.detach().requires_grad_()
    return torch.stack([torch.autograd.grad(output, x)[0] for output in f(x)])


@jacobian.mistake(
    "The first row is right, the later ones contain all rows before them. If you call `backward`: it adds to `.grad`, "
    "so clear that between the rows. If you pass weights: all of them are 0 but one."
)
def _(f, x):
    x = x.detach().requires_grad_()
    rows = []
    for output in f(x):
        output.backward(retain_graph=True)
        rows.append(x.grad.clone())
    return torch.stack(rows)


@jacobian.mistake(
    "All rows are the same: you stored `x.grad` itself, and it is one tensor that goes on growing. Copy it, and clear "
    "it between the rows."
)
def _(f, x):
    x = x.detach().requires_grad_()
    rows = []
    for output in f(x):
        output.backward(retain_graph=True)
        rows.append(x.grad)
    return torch.stack(rows)


@jacobian.mistake(
    "All rows are zero at the end: you stored `x.grad` itself, and `zero_()` then emptied that very tensor. Store a "
    "copy, or clear with `x.grad = None`."
)
def _(f, x):
    x = x.detach().requires_grad_()
    rows = []
    for output in f(x):
        output.backward(retain_graph=True)
        rows.append(x.grad)
        x.grad.zero_()
    return torch.stack(rows)


@jacobian.mistake(
    "You ask once for each *input*. A vector-Jacobian product gives a row, so there are as many as outputs."
)
def _(f, x):
    x = x.detach().requires_grad_()
    y = f(x)
    return torch.stack([torch.autograd.grad(y[i], x, retain_graph=True)[0] for i in range(len(x))])


@jacobian.mistake(
    "Without weights `grad` needs a single number to start from. Give it `f(x)` one output at a time, or pass weights."
)
def _(f, x):
    x = x.detach().requires_grad_()
    return torch.autograd.grad(f(x), x)[0]


def _ring(x):
    return torch.sin(x) * x.roll(1)


def _without_a_jacobian(jvp):
    x, v = torch.linspace(0, 1, 120), torch.linspace(-1, 1, 120)
    return numbers_made(jvp, _ring, x, v) < 100 * 120


@exercise(
    """
    Write `jvp(f, x, v)`: the product $Jv$, without ever building the Jacobian $J$ of `f` at `x`, neither whole nor
    row by row. `x`, `v` and `f(x)` are tensors with one dimension.
    """,
    probe={
        "3 inputs, 3 outputs": lambda jvp: jvp(_ring, torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, -2.0, 0.5])),
        "2 inputs, 3 outputs": lambda jvp: jvp(_tall, torch.tensor([0.5, 2.0]), torch.tensor([3.0, -4.0])),
        "with 120 inputs, no more work than a few calls of f": _without_a_jacobian,
        "autograd finds the product": lambda jvp: differentiates(lambda f: jvp(f, _three(), _three().flip(0)), _ring),
    },
    mistakes=[
        (lambda f, x, v: (f(x + 1e-6 * v) - f(x - 1e-6 * v)) / 2e-6, "The numbers are right, or nearly, but a "
         "difference of two values of `f` is an estimate. Autograd finds $Jv$ exactly."),
        (lambda f, x, v: torch.func.jvp(f, (x,), (v / v.norm(),))[1],
         "The direction is right, the length is not: you divide $v$ by its norm. $Jv$ grows with $v$, so take $v$ as "
         "it is."),
        (lambda f, x, v: torch.func.jacrev(f)(x) @ v, "The numbers are right, but you build all of $J$ to use it once. "
         "With many inputs and outputs that is the costly part: push $v$ through instead."),
        (lambda f, x, v: torch.func.jvp(f, (x,), (v,)), "`torch.func.jvp` returns two things: the value $f(x)$ and the "
         "product. Only the product is asked for."),
        (lambda f, x, v: torch.func.jvp(f, (x,), (v,))[0], "That is $f(x)$. Of the two things that `torch.func.jvp` "
         "returns, the second is the product."),
        (lambda f, x, v: f(x + v) - f(x), "You step along $v$ and take the difference, with a step of 1. Derivatives "
         "are about tiny steps, and autograd does them exactly."),
        (lambda f, x, v: torch.func.jacrev(f)(x) * v, "Each column of $J$ is multiplied by its entry of $v$, and then "
         "they have to be added up: a product of matrix and vector, `@`."),
    ],
    because="$Jv$ is the slope of `f` along $v$: one pass forward or two backward, whatever the number of inputs.",
    hints=[
        "$Jv$ is a derivative along $v$: push the wiggle $v$ through `f`, from the inputs to the outputs.",
        "`torch.func.jvp` takes the function, a tuple of points and a tuple of directions. Look at all that it "
        "returns.",
    ],
)
def jvp(f, x, v):
    _, derivative = torch.func.jvp(f, (x,), (v,))
    return derivative


@jvp.right
def _(f, x, v):
    x = x.detach().requires_grad_()
    y = f(x)
    weights = torch.zeros_like(y, requires_grad=True)
    (g,) = torch.autograd.grad(y, x, weights, create_graph=True)
    return torch.autograd.grad(g, weights, v)[0]


@jvp.right
def _(f, x, v):
    import torch.autograd.forward_ad as forward

    with forward.dual_level():
        return forward.unpack_dual(f(forward.make_dual(x, v))).tangent


@jvp.mistake(
    "`backward` walks from the outputs to the inputs: with $f(x) \\cdot v$ it would compute $v^T J$, into `.grad`, and "
    "it returns nothing. $Jv$ goes the other way, along with `f`: look at `torch.func.jvp`."
)
def _(f, x, v):
    return (f(x) * v).sum().backward()


@jvp.mistake(
    "$f(x) \\cdot v$ weighs the *outputs* with `v`, so the walk back gives $v^T J$. But `v` has one entry for each "
    "*input*: it says how `x` moves. Push it forward through `f`."
)
def _(f, x, v):
    x = x.detach().requires_grad_()
    (f(x) * v).sum().backward()
    return x.grad


@jvp.mistake(
    "That is $v^T J$, the product from the other side, which `backward` computes. It needs one weight for each "
    "*output*; here $v$ has one entry for each *input*."
)
def _(f, x, v):
    x = x.detach().requires_grad_()
    return torch.autograd.grad(f(x), x, v)[0]


@prediction(
    """
    Every line makes a tensor `y` of the same two numbers from `x = torch.tensor([1.0, 2.0], requires_grad=True)`. From
    which of the five can `backward` reach `x`? Type their letters: `prediction = ["…", "…"]`, one or more.

    ```python
    A = torch.tensor([x[0] ** 2, x[1] ** 3])
    B = torch.stack([x[0] ** 2, x[1] ** 3])
    C = torch.cat([x[:1] ** 2, x[1:] ** 3])
    D = torch.tensor(B.tolist(), requires_grad=True)
    E = x ** torch.tensor([2.0, 3.0])
    ```
    """,
    probe=names_among(*"ABCDE"),
    mistakes=[
        (["A", "B", "C", "E"], "`A` copies plain numbers into a new tensor. Copying numbers is no recorded operation."),
        (["B", "C", "D", "E"], "`D` has its switch on, but it is a new leaf. Its trail ends at itself, not at `x`."),
        (["A", "B", "C", "D", "E"], "Two of them are new tensors made of plain numbers. Those know nothing of `x`."),
        (["B"], "`stack` is not the only one. Whatever is an operation on tensors is recorded."),
        (["B", "C"], "One is missing. Look for an operation that works on all of `x` at once."),
        (["B", "E"], "One is missing: `cat` joins tensors, too, and is recorded like `stack`."),
        (["A", "D"], "Those are the two that are cut. The question asks for the others."),
        ([], "Some can. Which lines combine tensors without going through plain numbers?"),
    ],
    because=(
        "`stack`, `cat` and arithmetic are operations that autograd records; `torch.tensor` and `tolist` copy "
        "numbers and drop their history."
    ),
    hints=[
        "`torch.tensor(…)` always makes a new leaf out of plain numbers, whatever you give it.",
        "Operations on tensors are recorded: arithmetic, indexing, `stack`, `cat`.",
    ],
)
def joined():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    made = {
        "A": torch.tensor([x[0] ** 2, x[1] ** 3]),
        "B": torch.stack([x[0] ** 2, x[1] ** 3]),
        "C": torch.cat([x[:1] ** 2, x[1:] ** 3]),
        "D": torch.tensor([1.0, 8.0], requires_grad=True),
        "E": x ** torch.tensor([2.0, 3.0]),
    }
    return [letter for letter, y in made.items() if not y.is_leaf]


passes = Prediction(
    """
    A function turns 1,000 inputs into 3 outputs. How many passes does its Jacobian take by rows (reverse mode), and how
    many by columns (forward mode)? Type two numbers: `prediction = [.., ..]`.
    """,
    [3, 1000],
    mistakes=[
        ([1000, 3], "The other way round: a row belongs to an output, a column to an input."),
        ([1, 1], "One pass gives one row, or one column. The whole table takes as many as it has."),
        ([3000, 3000], "That is the number of slopes in the table. One pass gives a whole row of it, or a column."),
        ([1, 1000], "The second is right. One walk backwards gives the slopes of *one* output, for all inputs."),
        ([3, 3], "The first is right. A column belongs to an input, and there are more of those."),
        ([1000, 1000], "The second is right. A row belongs to an output, and there are fewer of those."),
    ],
    because=(
        "Reverse mode takes one pass for each output and forward mode one for each input, so the smaller side "
        "decides."
    ),
    hints=[
        "One walk backwards starts at one output (with the weight 1) and gives its slopes for all inputs.",
        "One forward pass wiggles one input and shows how all outputs move.",
    ],
)


def _squared_error(w, x, y):
    return (w @ x - y) ** 2


def _samples():
    xs = torch.tensor([[1.0, 2.0, 0.0], [0.5, -1.0, 2.0], [3.0, 1.0, -1.0], [-1.0, 2.0, 0.5]])
    return torch.tensor([0.37, -1.1, 2.2]), xs, torch.tensor([1.0, 0.0, -2.0, 0.5])


def _calls_of_loss(per_sample):
    calls = []

    def loss(w, x, y):
        calls.append(x)
        return _squared_error(w, x, y)

    per_sample(loss, *_samples())
    return len(calls) == 1


@exercise(
    """
    Write `per_sample(loss, w, xs, ys)`: the gradient of `loss(w, x, y)` with respect to `w`, apart for each sample: a
    tensor with one row for each row of `xs`. `loss` returns a number for one sample; call it once only and let
    `torch.func.vmap` run over the samples.
    """,
    probe={
        "4 samples, 3 weights": lambda per_sample: per_sample(_squared_error, *_samples()),
        "loss is called once": _calls_of_loss,
        "autograd finds the gradients": lambda answer: differentiates(lambda f: answer(f, *_samples()), _squared_error),
    },
    mistakes=[
        (lambda loss, w, xs, ys: torch.stack([torch.func.grad(loss)(w, x, y) for x, y in zip(xs, ys, strict=True)]),
         "The numbers are right, but `loss` is not called exactly once: you call it for each sample in turn, or you "
         "have differentiated it by hand. Let `vmap` run over the samples."),
        (lambda loss, w, xs, ys: torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))(w, xs, ys).mean(dim=0),
         "You take the mean at the end: that is what `backward` on the mean loss gives. The samples are wanted apart."),
        (lambda loss, w, xs, ys: torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))(w, xs, ys).sum(dim=0),
         "You add the samples up at the end. They are wanted apart, one row for each."),
        (lambda loss, w, xs, ys: torch.func.vmap(torch.func.grad(loss, argnums=1), in_dims=(None, 0, 0))(w, xs, ys),
         "Those are gradients with respect to the samples. `grad` differentiates by the first argument unless you say "
         "`argnums`."),
        (lambda loss, w, xs, ys: torch.func.vmap(torch.func.grad(loss))(w, xs, ys),
         "`vmap` runs over the first dimension of *every* argument, of `w` too. Say with `in_dims` that `w` is the "
         "same for all: `None` at its place."),
        (lambda loss, w, xs, ys: torch.func.vmap(loss, in_dims=(None, 0, 0))(w, xs, ys),
         "Those are the losses, one for each sample. What is asked for is the gradient of each."),
    ],
    because=(
        "`grad` gives the gradient of one sample, and `vmap` runs the same code for each row, so no sum mixes them."
    ),
    hints=[
        "`torch.func.grad(loss)` is a function of the same arguments that returns the gradient for the first of them.",
        "`torch.func.vmap(g, in_dims=…)` runs `g` over the samples. `in_dims` has one entry for each argument: 0 runs "
        "over the rows, `None` hands the same to all.",
    ],
)
def per_sample(loss, w, xs, ys):
    gradient = torch.func.grad(loss)
    return torch.func.vmap(gradient, in_dims=(None, 0, 0))(w, xs, ys)


@per_sample.right
def _(loss, w, xs, ys):
    return torch.func.jacrev(lambda w: torch.func.vmap(loss, in_dims=(None, 0, 0))(w, xs, ys))(w)
