"""Exercises of lesson 02: the chain rule, walked backwards."""

import torch

from .exercise import Exercise, Prediction, exercise, prediction
from .observe import canonical
from .probes import by_hand, differentiates
from .side_effects import touches_nothing_else
from .sorts import names_among


@prediction(
    "Let $y = 3x^2$ at $x = 3$. What will `x.grad` hold after `y.backward()`?",
    mistakes=[
        (27.0, "That is `y` itself, the height at 3. `x.grad` holds the slope."),
        (6.0, "That is the slope of $x^2$ at 3. The factor 3 in front stays."),
        (9.0, "One factor is missing: the exponent comes down, so the derivative of $x^2$ is $2x$."),
        (54.0, "That is the slope of $(3x)^2$. In $3x^2$ only the $x$ is squared."),
    ],
    because="`backward` computed $6x$ at $x = 3$ and left the 18 at the leaf, where you can use it.",
    hints=[
        "`backward` leaves the derivative of `y` with respect to `x`, at the place where `x` is.",
        "Differentiate by hand first: the derivative of $3x^2$ is $3 \\cdot 2x$.",
    ],
)
def first_slope():
    x = torch.tensor(3.0, requires_grad=True)
    y = 3 * x**2
    y.backward()
    return x.grad


@prediction(
    """
    Three rounds on the same leaf, $x = 2$: each computes $y = x^2$ anew and calls `y.backward()`. Before the third
    round, `x.grad.zero_()` is called. What stands in `x.grad` after each round? Type three numbers:
    `prediction = [.., .., ..]`.
    """,
    mistakes=[
        ([4.0, 4.0, 4.0], "You expect each round to replace what was there. `backward` *adds* to `.grad`."),
        ([4.0, 8.0, 12.0], "The first two are right. Before the third round `.grad` is zeroed: the sum starts again."),
        ([4.0, 8.0, 0.0], "The first two are right. The third round comes after the zeroing, and adds its own share."),
        ([4.0, 0.0, 4.0], "Nothing is zeroed between the first round and the second: what was there stays."),
        ([4.0, 16.0, 4.0], "The shares of two rounds are added, not multiplied."),
        ([2.0, 4.0, 2.0], "The pattern is right, the share of one round is not: the slope of $x^2$ is $2x$."),
    ],
    because="Each round adds its 4 to what `.grad` holds, and zeroing sets the sum back to 0 before the third.",
    hints=[
        "One round alone leaves the slope of $x^2$ at 2. Put 2 into $2x$.",
        "The last node before a leaf is called AccumulateGrad. Zeroing sets the sum back; the next round adds to that.",
    ],
)
def three_rounds():
    x = torch.tensor(2.0, requires_grad=True)
    seen = []
    for turn in (1, 2, 3):
        if turn == 3:
            x.grad.zero_()
        y = x**2
        y.backward()
        seen.append(x.grad.item())
    return seen


def _cubic(x):
    return x**3 - 2 * x


def _twice(slope):
    x = torch.tensor(1.5, requires_grad=True)
    return [canonical(slope(_cubic, x)), canonical(slope(_cubic, x))]


def _leaves_x_alone(slope, *, tracked):
    x = torch.tensor(1.5, requires_grad=tracked)
    x.grad = torch.tensor(7.0) if tracked else None
    return touches_nothing_else(lambda: slope(_cubic, x), {"x": x})


def _own(x):
    return x.detach().clone().requires_grad_()


def _walk_back(y, *, to):
    y.backward()
    return to.grad


