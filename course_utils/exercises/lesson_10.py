"""Exercises of lesson 10: an autograd of your own."""

import torch

from .exercise import exercise, prediction
from .probes import by_hand


class _Value:
    """A number with a past, that counts how often it is asked for its local derivatives."""

    def __init__(self, data, parents=(), local=()):
        self.data, self.parents, self._local = data, parents, local
        self.grad, self.asked = None, 0

    @property
    def local(self):
        self.asked += 1
        return self._local


def _add(a, b):
    return _Value(a.data + b.data, (a, b), (1.0, 1.0))


def _multiply(a, b):
    return _Value(a.data * b.data, (a, b), (b.data, a.data))


@prediction(
    """
    A product `z = x * y` at $x = 2$, $y = 3$ has two parents, `x` and `y`. Which two local derivatives does it
    have to remember, in this order? Type two numbers: `prediction = [.., ..]`.
    """,
    mistakes=[
        ([2.0, 3.0], "Swapped. Move `x` alone: each unit of `x` is worth as much as the *other* factor."),
        ([1.0, 1.0], "That is what a sum remembers. In a product, a step of `x` is multiplied by the other factor."),
        ([6.0, 6.0], "That is the value of `z`. A local derivative says how much `z` moves when one parent moves."),
        ([5.0, 5.0], "That is $x + y$. Differentiate the product for one factor while the other stands still."),
    ],
    because=(
        "If `x` moves, `z` moves `y` times as much, and the other way round: each factor's slope is the other "
        "factor."
    ),
    hints=[
        "Hold `y` still. How much does `z` grow when `x` grows by 1?",
        "The derivative of $x \\cdot y$ with respect to $x$ is $y$. Put the numbers in, then do the same for `y`.",
    ],
)
def product_locals():
    x, y = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0, requires_grad=True)
    return torch.stack(torch.autograd.grad(x * y, [x, y]))


@prediction(
    """
    Let $u = x \\cdot w$ at $x = 2$, $w = 3$, and $y = u \\cdot u$. What will `naive_backward(y)` leave in `x.grad`?
    Follow the code, not the calculus: it passes on what `u` holds each time that it comes by.
    """,
    mistakes=[
        (36.0, "That is the true derivative. Follow the code: how often does it walk from `u` to `x`, and what does "
         "`u.grad` hold each time?"),
        (18.0, "That is the first visit. `u` stands twice among the parents of `y`, so the walk comes by again."),
        (72.0, "On the first visit `u` does not hold its whole gradient yet, only the share of one factor."),
        (24.0, "That is the true derivative with respect to `w`. And the code does not find the true one here."),
        ("error", "Nothing is forbidden: the walk comes to an end. But is its number the derivative?"),
    ],
    because="It goes on from `u` twice and passes on 6 and then 12, both times 3: $18 + 36 = 54$.",
    hints=[
        "`u` is there twice among the parents of `y`. Write down `u.grad` after the first share, and after the second.",
        "At each visit the walk passes `u.grad`, as it is at that moment, times 3 on to `x`. Add up the two visits.",
    ],
)
def naive_walk():
    u_grad = x_grad = 0.0
    for _ in range(2):
        u_grad += 1.0 * 6.0
        x_grad += u_grad * 3.0
    return x_grad


def _gradients(backward, out):
    """`.grad` of every object behind `out`, outputs first."""
    backward(out)
    found = [out]
    for node in found:
        found += [parent for parent in node.parents if parent not in found]
    return "None in some .grad" if any(node.grad is None for node in found) else [node.grad for node in found]


def _leaves():
    return _Value(2.0), _Value(-3.0)


def _chain():
    x, w = _leaves()
    return _multiply(_add(_multiply(x, w), _Value(1.0)), _Value(5.0))


def _square():
    u = _multiply(*_leaves())
    return _multiply(u, u)


def _long_way_last():
    x, w = _leaves()
    u = _multiply(x, w)
    return _add(u, _multiply(_add(u, w), w))


def _long_way_first():
    x, w = _leaves()
    u = _multiply(x, w)
    return _add(_multiply(_add(u, w), w), u)


def _visits_are_few(backward):
    made = [_Value(1.0)]
    for _ in range(8):
        made.append(_add(made[-1], made[-1]))
    backward(made[-1])
    return made[0].grad is not None and max(one.asked for one in made) <= len(made)


