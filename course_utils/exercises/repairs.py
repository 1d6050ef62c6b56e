"""Six broken training loops for lesson 08. A repair is right when the weights end where the solution's do."""

from __future__ import annotations

from collections.abc import Callable

import torch

from .exercise import exercise
from .second_tries import NotedSGD

RATE = 0.1
LOST = "The loop runs, and `w` never moves: "


def _batches() -> list[tuple[torch.Tensor, torch.Tensor]]:
    return [(torch.tensor([1.0, 2.0]), torch.tensor([2.0, 3.0])), (torch.tensor([0.5]), torch.tensor([-1.0]))] * 2


def _trained(loop: Callable[..., object], *data: object) -> torch.Tensor:
    """Where a weight of 0.5 ends after `loop(w, optimizer, …)`."""
    w = torch.tensor(0.5, requires_grad=True)
    loop(w, NotedSGD([w], lr=RATE), *data)
    return w


def _after_batches(loop: Callable[..., object]) -> torch.Tensor:
    return _trained(loop, _batches())


@exercise(
    """
    This loop takes one step for each batch, and its steps grow too long. Repair it, so that each step follows the
    gradient of its batch alone.
    """,
    probe={"the weight after four batches": _after_batches},
    because="`.grad` is emptied once for each batch, after `step` has used it or before the next `backward` fills it.",
    hints=[
        "Print `w.grad` after each `backward`. Which batches does the second one know of?",
        "There are three places for `zero_grad`. One of them throws away what `step` is about to use.",
    ],
)
def growing_steps(w, optimizer, batches):
    for x, y in batches:
        optimizer.zero_grad()
        loss = ((w * x - y) ** 2).mean()
        loss.backward()
        optimizer.step()


@growing_steps.broken("No error, but the weight ends in the wrong place. The first step is right, no other one is.")
def growing_steps(w, optimizer, batches):
    for x, y in batches:
        loss = ((w * x - y) ** 2).mean()
        loss.backward()
        optimizer.step()


@growing_steps.again(
    "You call `zero_grad` once, before the loop, when `.grad` is still empty. The gradients pile up after that, "
    "from batch to batch."
)
def _(w, optimizer, batches):
    optimizer.zero_grad()
    for x, y in batches:
        loss = ((w * x - y) ** 2).mean()
        loss.backward()
        optimizer.step()


@growing_steps.again(
    "`retain_graph=True` keeps the graph of this batch alive. But each batch builds its own graph; what "
    "piles up is `w.grad`."
)
def _(w, optimizer, batches):
    for x, y in batches:
        loss = ((w * x - y) ** 2).mean()
        loss.backward(retain_graph=True)
        optimizer.step()