@exercise(
    """
    Write `slope(f, x)`: the derivative of `f` at `x`, found with `backward`. `x` is a tensor with one number; it may
    or may not require a gradient. Your function leaves the caller's tensor as it was, `x.grad` included, and gives
    the same answer when it is called again.
    """,
    probe={
        "an x that requires no gradient": lambda slope: slope(_cubic, torch.tensor(0.5)),
        "called twice with the same x, which requires a gradient": _twice,
        "an x that requires a gradient stays as it was": lambda slope: _leaves_x_alone(slope, tracked=True),
        "an x that requires none stays as it was": lambda slope: _leaves_x_alone(slope, tracked=False),
        "another f: sin, at 0.4": lambda slope: slope(torch.sin, torch.tensor(0.4)),
        "autograd finds the slope": lambda slope: differentiates(lambda f: slope(f, torch.tensor(1.5)), _cubic),
    },
    mistakes=[
        (lambda f, x: _walk_back(f(x.requires_grad_()), to=x), "The number of the first call is right, and then it "
         "grows: you write into the caller's `x`, where every call adds to `x.grad`. Work on a leaf of your own."),
        (lambda f, x: f(_own(x)).backward(), "Your function returns None. `backward()` writes the slope into `.grad` "
         "of the leaf that `f` was given, and returns nothing. Return the `.grad` of that leaf."),
        (lambda f, x: _walk_back(f(x), to=_own(x)), "`f` gets the caller's `x`, so a leaf of your own, if you made "
         "one, never sees the walk. And `backward()` itself returns nothing. Give `f` your own leaf, and return the "
         "`.grad` of that leaf."),
        (lambda f, x: _walk_back(f(x), to=x), "It works as long as the caller's `x` already requires a gradient, and "
         "it writes into it. Make a leaf of your own from the value of `x`."),
        (lambda f, x: f(x), "That is `f(x)`, the height. The slope is what `backward` leaves in `.grad`."),
        (lambda f, x: (f(x + 1e-6) - f(x - 1e-6)) / 2e-6, "The numbers are right, or nearly, but autograd did not find "
         "them: a difference of two values is an estimate. Call `backward`."),
    ],
    because="The gradient never lands on the caller's tensor, so nothing piles up and a second call gives the same.",
    hints=[
        "`backward` adds into the `.grad` of the leaf that `f` was given. Whose leaf should that be, so that nobody "
        "else notices?",
        "Make a leaf of your own with the value of `x`: `x.detach()` lets go of the caller's graph, `.clone()` copies, "
        "and `.requires_grad_()` starts a new record.",
        "Give `f` your own leaf, call `backward` on what it returns, and return the `.grad` of that same leaf.",
    ],
)
def slope(f, x):
    own = x.detach().clone().requires_grad_()
    f(own).backward()
    return own.grad


@slope.right
def _(f, x):
    own = torch.tensor(x.item(), requires_grad=True)
    f(own).backward()
    return own.grad.item()


@slope.right
def _(f, x):
    own = x.detach().requires_grad_()
    return torch.autograd.grad(f(own), own)[0]


@slope.mistake(
    "The numbers are right, but the caller's `.grad` is lost: you clear `x.grad` and write into it. Work on a leaf of "
    "your own, then nothing has to be cleared."
)
def _(f, x):
    x.requires_grad_()
    x.grad = None
    f(x).backward()
    return x.grad


@slope.mistake(
    "Where `x` requires a gradient, its clone was computed from it, so the clone is not a leaf and gets no `.grad`. "
    "Put a `detach()` in front."
)
def _(f, x):
    own = x.clone().requires_grad_()
    f(own).backward()
    return own.grad


@prediction(
    """
    At $x = 3$, `y = x**2`, then `y.backward(retain_graph=True)`, then `y.backward()`. What stands in `x.grad` at the
    end? Type a number, or `"error"` if you expect one.
    """,
    mistakes=[
        (6.0, "That is what one walk brings. The second finds the same, and what does `backward` do with it?"),
        (36.0, "Two walks over the same graph are not multiplied: each adds its share to `.grad`."),
        (2.0, "You differentiate the derivative. The second walk starts at `y` again: it is the *first* derivative."),
        (18.0, "You add up values of `y`. What `backward` adds up are slopes."),
        (8.0, "You add the second derivative to the first. But the second walk starts at `y` again, not at `x.grad`."),
        ("error", "Without `retain_graph=True` there would be one. Here the first walk keeps the saved tensors, so a "
         "second is allowed."),
    ],
    because=(
        "Two walks through the same graph each add $2x = 6$; `retain_graph` only keeps the saved values for the "
        "second one."
    ),
    hints=[
        "What does a single walk leave in `x.grad`? And what does `retain_graph=True` change for the second?",
        "`AccumulateGrad` does what its name says.",
    ],
)
def backward_twice():
    x = torch.tensor(3.0, requires_grad=True)
    y = x**2
    y.backward(retain_graph=True)
    y.backward()
    return x.grad


def _some_graph():
    x, w = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0, requires_grad=True)
    u = x * w
    return u * torch.sin(u) + 5 * u


def _doubled_ten_times():
    y = torch.tensor(1.0, requires_grad=True)
    for _ in range(10):
        y = y + y
    return y


def _nodes(y, *, skip=(None,)):
    nodes = [y.grad_fn]
    for node in nodes:
        nodes += {below: True for below, _ in node.next_functions if below not in skip and below not in nodes}
    return nodes