def _inputs_first(out):
    order = {}

    def visit(node):
        for parent in node.parents:
            if parent not in order:
                visit(parent)
        order[node] = None

    visit(out)
    return list(order)


def _pass(out, order, *, seed=1.0, add=lambda old, local, upstream: old + local * upstream):
    for node in order:
        node.grad = 0.0
    out.grad = seed(out) if callable(seed) else seed
    for node in order:
        for parent, local in zip(node.parents, node.local, strict=True):
            parent.grad = add(parent.grad, local, node.grad)


def _level_by_level(out):
    order = [out]
    for node in order:
        order += [parent for parent in dict.fromkeys(node.parents) if parent not in order]
    return order


def _one_by_one(out):
    order = {}

    def visit(node):
        order[node] = None
        for parent in node.parents:
            if parent not in order:
                visit(parent)

    visit(out)
    return list(order)


@exercise(
    """
    Write `own_backward(out)`. It leaves in `.grad` of every object behind `out`, and of `out` itself, the derivative
    of `out` with respect to it. The objects have `.data`, `.grad` (None at the start), `.parents` and `.local`, one
    local derivative for each parent. Nothing has to be returned. You may use `topological_order` from above.
    """,
    probe={
        "(x · w + 1) · 5": lambda backward: _gradients(backward, _chain()),
        "u · u with u = x · w": lambda backward: _gradients(backward, _square()),
        "u + (u + w) · w with u = x · w": lambda backward: _gradients(backward, _long_way_last()),
        "(u + w) · w + u with u = x · w": lambda backward: _gradients(backward, _long_way_first()),
        "each object is visited once, not once for each path to it": _visits_are_few,
    },
    mistakes=[
        (lambda out: _pass(out, _inputs_first(out)[::-1], add=lambda old, local, upstream: local * upstream),
         "Where a value is used twice, the later share replaces the earlier one. Shares are added: `+=`, not `=`."),
        (lambda out: _pass(out, _inputs_first(out)[::-1], seed=0.0), "All gradients are zero: nothing starts the pass, "
         "or the start is zeroed again. The derivative of `out` with respect to itself is 1."),
        (lambda out: _pass(out, _inputs_first(out)[::-1], seed=lambda out: out.data), "You start from the value of "
         "`out`. The pass starts from the derivative of `out` with respect to itself."),
        (lambda out: _pass(out, _inputs_first(out)), "Only what stands next to `out` gets its gradient. Either you "
         "stop there, or you walk from the inputs to the output and pass on before anything has arrived. Go through "
         "all objects, in the reversed order."),
        (lambda out: _pass(out, _inputs_first(out)[::-1], add=lambda old, local, upstream: old + local), "You add up "
         "local derivatives. Each has to be multiplied by the gradient that has arrived at its own object (`out.grad` "
         "is always 1): upstream × local."),
        (lambda out: _pass(out, _level_by_level(out)), "Level by level from the output is not enough: a value that is "
         "used near the output and also farther away sends before the far share has come. It has to wait for both."),
        (lambda out: _pass(out, _one_by_one(out)), "You walk on into a parent as soon as you meet it. If it is used "
         "elsewhere too, it sends before everything has arrived. Take the topological order, reversed."),
    ],
    because=(
        "In reversed topological order every share has arrived before an object passes its gradient on, so each "
        "goes on once."
    ),
    hints=[
        "Two things first: every `.grad` needs a number to add to, and `out.grad` is the one that you know.",
        "An object may pass its gradient on when all that use it have passed on theirs. Inputs first is the order of "
        "the forward pass. What is the order here?",
        "For each object in reversed topological order, go through its parents and local derivatives in pairs, and "
        "add upstream × local to what the parent holds.",
    ],
)
def own_backward(out):
    order = {}

    def visit(node):
        for parent in node.parents:
            if parent not in order:
                visit(parent)
        order[node] = None

    visit(out)
    for node in order:
        node.grad = 0.0
    out.grad = 1.0
    for node in reversed(order):
        for parent, local in zip(node.parents, node.local):
            parent.grad += local * node.grad


