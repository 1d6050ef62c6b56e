"""Exercises of lesson 02: the chain rule, walked backwards."""

import torch

from .exercise import Exercise, exercise, prediction
from .observe import canonical


@prediction(
    "Let $y = 3x^2$ at $x = 3$. What will `x.grad` hold after `y.backward()`?",
    mistakes=[
        (27.0, "That is `y` itself, the height at 3. `x.grad` holds the slope."),
        (6.0, "That is the slope of $x^2$ at 3. The factor 3 in front stays."),
        (9.0, "One factor is missing: the exponent comes down, so the derivative of $x^2$ is $2x$."),
        (54.0, "That is the slope of $(3x)^2$. In $3x^2$ only the $x$ is squared."),
    ],
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
    Three rounds on the same leaf, $x = 2$: each computes $y = x^2$ anew and calls `y.backward()`. Before the third round,
    `x.grad.zero_()` is called. What stands in `x.grad` after each round? Type three numbers: `prediction = [.., .., ..]`.
    """,
    mistakes=[
        ([4.0, 4.0, 4.0], "You expect each round to replace what was there. `backward` *adds* to `.grad`."),
        ([4.0, 8.0, 12.0], "The first two are right. Before the third round `.grad` is set to zero: the sum starts again."),
        ([4.0, 8.0, 0.0], "The first two are right. The third round comes after the zeroing, and it adds its own share."),
        ([4.0, 0.0, 4.0], "Nothing is zeroed between the first round and the second: what was there stays."),
        ([4.0, 16.0, 4.0], "The shares of two rounds are added, not multiplied."),
        ([2.0, 4.0, 2.0], "The second derivative is 2 everywhere; the slope of $x^2$ at 2 is twice as much. Your pattern is right."),
    ],
    hints=[
        "One round alone leaves the slope of $x^2$ at 2, which is $2 \\cdot 2$.",
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


def _leaves_gradient(slope):
    x = torch.tensor(1.5, requires_grad=True)
    x.grad = torch.tensor(7.0)
    slope(_cubic, x)
    return x.grad is not None and x.grad.item() == 7


def _leaves_flag(slope):
    x = torch.tensor(1.5)
    slope(_cubic, x)
    return not x.requires_grad


@exercise(
    """
    Write `slope(f, x)`: the derivative of `f` at `x`, found with `backward`. `x` is a tensor with one number; it may or
    may not require a gradient. Your function leaves the caller's tensor as it was, `x.grad` included, and gives the same
    answer when it is called again.
    """,
    probe={
        "an x that requires no gradient": lambda slope: slope(_cubic, torch.tensor(1.5)),
        "called twice with the same x, which requires a gradient": _twice,
        "x.grad is as it was before the call": _leaves_gradient,
        "x.requires_grad is as it was before the call": _leaves_flag,
    },
    hints=[
        "`backward` adds into the `.grad` of the leaf that `f` was given. Whose leaf should that be, so that nobody else notices?",
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
    "The number of the first call is right, and then it grows: you write into the caller's `x`, where every call adds to "
    "`x.grad`. Work on a leaf of your own."
)
def _(f, x):
    x.requires_grad_()
    f(x).backward()
    return x.grad


@slope.mistake(
    "The numbers are right, but the caller's `.grad` is lost: you clear `x.grad` and write into it. "
    "Work on a leaf of your own, then nothing has to be cleared."
)
def _(f, x):
    x.requires_grad_()
    x.grad = None
    f(x).backward()
    return x.grad


@slope.mistake("`backward()` returns None: it writes the slope into `.grad` of the leaf. Return that.")
def _(f, x):
    own = x.detach().clone().requires_grad_()
    return f(own).backward()


@slope.mistake(
    "`f` never saw your new tensor: you made it, but called `f` with the old one. Only the leaf that `f` was given gets a gradient."
)
def _(f, x):
    own = x.detach().clone().requires_grad_()
    f(x).backward()
    return own.grad


@slope.mistake(
    "Where `x` requires a gradient, its clone was computed from it, so the clone is not a leaf and gets no `.grad`. "
    "Put a `detach()` in front."
)
def _(f, x):
    own = x.clone().requires_grad_()
    f(own).backward()
    return own.grad


@slope.mistake("That is `f(x)`, the height. The slope is what `backward` leaves in `.grad`.")
def _(f, x):
    return f(x)


@slope.mistake(
    "It works as long as the caller's `x` already requires a gradient, and it writes into it. Make a leaf of your own from the value of `x`."
)
def _(f, x):
    f(x).backward()
    return x.grad


@prediction(
    """
    At $x = 3$, `y = x**2`, then `y.backward(retain_graph=True)`, then `y.backward()`. What stands in `x.grad` at the end?
    Type a number, or `"error"` if you expect one.
    """,
    mistakes=[
        (6.0, "That is what one walk brings. The second walk finds the same, and what does `backward` do with what it finds?"),
        (36.0, "Two walks over the same graph are not multiplied: each adds its share to `.grad`."),
        (2.0, "You differentiate the derivative. The second walk starts at `y` again, so it finds the *first* derivative again."),
        (18.0, "You add up values of `y`. What `backward` adds up are slopes."),
        (8.0, "You add the second derivative to the first. The second walk starts at `y` again and finds the first derivative again."),
        ("error", "Without `retain_graph=True` there would be one. Here the first walk keeps the saved tensors, so a second is allowed."),
    ],
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


def _sorted_names(graph_nodes):
    return sorted(graph_nodes(_some_graph()))


def _shared_ten_times(graph_nodes):
    y = torch.tensor(1.0, requires_grad=True)
    for _ in range(10):
        y = y + y
    return len(graph_nodes(y))


@exercise(
    """
    Write `graph_nodes(y)`: a list of the names of all nodes in the graph of `y`, from `y.grad_fn` back to the leaves,
    each node once, in any order. A node tells its name by `node.name()`; keep what stands after the last `::`, so that
    the node of a leaf is called `AccumulateGrad`.
    """,
    probe={"u * sin(u) + 5u with u = x·w": _sorted_names, "y = y + y, ten times": _shared_ten_times},
    hints=[
        "`node.next_functions` is a tuple of pairs; the first of each pair is the next node on the way back, or None.",
        "Keep a list of nodes still to visit, and start it with `y.grad_fn`. Take one out, note its name, put its next nodes in.",
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


def _walk(node, *, visit_leaves=True, all_branches=True):
    if node is None:
        return []
    below = node.next_functions if all_branches else node.next_functions[:1]
    names = [node.name().split("::")[-1]] if visit_leaves or node.next_functions else []
    return names + [name for next_node, _ in below for name in _walk(next_node, visit_leaves=visit_leaves, all_branches=all_branches)]


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


@graph_nodes.mistake(
    "You visit a node once for every path that leads to it. In this graph paths meet again: remember which nodes you have seen."
)
def _(y):
    return _walk(y.grad_fn)


@graph_nodes.mistake(
    "The leaves are missing. A leaf has no `grad_fn`, but the graph has a node for it: the `AccumulateGrad` where a path ends."
)
def _(y):
    nodes, to_visit = [], [y.grad_fn]
    for node in to_visit:
        if node is not None and node.next_functions and node not in nodes:
            nodes.append(node)
            to_visit.extend(next_node for next_node, _ in node.next_functions)
    return [node.name().split("::")[-1] for node in nodes]


@graph_nodes.mistake("Two different nodes may have the same name. Remember the nodes you have seen, not their names.")
def _(y):
    return set(graph_nodes.answer(y))


@graph_nodes.mistake("An input that needs no gradient (the 5 here) stands as None among the `next_functions`. Step over it.")
def _(y):
    nodes, to_visit = [], [y.grad_fn]
    for node in to_visit:
        if node not in nodes:
            nodes.append(node)
            to_visit.extend(next_node for next_node, _ in node.next_functions)
    return [node.name().split("::")[-1] for node in nodes]


@graph_nodes.mistake("You follow only the first of the `next_functions`. There is one for each input of the operation: follow them all.")
def _(y):
    return _walk(y.grad_fn, all_branches=False)


@graph_nodes.mistake("Nearly: keep only what stands after the last `::`, as in `node.name().split(\"::\")[-1]`.")
def _(y):
    seen, to_visit = [], [y.grad_fn]
    for node in to_visit:
        if node is not None and node not in seen:
            seen.append(node)
            to_visit.extend(next_node for next_node, _ in node.next_functions)
    return [node.name() for node in seen]


@graph_nodes.mistake("The node you start from is missing: `y.grad_fn` belongs to the graph.")
def _(y):
    names = graph_nodes.answer(y)
    names.remove(y.grad_fn.name())
    return names


@graph_nodes.mistake("You look one step back. Go on from there, until there are no `next_functions` left.")
def _(y):
    return [node.name().split("::")[-1] for node, _ in y.grad_fn.next_functions]


def _without_autograd(dydx):
    with torch.no_grad():
        return dydx(torch.tensor([0.5, 1.5]))


def dydx(x):
    u = x**2
    dy_du = torch.sin(u) + u * torch.cos(u)
    return dy_du * 2 * x


def _where_nothing_is_recorded(dydx):
    with torch.no_grad():
        return dydx(torch.tensor([0.5, 1.5]))


diamond = Exercise(
    """
    Let $u = x^2$ and $y = u \\sin u$. Write `dydx(x)`, the derivative of $y$ with respect to $x$, **by hand**: with
    `torch.sin`, `torch.cos` and arithmetic, but without autograd. `x` is a tensor.
    """,
    dydx,
    probe={
        "x from −2 to 2": lambda dydx: dydx(torch.linspace(-2, 2, 9)),
        "where nothing is recorded": _where_nothing_is_recorded,
    },
    hints=[
        "`u` is used twice, so there are two paths from $y$ back to $u$: one through the factor `u`, one through `sin u`.",
        "Hold the other use still and differentiate each path on its own. What happens to the two results where the paths meet?",
        "$\\frac{dy}{du}$ is the sum of the two. One step is left: from $u$ back to $x$.",
    ],
)


@diamond.right
def _(x):
    return 2 * x * torch.sin(x**2) + 2 * x**3 * torch.cos(x**2)


@diamond.mistake("That is the path through the factor `u` alone. `u` also stands inside the sine: a second path, to be added.")
def _(x):
    return torch.sin(x**2) * 2 * x


@diamond.mistake("That is the path through `sin u` alone. `u` is also a factor: a second path, to be added.")
def _(x):
    return x**2 * torch.cos(x**2) * 2 * x


@diamond.mistake("That is $dy/du$, and right. One step is missing: from $u$ back to $x$, with the local derivative of $x^2$.")
def _(x):
    u = x**2
    return torch.sin(u) + u * torch.cos(u)


@diamond.mistake("You multiply what arrives along the two paths. Along *one* path derivatives multiply; where paths *meet*, they add.")
def _(x):
    u = x**2
    return torch.sin(u) * u * torch.cos(u) * 2 * x


@diamond.mistake("A product has not the product of the derivatives as its derivative. Take the two uses of `u` one at a time, then add.")
def _(x):
    return torch.cos(x**2) * 2 * x


@diamond.mistake("That is $y$ itself. Its derivative is asked for.")
def _(x):
    return x**2 * torch.sin(x**2)


@diamond.mistake("The last factor is $du/dx$, and $u = x^2$: a factor 2 is missing.")
def _(x):
    u = x**2
    return (torch.sin(u) + u * torch.cos(u)) * x


@diamond.mistake("The number is right, and it is autograd that found it. This once, walk yourself: only `sin`, `cos` and arithmetic.")
def _(x):
    x = x.detach().requires_grad_()
    u = x**2
    y = u * torch.sin(u)
    y.sum().backward()
    return x.grad


@prediction(
    """
    A page that is widely copied sets $x = 2$, computes `y = x * 2` and `z = y * y`, and prints a gradient of 8. What does
    `x.grad` really hold after `z.backward()`?
    """,
    mistakes=[
        (8.0, "That is the page's number, the gradient at `y`. The walk is not over: one more step leads from `y` to `x`."),
        (4.0, "That is one of several factors. `y` is 4, it is used twice, and behind it stands `x * 2`: follow both steps."),
        (2.0, "That is the last local derivative, from `y` back to `x`. What arrives at `y` is multiplied by it."),
        (32.0, "A factor 2 too many: the two uses of `y` are added once, then comes the step through `x * 2`."),
        ("error", "Nothing is forbidden here: a value may be used twice, and `z` is one number."),
    ],
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


@prediction(
    """
    Three steps down $w^2$ from $w = 4$, with `optimizer.zero_grad()` in **one** of the places A, B and C. In which of them
    does it keep `w` from moving at all? Type `"A"`, `"B"` or `"C"`.

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
    mistakes=[
        ("A", "At the top of the loop it clears what the round before has left. The new gradient comes after it, and `step` uses it."),
        ("C", "After the step the gradient has done its work. Clearing it there is as good as clearing it before the next `backward`."),
    ],
    hints=[
        "`backward` writes the gradient, `step` reads it. When must it not be thrown away?",
        "Play each place through: what is in `.grad` at the moment when `step` looks?",
    ],
)
def misplaced_zero_grad():
    def w_after_three_steps(place):
        w = torch.tensor(4.0, requires_grad=True)
        optimizer = torch.optim.SGD([w], lr=0.1)
        for _ in range(3):
            if place == "A":
                optimizer.zero_grad()
            (w**2).backward()
            if place == "B":
                optimizer.zero_grad()
            optimizer.step()
            if place == "C":
                optimizer.zero_grad()
        return w.item()

    return next(place for place in "ABC" if w_after_three_steps(place) == 4)