def _walk(node, *, inputs=None):
    if node is None:
        return []
    return [_short(node)] + [name for below, _ in node.next_functions[:inputs] for name in _walk(below, inputs=inputs)]


def _walk_into_none(node):
    return [_short(node)] + [name for below, _ in node.next_functions for name in _walk_into_none(below)]


def _by_name(y, *, next_is):
    names, to_visit = [], [y.grad_fn]
    while to_visit:
        node = to_visit.pop(next_is)
        if node is not None and _short(node) not in names:
            names.append(_short(node))
            to_visit += [below for below, _ in node.next_functions]
    return names


def _add_nodes(y):
    to_visit = [y.grad_fn]
    for node in to_visit:
        for below, _ in node.next_functions:
            to_visit += below
    return to_visit


def _short(node):
    return node.name().split("::")[-1]


def _in_order(found):
    return found if found is None or isinstance(found, str | int) else sorted(found, key=str)


def _same_again(graph_nodes):
    y, other = _some_graph(), _some_graph()
    return _in_order(graph_nodes(y)) == _in_order(graph_nodes(y)) == _in_order(graph_nodes(other))


@exercise(
    """
    Write `graph_nodes(y)`: a list of the names of all nodes in the graph of `y`, from `y.grad_fn` back to the leaves,
    each node once, in any order. A node tells its name by `node.name()`; keep what stands after the last `::`, so
    that the node of a leaf is called `AccumulateGrad`.
    """,
    probe={
        "u * sin(u) + 5u with u = x·w": lambda graph_nodes: _in_order(graph_nodes(_some_graph())),
        "a second call finds the same, with the same y or with one like it": _same_again,
        "y = y + y, ten times": lambda graph_nodes: len(_in_order(graph_nodes(_doubled_ten_times()))),
    },
    mistakes=[
        (lambda y: _walk(y.grad_fn), "You visit a node once for every path that leads to it. In this graph paths meet "
         "again: remember which nodes you have seen."),
        (lambda y: [_short(node) for node in _nodes(y) if node.next_functions], "The leaves are missing. A leaf has no "
         "`grad_fn`, but the graph has a node for it: the `AccumulateGrad` where a path ends."),
        (lambda y: {_short(node) for node in _nodes(y)}, "Two different nodes may have the same name. Remember the "
         "nodes you have seen, not their names."),
        (lambda y: _walk_into_none(y.grad_fn), "An input that needs no gradient (the 5 here) stands as None among the "
         "`next_functions`. Step over it."),
        (lambda y: _walk(y.grad_fn, inputs=1), "You follow only the first of the `next_functions`. There is one for "
         "each input of the operation: follow them all."),
        (lambda y: [node.name() for node in _nodes(y)], "Nearly: keep only what stands after the last `::`, as in "
         "`node.name().split(\"::\")[-1]`."),
        (lambda y: [_short(node) for node in _nodes(y)[1:]], "The node you start from is missing: `y.grad_fn` belongs "
         "to the graph."),
        (lambda y: [_short(node) for node, _ in y.grad_fn.next_functions], "You look one step back. Go on from there, "
         "until there are no `next_functions` left."),
        (lambda y: [_short(node) for node in _nodes(y, skip=())], "You remember the nodes you have seen, as you "
         "should. But an input that needs no gradient (the 5 here) stands as None among the `next_functions`: step "
         "over it."),
        (lambda y: _by_name(y, next_is=-1), "You stop at a name that you have met before. But a second multiplication "
         "is a separate node with the same name. Remember nodes, not names."),
        (lambda y: _by_name(y, next_is=0), "You skip a node when its *name* has been there already. Two nodes may have "
         "the same name: remember the nodes themselves."),
        (lambda y: _nodes(y), "Those are the nodes. Their names are asked for."),
        (lambda y: [_short(pair) for pair in y.grad_fn.next_functions], "Each of the `next_functions` is a pair, and "
         "its first part is the node. Take the pair apart."),
        (lambda y: [_short(node) for node in _add_nodes(y)], "A node is no list, so `+=` cannot take it apart. Put it "
         "into your list with `append`, or wrap it in brackets."),
        (lambda y: [y.name()], "You start at the tensor `y`, and a tensor is no node. The graph begins at the node "
         "that made it, `y.grad_fn`."),
        (lambda y, seen={None}: [seen.add(node) or _short(node) for node in _nodes(y) if node not in seen],
         "The first call is right, a second call with the same `y` finds other names: what you collect is made once, "
         "outside the function or as a default, and is still full. Make it anew inside the function."),
    ],
    because=(
        "A value that is used twice has one node and two ways to it, so a walk has to remember which nodes it has "
        "seen."
    ),
    hints=[
        "`node.next_functions` is a tuple of pairs; the first of each pair is the next node on the way back, or None.",
        "Keep a list of nodes to visit, and start it with `y.grad_fn`. Take one out, note its name, put its next in.",
        "Where two paths meet, you arrive at the same node twice. Remember the nodes (not the names) you have seen.",
    ],
)
def graph_nodes(y):
    names, seen, to_visit = [], set(), [y.grad_fn]
    while to_visit:
        node = to_visit.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        names.append(node.name().split("::")[-1])
        to_visit.extend(next_node for next_node, _ in node.next_functions)
    return names