@own_backward.right
def _(out):
    uses, found = {}, [out]
    for node in found:
        for parent in node.parents:
            if parent not in uses:
                found.append(parent)
            uses[parent] = uses.get(parent, 0) + 1
        node.grad = 0.0
    out.grad, ready = 1.0, [out]
    while ready:
        node = ready.pop()
        for parent, local in zip(node.parents, node.local, strict=True):
            parent.grad += local * node.grad
            uses[parent] -= 1
            if not uses[parent]:
                ready.append(parent)


@own_backward.mistake(
    "You pass on a value's gradient each time that a share arrives, with the earlier shares in it. They are counted "
    "again and again. Wait until all have arrived, then pass on once."
)
def _(out):
    def walk(node):
        for parent, local in zip(node.parents, node.local, strict=True):
            parent.grad = (parent.grad or 0.0) + local * node.grad
            walk(parent)

    out.grad = 1.0
    walk(out)


@own_backward.mistake(
    "You mark a value as seen and pass its gradient on when the *first* share arrives. The shares that come later are "
    "never passed on."
)
def _(out):
    seen = set()

    def walk(node):
        if node not in seen:
            seen.add(node)
            for parent, local in zip(node.parents, node.local, strict=True):
                parent.grad = (parent.grad or 0.0) + local * node.grad
                walk(parent)

    out.grad = 1.0
    walk(out)


@own_backward.mistake(
    "A value is put into your queue each time that it is used, and each time it passes on all that it holds. It should "
    "pass on once, when all shares have arrived."
)
def _(out):
    out.grad, queue = 1.0, [out]
    for node in queue:
        for parent, local in zip(node.parents, node.local, strict=True):
            parent.grad = (parent.grad or 0.0) + local * node.grad
            queue.append(parent)


@own_backward.mistake(
    "A value that stands twice among the parents, as `u` in u · u, counts once only. A set or a dictionary of parents "
    "has lost the second."
)
def _(out):
    order = _inputs_first(out)
    for node in order:
        node.grad = 0.0
    out.grad = 1.0
    for node in reversed(order):
        for parent, local in dict(zip(node.parents, node.local, strict=True)).items():
            parent.grad += local * node.grad


@own_backward.mistake(
    "All gradients but that of `out` are zero. Either `out.grad` becomes 1 only after the pass, or shares are added to "
    "the object itself instead of to its parents."
)
def _(out):
    _pass(out, _inputs_first(out)[::-1], seed=0.0)
    out.grad = 1.0


@own_backward.mistake(
    "Some `.grad` is still None at the end. Every object behind `out` needs its number, however far behind, in the "
    "object's own `.grad`."
)
def _(out):
    out.grad = 1.0
    for parent, local in zip(out.parents, out.local, strict=True):
        parent.grad = local


@own_backward.mistake(
    "The pass goes all the way back, but some `.grad` is None at the end: that of `out`, or those of values in "
    "between. Leave them where they are."
)
def _(out):
    own_backward.answer(out)
    out.grad = None


@own_backward.mistake(
    "The numbers are right, but you walk along every single path, and with each value that is used twice their number "
    "doubles. Add up at each object first, then pass on once."
)
def _(out):
    def walk(node, share):
        node.grad = (node.grad or 0.0) + share
        for parent, local in zip(node.parents, node.local, strict=True):
            walk(parent, local * share)

    walk(out, 1.0)


@prediction(
    """
    Again $u = x \\cdot w$ at $x = 2$, $w = 3$, and $y = u \\cdot u$. One pass leaves 36 in `x.grad`. What stands there
    after `y.backward()` was called **twice** on our engine? Type a number, or `"error"`.
    """,
    mistakes=[
        (36.0, "A leaf keeps what it holds; the line with `is None` zeroes it only at its first pass."),
        (108.0, "That is what you get where the values in between keep their old gradients too, as in many small "
         "engines. Ours sets those back to zero in every pass."),
        ("error", "PyTorch raises one because it frees what it saved. Our engine frees nothing."),
        (1296.0, "Passes are added, not multiplied."),
    ],
    because="Our engine adds as PyTorch does and frees nothing, so the second pass adds another 36.",
    hints=[
        "Read the first loop of `backward`. Which gradients does it set to zero in the second pass, which not?",
        "`x` is a leaf, `u` is not. So the second pass computes the same as the first. What is it added to?",
    ],
)
def two_passes():
    x = torch.tensor(2.0, requires_grad=True)
    u = x * 3.0
    y = u * u
    y.backward(retain_graph=True)
    y.backward()
    return x.grad


