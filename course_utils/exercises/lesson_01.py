"""Exercises of lesson 01: what PyTorch remembers."""

import torch

from .exercise import exercise, prediction
from .probes import names


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
    probe=names,
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
    return trainable([1, 2, 3])


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
        "the numbers for [1, 2, 3]": lambda trainable: _trained(trainable).detach(),
        "the dtype is torch.float64": lambda trainable: _trained(trainable).dtype == torch.float64,
        "the tensor requires a gradient": lambda trainable: _trained(trainable).requires_grad,
        "the tensor is a leaf": lambda trainable: _trained(trainable).is_leaf,
        "x.grad after (x * x).sum().backward()": _gradient_of_squares,
    },
    mistakes=[
        (lambda data: torch.tensor(data, requires_grad=True), "Whole numbers make an integer tensor, and integers "
         "cannot be moved a little, so they have no gradient. Say `dtype=torch.float64` where the tensor is made."),
        (lambda data: torch.tensor(data, dtype=torch.float32, requires_grad=True).double(),
         "The cast comes after the flag. So the tensor you return was *computed* from the leaf; it is not a leaf, and "
         "the gradient ends up in a tensor that nobody has a name for."),
        (lambda data: torch.tensor(data, dtype=torch.float64), "The numbers and the dtype are right, but the tensor is "
         "a constant: nothing asks for its gradient."),
        (lambda data: torch.tensor([float(number) for number in data], requires_grad=True),
         "It collects gradients, but in `float32`: that is what `float()` and Python's floats give you here. Name the "
         "dtype."),
        (lambda data: torch.tensor(data), "Neither the dtype nor the flag is there yet. Set both in the call of "
         "`torch.tensor` that makes the tensor."),
        (lambda data: torch.tensor(data).double().requires_grad_().requires_grad,
         "`requires_grad_()` returns the tensor; `requires_grad` without brackets at the end is only the flag, True or "
         "False."),
    ],
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


def _after_backward(freeze_first, look):
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    before = [weight.detach().clone() for weight in net.parameters()]
    freeze_first(net)
    output = net(torch.ones(1, 3)).sum()
    if output.requires_grad:
        output.backward()
    return look(net, before)


def _frozen(name):
    return lambda freeze_first: _after_backward(freeze_first, lambda net, before: getattr(net[0], name).grad is None)


def _others_reached(freeze_first):
    return _after_backward(freeze_first, lambda net, before: None not in [it.grad for it in net[2].parameters()])


def _values_kept(freeze_first):
    return _after_backward(
        freeze_first, lambda net, before: all(map(torch.equal, before, map(torch.Tensor.detach, net.parameters())))
    )


def _still_training(freeze_first):
    return _after_backward(freeze_first, lambda net, before: all(layer.training for layer in net))


@exercise(
    """
    Write `freeze_first(net)`: afterwards `backward` reaches every layer of `net` but the first. `net` is an
    `nn.Sequential`, `net[0]` its first layer, with a weight and a bias. Your function changes `net` and returns
    nothing.
    """,
    probe={
        "the first layer's weight gets no gradient": _frozen("weight"),
        "the first layer's bias gets no gradient": _frozen("bias"),
        "the last layer gets its gradients": _others_reached,
        "all weights keep their values": _values_kept,
        "all layers stay in training mode": _still_training,
    },
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
    "Nothing has changed. `net[0].requires_grad = False` gives the layer a new Python attribute that PyTorch never "
    "looks at. The flag belongs to its parameters (or to the method with the underscore, `requires_grad_`)."
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


@freeze_first.mistake("That froze the last layer. The first is `net[0]`.")
def _(net):
    net[-1].requires_grad_(False)


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
