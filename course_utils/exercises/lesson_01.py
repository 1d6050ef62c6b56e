"""Exercises of lesson 01: what PyTorch remembers."""

import torch

from .exercise import exercise, prediction
from .side_effects import touches_nothing_else
from .sorts import names_among


@prediction(
    """
    Which of `a`, `b`, `c`, `d` have a `.grad` after these lines? Type their names, one or more:
    `prediction = ["…", "…"]`.

    ```python
    a = torch.ones(2, requires_grad=True)
    b = 2 * a
    c = b.detach()
    d = torch.ones(2)
    b.sum().backward()
    ```
    """,
    probe=names_among("a", "b", "c", "d"),
    mistakes=[
        (["a", "b"], "`b` takes part, and a gradient passes through it. But it was computed, so it is not a leaf, and "
         "only leaves keep theirs."),
        (["b"], "`backward` starts at `b` and passes through it. What it finds is kept at the end of the walk, in the "
         "leaf."),
        (["a", "d"], "`d` is a leaf, but nobody asked for its gradient, and the walk from `b` never comes near it."),
        (["a", "c"], "`c` has the values of `b`, but no way back: `detach` leaves the history behind."),
        (["a", "b", "c"], "Two too many. `b` was computed, so it is not a leaf; `c` is cut off from the graph."),
        (["a", "b", "c", "d"], "Three too many. Ask of each: is it a leaf, did it ask for a gradient, and does the "
         "walk from `b` reach it?"),
        ([], "One of them has. Walk back from `b`: where does the path end?"),
    ],
    also_right=["a", {"a"}, "A"],
    because=(
        "`backward` fills `.grad` only of leaves that require a gradient: `b` is no leaf, `c` is cut off, and `d` "
        "never asked."
    ),
    hints=[
        "`.grad` is filled in leaves only: tensors that were made, not computed.",
        "Three questions to each tensor: is it a leaf, does it require a gradient, does the walk from `b` reach it?",
    ],
)
def who_gets_grad():
    a = torch.ones(2, requires_grad=True)
    b = 2 * a
    c = b.detach()
    d = torch.ones(2)
    b.sum().backward()
    tensors = {"a": a, "b": b, "c": c, "d": d}
    return [name for name, tensor in tensors.items() if tensor.is_leaf and tensor.grad is not None]


def _trained(trainable):
    torch.set_default_dtype(torch.float32)
    return trainable([4, -1, 2])


def _gradient_of_squares(trainable):
    x = _trained(trainable)
    (x * x).sum().backward()
    return x.grad


@exercise(
    """
    Write `trainable(data)`: it gets a list of whole numbers and returns them as a tensor of dtype `torch.float64`
    that collects gradients, that is, a leaf whose `.grad` is filled by `backward`.
    """,
    probe={
        "what comes back is a tensor": lambda trainable: isinstance(_trained(trainable), torch.Tensor),
        "the numbers for [4, -1, 2]": lambda trainable: torch.Tensor.detach(_trained(trainable)),
        "the dtype is torch.float64": lambda trainable: _trained(trainable).dtype == torch.float64,
        "the tensor requires a gradient": lambda trainable: _trained(trainable).requires_grad,
        "the tensor is a leaf": lambda trainable: _trained(trainable).is_leaf,
        "x.grad after (x * x).sum().backward()": _gradient_of_squares,
    },
    mistakes=[
        (lambda data: torch.tensor(data, requires_grad=True), "Whole numbers make an integer tensor, and integers "
         "cannot be moved a little, so they have no gradient. Say `dtype=torch.float64` where the tensor is made."),
        (lambda data: torch.tensor(data, dtype=torch.float32, requires_grad=True).double(),
         "Something happens after the flag is set: a cast, a copy, a product. So the tensor you return was *computed* "
         "from the leaf; it is not a leaf, and the gradient ends up in a tensor that nobody has a name for."),
        (lambda data: torch.tensor(data, dtype=torch.float64), "The numbers and the dtype are right, but the tensor is "
         "a constant: nothing asks for its gradient."),
        (lambda data: torch.tensor([float(number) for number in data], requires_grad=True),
         "It collects gradients, but in `float32`, the dtype that Python's floats get unless you name another. The "
         "task asks for `torch.float64`: name it where the tensor is made."),
        (lambda data: torch.tensor(data), "Neither the dtype nor the flag is there yet. Set both in the call of "
         "`torch.tensor` that makes the tensor."),
        (lambda data: torch.tensor(data).double().requires_grad_().requires_grad,
         "`requires_grad_()` returns the tensor; `requires_grad` without brackets at the end is only the flag, True or "
         "False."),
        (lambda data: torch.tensor(data).grad, "Your function returns None. Is there a `return`, and is it the tensor "
         "that is returned? Its `.grad` is None until `backward` has run."),
    ],
    because=(
        "Only floating-point tensors can change a little, and the tensor stays a leaf because you switch the flag "
        "on last."
    ),
    hints=[
        "Three things at once: the numbers, the dtype, the flag. `torch.tensor` takes all three.",
        "If you change the dtype by a cast, do it *before* the flag is set: what is computed from a tracked tensor is "
        "not a leaf.",
    ],
)
def trainable(data):
    return torch.tensor(data, dtype=torch.float64, requires_grad=True)