_POINTS = [(1.0, 2.0), (3.0, -0.5), (-2.0, 4.0), (5.0, 1e-7)]


@exercise(
    """
    Our engine cannot divide yet. Write `quotient(a, b)` for two plain numbers: it returns the value of $a / b$ and
    the pair of its local derivatives, `value, (by_a, by_b)`.
    """,
    probe={
        **{f"quotient({a}, {b})": lambda quotient, a=a, b=b: quotient(a, b) for a, b in _POINTS},
        "the derivatives are found without PyTorch's autograd": lambda quotient: by_hand(quotient, 1.0, 2.0),
    },
    mistakes=[
        (lambda a, b: (a / b, 1 / b, -a / b**2), "The three numbers are right, but they stand in one row. The two "
         "derivatives belong together in a pair of their own."),
        (lambda a, b: a / b, "That is the value alone. Its two local derivatives have to be returned, too."),
        (lambda a, b: (a / b, (1 / b, a / b**2)), "The sign: when `b` grows, the quotient of two positive numbers "
         "falls."),
        (lambda a, b: (a / b, (1 / b, -1 / b**2)), "Nearly: in the second derivative `a` is a factor that stays. "
         "$a/b = a \\cdot b^{-1}$."),
        (lambda a, b: (a / b, (-a / b**2, 1 / b)), "The two are swapped: first the derivative by `a`, then by `b`."),
        (lambda a, b: (a / b, (1 / b, 1 / a)), "The second is no mirror image of the first: `b` stands below the line. "
         "Write $a \\cdot b^{-1}$ and differentiate by $b$."),
        (lambda a, b: (a / b, (1 / b, -1 / a)), "In the second derivative, `a` is a factor that stays above the line."),
        (lambda a, b: (a / b, (1 / b, -a / b)), "In the second derivative the exponent goes down from −1. To what?"),
        (lambda a, b: (a / b, (1 / b, -a / b * b)), "`-a / b * b` is $(-a / b) \\cdot b$. Put brackets around the "
         "square, or write `b**2`."),
        (lambda a, b: ((1 / b, -a / b**2), a / b), "The numbers are right, in another order: the value comes first."),
        (lambda a, b: (a / b, (b, a)), "Those are the local derivatives of a product."),
        (lambda a, b: (1 / b, -a / b**2), "The local derivatives are right; the value of the quotient belongs in "
         "front of them."),
        (lambda a, b: (a / b, torch.func.grad(torch.div, argnums=(0, 1))(torch.tensor(a), torch.tensor(b))), "The "
         "numbers are right, and PyTorch's autograd found them. Here you build an engine of your own: write the two "
         "derivatives down."),
        (lambda a, b: (a / b, (((a + 1e-6) / b - (a - 1e-6) / b) / 2e-6, (a / (b + 1e-6) - a / (b - 1e-6)) / 2e-6)),
         "Differences are estimates, and near `b = 0` the quotient is too steep for them. Write the two derivatives "
         "down as formulas."),
    ],
    because="$a/b$ moves by $1/b$ with `a`, and by $-a/b^2$ with `b`, which grows and makes the quotient smaller.",
    hints=[
        "Hold one still: with `b` fixed, $a / b$ is `a` times a constant.",
        "With `a` fixed, write $a / b = a \\cdot b^{-1}$: the exponent comes down, and goes down by one.",
    ],
)
def quotient(a, b):
    by_a = 1 / b
    by_b = -a / b**2
    return a / b, (by_a, by_b)


