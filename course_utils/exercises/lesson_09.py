"""Exercises of lesson 09: teach PyTorch a new derivative."""

import torch

from .exercise import Exercise, Prediction, exercise, prediction
from .side_effects import touches_nothing_else

root_slope = Prediction(
    """
    $y = \\sqrt[3]{x}$ has the derivative $\\frac{1}{3y^2}$. How steep is it at $x = -8$? Type a number; a fraction such
    as `1 / 7` will do.
    """,
    1 / 12,
    tolerance=5e-3,  # 0.083 is near enough
    mistakes=[
        (-1 / 12, "The root of a negative number is negative, but the derivative has its *square*. The curve rises "
         "everywhere."),
        (1 / 192, "You put $x$ into the formula. It asks for $y$, the cube root of $x$."),
        (-2.0, "That is the cube root itself, the height. The slope is $1 / (3y^2)$."),
        (1 / 4, "The square is right. A factor in front of it is missing."),
        (12.0, "That is $3y^2$, the slope of the cube. Its inverse is as steep as one over that."),
        (-1 / 6, "The root is there, but not squared."),
    ],
    because="$y = -2$ there, and $1 / (3 \\cdot 4) = 1/12$: the slope is positive although both numbers are negative.",
    hints=[
        "First $y$: which number, taken three times as a factor, gives −8?",
        "Square it, take it three times, and turn the result over.",
    ],
)


how_many_gradients = Prediction(
    """
    A Function's `forward(x, weight, bias, stride, mode)` gets three tensors, a Python number and a text. Only `weight`
    requires grad. How many values does its `backward` return, None included? Type a number.
    """,
    5,
    mistakes=[
        (1, "Only one of them is a gradient that anybody waits for. But `backward` has to say something about *every* "
         "input, or PyTorch cannot tell which one it belongs to."),
        (3, "A number and a text are inputs of `forward` too. Neither is left out, also where the answer is None."),
        (4, "Go through the parameters of `forward` once more: each has its place in what `backward` returns."),
        (6, "`ctx` is not an input of `forward` here, so nothing is returned for it."),
        (0, "`backward` returns its gradients; nothing is written into `.grad` there."),
    ],
    because="`backward` answers for every argument of `forward`, in order, with None for what needs no gradient.",
    hints=[
        "`backward` answers `forward`: the inputs of one are the outputs of the other.",
        "Count the parameters of `forward`. It does not matter which of them have a derivative.",
    ],
)


class ScaledExp(torch.autograd.Function):
    @staticmethod
    def forward(x, k):
        return torch.exp(k * x)

    @staticmethod
    def setup_context(ctx, inputs, output):
        _, ctx.k = inputs
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx, upstream):
        (y,) = ctx.saved_tensors
        return upstream * ctx.k * y, None


def _apply(answer, x, k=3.0):
    is_function = isinstance(answer, type) and issubclass(answer, torch.autograd.Function)
    return (answer.apply if is_function else answer)(x, k)


def _points():
    return torch.tensor([0.5, -0.2, 1.0], requires_grad=True)


def _forward(answer):
    return _apply(answer, _points())


def _gradient(answer):
    x = _points()
    return torch.autograd.grad((_apply(answer, x) ** 2).sum(), x)[0]


def _elsewhere(answer):
    x = _points()
    y = _apply(answer, x, -0.5)
    return [y, torch.autograd.grad(y.sum(), x)[0]]


def _second(answer):
    x = _points()
    (first,) = torch.autograd.grad((_apply(answer, x) ** 2).sum(), x, create_graph=True)
    return torch.autograd.grad(first.sum(), x)[0]


def _is_one_node(answer):
    y = _apply(answer, _points())
    return isinstance(y.grad_fn, torch.autograd.function.BackwardCFunction)


