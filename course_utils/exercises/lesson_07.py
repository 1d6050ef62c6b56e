"""Exercises of lesson 07: what gradients are for."""

import math

import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

from .compare import is_small, reaches, same
from .exercise import Prediction, exercise, prediction
from .observe import Told, canonical
from .side_effects import touches_nothing_else


@prediction(
    """
    Three samples, $x = 1, 2, 3$ and $y = 2, 4, 5$. The line $w x + b$ stands at $w = 2$, $b = 0$; the loss is the mean
    of the squared errors. One step of gradient descent with learning rate 0.1: where is $w$ afterwards? Type a number.
    """,
    mistakes=[
        (2.2, "That is one step *uphill*. The gradient points to where the loss grows; which sign has the step?"),
        (2.0, "Two of the three samples lie on the line, that is right. The third does not, and it pulls."),
        (0.2, "That is how far the step goes. From where?"),
        (1.4, "You added up the slopes of the three samples. The loss is their *mean*."),
        (1.9, "The square has a derivative too: $(e^2)' = 2e$."),
        (0.0, "You went the whole length of the gradient. The learning rate makes the step shorter."),
        (1.9333, "That is how far `b` would go. An error counts for $w$ as often as its `x` is large."),
    ],
    because="The slope of the loss by `w` is 2 here, and a step goes against it: $2 - 0.1 \\cdot 2 = 1.8$.",
    hints=[
        "First the three errors $w x - y$. Only one of them is not zero.",
        "The slope by $w$ is the mean of $2 \\cdot \\text{error} \\cdot x$ over the three samples.",
        "A step goes against the slope: subtract the learning rate times the slope.",
    ],
    tolerance=5e-4,
)
def one_step():
    x, y = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 4.0, 5.0])
    w = torch.tensor(2.0, requires_grad=True)
    ((w * x - y) ** 2).mean().backward()
    return (w - 0.1 * w.grad).item()


def _samples():
    x = torch.randn(6, 3)
    return x, (x.sum(1, keepdim=True) > 0).double()


def _trained(train_step, steps):
    net, optimizer, loss_fn, x, y = _before_a_step(momentum=0.5)
    for _ in range(steps):
        train_step(net, optimizer, loss_fn, x, y)
    return [weight.detach().clone() for weight in net.parameters()]


def _before_a_step(momentum=0.0):
    net, (x, y) = torch.nn.Linear(3, 1), _samples()
    net.register_forward_hook(lambda *_: None)
    loss_fn = torch.nn.BCEWithLogitsLoss(pos_weight=torch.tensor(40.0))  # gradients so large that clipping shows
    return net, torch.optim.SGD(net.parameters(), lr=0.01, momentum=momentum), loss_fn, x, y


def _returned(train_step):
    return train_step(*_before_a_step())


def _changes_weights_only(train_step):
    things = dict(zip(("net", "optimizer", "loss_fn", "x", "y"), _before_a_step(), strict=True))
    call = lambda: train_step(*things.values())  # noqa: E731
    return touches_nothing_else(call, things, but={"values of net", "grad of net", "step"})


def _returns_a_float(train_step):
    return isinstance(_returned(train_step), float)