@trainable.right
def _(data):
    return torch.tensor(data).double().requires_grad_()


def _network():
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 4), torch.nn.Linear(4, 2))
    net[2].register_forward_hook(lambda *_: None)
    return net


def _after_backward(freeze_first):
    net = _network()
    freeze_first(net)
    output = net(torch.ones(1, 3)).sum()
    if output.requires_grad:
        output.backward()
    return net


def _frozen(name):
    return lambda freeze_first: getattr(_after_backward(freeze_first)[0], name).grad is None


def _reached(place):
    return lambda freeze_first: (
        None not in [weight.grad for weight in _after_backward(freeze_first)[place].parameters()]
    )


def _changes_flags_only(freeze_first):
    net = _network()
    return touches_nothing_else(lambda: freeze_first(net), {"net": net}, but={"requires_grad"})


@exercise(
    """
    Write `freeze_first(net)`: afterwards `backward` reaches every layer of `net` but the first. `net` is an
    `nn.Sequential`, `net[0]` its first layer, with a weight and a bias. Your function changes `net` and returns
    nothing.
    """,
    probe={
        "the first layer's weight gets no gradient": _frozen("weight"),
        "the first layer's bias gets no gradient": _frozen("bias"),
        "the last layer gets its gradients": _reached(-1),
        "the layers in between get their gradients": _reached(2),
        "nothing but flags is changed": _changes_flags_only,
    },
    because=(
        "Autograd reads `requires_grad` of each parameter; a module has no such switch that `backward` would look "
        "at."
    ),
    hints=[
        "Gradients are collected by parameters, not by layers: the flag belongs to each of `net[0].parameters()`.",
        "A module has a method that sets the flag of all its parameters; its name ends with an underscore.",
    ],
)
def freeze_first(net):
    for parameter in net[0].parameters():
        parameter.requires_grad = False


@freeze_first.right
def _(net):
    net[0].requires_grad_(False)


@freeze_first.mistake(
    "Both parameters of the first layer still require a gradient. If you wrote `net[0].requires_grad = False`: that "
    "gives the layer a new Python attribute that PyTorch never looks at. The flag belongs to each parameter; the "
    "method with the underscore, `requires_grad_`, sets it on all of them."
)
def _(net):
    net[0].requires_grad = False


@freeze_first.mistake(
    "Now no layer gets a gradient: you froze all of `net`. Only the parameters of `net[0]` are meant."
)
def _(net):
    for parameter in net.parameters():
        parameter.requires_grad = False


@freeze_first.mistake(
    "The weight is frozen, the bias is not. A layer may have several parameters; take all of `net[0].parameters()`."
)
def _(net):
    net[0].weight.requires_grad = False


@freeze_first.mistake(
    "The bias is frozen, the weight is not. A layer may have several parameters; take all of `net[0].parameters()`."
)
def _(net):
    net[0].bias.requires_grad = False


@freeze_first.mistake(
    "It is the other way round now: the first layer gets its gradients, and all the others are frozen."
)
def _(net):
    for layer in net[1:]:
        layer.requires_grad_(False)


@freeze_first.mistake(
    "The first layer still gets its gradients, and the last layer gets none. The first layer is `net[0]`."
)
def _(net):
    net[-1].requires_grad_(False)


@freeze_first.mistake(
    "The first layer is frozen, but not every other layer gets its gradients. Where there are more than two layers, "
    "those in the middle are to learn as well."
)
def _(net):
    net.requires_grad_(False)
    net[-1].requires_grad_(True)