@graph_nodes.right
def _(y):
    seen = {}

    def visit(node):
        if node is not None and node not in seen:
            seen[node] = type(node).__name__.split("::")[-1]
            for next_node, _ in node.next_functions:
                visit(next_node)

    visit(y.grad_fn)
    return sorted(seen.values())


def dydx(x):
    u = x**2
    dy_du = torch.sin(u) + u * torch.cos(u)
    return dy_du * 2 * x


def _by_autograd(x):
    x = x.detach().requires_grad_()
    u = x**2
    (u * torch.sin(u)).sum().backward()
    return x.grad


def _by_differences(x, h=1e-6):
    ahead, behind = (x + h) ** 2, (x - h) ** 2
    return (ahead * torch.sin(ahead) - behind * torch.sin(behind)) / (2 * h)


diamond = Exercise(
    """
    Let $u = x^2$ and $y = u \\sin u$. Write `dydx(x)`, the derivative of $y$ with respect to $x$, **by hand**: with
    `torch.sin`, `torch.cos` and arithmetic, but without autograd. `x` is a tensor.
    """,
    dydx,
    probe={
        "the slope is found by hand, without autograd": lambda dydx: by_hand(dydx, torch.ones(2)),
        "x from −2 to 2.5": lambda dydx: dydx(torch.linspace(-2, 2.5, 10)),
        "x = 2²⁰, where y swings too fast for differences": lambda dydx: dydx(torch.tensor([2.0**20])),
    },
    also_right=[lambda x: 2 * x * torch.sin(x**2) + 2 * x**3 * torch.cos(x**2)],
    mistakes=[
        (lambda x: torch.sin(x**2) * 2 * x, "That is the path through the factor `u` alone. `u` also stands inside the "
         "sine: a second path, to be added."),
        (lambda x: x**2 * torch.cos(x**2) * 2 * x, "That is the path through `sin u` alone. `u` is also a factor: a "
         "second path, to be added."),
        (lambda x: torch.sin(x**2) + x**2 * torch.cos(x**2), "That is $dy/du$, and right. One step is missing: from "
         "$u$ back to $x$, with the local derivative of $x^2$."),
        (lambda x: torch.sin(x**2) * x**2 * torch.cos(x**2) * 2 * x, "You multiply what arrives along the two paths. "
         "Along *one* path derivatives multiply; where paths *meet*, they add."),
        (lambda x: torch.cos(x**2) * 2 * x, "A product has not the product of the derivatives as its derivative. Take "
         "the two uses of `u` one at a time, then add."),
        (lambda x: torch.sin(x**2) + x**2 * torch.cos(x**2) * 2 * x, "The last step, from $u$ back to $x$, belongs to "
         "both paths, and only one has it. Add first, then multiply the sum; brackets help."),
        (lambda x: 2 * x * torch.sin(x**2) + x**2 * torch.cos(x**2), "The path through `sin u` stops at $u$: the last "
         "step, from $u$ back to $x$, belongs to both paths. Multiply the whole sum by it."),
        (lambda x: (torch.sin(x**2) - x**2 * torch.cos(x**2)) * 2 * x, "One sign is wrong: the derivative of the sine "
         "is the cosine, with a plus."),
        (lambda x: (torch.cos(x**2) + x**2 * torch.sin(x**2)) * 2 * x, "Sine and cosine are swapped: the path through "
         "the factor `u` is multiplied by the *other factor*, and the path through the sine by the sine's derivative."),
        (lambda x: (torch.sin(x) + x * torch.cos(x)) * 2 * x, "Inside the sine and in front of the cosine stands $u$, "
         "not $x$: each local derivative is taken at the value that was there on the way up."),
        (lambda x: (torch.sin(x**2) + torch.cos(x**2)) * 2 * x, "On the path through `sin u` a factor is missing: at "
         "the product, its local derivative is the *other* factor."),
        (lambda x: dydx(x) / 2, "The last factor is $du/dx$, and $u = x^2$: a factor 2 is missing."),
        (lambda x: x**2 * torch.sin(x**2), "That is $y$ itself. Its derivative is asked for."),
        (_by_autograd, "The number is right, and it is autograd that found it. This once, walk yourself: only `sin`, "
         "`cos` and arithmetic."),
        (_by_differences, "The numbers are right, or nearly, but differences of `y` are estimates: where `y` swings "
         "fast, they fail. Follow the chain rule along both paths."),
        (lambda x: (x**2 * torch.sin(x**2)).sum().backward(), "You ask autograd, and it finds no record of `x`. No "
         "record is needed: walk yourself this once, with `sin`, `cos` and arithmetic, and return the number."),
        (lambda x: (torch.sin(x**2) + x**2 * torch.cos(x**2)) * 2 * x**2, "The sum is right. The last factor is "
         "$du/dx$, the derivative of $x^2$: you multiply by $2u$, twice the value itself."),
        (lambda x: (torch.sin(2 * x) + 2 * x * torch.cos(2 * x)) * 2 * x, "Going forward, $u$ is $x^2$. You put its "
         "*derivative*, $2x$, in its place."),
        (lambda x: (torch.sin(x**2) + x**2 * torch.cos(x**2)) * 2, "The sum is right. The last step, from $u$ back to "
         "$x$, multiplies by the derivative of $x^2$, and that is not 2 everywhere."),
    ],
    because="`u` reaches `y` on two paths, and their shares add up: $(\\sin u + u \\cos u) \\cdot 2x$.",
    hints=[
        "`u` is used twice: two paths lead from $y$ back to $u$, one through the factor `u`, one through `sin u`.",
        "Hold the other use still and differentiate each path on its own. What happens where the paths meet?",
        "$\\frac{dy}{du}$ is the sum of the two. One step is left: from $u$ back to $x$.",
    ],
)