scaled_exp = Exercise(
    """
    Write the Function `ScaledExp` for $e^{kx}$, where `x` is a tensor and `k` a Python number that needs no gradient.
    It is right within a longer computation, and can be differentiated **twice**.
    """,
    ScaledExp,
    probe={
        "the values, for k = 3": _forward,
        "the gradient of the squares of ScaledExp": _gradient,
        "the second derivative": _second,
        "values and gradient for k = −0.5": _elsewhere,
        "ScaledExp is a Function, one node with your own backward": _is_one_node,
    },
    because=(
        "`backward` multiplies the upstream gradient by $k e^{kx}$, computed from a saved tensor, so that autograd "
        "can differentiate it again."
    ),
    hints=[
        "The derivative of $e^{kx}$ is $k e^{kx}$, and $e^{kx}$ is the output itself. What is worth saving?",
        "Save tensors with `ctx.save_for_backward(…)`, and keep the number as `ctx.k = …`. What you get back is a "
        "tuple, even if it holds only one tensor: `(y,) = ctx.saved_tensors`.",
        "`forward` has two inputs, so `backward` returns two values. The first is multiplied by what comes from "
        "upstream.",
    ],
)


def _scaled_exp(backward, *, save=lambda x, y: y):
    """A wrong answer with this formula for the gradient, on what `save` picks from input and output."""

    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(x, k):
            return torch.exp(k * x)

        @staticmethod
        def setup_context(ctx, inputs, output):
            x, ctx.k = inputs
            ctx.save_for_backward(save(x, output))

    Wrong.backward = staticmethod(lambda ctx, upstream: backward(upstream, ctx.k, ctx.saved_tensors[0]))
    return Wrong


scaled_exp.mistakes += [
    (_scaled_exp(lambda upstream, k, y: (k * y, None)), "The gradient that comes from upstream is dropped. The chain "
     "rule multiplies by it: whatever is computed after `ScaledExp` would be forgotten."),
    (_scaled_exp(lambda upstream, k, y: upstream * k * y), "`backward` returns one value for each input of "
     "`forward`, and `forward` has two: a gradient for `x` and None for `k`, with a comma between, not in a list."),
    (_scaled_exp(lambda upstream, k, y: (upstream * y, None)), "The inner derivative is missing: $kx$ moves `k` times "
     "as much as $x$."),
    (_scaled_exp(lambda upstream, k, x: (upstream * k * x, None), save=lambda x, y: x), "You saved the input and "
     "computed as if it were the output. The derivative is $k e^{kx}$, not $kx$."),
    (_scaled_exp(lambda upstream, k, y: (upstream * k * y, None), save=lambda x, y: y.detach()), "The first derivative "
     "is right, the second is not: what you kept was computed aside, by `detach` or ahead of time, so PyTorch takes it "
     "for a constant. Save the output itself, and multiply in `backward`."),
    (_scaled_exp(lambda upstream, k, y: (None, upstream * k * y)), "The gradient belongs to the first input, "
     "`x`, and None to the second: `k` is a plain number and gets no gradient, not even 0."),
    (_scaled_exp(lambda upstream, k, x: (upstream * k * torch.exp(x), None), save=lambda x, y: x), "In `backward` the "
     "exponent is $x$ without its `k`."),
    (_scaled_exp(torch.autograd.function.once_differentiable(lambda ctx, k, y: (ctx * k * y, None))),
     "`once_differentiable` forbids the second derivative, which is asked for. What `backward` computes is "
     "differentiable by itself; take the decorator away."),
    (lambda x, k: torch.exp(k * x), "The numbers are right, but they are those of `torch.exp`. Write a class that "
     "derives from `torch.autograd.Function`, with a `backward` of your own."),
]


@scaled_exp.right
class _FromTheInput(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, k):
        ctx.save_for_backward(x)
        ctx.k = k
        return torch.exp(k * x)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return upstream * ctx.k * torch.exp(ctx.k * x), None


scaled_exp.right(ScaledExp.apply)