@freeze_first.mistake(
    "`eval()` changes how dropout and batch normalisation behave. It does not stop gradients: the first layer still "
    "gets its own."
)
def _(net):
    net[0].eval()


@freeze_first.mistake(
    "Gradients still reach the first layer, and its weights are gone. Freezing keeps the values and takes the flag "
    "away."
)
def _(net):
    with torch.no_grad():
        for parameter in net[0].parameters():
            parameter.zero_()


@prediction(
    """
    Which of `c`, `d`, `e`, `f` require a gradient? Type their names: `prediction = ["…", "…"]`, one or more.

    ```python
    a = torch.tensor(2.0, requires_grad=True)
    b = torch.tensor(3.0)
    c = a * b
    d = b * b
    e = 0 * a
    f = a > b
    ```
    """,
    probe=names_among("c", "d", "e", "f"),
    mistakes=[
        (["c"], "`e` is missing. Multiplying by zero gives a zero, but it is an operation on `a` all the same."),
        (["c", "e", "f"], "`f` is True or False. It jumps from one to the other and has no slope in between."),
        (["c", "f"], "`f` is True or False and cannot have a slope. And look at `e` again: PyTorch does not judge "
         "numbers."),
        (["c", "d", "e"], "`d` is made of `b` alone, and `b` has its switch off."),
        (["c", "d", "e", "f"], "Two too many. Ask of each: was `a` used, and is the result a number that can move a "
         "little?"),
        (["e"], "One is missing: is one tracked input enough, or must all inputs be tracked?"),
        (["c", "d"], "`d` is made of `b` alone, and `b` has its switch off. And one is missing."),
        ([], "Some do. Start with `c`: one of its two inputs has the switch on."),
    ],
    because=(
        "One input that requires a gradient is enough, even if it is multiplied by 0; a comparison has no slope, so"
        " `f` stays out."
    ),
    hints=[
        "A result is tracked as soon as one of the inputs is.",
        "PyTorch records which operation ran, whatever numbers it gave. But a result that is no floating number "
        "cannot be tracked.",
    ],
)
def contagion():
    a = torch.tensor(2.0, requires_grad=True)
    b = torch.tensor(3.0)
    results = {"c": a * b, "d": b * b, "e": 0 * a, "f": a > b}
    return [name for name, result in results.items() if result.requires_grad]


@prediction(
    """
    What numbers are in `x` now? Type both: `prediction = [.., ..]`.

    ```python
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x.detach()
    y.mul_(10)
    ```
    """,
    mistakes=[
        ([1.0, 2.0], "That would hold for a copy. `detach` makes none: `y` is a second name for the same memory."),
        ([10.0, 10.0], "`mul_(10)` multiplies what is there by 10; it does not write 10 everywhere."),
        ([100.0, 200.0], "The memory is shared, and it is written to once, not twice."),
        ([0.0, 0.0], "`detach` leaves the record behind, not the numbers."),
    ],
    because="`detach` cuts the graph and not the memory: `x` and `y` are two views of the same numbers.",
    hints=[
        "`detach` takes the record away. Does it also copy the numbers?",
        "The method with the underscore, `mul_`, writes into the memory of `y`. Who else looks at that memory?",
    ],
)
def shared_memory():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x.detach()
    y.mul_(10)
    return x


@prediction(
    """
    What does `x.grad` hold now? Type the number, or `"error"` if you expect one.

    ```python
    x = torch.tensor(3.0, requires_grad=True)
    y = x**2
    x.data.mul_(10)
    y.backward()
    ```
    """,
    mistakes=[
        (6.0, "That is the true slope of $x^2$ at 3, where `y` was computed. But what does the node find when it "
         "looks at `x`?"),
        ("error", "An error would be better, but there is none: `.data` hides the change from PyTorch."),
        (600.0, "The slope is $2x$, and `x` was multiplied by 10 once."),
        (30.0, "That is `x` itself now. The slope of $x^2$ is twice as much."),
        (0.0, "The record still stands, and `backward` walks it. Which value of `x` does it use?"),
        (2.0, "The slope of $x^2$ is $2x$, not 2."),
    ],
    because=(
        "`.data` hides the change from autograd, so `backward` takes $2x$ at the new $x = 30$, and nothing warns "
        "you."
    ),
    hints=[
        "The node Pow needs $2x$. It did not copy `x` in the forward pass; it kept a reference to it.",
        "Which number is in that memory by the time `backward` runs?",
    ],
)
def silent_data():
    x = torch.tensor(3.0, requires_grad=True)
    y = x**2
    x.data.mul_(10)
    y.backward()
    return x.grad