@prediction(
    """
    A page that is widely copied sets $x = 2$, computes `y = x * 2` and `z = y * y`, and prints a gradient of 8. What
    does `x.grad` really hold after `z.backward()`?
    """,
    mistakes=[
        (8.0, "That is the page's number, the gradient at `y`. The walk is not over: one more step leads from `y` to "
         "`x`."),
        (4.0, "That is one of several factors. `y` is 4, it is used twice, and behind it stands `x * 2`: follow both "
         "steps."),
        (2.0, "That is the last local derivative, from `y` back to `x`. What arrives at `y` is multiplied by it."),
        (32.0, "A factor 2 too many: the two uses of `y` are added once, then comes the step through `x * 2`."),
        ("error", "Nothing is forbidden here: a value may be used twice, and `z` is one number."),
    ],
    because="Two factors meet: $dz/dy = 2y = 8$ at $y = 4$, and $dy/dx = 2$; the page forgot the second.",
    hints=[
        "Walk backwards: first from `z` to `y`, where two edges meet, then from `y` to `x`.",
        "In one formula: $z = (2x)^2 = 4x^2$.",
    ],
)
def find_the_mistake():
    x = torch.tensor(2.0, requires_grad=True)
    y = x * 2
    z = y * y
    z.backward()
    return x.grad


misplaced_zero_grad = Prediction(
    """
    Three steps down $w^2$ from $w = 4$, with `optimizer.zero_grad()` in **one** of the places A, B and C. In which of
    them does it keep `w` from moving at all? Type `"A"`, `"B"` or `"C"`.

    ```python
    for _ in range(3):
        # A
        loss = w**2
        loss.backward()
        # B
        optimizer.step()
        # C
    ```
    """,
    "B",
    probe=names_among("A", "B", "C"),
    mistakes=[
        ("A", "At the top of the loop it clears what the round before has left. The new gradient comes after it, and "
         "`step` uses it."),
        ("C", "After the step the gradient has done its work. Clearing it there is as good as clearing it before the "
         "next `backward`."),
    ],
    because="At B the gradient is thrown away after `backward` has computed it and before `step` can use it.",
    hints=[
        "`backward` writes the gradient, `step` reads it. When must it not be thrown away?",
        "Play each place through: what is in `.grad` at the moment when `step` looks?",
    ],
)