@scaled_exp.mistake("The number 3 stands in your code. Use the `k` that is passed to `forward`.")
class _ForOneNumber(ScaledExp):
    @staticmethod
    def forward(x, k):
        return torch.exp(3 * x)

    @staticmethod
    def backward(ctx, upstream):
        (y,) = ctx.saved_tensors
        return 3 * upstream * y, None


@scaled_exp.mistake(
    "`forward` has a `ctx`, and there is a `setup_context` as well. Where there is one, `forward` gets the inputs "
    "alone: `forward(x, k)`."
)
class _TwoStyles(ScaledExp):
    @staticmethod
    def forward(ctx, x, k):
        return torch.exp(k * x)


@scaled_exp.mistake(
    "The first derivative is right, the second is not. What `backward` computes is differentiated as well, so no "
    "`no_grad` there."
)
class _Unrecorded(ScaledExp):
    @staticmethod
    def backward(ctx, upstream):
        (y,) = ctx.saved_tensors
        with torch.no_grad():
            return upstream * ctx.k * y, None


@scaled_exp.mistake("`save_for_backward` takes tensors only. Keep the number as an attribute of its own, `ctx.k`.")
class _SavesTheNumber(ScaledExp):
    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(output, inputs[1])


def _flags(answer):
    """True and False, however they were typed."""
    answer = answer.split(",") if isinstance(answer, str) else answer
    if not isinstance(answer, list | tuple | torch.Tensor):
        return answer
    words = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}
    flags = answer.flatten().tolist() if isinstance(answer, torch.Tensor) else answer
    return [words.get(str(flag).strip().casefold(), flag) for flag in flags]


shortcut_checks = Prediction(
    """
    `Shortcut` computes the slope $1/(3y^2)$ in advance, keeps it in `ctx`, and its `backward` returns
    `upstream * ctx.slope`. Which of these pass: `gradcheck`, which looks at the first derivative, and `gradgradcheck`,
    which looks at the second? Type True or False for each, in this order, such as `prediction = [False, False]`.
    """,
    [True, False],
    probe=_flags,
    mistakes=[
        ([True, True], "The first is right: the number is. Now differentiate `upstream * ctx.slope` by `x`: which of "
         "the two factors does PyTorch know to depend on `x`?"),
        ([False, False], "The slope is the right number, so the first derivative is right. What about the second?"),
        ([False, True], "It is the other way round: the number itself is right, its own derivative is not."),
    ],
    because=(
        "The first derivative is right; but `ctx.slope` was computed outside the graph, so it counts as a constant "
        "the second time."
    ),
    hints=[
        "`gradcheck` compares numbers. Is the slope that was computed in advance the right number?",
        "The second derivative needs to know how the slope moves with `x`. Who would tell PyTorch?",
    ],
)


@prediction(
    """
    Let `x = 1.3`. What is the gradient by `x` of these three, which all have the value 1?
    `torch.round(x)`, then `x + (torch.round(x) - x)`, then `x + (torch.round(x) - x).detach()`. Type three numbers:
    `prediction = [.., .., ..]`.
    """,
    mistakes=[
        ([0.0, 1.0, 1.0], "The middle one is not: the bracket has two terms, and one of them takes back what the `x` "
         "in front brings."),
        ([0.0, 0.0, 0.0], "The last one is not: `detach` hides the whole bracket from the backward pass. What is "
         "left?"),
        ([1.0, 1.0, 1.0], "Rounding is flat between its steps: a small push of `x` does not move the result."),
        ([1.0, 0.0, 1.0], "Rounding alone is flat between its steps. The other two are right."),
        ([0.0, 2.0, 1.0], "In the bracket, `x` is subtracted."),
        ([0.0, 1.0, 0.0], "It is the other way round. Which of the two brackets does the backward pass see?"),
    ],
    because=(
        "`round` has the slope 0 and stays 0 in the second line, where $1 - 1$ is left; `detach` removes the "
        "rounding from the way back."
    ),
    hints=[
        "Write down the derivative of each term: `x` has 1, `torch.round(x)` has 0.",
        "To the backward pass, `detach` makes a constant of the whole bracket.",
    ],
)
def rounded_slopes():
    x = torch.tensor(1.3, requires_grad=True)
    ways = [torch.round(x), x + (torch.round(x) - x), x + (torch.round(x) - x).detach()]
    return [torch.autograd.grad(way, x)[0] for way in ways]