@prediction(
    """
    From which of these losses can `backward` reach `w`? Type their letters: `prediction = ["…", "…"]`, one or more.

    ```python
    w = torch.tensor([0.2, 0.9], requires_grad=True)
    A = (2 * w).sum()
    B = torch.tensor(w.tolist()).sum()
    C = w.detach().sum()
    D = (w > 0.5).float().sum()
    E = w.clone().sum()
    F = w.argmax()
    G = (w + w.detach()).sum()
    with torch.no_grad():
        H = (w * w).sum()
    ```
    """,
    probe=names_among(*"ABCDEFGH"),
    mistakes=[
        (["A", "E"], "`G` is missing. One of its two roads is cut, the other is open."),
        (["A", "G"], "`E` is missing. `clone` copies the numbers, and the copying is recorded."),
        (["A"], "Two are missing. Look for results that `w` reaches on at least one recorded road."),
        (["A", "D", "E", "G"], "`D` asks yes-or-no questions. `float()` turns the answers into numbers, but the "
         "trail ended before."),
        (["A", "B", "E", "G"], "`B` goes through a Python list, and plain numbers carry no record."),
        (["A", "C", "E", "G"], "`C` has the numbers of `w` and nothing of its record: that is what `detach` is for."),
        (["A", "E", "F", "G"], "`F` is a position, a whole number. It jumps when `w` moves, so there is no slope to "
         "record."),
        (["A", "E", "G", "H"], "`H` was computed under `no_grad`, so nothing was written down."),
        (["B", "C", "D", "F", "H"], "Those are the ones that are cut. The question asks for the others."),
        (list("ABCDEFGH"), "Not all of them: look for lists, whole numbers, yes-or-no answers, and for forgetting "
         "on purpose."),
    ],
    because=(
        "A path survives only if each step is an operation that autograd records and that has a slope; numbers, "
        "`detach`, comparisons, `argmax` and `no_grad` end it."
    ),
    hints=[
        "Go through each line from `w` to the end. Is there a step that leaves floating tensors, or one that "
        "forgets on purpose?",
        "One open road is enough. And copying a tensor is an operation like any other.",
    ],
)
def which_learn():
    w = torch.tensor([0.2, 0.9], requires_grad=True)
    with torch.no_grad():
        H = (w * w).sum()
    losses = {
        "A": (2 * w).sum(),
        "B": torch.tensor(w.tolist()).sum(),
        "C": w.detach().sum(),
        "D": (w > 0.5).float().sum(),
        "E": w.clone().sum(),
        "F": w.argmax(),
        "G": (w + w.detach()).sum(),
        "H": H,
    }
    return [letter for letter, loss in losses.items() if loss.requires_grad]


@prediction(
    """
    Which of `x`, `u`, `y` have a `.grad` after these lines? Type their names, one or more:
    `prediction = ["…", "…"]`.

    ```python
    x = torch.tensor(2.0, requires_grad=True)
    u = x**2
    y = 3 * u
    y.backward()
    ```
    """,
    probe=names_among("x", "u", "y"),
    mistakes=[
        (["u", "y"], "That is what the first tutorial says: all but the leaf. Run the next cell and see."),
        (["u"], "`u` is neither the leaf nor the end. The walk passes through it. Where does it stop?"),
        (["y"], "`y` is where the walk starts. What it finds is kept where the walk ends."),
        (["x", "u", "y"], "That is what the second tutorial says: all that require one. Run the next cell and see."),
        (["x", "u"], "A gradient passes through `u` on its way to `x`. Is it kept there?"),
        (["x", "y"], "One too many. `y` is computed; does it keep what passes through?"),
        ([], "Somebody gets one: that is what `backward` is for."),
    ],
    because="`u` and `y` were computed, so they are not leaves: their gradients pass through and nobody stores them.",
    hints=[
        "`backward` walks from `y` back to what you made yourself. Think of which tensor you would want to change.",
        "Lesson 00 read a `.grad` after `backward`. Of which tensor?",
    ],
)
def two_claims():
    x = torch.tensor(2.0, requires_grad=True)
    u = x**2
    y = 3 * u
    y.backward()
    tensors = {"x": x, "u": u, "y": y}
    return [name for name, tensor in tensors.items() if tensor.is_leaf and tensor.grad is not None]