@growing_steps.again(
    "`zeros_like` makes a new tensor of zeros and leaves `w.grad` as it is. Something has to be done to `w.grad` "
    "itself."
)
def _(w, optimizer, batches):
    for x, y in batches:
        loss = ((w * x - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        torch.zeros_like(w.grad)


@growing_steps.again(
    "`detach` returns a tensor without a history and changes no `.grad`. History is not the trouble: old "
    "gradients are added to the new one."
)
def _(w, optimizer, batches):
    for x, y in batches:
        x = x.detach()
        loss = ((w * x - y) ** 2).mean()
        loss.backward()
        optimizer.step()


@growing_steps.again(
    "The gradient has lost its history, which it never had. Its *numbers* are still those of the batches before."
)
def _(w, optimizer, batches):
    for x, y in batches:
        loss = ((w * x - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        w.grad.detach_()


@growing_steps.again("`requires_grad_()` sets a flag that `w` has already. It does not empty `w.grad`.")
def _(w, optimizer, batches):
    for x, y in batches:
        w.requires_grad_()
        loss = ((w * x - y) ** 2).mean()
        loss.backward()
        optimizer.step()


@growing_steps.right
def _(w, optimizer, batches):
    for x, y in batches:
        loss = ((w * x - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        w.grad = None


@growing_steps.right
def _(w, optimizer, batches):
    for x, y in batches:
        (gradient,) = torch.autograd.grad(((w * x - y) ** 2).mean(), w)
        with torch.no_grad():
            w -= optimizer.param_groups[0]["lr"] * gradient


@growing_steps.mistake(
    LOST + "either the gradient is thrown away between `backward` and `step`, before it was used, or no `step` on this "
    "`w` comes after it."
)
def _(w, optimizer, batches):
    for x, y in batches:
        ((w * x - y) ** 2).mean().backward()
        optimizer.zero_grad()
        optimizer.step()


@growing_steps.mistake(
    "`step` stands before `backward`: each step follows the batch *before*, and the last batch is never used."
)
def _(w, optimizer, batches):
    for x, y in batches:
        optimizer.step()
        optimizer.zero_grad()
        ((w * x - y) ** 2).mean().backward()


@growing_steps.mistake("`step` stands after the loop: one step along the sum of all gradients, not one for each batch.")
def _(w, optimizer, batches):
    for x, y in batches:
        ((w * x - y) ** 2).mean().backward()
    optimizer.step()


@exercise(
    """
    Three steps on the mean loss of all batches. The loop stops at `backward`. Repair it; the loss stays the **mean** of
    the batches' losses.
    """,
    probe={
        "the weight after three steps": _after_batches,
        "the same with three batches": lambda loop: _trained(loop, _batches()[:3]),
    },
    because="The losses are joined by an operation that autograd records, so `backward` finds the way to `w`.",
    hints=[
        "Look at `loss.grad_fn`, then at `losses[0].grad_fn`. In which line did it get lost?",
        "`torch.tensor` makes a new tensor out of plain numbers. Which function puts tensors together and records it?",
    ],
)
def rebuilt_loss(w, optimizer, batches):
    for _ in range(3):
        optimizer.zero_grad()
        losses = [((w * x - y) ** 2).mean() for x, y in batches]
        loss = torch.stack(losses).mean()
        loss.backward()
        optimizer.step()


@rebuilt_loss.broken(
    "The loop stops at `loss.backward()`: element 0 of tensors does not require grad and does not have a grad_fn."
)
def rebuilt_loss(w, optimizer, batches):
    for _ in range(3):
        optimizer.zero_grad()
        losses = [((w * x - y) ** 2).mean() for x, y in batches]
        loss = torch.tensor(losses).mean()
        loss.backward()
        optimizer.step()


def _steps(w, optimizer, batches, total):
    """Three steps, each after `total` has sent the losses of all batches back."""
    for _ in range(3):
        optimizer.zero_grad()
        total([((w * x - y) ** 2).mean() for x, y in batches])
        optimizer.step()


@rebuilt_loss.again(
    "`item()` makes plain numbers of the losses even more openly: no number knows where it comes from. The losses "
    "themselves have to be put together."
)
def _(w, optimizer, batches):
    for _ in range(3):
        optimizer.zero_grad()
        losses = [((w * x - y) ** 2).mean() for x, y in batches]
        loss = torch.tensor([loss.item() for loss in losses]).mean()
        loss.backward()
        optimizer.step()


@rebuilt_loss.again(
    "`as_tensor` makes a new tensor of the numbers in a list, as `torch.tensor` does. Neither records where they "
    "come from."
)
def _(w, optimizer, batches):
    for _ in range(3):
        optimizer.zero_grad()
        losses = [((w * x - y) ** 2).mean() for x, y in batches]
        loss = torch.as_tensor(losses).mean()
        loss.backward()
        optimizer.step()


@rebuilt_loss.again("`stack` keeps the path, and then `detach` cuts it again. Take the cut away.")
def _(w, optimizer, batches):
    for _ in range(3):
        optimizer.zero_grad()
        losses = [((w * x - y) ** 2).mean() for x, y in batches]
        loss = torch.stack(losses).detach().mean()
        loss.backward()
        optimizer.step()


@rebuilt_loss.again(
    "`stack` would keep the path, but what you put in are rebuilt losses: each was made anew from a number."
)
def _(w, optimizer, batches):
    for _ in range(3):
        optimizer.zero_grad()
        losses = [((w * x - y) ** 2).mean() for x, y in batches]
        loss = torch.stack([torch.tensor(loss) for loss in losses]).mean()
        loss.backward()
        optimizer.step()


@rebuilt_loss.again("`w` requires a gradient already. The path is lost farther on, where the losses are put together.")
def _(w, optimizer, batches):
    for _ in range(3):
        optimizer.zero_grad()
        w.requires_grad_()
        losses = [((w * x - y) ** 2).mean() for x, y in batches]
        loss = torch.tensor(losses).mean()
        loss.backward()
        optimizer.step()


@rebuilt_loss.again(
    "`retain_graph=True` keeps a graph after the walk. Here there is none to walk: the path was lost before."
)
def _(w, optimizer, batches):
    for _ in range(3):
        optimizer.zero_grad()
        losses = [((w * x - y) ** 2).mean() for x, y in batches]
        loss = torch.tensor(losses).mean()
        loss.backward(retain_graph=True)
        optimizer.step()


@rebuilt_loss.right
def _(w, optimizer, batches):
    _steps(w, optimizer, batches, lambda losses: (sum(losses) / len(losses)).backward())


@rebuilt_loss.right
def _(w, optimizer, batches):
    _steps(w, optimizer, batches, lambda losses: [(loss / len(losses)).backward() for loss in losses])


@rebuilt_loss.mistake(
    LOST + "`requires_grad` makes the rebuilt loss a new leaf. `backward` is content and ends there; nothing leads "
    "back to `w`."
)
def _(w, optimizer, batches):
    _steps(w, optimizer, batches, lambda losses: torch.tensor(losses, requires_grad=True).mean().backward())


@rebuilt_loss.mistake("The path is whole again, but you send back the *sum* of the losses; the mean was asked for.")
def _(w, optimizer, batches):
    _steps(w, optimizer, batches, lambda losses: sum(losses).backward())


@rebuilt_loss.mistake("The number of batches stands in your code as a fixed number. The loop should do for any number.")
def _(w, optimizer, batches):
    _steps(w, optimizer, batches, lambda losses: (sum(losses) / 4).backward())


@rebuilt_loss.mistake("The path is whole again, but only the last batch's loss is sent back.")
def _(w, optimizer, batches):
    _steps(w, optimizer, batches, lambda losses: losses[-1].backward())


@rebuilt_loss.mistake(
    "That is the mean over all samples. The batches have different sizes; here each batch's mean counts the same."
)
def _(w, optimizer, batches):
    for _ in range(3):
        optimizer.zero_grad()
        torch.cat([(w * x - y) ** 2 for x, y in batches]).mean().backward()
        optimizer.step()


@rebuilt_loss.mistake("You take a step after every batch. One step was asked for, on the mean over all of them.")
def _(w, optimizer, batches):
    for _ in range(3):
        for x, y in batches:
            optimizer.zero_grad()
            ((w * x - y) ** 2).mean().backward()
            optimizer.step()


@exercise(
    """
    The hidden value is a tanh with its input added (a *residual connection*). `backward` refuses. Repair the loop; it
    must still compute the same.
    """,
    probe={"the weight after four batches": lambda loop: _trained(loop, [(x, -2 * y) for x, y in _batches()])},
    because="`tanh` saved its output for `backward`; a sum that makes a new tensor leaves that value as it was.",
    hints=[
        "Which value does `tanh` keep for the way back: its input or its result? The table of case 8 tells.",
        "`h += x` writes into the very tensor that `tanh` has saved. Make a new tensor instead.",
    ],
)
def added_in_place(w, optimizer, batches):
    for x, y in batches:
        optimizer.zero_grad()
        h = torch.tanh(w * x)
        h = h + x
        loss = ((h - y) ** 2).mean()
        loss.backward()
        optimizer.step()


@added_in_place.broken(
    "The loop stops at `loss.backward()`: a variable needed for gradient computation has been modified by an inplace "
    "operation."
)
def added_in_place(w, optimizer, batches):
    for x, y in batches:
        optimizer.zero_grad()
        h = torch.tanh(w * x)
        h += x
        loss = ((h - y) ** 2).mean()
        loss.backward()
        optimizer.step()


def _residual(w, optimizer, batches, hidden):
    for x, y in batches:
        optimizer.zero_grad()
        ((hidden(w, x) - y) ** 2).mean().backward()
        optimizer.step()


@added_in_place.again(
    "A copy is made, and the change still goes into `h` itself, which `tanh` has saved. The *result* has to be a "
    "new tensor."
)
def _(w, optimizer, batches):
    for x, y in batches:
        optimizer.zero_grad()
        h = torch.tanh(w * x)
        h.clone()
        h += x
        loss = ((h - y) ** 2).mean()
        loss.backward()
        optimizer.step()


@added_in_place.again(
    "`retain_graph=True` keeps the graph after the walk. The walk fails because a saved value was changed before "
    "it began."
)
def _(w, optimizer, batches):
    for x, y in batches:
        optimizer.zero_grad()
        h = torch.tanh(w * x)
        h += x
        loss = ((h - y) ** 2).mean()
        loss.backward(retain_graph=True)
        optimizer.step()


@added_in_place.again(
    "`h[:] = …` writes into the memory of `h`, and that is what `tanh` has saved. `h = …` would give the name to "
    "a new tensor."
)
def _(w, optimizer, batches):
    for x, y in batches:
        optimizer.zero_grad()
        h = torch.tanh(w * x)
        h[:] = h + x
        loss = ((h - y) ** 2).mean()
        loss.backward()
        optimizer.step()


@added_in_place.again(
    "The sum is a new tensor, but `copy_` writes it back into `h`, which `tanh` has saved. Leave it where it is."
)
def _(w, optimizer, batches):
    for x, y in batches:
        optimizer.zero_grad()
        h = torch.tanh(w * x)
        h.copy_(h + x)
        loss = ((h - y) ** 2).mean()
        loss.backward()
        optimizer.step()


@added_in_place.again("`retain_grad` asks for the gradient at `h`. What `tanh` has saved is still overwritten.")
def _(w, optimizer, batches):
    for x, y in batches:
        optimizer.zero_grad()
        h = torch.tanh(w * x)
        h.retain_grad()
        h += x
        loss = ((h - y) ** 2).mean()
        loss.backward()
        optimizer.step()


@added_in_place.right
def _(w, optimizer, batches):
    _residual(w, optimizer, batches, lambda w, x: torch.tanh(w * x).clone().add_(x))


@added_in_place.mistake(
    "No error any more, and a wrong gradient: through `.data` PyTorch does not see the change, so `tanh` computes its "
    "slope from a value that it never had."
)
def _(w, optimizer, batches):
    def hidden(w, x):
        h = torch.tanh(w * x)
        h.data += x
        return h

    _residual(w, optimizer, batches, hidden)


@added_in_place.mistake(
    "Now the hidden value is cut off from `w`, so there is nothing left to walk. The change in place is the trouble, "
    "not the graph."
)
def _(w, optimizer, batches):
    _residual(w, optimizer, batches, lambda w, x: torch.tanh(w * x).detach().add_(x))


@added_in_place.mistake("It runs, but the input is not added any more: that is another network.")
def _(w, optimizer, batches):
    _residual(w, optimizer, batches, lambda w, x: torch.tanh(w * x))


def _fitted(loop: Callable[..., object]) -> object:
    return loop(torch.tensor(0.5, requires_grad=True), torch.tensor([1.0, 2.0]), torch.tensor([2.0, 3.0]))


@exercise(
    """
    Five steps without an optimiser. The first works, the second stops. Repair the loop: return the weight after five
    steps, as a leaf without a history.
    """,
    probe={
        "the weight after five steps": _fitted,
        "the weight that is returned is a leaf": lambda loop: getattr(_fitted(loop), "is_leaf", "no tensor"),
    },
    because="The update stays outside of the graph, so `w` is a leaf in every turn and `backward` fills its `.grad`.",
    hints=[
        "Print `w.is_leaf` at the start of each turn. What did the update make of `w`?",
        "An update is bookkeeping, not part of the function: `torch.no_grad()` says so.",
        "If `w` stays the same tensor, so does its `.grad`. What did you have to do with it before each `backward`?",
    ],
)
def lost_leaf(w, x, y):
    for _ in range(5):
        loss = ((w * x - y) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            w -= 0.1 * w.grad
        w.grad = None
    return w


@lost_leaf.broken(
    "The second turn stops at `w = w - 0.1 * w.grad`: unsupported operand type(s) for *: 'float' and 'NoneType'."
)
def lost_leaf(w, x, y):
    for _ in range(5):
        loss = ((w * x - y) ** 2).mean()
        loss.backward()
        w = w - 0.1 * w.grad
    return w


@lost_leaf.again(
    "The new `w` was computed, and a flag does not make a leaf of it: it requires a gradient already, and it is "
    "still no leaf. Drop its history first, or do not record the update."
)
def _(w, x, y):
    for _ in range(5):
        loss = ((w * x - y) ** 2).mean()
        loss.backward()
        w = w - 0.1 * w.grad
        w.requires_grad_()
    return w


@lost_leaf.again(
    "`clone` copies the numbers, and the copying is recorded: the new `w` is still computed from the old one."
)
def _(w, x, y):
    for _ in range(5):
        loss = ((w * x - y) ** 2).mean()
        loss.backward()
        w = w.clone() - 0.1 * w.grad
    return w


@lost_leaf.again(
    "The graph is not the trouble: `w.grad` is empty because the new `w` is no leaf. `retain_graph=True` does not "
    "change that."
)
def _(w, x, y):
    for _ in range(5):
        loss = ((w * x - y) ** 2).mean()
        loss.backward(retain_graph=True)
        w = w - 0.1 * w.grad
    return w


@lost_leaf.again(
    "`retain_grad` comes too late: it has to be asked for *before* `backward` comes by. And the graph would grow "
    "with each turn; a leaf is better."
)
def _(w, x, y):
    for _ in range(5):
        loss = ((w * x - y) ** 2).mean()
        loss.backward()
        w.retain_grad()
        w = w - 0.1 * w.grad
    return w


@lost_leaf.mistake(
    "After the update `w` is a new tensor and no leaf, so its `.grad` is None, and None has no methods. Keep `w` a "
    "leaf; then its `.grad` is there to be cleared."
)
def _(w, x, y):
    for _ in range(5):
        loss = ((w * x - y) ** 2).mean()
        loss.backward()
        w = w - 0.1 * w.grad
        w.grad.zero_()
    return w


@lost_leaf.right
def _(w, x, y):
    for _ in range(5):
        ((w * x - y) ** 2).mean().backward()
        w = (w - 0.1 * w.grad).detach().requires_grad_()
    return w


@lost_leaf.right
def _(w, x, y):
    optimizer = torch.optim.SGD([w], lr=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        ((w * x - y) ** 2).mean().backward()
        optimizer.step()
    return w


@lost_leaf.right
def _(w, x, y):
    for _ in range(5):
        (gradient,) = torch.autograd.grad(((w * x - y) ** 2).mean(), w)
        w = (w - 0.1 * gradient).detach().requires_grad_()
    return w


@lost_leaf.mistake(
    "Nearly: `w` stays a leaf now, so its `.grad` stays too, and the gradients of all turns add up. The broken loop "
    "did not need to clear it, yours does."
)
def _(w, x, y):
    for _ in range(5):
        ((w * x - y) ** 2).mean().backward()
        with torch.no_grad():
            w -= 0.1 * w.grad
    return w


@lost_leaf.mistake(
    "A loss has no path to a leaf. Either `no_grad` stands around the whole turn, or the update makes a new `w` that "
    "is not tracked, as `no_grad` and `detach` make them. Change the old tensor in place, or turn tracking on again."
)
def _(w, x, y):
    for _ in range(5):
        ((w * x - y) ** 2).mean().backward()
        with torch.no_grad():
            w = w - 0.1 * w.grad
    return w


@lost_leaf.mistake("A leaf may not be changed in place while PyTorch records. The update must not be recorded.")
def _(w, x, y):
    for _ in range(5):
        ((w * x - y) ** 2).mean().backward()
        w -= 0.1 * w.grad
    return w


@lost_leaf.mistake(
    "The number is right, but what you return is no leaf: it still hangs on what it was computed from. Where each new "
    "`w` is computed from the one before, that graph grows with every turn."
)
def _(w, x, y):
    for _ in range(5):
        w.retain_grad()
        ((w * x - y) ** 2).mean().backward()
        w = w - 0.1 * w.grad
    return w


@lost_leaf.mistake("The number is right. Return the weight itself, a tensor.")
def _(w, x, y):
    return lost_leaf.answer(w, x, y).item()


def _after_windows(loop: Callable[..., object]) -> torch.Tensor:
    return _trained(loop, [[-2.0, -0.5], [0.5, -0.8], [-1.5, -0.3]])


@exercise(
    """
    A recurrent network with one weight reads a long series, two numbers at a time. Its state `h` goes on from window to
    window. The second window stops. Repair the loop: the state is carried on, gradients flow within each window only.
    """,
    probe={"the weight after three windows": _after_windows},
    because="`detach` keeps the numbers of `h` and drops their history, so each window has its own graph.",
    hints=[
        "Draw `h` after the first window, then after the second. Whose nodes are behind it?",
        "The *value* of the state must go on, its *history* must not. Which method keeps the one and drops the other?",
        "Where you drop it matters: at the start of a window, not at every number.",
    ],
)
def carried_state(w, optimizer, windows):
    h = torch.tensor(0.0)
    for window in windows:
        optimizer.zero_grad()
        h = h.detach()
        for x in window:
            h = torch.tanh(w * h + x)
        loss = (h - 0.5) ** 2
        loss.backward()
        optimizer.step()


@carried_state.broken(
    "The second window stops at `loss.backward()`: trying to backward through the graph a second time. The message "
    "proposes `retain_graph=True`. Try it."
)
def carried_state(w, optimizer, windows):
    h = torch.tensor(0.0)
    for window in windows:
        optimizer.zero_grad()
        for x in window:
            h = torch.tanh(w * h + x)
        loss = (h - 0.5) ** 2
        loss.backward()
        optimizer.step()


def _windows(w, optimizer, windows, *, step=lambda h: h, end=lambda h: h, retain=False):
    h = torch.tensor(0.0)
    for window in windows:
        optimizer.zero_grad()
        for x in window:
            h = torch.tanh(w * step(h) + x)
        ((h - 0.5) ** 2).backward(retain_graph=retain)
        optimizer.step()
        h = end(h)


@carried_state.again(
    "`detach` *returns* a tensor without a history and leaves the one it is called on as it is. If you call "
    "`h.detach()`, give the result a name: that of the state."
)
def _(w, optimizer, windows):
    h = torch.tensor(0.0)
    for window in windows:
        optimizer.zero_grad()
        h.detach()
        for x in window:
            h = torch.tanh(w * h + x)
        loss = (h - 0.5) ** 2
        loss.backward()
        optimizer.step()


@carried_state.again(
    "`clone` copies the numbers and records the copying: the walk still goes through the copy into the first window."
)
def _(w, optimizer, windows):
    h = torch.tensor(0.0)
    for window in windows:
        optimizer.zero_grad()
        for x in window:
            h = torch.tanh(w * h + x)
        loss = (h - 0.5) ** 2
        loss.backward()
        optimizer.step()
        h = h.clone()


@carried_state.again(
    "The state requires a gradient already, and that is the trouble: it has a history. A flag does not take that away."
)
def _(w, optimizer, windows):
    h = torch.tensor(0.0)
    for window in windows:
        optimizer.zero_grad()
        for x in window:
            h = torch.tanh(w * h + x)
        loss = (h - 0.5) ** 2
        loss.backward()
        optimizer.step()
        h = h.requires_grad_()


@carried_state.again(
    "You look at the number and leave `h` as it was. The state that goes on has to be made of that number."
)
def _(w, optimizer, windows):
    h = torch.tensor(0.0)
    for window in windows:
        optimizer.zero_grad()
        for x in window:
            h = torch.tanh(w * h + x)
        loss = (h - 0.5) ** 2
        loss.backward()
        optimizer.step()
        h.item()


@carried_state.again(
    "`retain_grad` keeps the gradient that arrives at `h`. The walk still goes on into the first window, whose "
    "graph is freed."
)
def _(w, optimizer, windows):
    h = torch.tensor(0.0)
    for window in windows:
        optimizer.zero_grad()
        h.requires_grad and h.retain_grad()
        for x in window:
            h = torch.tanh(w * h + x)
        loss = (h - 0.5) ** 2
        loss.backward()
        optimizer.step()


@carried_state.again("Adding nothing is an operation too: the new `h` still has the first window behind it.")
def _(w, optimizer, windows):
    h = torch.tensor(0.0)
    for window in windows:
        optimizer.zero_grad()
        for x in window:
            h = torch.tanh(w * h + x)
        loss = (h - 0.5) ** 2
        loss.backward()
        optimizer.step()
        h = h + 0


@carried_state.right
def _(w, optimizer, windows):
    _windows(w, optimizer, windows, end=lambda h: torch.tensor(h.item()))


@carried_state.mistake(
    "`retain_graph=True` keeps the first window's graph, and now the walk finds that `step` has changed `w` since. The "
    "second window should not walk through the first one at all."
)
def _(w, optimizer, windows):
    _windows(w, optimizer, windows, retain=True)


@carried_state.mistake("It runs, but every window begins at 0: the state is not carried on, only its history is gone.")
def _(w, optimizer, windows):
    _windows(w, optimizer, windows, end=torch.zeros_like)


@carried_state.mistake(
    "The cut stands in the inner loop: the gradient now reaches back one number only. Within a window it should flow."
)
def _(w, optimizer, windows):
    _windows(w, optimizer, windows, step=torch.Tensor.detach)


@carried_state.mistake(
    "One graph over the whole series and one step at its end. A step after each window was asked for, with gradients "
    "that stay in it."
)
def _(w, optimizer, windows):
    h, loss = torch.tensor(0.0), 0.0
    for window in windows:
        for x in window:
            h = torch.tanh(w * h + x)
        loss = loss + (h - 0.5) ** 2
    loss.backward()
    optimizer.step()


@carried_state.mistake(
    "No path leads from the loss to `w`: the cut stands between `h` and the loss, or the window is computed under "
    "`no_grad`. Cut between the windows."
)
def _(w, optimizer, windows):
    h = torch.tensor(0.0)
    for window in windows:
        for x in window:
            h = torch.tanh(w * h + x)
        ((h.detach() - 0.5) ** 2).backward()


def _after_masked(loop: Callable[..., object]) -> torch.Tensor:
    return _trained(loop, torch.tensor([4.0, -1.0, 9.0, 0.0]), torch.tensor([2.0, 1.0, 3.0, 1.0]))


def _after_masked_without_zero(loop: Callable[..., object]) -> torch.Tensor:
    return _trained(loop, torch.tensor([-1.0, 4.0, -2.0, 9.0]), torch.tensor([1.0, 2.0, 1.0, 3.0]))


@exercise(
    """
    Two of the four measurements in `x` are not positive, so they have no place under a root, and the loss leaves them
    out. Still `w` is nan after the first step. Repair the loop: two steps on the sum over the positive ones.
    """,
    probe={
        "the weight after two steps": _after_masked,
        "the same where no measurement is 0": _after_masked_without_zero,
    },
    because="The bad values never enter the root now, so no infinite slope meets a 0 on the way back.",
    hints=[
        "Print `loss`, then `w.grad`. The loss is a fine number. On which edge of the graph does nan appear?",
        "A mask *after* the root comes too late: 0 times infinity is nan. And a 0 under the root is as bad as a "
        "negative number. What may the root be allowed to see?",
    ],
)
def masked_too_late(w, optimizer, x, y):
    known = x > 0
    for _ in range(2):
        optimizer.zero_grad()
        error = (torch.sqrt(w * x[known]) - y[known]) ** 2
        loss = error.sum()
        loss.backward()
        optimizer.step()


@masked_too_late.broken("No error, but after the first step `w` is nan, and it stays nan.")
def masked_too_late(w, optimizer, x, y):
    known = x > 0
    for _ in range(2):
        optimizer.zero_grad()
        error = (torch.sqrt(w * x) - y) ** 2
        loss = torch.where(known, error, 0.0).sum()
        loss.backward()
        optimizer.step()


def _masked(w, optimizer, loss_of, *, repair=lambda gradient: gradient):
    for _ in range(2):
        optimizer.zero_grad()
        loss_of(w).backward()
        w.grad = repair(w.grad)
        optimizer.step()


@masked_too_late.again(
    "A small number under the root helps against 0. The root of −1 is nan all the same, and so is its slope: "
    "negative numbers must not get there."
)
def _(w, optimizer, x, y):
    known = x > 0
    for _ in range(2):
        optimizer.zero_grad()
        error = (torch.sqrt(w * x + 1e-8) - y) ** 2
        loss = torch.where(known, error, 0.0).sum()
        loss.backward()
        optimizer.step()


@masked_too_late.again(
    "You leave the nan out of the sum, *after* the root. On the way back the entries left out get the gradient 0, "
    "and 0 times the root's nan is nan. Choose before the root."
)
def _(w, optimizer, x, y):
    known = x > 0
    for _ in range(2):
        optimizer.zero_grad()
        error = (torch.sqrt(w * x) - y) ** 2
        loss = error[known].sum()
        loss.backward()
        optimizer.step()


@masked_too_late.again(
    "`nansum` passes over nan on the way forward. On the way back those entries get the gradient 0, and 0 times "
    "nan is nan."
)
def _(w, optimizer, x, y):
    for _ in range(2):
        optimizer.zero_grad()
        error = (torch.sqrt(w * x) - y) ** 2
        loss = torch.nansum(error)
        loss.backward()
        optimizer.step()


@masked_too_late.again("Clipping divides by the norm of the gradient. The norm of nan is nan, so all stays nan.")
def _(w, optimizer, x, y):
    known = x > 0
    for _ in range(2):
        optimizer.zero_grad()
        error = (torch.sqrt(w * x) - y) ** 2
        loss = torch.where(known, error, 0.0).sum()
        loss.backward()
        torch.nn.utils.clip_grad_norm_([w], 1.0)
        optimizer.step()


@masked_too_late.again("`clamp` leaves nan as it is: it is neither too large nor too small.")
def _(w, optimizer, x, y):
    known = x > 0
    for _ in range(2):
        optimizer.zero_grad()
        error = (torch.sqrt(w * x) - y) ** 2
        loss = torch.where(known, error, 0.0).sum()
        loss.backward()
        w.grad.clamp_(-1.0, 1.0)
        optimizer.step()


@masked_too_late.again(
    "The *values* are fine numbers now, and the root of −1 was computed all the same: its slope is nan, and 0 "
    "times nan is nan."
)
def _(w, optimizer, x, y):
    known = x > 0
    for _ in range(2):
        optimizer.zero_grad()
        error = ((torch.sqrt(w * x) - y) ** 2).nan_to_num()
        loss = torch.where(known, error, 0.0).sum()
        loss.backward()
        optimizer.step()


@masked_too_late.right
def _(w, optimizer, x, y):
    safe = torch.where(x > 0, x, 1.0)
    _masked(w, optimizer, lambda w: torch.where(x > 0, (torch.sqrt(w * safe) - y) ** 2, 0.0).sum())


@masked_too_late.right
def _(w, optimizer, x, y):
    _masked(w, optimizer, lambda w: ((torch.sqrt((w * x).clamp(min=1e-9)) - y) ** 2 * (x > 0)).sum())


@masked_too_late.mistake(
    LOST + "its gradient is one number, and the good shares were added to the nan. Whether you turn that nan into 0 or "
    "skip the step, they are lost with it. The nan must not arise."
)
def _(w, optimizer, x, y):
    _masked(
        w, optimizer, lambda w: torch.where(x > 0, (torch.sqrt(w * x) - y) ** 2, 0.0).sum(), repair=torch.nan_to_num
    )


@masked_too_late.mistake(
    "The negative numbers do no harm any more, but `w` is still nan: there is a 0 under the root, where it has an "
    "infinite slope. 0 is not positive either."
)
def _(w, optimizer, x, y):
    nothing = torch.zeros_like(x)
    _masked(w, optimizer, lambda w: torch.where(x > 0, (torch.maximum(w * x, nothing).sqrt() - y) ** 2, 0.0).sum())


@masked_too_late.mistake("The places of the positive ones stand in your code. Find them from `x` itself, by `x > 0`.")
def _(w, optimizer, x, y):
    _masked(w, optimizer, lambda w: ((torch.sqrt(w * x[[0, 2]]) - y[[0, 2]]) ** 2).sum())


@masked_too_late.mistake("No nan any more, but the two others are not left out: you made them positive and they count.")
def _(w, optimizer, x, y):
    _masked(w, optimizer, lambda w: ((torch.sqrt((w * x).abs() + 1e-9) - y) ** 2).sum())


@masked_too_late.mistake("No nan any more. You divide by the number of positive ones; the sum over them was asked for.")
def _(w, optimizer, x, y):
    _masked(w, optimizer, lambda w: ((torch.sqrt(w * x[x > 0]) - y[x > 0]) ** 2).mean())