def _weights():
    return torch.tensor([0.2, 1.7, -0.6, 2.5], requires_grad=True)


def _leaves_x_alone(round_ste):
    x = _weights()
    round_ste(x)
    return torch.equal(x, _weights())


def _rounded_gradient(round_ste):
    x = _weights()
    weigh = torch.tensor([1.0, -2.0, 3.0, 0.5])
    return torch.autograd.grad((weigh * round_ste(x) ** 2).sum(), x, materialize_grads=True)[0]


@exercise(
    """
    Write `round_ste(x)`: forward it rounds, as `torch.round` does; backward it lets the gradient straight through, as
    if nothing had happened. A formula with `detach` or a Function of your own, as you like.
    """,
    probe={
        "the values": lambda round_ste: round_ste(_weights()),
        "`x` stays as it is": _leaves_x_alone,
        "the gradient of weighted squares of the rounded numbers": _rounded_gradient,
    },
    mistakes=[
        (lambda x: torch.round(x), "Rounded, but the gradient that arrives at `x` is zero everywhere, as it is for "
         "`torch.round`. In `x + (torch.round(x) - x)` the slopes of the two `x` cancel."),
        (lambda x: torch.round(x.detach()), "Rounded, but detached: no path leads back to `x` at all."),
        (lambda x: x, "The gradient goes straight through, but nothing is rounded."),
        (lambda x: [x.data.round_(), x][1], "Values and gradient are right, but the tensor that was passed in is "
         "rounded as well. Make a new tensor."),
        (lambda x: 2 * x + (torch.round(x) - 2 * x).detach(), "The value is right, but the gradient that arrives is "
         "twice what came from upstream. Straight through means: unchanged."),
        (lambda x: x.detach() + (torch.round(x) - x), "You detached the wrong term: the `x` that should carry the "
         "gradient. Detach the correction instead."),
    ],
    because="The value is rounded and the gradient sees the identity, so what comes before can still learn.",
    hints=[
        "The value should be `torch.round(x)`, the gradient that of `x`. Take `x` and add a correction.",
        "The correction is the difference between the rounded and the plain `x`. The backward pass must not see it.",
    ],
)
def round_ste(x):
    correction = torch.round(x) - x
    return x + correction.detach()