@prediction(
    """
    A column of shape (3, 1) plus a row of shape (1, 4) is a table of shape (3, 4), and `total` is the sum of its
    entries. What is the derivative of `total` with respect to **one** entry of the column, and to one of the row? Type
    `prediction = [column, row]`.
    """,
    mistakes=[
        ([1.0, 1.0], "That would be so if each entry was used once. How often does an entry of the column occur in the "
         "table?"),
        ([3.0, 4.0], "Swapped. An entry of the *column* is repeated along its row of the table: count the columns."),
        ([12.0, 12.0], "Twelve is the number of entries in the table. One entry of the column is not in all of them."),
        ([0.25, 1 / 3], "A mean would divide. The shares of the copies are added."),
    ],
    because=(
        "One entry of the column stands in 4 cells of the table and one of the row in 3, and each cell counts once."
    ),
    hints=[
        "Broadcasting copies. Draw the table and colour all cells in which the first entry of the column stands.",
        "Each copy sends back 1, and a value that is used several times gets the sum.",
    ],
)
def broadcast_shares():
    column, row = torch.zeros(3, 1, requires_grad=True), torch.zeros(1, 4, requires_grad=True)
    (column + row).sum().backward()
    return [column.grad[0, 0].item(), row.grad[0, 0].item()]


_SHAPES = {"(3, 4) to (3, 1)": (3, 1), "(3, 4) to (1, 4)": (1, 4), "(3, 4) to (4,)": (4,), "(3, 4) to ()": ()}


def _undone(shape):
    return lambda unbroadcast: unbroadcast(torch.arange(-8.0, 4.0).reshape(3, 4) ** 3 / 7, shape)


def _deep(unbroadcast):
    return unbroadcast(torch.arange(-30.0, -6.0).reshape(2, 3, 4), (3, 1))


@exercise(
    """
    Write `unbroadcast(g, shape)`. A tensor of shape `shape` was broadcast, and `g` is the gradient that arrives at the
    copy. Return the gradient of the tensor itself: of shape `shape`, with the shares of all copies added up.
    """,
    probe={
        **{case: _undone(shape) for case, shape in _SHAPES.items()},
        "(3, 4) to (3, 4), where nothing was broadcast": _undone((3, 4)),
        "(2, 3, 4) to (3, 1)": _deep,
    },
    also_right=[lambda g, shape: g.sum_to_size(shape)],
    mistakes=[
        (lambda g, shape: g.reshape(shape), "`reshape` keeps all entries and only arranges them anew, so it has no "
         "place for the copies. They have to be added up."),
        (lambda g, shape: _unspread(g, shape, along=lambda size: size > 1), "You sum along the axes that were not "
         "broadcast. Copies were made where `shape` has a 1."),
        (lambda g, shape: _unspread(g, shape, keepdim=False), "The sums are right, the shape is not: an axis of "
         "length 1 has to stay. `keepdim=True`."),
        (lambda g, shape: _unspread(g, shape, reduce=torch.Tensor.mean), "You take the mean of the copies. Each one "
         "moved the result, so their shares are added."),
        (lambda g, shape: _unspread(g, shape, lead=False), "Axes of length 1 are right. Broadcasting may also have put "
         "new axes in front: as long as `g` has more axes than `shape`, sum the first."),
        (lambda g, shape: _unspread(g, shape, reduce=lambda g, dim, keepdim: g.narrow(dim, 0, 1)
                                    if keepdim else g.select(dim, 0)), "You keep one copy and drop the others. Each "
         "copy has a share, and they are added."),
        (lambda g, shape: g.sum(), "One number for all is too much summing: only along the axes where copies were "
         "made."),
        (lambda g, shape: g, "That is the gradient of the copy. It has the copy's shape, not `shape`."),
    ],
    because="Each copy of a value sends back its own share, so the way back sums over the axes that were stretched.",
    hints=[
        "Each copy is a use of the same entry. What happens to the gradients of a value that is used several times?",
        "Two things make copies: axes that were put in front, and axes of length 1 that were stretched. Sum along "
        "both.",
        "First sum axis 0 while `g` has more axes than `shape`. Then sum each axis where `shape` has a 1, and keep the "
        "axis.",
    ],
)
def unbroadcast(g, shape):
    while g.dim() > len(shape):
        g = g.sum(0)
    for axis, size in enumerate(shape):
        if size == 1:
            g = g.sum(axis, keepdim=True)
    return g


def _unspread(g, shape, *, along=lambda size: size == 1, keepdim=True, lead=True, reduce=torch.Tensor.sum):
    while lead and g.dim() > len(shape):
        g = reduce(g, 0, keepdim=False)
    for axis, size in reversed(list(enumerate(shape))):
        if along(size):
            g = reduce(g, axis, keepdim=keepdim)
    return g