@exercise(
    """
    Write `train_step(net, optimizer, loss_fn, x, y)`: one update of the weights of `net` by the gradient of
    `loss_fn(net(x), y)`. It will be called again and again. Return the loss as a plain number, as it was before the
    update.
    """,
    probe={
        "the weights after one call": lambda train_step: _trained(train_step, 1),
        "the weights after three calls": lambda train_step: _trained(train_step, 3),
        "the loss that is returned": _returned,
        "the loss is a plain Python number": _returns_a_float,
        "nothing but the weights and their `.grad` is changed": _changes_weights_only,
    },
    because=(
        "Zero, forward, backward, step: the weights move by the gradient of this batch alone, and the number "
        "carries no graph."
    ),
    hints=[
        "Three things have to happen besides the forward pass and the return. In which order?",
        "`backward` adds to what is in `.grad`. Where must the old gradient go, so that each call stands on its own?",
        "`loss.item()` is a number without a graph.",
    ],
)
def train_step(net, optimizer, loss_fn, x, y):
    loss = loss_fn(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@train_step.right
def _(net, optimizer, loss_fn, x, y):
    loss = loss_fn(net(x), y)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


@train_step.mistake(
    "One call is right, three are not: nothing empties `.grad`, so each step follows the sum of all gradients so far."
)
def _(net, optimizer, loss_fn, x, y):
    loss = loss_fn(net(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


@train_step.mistake(
    "The weights never move: no `step` comes after `backward`, or `zero_grad` between the two throws the gradient away."
)
def _(net, optimizer, loss_fn, x, y):
    loss = loss_fn(net(x), y)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss.item()


@train_step.mistake("The step is taken twice with the same gradient. One call, one update.")
def _(net, optimizer, loss_fn, x, y):
    loss = loss_fn(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    optimizer.step()
    return loss.item()


@train_step.mistake("`backward` runs twice in one call, so the gradient is added up twice. Once is enough.")
def _(net, optimizer, loss_fn, x, y):
    loss = loss_fn(net(x), y)
    optimizer.zero_grad()
    loss.backward(retain_graph=True)
    loss.backward()
    optimizer.step()
    return loss.item()


@train_step.mistake("Right in size, but uphill. Send the loss back as it is: `step` walks downhill by itself.")
def _(net, optimizer, loss_fn, x, y):
    loss = loss_fn(net(x), y)
    optimizer.zero_grad()
    (-loss).backward()
    optimizer.step()
    return loss.item()


@train_step.mistake("Not every loss is a mean squared error. Use the `loss_fn` that is passed.")
def _(net, optimizer, loss_fn, x, y):
    return train_step.answer(net, optimizer, torch.nn.MSELoss(), x, y)


@train_step.mistake("`loss_fn` takes the outputs first, then the targets. For some losses the order matters.")
def _(net, optimizer, loss_fn, x, y):
    return train_step.answer(net, optimizer, lambda outputs, targets: loss_fn(targets, outputs), x, y)


@train_step.mistake(
    "You change the weights by a rule of your own. The optimiser that is passed has its own rate and its own memory: "
    "call its `step`."
)
def _(net, optimizer, loss_fn, x, y):
    loss = loss_fn(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    torch.optim.SGD(net.parameters(), lr=0.01).step()
    return loss.item()


@train_step.mistake(
    "Each call steps *before* it has its own gradient: it uses the one of the call before, or none at all."
)
def _(net, optimizer, loss_fn, x, y):
    loss = loss_fn(net(x), y)
    optimizer.step()
    optimizer.zero_grad()
    loss.backward()
    return loss.item()


@train_step.mistake(
    "The training is right. But the loss you return is still a tensor, and unless it is detached, whoever keeps it "
    "keeps its graph alive. Return a plain number."
)
def _(net, optimizer, loss_fn, x, y):
    loss = loss_fn(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


@train_step.mistake("The training is right. Return the loss as well.")
def _(net, optimizer, loss_fn, x, y):
    loss = loss_fn(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


@train_step.mistake(
    "The training is right. But that is the loss *after* the update, at the price of a second forward pass."
)
def _(net, optimizer, loss_fn, x, y):
    loss = loss_fn(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss_fn(net(x), y).item()


broadcast_size = Prediction(
    """
    A model returns four predictions in the shape (4, 1). The targets have the shape (4,). How many numbers are in
    `predictions - targets`? Type a number.
    """,
    16,
    mistakes=[
        (4, "So it was meant. But PyTorch lines up shapes from the *last* dimension, and stretches every 1 it meets."),
        (8, "Nothing is put side by side: a dimension of size 1 is stretched to the size of the other."),
        (1, "The mean over them would be one number. How many are there before the mean?"),
        ([4, 4], "That is the right shape. How many numbers does it hold?"),
        (5, "Sizes are not added up: a dimension of size 1 is stretched to the size of the other."),
        ("error", "That would be kinder. But a dimension of size 1 fits every other size, and no error comes."),
    ],
    because=(
        "(4, 1) against (4,) stretches to (4, 4): each prediction is compared with every target, and no error says "
        "so."
    ),
    hints=[
        "Write the shapes under each other, at the right edge: (4, 1) and (4,). What is missing counts as 1.",
        "In each place the larger size wins. Which shape comes out?",
    ],
)


@prediction(
    """
    Adam with learning rate 0.1, at a place where the gradient is 0.001. How far does the weight move in the **first**
    step? Type a positive number.
    """,
    mistakes=[
        (0.0001, "That is the step of SGD. Adam divides by the size of the gradients it has seen; so far, that is this "
         "one."),
        (1.0, "That is the first step of RMSprop, which divides by a root that has hardly begun to fill. Adam corrects "
         "for that."),
        (0.3162, "The first mean holds a tenth of the gradient, the second a thousandth of its square. Both are "
         "corrected before the division."),
        (0.001, "That is the gradient. Adam looks at its sign and hardly at its size."),
        (100.0, "The correction divides by the *root* of the mean square."),
    ],
    because=(
        "In the first step Adam divides the gradient by its own size, so it moves by about the learning rate, "
        "however small the slope."
    ),
    hints=[
        "After the first step, and corrected, the mean of all gradients is this gradient. What is the mean of its "
        "squares?",
        "A number divided by the root of its square: what is left of 0.001?",
    ],
)
def adam_first_step():
    w = torch.tensor(1.0, requires_grad=True)
    optimizer = torch.optim.Adam([w], lr=0.1)
    w.grad = torch.tensor(0.001)
    optimizer.step()
    return 1 - w.item()


SETTINGS = (0.1, 0.9, 0.99, 1e-2)  # lr, b1, b2, eps


def _adam_steps(adam_step):
    p, m, v = torch.tensor([1.0, -2.0]), torch.zeros(2), torch.zeros(2)
    seen = []
    for step, gradient in enumerate(([1.0, -10.0], [0.5, 2.0], [-2.0, 1.0]), 1):
        returned = adam_step(p, torch.tensor(gradient), m, v, step, *SETTINGS)
        if not isinstance(returned, list | tuple | torch.Tensor) or len(returned) != 3:
            return returned
        p, m, v = map(torch.as_tensor, returned)
        seen.append([p.clone(), m.clone(), v.clone()])  # or a change in place would spoil what was seen before
    return seen


def _means(adam_step):
    seen = _adam_steps(adam_step)
    return [step[1:] for step in seen] if isinstance(seen, list) and len(seen) == 3 else seen


def _weights(adam_step):
    seen = _adam_steps(adam_step)
    return [step[0] for step in seen] if isinstance(seen, list) and len(seen) == 3 else seen


def _elsewhere(adam_step):
    given = [torch.tensor([0.5, 3.0]), torch.tensor([-1.0, 0.2]), torch.tensor([0.1, 0.1]), torch.tensor([0.3, 0.2])]
    return adam_step(*given, 2, 0.05, 0.8, 0.95, 5e-2)


def _does_not_ask_where(adam_step):
    given = [torch.tensor([1.0, -2.0]), torch.tensor([0.1, 0.1]), torch.tensor([0.3, 0.2]), 2, *SETTINGS]
    here, there = torch.tensor([1.0, -2.0]), torch.tensor([1000.0, 300.0])
    ways = [torch.as_tensor(adam_step(p, *given)[0]) - p for p in (here, there)]
    return same(canonical(ways[0]), canonical(ways[1]), tolerance=1e-5)


def _leaves_arguments_alone(adam_step):
    given = [torch.tensor([1.0, -2.0]), torch.tensor([0.5, 0.2]), torch.tensor([0.1, 0.1]), torch.tensor([0.3, 0.2])]
    before = [tensor.clone() for tensor in given]
    adam_step(*given, 2, *SETTINGS)
    return all(map(torch.equal, given, before))


@exercise(
    """
    Write `adam_step(p, g, m, v, step, lr, b1, b2, eps)`: one step of Adam for the weights `p` with the gradient `g`.
    `m` and `v` are the running means of the gradient and of its square, as the last step returned them; `step` counts
    from 1. Return the new `(p, m, v)`, and change nothing in place.
    """,
    probe={
        "the step is the same wherever `p` stands": _does_not_ask_where,
        "the running means `m` and `v` after each of three steps": _means,
        "the weights after each of three steps": _weights,
        "one step with other settings": _elsewhere,
        "the tensors passed in stay as they are": _leaves_arguments_alone,
    },
    because=(
        "Both running means start at 0, and dividing by $1 - b^{step}$ corrects that for this step without changing"
        " what is kept."
    ),
    hints=[
        "A running mean keeps the share `b1` of what it was and takes the rest from the new gradient.",
        "Both means began at zero, so they are too small at first. Dividing by `1 - b ** step` fixes that; keep the "
        "corrected ones for this step only.",
        "The step is `lr` times the corrected mean, divided by the root of the corrected mean square plus `eps`.",
    ],
)
def adam_step(p, g, m, v, step, lr, b1, b2, eps):
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g**2
    mean = m / (1 - b1**step)
    mean_square = v / (1 - b2**step)
    return p - lr * mean / (mean_square.sqrt() + eps), m, v


@adam_step.right
def _(p, g, m, v, step, lr, b1, b2, eps):
    m, v = torch.lerp(g, m, b1), torch.lerp(g * g, v, b2)
    size = (v / (1 - b2**step)) ** 0.5 + eps
    return p - (lr / (1 - b1**step)) * m / size, m, v


@adam_step.mistake("The means are right, but they began at zero and are too small at first: correct them before use.")
def _(p, g, m, v, step, lr, b1, b2, eps):
    m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
    return p - lr * m / (v.sqrt() + eps), m, v


@adam_step.mistake("You divide by the mean *square*. Its root has the size of a gradient.")
def _(p, g, m, v, step, lr, b1, b2, eps):
    m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
    return p - lr * (m / (1 - b1**step)) / (v / (1 - b2**step) + eps), m, v


@adam_step.mistake("Right in size, but uphill: the step goes against the gradient.")
def _(p, g, m, v, step, lr, b1, b2, eps):
    m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
    return p + lr * (m / (1 - b1**step)) / ((v / (1 - b2**step)).sqrt() + eps), m, v


@adam_step.mistake(
    "The first step is right, but you return the *corrected* means, so the next step corrects them a second time."
)
def _(p, g, m, v, step, lr, b1, b2, eps):
    m = (b1 * m + (1 - b1) * g) / (1 - b1**step)
    v = (b2 * v + (1 - b2) * g**2) / (1 - b2**step)
    return p - lr * m / (v.sqrt() + eps), m, v


@adam_step.mistake("Correct both means by their own decay: `v` fades with `b2`, not with `b1`.")
def _(p, g, m, v, step, lr, b1, b2, eps):
    m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
    return p - lr * (m / (1 - b1**step)) / ((v / (1 - b1**step)).sqrt() + eps), m, v


@adam_step.mistake(
    "`eps` belongs outside the root, where it keeps the division from going wrong at a gradient of zero."
)
def _(p, g, m, v, step, lr, b1, b2, eps):
    m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
    return p - lr * (m / (1 - b1**step)) / (v / (1 - b2**step) + eps).sqrt(), m, v


@adam_step.mistake("`eps` is missing: add it to the root before you divide. Here it is large enough to be noticed.")
def _(p, g, m, v, step, lr, b1, b2, eps):
    m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
    return p - lr * (m / (1 - b1**step)) / (v / (1 - b2**step)).sqrt(), m, v


@adam_step.mistake(
    "The numbers are right, but the tensors passed in are changed: `mul_`, `add_` and `-=` write in place."
)
def _(p, g, m, v, step, lr, b1, b2, eps):
    m.mul_(b1).add_((1 - b1) * g)
    v.mul_(b2).add_((1 - b2) * g**2)
    size = (v / (1 - b2**step)).sqrt() + eps
    return p - lr * (m / (1 - b1**step)) / size, m.clone(), v.clone()


def _adam(share, corrected=lambda mean, b, step: mean / (1 - b**step), square=torch.square):
    """Adam with these ways to update a running mean, to correct it and to make the second one's numbers positive."""

    def step(p, g, m, v, step, lr, b1, b2, eps):
        m, v = share(b1, m, g), share(b2, v, square(g))
        return p - lr * corrected(m, b1, step) / (corrected(v, b2, step).sqrt() + eps), m, v

    return step


def _mix(b, mean, new):
    return b * mean + (1 - b) * new


adam_step.mistakes += [
    (_adam(lambda b, mean, new: (1 - b) * mean + b * new), "The two shares are swapped: `b1` and `b2` are near 1, "
     "and a running mean keeps most of what it was."),
    (_adam(lambda b, mean, new: b * mean + new), "You add the new gradient in full. In a mean it gets only the share "
     "that the old mean gives up."),
    (_adam(_mix, square=lambda g: g), "`v` is the running mean of the *squares*: without the square, one "
     "negative gradient makes the root nan."),
    (_adam(_mix, corrected=lambda mean, b, step: mean / (1 - b)), "The correction is right in the first step only. "
     "After many steps hardly any is needed: it has to change with `step`."),
    (_adam(_mix, corrected=lambda mean, b, step: mean / b**step), "`b ** step` is the share of the zeros at the start. "
     "The gradients have the rest, and that is what to divide by."),
]


@adam_step.mistake(
    "That is the short form of Adam's paper, with both corrections in front of the step. It adds `eps` to the root "
    "*before* the correction, so `eps` counts more at first. Correct `v`, take its root, then add `eps`."
)
def _(p, g, m, v, step, lr, b1, b2, eps):
    m, v = _mix(b1, m, g), _mix(b2, v, g**2)
    return p - lr * (1 - b2**step) ** 0.5 / (1 - b1**step) * m / (v.sqrt() + eps), m, v


@adam_step.mistake(
    "The step depends on `p` itself: you pull the weights towards zero as well (*weight decay*, as in AdamW). Plain "
    "Adam does not."
)
def _(p, g, m, v, step, lr, b1, b2, eps):
    return adam_step.answer(p * (1 - lr * 0.01), g, m, v, step, lr, b1, b2, eps)


@adam_step.mistake(
    "You add a share of `p` to the gradient (*weight decay*), so the means are those of another gradient. Plain Adam "
    "takes `g` as it is."
)
def _(p, g, m, v, step, lr, b1, b2, eps):
    return adam_step.answer(p, g + 0.01 * p, m, v, step, lr, b1, b2, eps)


@adam_step.mistake("You correct `m` and not `v`. Both means began at zero.")
def _(p, g, m, v, step, lr, b1, b2, eps):
    m, v = _mix(b1, m, g), _mix(b2, v, g**2)
    return p - lr * (m / (1 - b1**step)) / (v.sqrt() + eps), m, v


@adam_step.mistake("You correct `v` and not `m`. Both means began at zero.")
def _(p, g, m, v, step, lr, b1, b2, eps):
    m, v = _mix(b1, m, g), _mix(b2, v, g**2)
    return p - lr * m / ((v / (1 - b2**step)).sqrt() + eps), m, v


@adam_step.mistake("The first new weights are right, but you return the old means. The next step needs the new ones.")
def _(p, g, m, v, step, lr, b1, b2, eps):
    return adam_step.answer(p, g, m, v, step, lr, b1, b2, eps)[0], m, v


@adam_step.mistake("Those are the new weights alone. The next step needs the new `m` and `v` as well.")
def _(p, g, m, v, step, lr, b1, b2, eps):
    return adam_step.answer(p, g, m, v, step, lr, b1, b2, eps)[0]


class _GradientsSeen:
    """Notes what every optimiser's step finds in `.grad` while it is open."""

    def __enter__(self):
        self.found = set()
        self.hook = register_optimizer_step_pre_hook(self.look)
        return self

    def __exit__(self, *error):
        self.hook.remove()

    def look(self, optimizer, args, kwargs):
        gradients = [weight.grad for group in optimizer.param_groups for weight in group["params"]]
        present = [gradient for gradient in gradients if gradient is not None]
        self.found.add("none" if not present else "some" if any(gradient.any() for gradient in present) else "zero")


def _ring(count):
    """Points in a square, those within a circle labelled 1; none lies so near the edge that chance would decide."""
    points = 4 * torch.rand(2 * count, 2) - 2
    beyond = points.norm(dim=1) - math.sqrt(2)
    kept = (beyond.abs() > 0.25).nonzero()[:count, 0]
    return points[kept], (beyond[kept] < 0).to(points.dtype)


def _is_straight(model, scores):
    """Whether scores lie half-way between those of the ends of a line, compared with how much all `scores` differ."""
    starts = torch.tensor([[-2.0, -2.0], [-2.0, 0.0], [-2.0, 2.0], [0.0, -2.0], [-1.0, -1.0], [-1.0, 1.0]])
    ends = torch.tensor([[2.0, 1.0], [1.5, 0.5], [1.0, -2.0], [0.5, 2.0], [2.0, 0.0], [0.0, -2.0]])
    first, last, middle = (model(points).flatten() for points in (starts, ends, (starts + ends) / 2))
    bend = (middle - (first + last) / 2).abs().max()
    return bool(scores.std() > 0) and is_small((bend / scores.std()).item(), 1e-3)


def _is_random(model, points):
    torch.manual_seed(1)
    first = model(points)
    torch.manual_seed(2)
    return not torch.equal(first, model(points))


def _mostly_right(scores, labels, *, above=0.0):
    right = ((scores.flatten() > above) == (labels > 0)).double().mean().item()
    return reaches(right, 0.95, leeway=0.04)


def _how_it_classifies(classifier):
    torch.set_default_dtype(torch.float32)  # as in a notebook, or `labels.float()` would be an error
    points, labels = _ring(200)
    with _GradientsSeen() as steps:
        model = classifier(points, labels)
    if not callable(model) or isinstance(model, type | torch.Tensor):
        return "no network"
    with torch.no_grad():
        scores = model(points)
        if not isinstance(scores, torch.Tensor):
            return "no network"
        if scores.shape == (200, 2):
            return "two scores for each point"
        if scores.shape not in {(200,), (200, 1)}:
            asked = "asked for is one for each point, (200,) or (200, 1)"
            return Told(f"Your network gives scores of shape {tuple(scores.shape)}; {asked}.")
        if _is_random(model, points):
            return "other scores each time"
        if _mostly_right(scores, labels):
            return "right"
        if "some" not in steps.found and steps.found:
            return f"steps find {sorted(steps.found)}"
        if _mostly_right(scores, labels, above=0.5):
            return "right above a half"
        if _is_straight(model, scores):
            return "straight"
        if steps.found and is_small(scores.std().item(), 0.08):
            return "the same score for all"
        return "too few right" if steps.found else "no step of an optimiser"


@exercise(
    """
    Write `classifier(points, labels)`: make a small network, train it, return it. `points` has the shape (200, 2);
    `labels` has the shape (200,) and is 1 inside a circle, 0 outside. The network returns one score for each point,
    shape (200,) or (200, 1), above 0 for class 1. At least 95 % of the points must be right.
    """,
    probe=_how_it_classifies,
    because=(
        "No straight line separates a circle from its outside; the hidden layer bends the boundary, and the "
        "gradient tells it how."
    ),
    hints=[
        "A hidden layer of 16 and `nn.Tanh()` between two linear layers are enough.",
        "`nn.BCEWithLogitsLoss()` takes the raw scores, not rounded and not through a sigmoid. Compare shapes: scores "
        "and labels must agree.",
        "Adam with learning rate 0.1 needs about sixty of the steps that you wrote above.",
    ],
)
def classifier(points, labels):
    net = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.1)
    loss_fn = torch.nn.BCEWithLogitsLoss()
    for _ in range(60):
        loss = loss_fn(net(points).squeeze(1), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net


@classifier.right
def _(points, labels):
    net = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1), torch.nn.Flatten(0))
    for _ in range(150):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(net(points), labels)
        for weight, gradient in zip(net.parameters(), torch.autograd.grad(loss, net.parameters()), strict=True):
            weight.data -= gradient
    return net


def _train(net, points, labels, *, steps=60, lr=0.1, loss_fn=torch.nn.functional.binary_cross_entropy_with_logits):
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    for _ in range(steps):
        loss = loss_fn(net(points).squeeze(1), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net


def _network():
    return torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))


@classifier.mistake(
    "Its boundary is a straight line: linear layers on top of each other are one linear layer. Put a nonlinear one "
    "between."
)
def _(points, labels):
    return _train(torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.Linear(16, 1)), points, labels, steps=20)


@classifier.mistake(
    "Every `step` finds `.grad` empty, so the weights never move. Either it comes after `zero_grad` and before "
    "`backward`, or the optimiser holds the weights of another network, or the loss was made anew from a number."
)
def _(points, labels):
    net = _network()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.1)
    for _ in range(5):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(net(points).squeeze(1), labels)
        optimizer.zero_grad()
        optimizer.step()
        loss.backward()
    return net


@classifier.mistake(
    "Every gradient is zero: something after the last layer is flat, `round` everywhere, or a ReLU where scores are "
    "negative, so no wiggle of a weight changes the loss. Use the scores as they are."
)
def _(points, labels):
    def rounded(scores, labels):
        return (torch.sigmoid(scores).round() - labels).square().mean()

    return _train(_network(), points, labels, steps=5, loss_fn=rounded)


@classifier.mistake(
    "There is no way back from the loss to a weight. A comparison such as `scores > 0` has no derivative at all, and "
    "`argmax`, `detach` or `no_grad` cut the graph. Use the scores as they are."
)
def _(points, labels):
    def compared(scores, labels):
        return ((scores > 0).float() - labels).square().mean()

    return _train(_network(), points, labels, steps=5, loss_fn=compared)


@classifier.mistake(
    "The two classes are well apart, but at a score of 0.5, not of 0: the scores were trained towards 0 and 1, or end "
    "in a sigmoid. Return raw scores, and train them with `nn.BCEWithLogitsLoss()`."
)
def _(points, labels):
    net = torch.nn.Sequential(_network(), torch.nn.Sigmoid())
    return _train(net, points, labels, loss_fn=torch.nn.functional.binary_cross_entropy)


@classifier.mistake(
    "All points get nearly the same score. Look at the shapes in your loss: (200, 1) against (200,) compares each "
    "score with every label. If they agree: is there a sigmoid in front of a loss that has one itself, or a ReLU at "
    "the end?"
)
def _(points, labels):
    def broadcast(scores, labels):
        return (scores.unsqueeze(1) - labels).square().mean()

    net = _train(_network(), points, labels, steps=100, lr=0.03, loss_fn=broadcast)
    return _train(net, points, labels, steps=100, lr=0.03, loss_fn=broadcast)


@classifier.mistake(
    "Fewer than 95 % are right. If the loss falls, train longer, with a larger learning rate, or a wider layer. If it "
    "does not, look at your training step: is everything there, and in order?"
)
def _(points, labels):
    return _train(_network(), points, labels, steps=1, lr=3.0)


@classifier.mistake(
    "Fewer than 95 % are right, and no optimiser has taken a step. Is `step` called in the loop, with brackets?"
)
def _(points, labels):
    return _network()


@classifier.mistake(
    "Your network gives two scores for each point, one for each class, as `cross_entropy` wants them. One score is "
    "asked for: give the last layer one output and train it with `nn.BCEWithLogitsLoss()`."
)
def _(points, labels):
    net = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.Tanh(), torch.nn.Linear(16, 2))
    torch.nn.functional.cross_entropy(net(points), labels.long()).backward()
    torch.optim.Adam(net.parameters(), lr=0.1).step()
    return net


@classifier.mistake(
    "Asked twice for the same points, your network gives other scores: a Dropout still drops. Training is over, so "
    "call `net.eval()` before you return it."
)
def _(points, labels):
    net = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.Tanh(), torch.nn.Dropout(), torch.nn.Linear(16, 1))
    return _train(net, points, labels, steps=5)


@classifier.mistake("What you return is no network. Return the trained network itself, not its scores or its class.")
def _(points, labels):
    return _network()(points)


@prediction(
    """
    A loop reads a sequence. Each turn makes the hidden state anew from the old one, `h = torch.tanh(w * h + x)`,
    computes a loss from `h`, and calls `loss.backward()`. In which turn does it stop with an error? Type `"first"`,
    `"second"`, `"third"` or `"none"`.
    """,
    mistakes=[
        ("none", "Where does the old `h` come from, and is the graph behind it still whole?"),
        ("first", "The `h` before the loop has no history. One walk through the graph of this turn is allowed."),
        ("third", "That is later than it happens. How far back does the graph of each loss go?"),
    ],
    because="The second turn's graph reaches back into the first, which the first `backward` has freed.",
    hints=[
        "`backward` frees what the graph has saved, for the whole graph behind the loss.",
        "After one turn, `h` still has a `grad_fn`. What stands behind it?",
    ],
)
def carried_state():
    w, h = torch.tensor(0.5, requires_grad=True), torch.tensor(0.0)
    for turn in ("first", "second", "third"):
        h = torch.tanh(w * h + 1.0)
        try:
            (h - 1).square().backward()
        except RuntimeError:
            return turn
    return "none"