@round_ste.right
def _(x):
    class Round(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return torch.round(x)

        @staticmethod
        def backward(ctx, upstream):
            return upstream

    return Round.apply(x)


@round_ste.right
def _(x):
    y = x.clone()
    y.data.round_()
    return y


@round_ste.mistake(
    "Your `backward` returns ones, whatever comes from upstream. Straight through means that the incoming gradient is "
    "handed on as it is."
)
def _(x):
    class Round(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return torch.round(x)

        @staticmethod
        def backward(ctx, upstream):
            return torch.ones_like(upstream)

    return Round.apply(x)


@prediction(
    """
    `x = 2`, `u = x**2`, `y = 3 * u`. Before `backward`, a hook is put on the middle one:
    `u.register_hook(lambda g: 10 * g)`. What stands in `x.grad` after `y.backward()`? Type a number.
    """,
    mistakes=[
        (12.0, "That is the gradient without the hook. What the hook returns takes the place of what arrived at `u`."),
        (30.0, "That is what leaves the hook. It still has to pass the square, with its local derivative at 2."),
        (3.0, "That is what arrives at `u`, before the hook."),
        (40.0, "The factor of the last step, `3 * u`, is missing."),
        (132.0, "The hook's result does not come on top of the gradient. It takes its place."),
        (1200.0, "The hook is called once, when the gradient arrives at `u`."),
    ],
    because="The hook multiplies what arrives at `u`, 3, by 10, and everything behind it sees 30: $30 \\cdot 4 = 120$.",
    hints=[
        "Walk back from `y`: what arrives at `u`?",
        "The hook multiplies that by ten. Then comes the local derivative of the square.",
    ],
)
def hooked():
    x = torch.tensor(2.0, requires_grad=True)
    u = x**2
    u.register_hook(lambda g: 10 * g)
    (3 * u).backward()
    return x.grad


class _Detour(torch.nn.Module):
    """Calls its parts in another order than it lists them; each gives numbers of both signs, of negative mean."""

    def __init__(self):
        super().__init__()
        self.last = torch.nn.Linear(4, 2)
        self.middle = torch.nn.Tanh()
        self.first = torch.nn.Linear(3, 4)
        for part in (self.first, self.last):
            torch.nn.init.eye_(part.weight)
            torch.nn.init.constant_(part.bias, -0.5)

    def forward(self, x):
        return self.last(self.middle(self.first(x)))


def _inputs():
    return torch.linspace(-2, 2.5, 15).view(5, 3)


def _layer_sizes(answer, net):
    return answer(net, _inputs())


def _no_hooks_left(answer):
    net, x = _Detour(), _inputs()
    net.first.register_forward_hook(lambda *_: None)
    return touches_nothing_else(lambda: answer(net, x), {"net": net, "x": x})


def _no_graph_kept(answer):
    sizes = answer(_Detour(), _inputs())
    return not any(isinstance(size, torch.Tensor) and size.requires_grad for size in sizes)


@exercise(
    """
    Write `layer_sizes(net, x)`: call `net(x)` once, and return a list with the mean absolute output
    (`output.abs().mean().item()`) of each of its direct parts, `net.children()`, in the order in which they **ran**.
    Use forward hooks, and leave none behind.
    """,
    probe={
        "a network that calls its parts in another order than it lists them": lambda answer: _layer_sizes(
            answer, _Detour()
        ),
        "a second call for the same network": lambda answer: [_layer_sizes(answer, net) for net in [_Detour()] * 2][1],
        "the network is as it was, its hooks too": _no_hooks_left,
        "plain numbers, which keep no graph alive": _no_graph_kept,
    },
    mistakes=[],
    because=(
        "Each hook sees the output of its own part in the order of running, and removing the handles leaves the "
        "network as it was."
    ),
    hints=[
        "A forward hook is a function `hook(module, inputs, output)`. It can append to a list that stands outside.",
        "`module.register_forward_hook(hook)` returns a handle. Keep all of them.",
        "After `net(x)`, call `remove()` on each handle.",
    ],
)
def layer_sizes(net, x):
    sizes = []

    def note(module, inputs, output):
        sizes.append(output.abs().mean().item())

    handles = [part.register_forward_hook(note) for part in net.children()]
    net(x)
    for handle in handles:
        handle.remove()
    return sizes


@layer_sizes.right
def _(net, x):
    outputs = []
    hooks = [part.register_forward_hook(lambda part, _, y: outputs.append(y.detach())) for part in net.children()]
    try:
        net(x)
    finally:
        [hook.remove() for hook in hooks]
    return [output.abs().mean() for output in outputs]


@layer_sizes.mistake(
    "The numbers are right, but a hook is still there: each later call of the network runs it again. Keep the handles, "
    "all of them, and `remove()` each after the call."
)
def _(net, x):
    sizes = []
    for part in net.children():
        part.register_forward_hook(lambda part, _, y: sizes.append(y.abs().mean().item()))
    net(x)
    return sizes


@layer_sizes.mistake(
    "The numbers are right, but you remove *all* hooks, those of other people as well. Keep the handles of your own, "
    "and `remove()` those."
)
def _(net, x):
    sizes = layer_sizes.answer(net, x)
    for part in net.children():
        for kind, hooks in vars(part).items():
            if kind.endswith("_hooks") and isinstance(hooks, dict):
                hooks.clear()
    return sizes


@layer_sizes.mistake(
    "The numbers are right, but the network is in another mode now: `eval()` stays until `train()` is called. Call the "
    "network as it is."
)
def _(net, x):
    return layer_sizes.answer(net.eval(), x)


@layer_sizes.mistake("The numbers are right, but in the order of `net.children()`. In which order did the parts run?")
def _(net, x):
    sizes = {}

    def note(part, inputs, output):
        sizes[part] = output.abs().mean().item()

    handles = [part.register_forward_hook(note) for part in net.children()]
    net(x)
    for handle in handles:
        handle.remove()
    return [sizes[part] for part in net.children()]


@layer_sizes.mistake("The absolute value comes too late: in the mean, positive and negative outputs have cancelled.")
def _(net, x):
    sizes = []
    handles = [
        part.register_forward_hook(lambda part, _, y: sizes.append(y.mean().abs().item())) for part in net.children()
    ]
    net(x)
    for handle in handles:
        handle.remove()
    return sizes


@layer_sizes.mistake(
    "You call the parts one after another, in the order in which they are listed. A network may call them otherwise; "
    "call `net(x)`, and let hooks listen."
)
def _(net, x):
    sizes = []
    for part in net.children():
        x = part(x)
        sizes.append(x.abs().mean().item())
    return sizes


@layer_sizes.mistake(
    "The numbers are right, but they are tensors with a graph behind them, which they keep alive. `.item()` makes "
    "plain numbers."
)
def _(net, x):
    sizes = []
    handles = [part.register_forward_hook(lambda part, _, y: sizes.append(y.abs().mean())) for part in net.children()]
    net(x)
    for handle in handles:
        handle.remove()
    return sizes


@layer_sizes.mistake(
    "`modules()` holds the network itself too, and all parts of parts. The direct parts are `net.children()`."
)
def _(net, x):
    sizes = []
    hooks = []
    for part in net.modules():
        hooks.append(part.register_forward_hook(lambda part, _, y: sizes.append(y.abs().mean().item())))
    net(x)
    for hook in hooks:
        hook.remove()
    return sizes


@layer_sizes.mistake(
    "The list is empty: nobody has called the network, or the hooks were removed before it ran."
)
def _(net, x):
    return []


@layer_sizes.mistake(
    "That is the mean of the outputs, where positive and negative ones cancel. Take `abs()` first."
)
def _(net, x):
    sizes = []
    handles = [part.register_forward_hook(lambda part, _, y: sizes.append(y.mean().item())) for part in net.children()]
    net(x)
    for handle in handles:
        handle.remove()
    return sizes


@prediction(
    """
    A network has three blocks, and each is called through `checkpoint`. Then `backward` runs once. Count each time that
    the `forward` of any block runs, from the start to the end of `backward`: how many times is that? Type a number.
    """,
    mistakes=[
        (3, "Once for each on the way forward. But what is inside the blocks was not kept, and `backward` needs it. "
         "Where does it come from?"),
        (9, "A block's inner values are computed anew when `backward` arrives there, and then they stay until they are "
         "used: once more is enough."),
        (4, "All three have forgotten their inner values, so `backward` computes all of them anew."),
        (12, "Each block computes its inner values anew by itself, from its own input that was kept."),
        (1, "All three have to run for there to be an output."),
        (2, "That is one block: once forward, once again in `backward`. There are three."),
    ],
    because="A checkpoint saves memory by running each block once more on the way back: $3 + 3$.",
    hints=[
        "Checkpointing forgets what is inside a block and keeps its input.",
        "When `backward` arrives at a block, it needs the forgotten values of that block.",
    ],
)
def checkpoint_runs():
    calls = []

    def block(x):
        calls.append(x)
        return torch.sin(x) ** 2

    x = torch.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(3):
        y = torch.utils.checkpoint.checkpoint(block, y, use_reentrant=False)
    y.backward()
    return len(calls)
