"""Exercises of lesson 06: big batches in small memory."""

import torch

from .exercise import Prediction, exercise, prediction
from .probes import keeps_memory, samples_sent
from .side_effects import touches_nothing_else
from .sorts import names_among


@prediction(
    """
    Ten samples come as micro-batches of two. `loss` is the *mean* over a micro-batch, and `(loss / k).backward()` is
    called for each of them. Which `k` leaves the gradient of the mean over all ten in `.grad`? Type a number.
    """,
    mistakes=[
        (1.0, "Then the gradients of all micro-batches are added up, and what comes out is the right gradient times "
         "their number."),
        (2.0, "Two is the number of samples in a micro-batch. The mean has divided by that already."),
        (4.0, "Four was the number of micro-batches of the eight samples above. Count them anew for ten samples."),
        (10.0, "Ten would be right for *sums*. Each loss is a mean, so the division by two is done already."),
        (0.2, "That is the factor to multiply with. The question is what to divide by."),
    ],
    because="Five micro-batches of equal size make ten samples, and the mean of the five means is the mean of all.",
    hints=[
        "Without any division, one gradient of about the right size is added for each micro-batch. How many are there?",
        "The mean over all samples is the mean of the means, since all micro-batches have the same size.",
    ],
)
def micro_batch_scale():
    samples = torch.arange(10.0)
    means = [part.mean() for part in samples.split(2)]
    return sum(means) / samples.mean()


@prediction(
    """
    The losses of four micro-batches have the gradients 4, 8, 12 and 20 by a weight `w`. The loop calls
    `optimizer.zero_grad()` and then `(loss / 4).backward()`, for each of the four. What stands in `w.grad` when
    `optimizer.step()` is called after the loop? Type a number.
    """,
    mistakes=[
        (11.0, "That is the right gradient, the mean of all four. This loop does not arrive at it: what does "
         "`zero_grad` do to the shares that came before?"),
        (20.0, "Only the last one is left, that is right. But it was divided by four before it arrived."),
        (44.0, "That is the sum of all four. Each is divided by four, and each `zero_grad` throws the earlier ones "
         "away."),
        (0.0, "`zero_grad` stands *before* `backward`. Something arrives after it."),
        (1.0, "That is the share of the first micro-batch. It is thrown away when the second begins."),
        (3.0, "Zeroing comes first in each turn, so it spares the share of the turn it stands in, and no other."),
    ],
    because="Zeroing before each micro-batch leaves only the last one: $20 / 4 = 5$.",
    hints=[
        "Go through the loop turn by turn, and write down `w.grad` after each line.",
        "Whatever was collected before the last turn is gone. What does the last turn add?",
    ],
)
def zero_every_time():
    w = torch.tensor(1.0, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    for slope in (4.0, 8.0, 12.0, 20.0):
        optimizer.zero_grad()
        loss = slope * w
        (loss / 4).backward()
    return w.grad


uneven_mean = Prediction(
    """
    Four samples have a mean loss of 2, two more a mean loss of 11. What is the mean loss over all six? Type a number.
    """,
    5.0,
    mistakes=[
        (6.5, "That is the mean of the two means. It gives two samples as much say as four: weigh each mean by how "
         "many stand behind it."),
        (13.0, "Means of different batches cannot just be added. How much loss do all six samples have together?"),
        (30.0, "That is the sum over all six samples, and right so far. A mean is divided by how many there are."),
        (15.0, "The sum over all six is right. Divide it by the number of samples, not by the number of batches."),
        (8.0, "You gave the larger share to the smaller batch. Four samples have a mean of 2, only two have a mean of "
         "11."),
    ],
    because="The six losses add up to $4 \\cdot 2 + 2 \\cdot 11 = 30$, and each sample counts once.",
    hints=[
        "Go back from the means to the sums: how much loss do four samples with a mean of 2 have together?",
        "Add the two sums, then divide by the number of all samples.",
    ],
)


def _regression():
    model = torch.nn.Linear(3, 1)
    model.register_forward_hook(lambda *_: None)
    samples, targets = torch.randn(7, 3), 10 * torch.randn(7, 1) + 20
    return model, list(zip(samples.split(3), targets.split(3), strict=True))


def _gradients(model):
    return [weight.grad for weight in model.parameters()]


def _after_uneven_batches(grad_accumulate):
    model, batches = _regression()
    grad_accumulate(model, torch.nn.MSELoss(), batches)
    return _gradients(model)


def _after_other_batches(grad_accumulate):
    model, samples, targets = torch.nn.Linear(3, 1), torch.randn(5, 3), torch.rand(5, 1)
    batches = [(samples[:2], targets[:2]), (samples[2:], targets[2:])]
    grad_accumulate(model, torch.nn.BCEWithLogitsLoss(pos_weight=torch.tensor(50.0)), batches)
    return _gradients(model)


def _batches_stay_small(grad_accumulate):
    model, batches = _regression()
    with samples_sent(model) as sizes:
        grad_accumulate(model, torch.nn.MSELoss(), batches)
    return 0 < max(sizes, default=0) <= 3


def _one_graph_at_a_time(grad_accumulate):
    model, batches = _regression()
    return keeps_memory(lambda: grad_accumulate(model, torch.nn.MSELoss(), batches), model)


def _fills_gradients_only(grad_accumulate):
    model, batches = _regression()
    loss_fn = torch.nn.MSELoss()
    things = {"model": model, "loss_fn": loss_fn, "inputs": batches[0][0], "targets": batches[0][1]}
    return touches_nothing_else(lambda: grad_accumulate(model, loss_fn, batches), things, but={"grad of model"})


@exercise(
    """
    Write `grad_accumulate(model, loss_fn, batches)`. `batches` is a list of pairs (inputs, targets), the last one may
    be smaller; `loss_fn(outputs, targets)` is the *mean* loss of a batch. Afterwards the parameters of `model` hold
    in `.grad` the gradient of the mean loss over **all** samples, while only one batch at a time was in memory. Each
    `.grad` is None before.
    """,
    probe={
        ".grad after batches of 3, 3 and 1 samples": _after_uneven_batches,
        ".grad with another loss and other batches": _after_other_batches,
        "the model never gets more samples at once than a batch has": _batches_stay_small,
        "each batch's graph is gone before the next batch begins": _one_graph_at_a_time,
        "nothing but `.grad` is changed": _fills_gradients_only,
    },
    because="Each batch is weighted by its share of all samples, so the sum of its gradients is that of the full mean.",
    hints=[
        "`backward` adds to `.grad`, so the adding is done for you. What remains is the share with which each batch "
        "counts.",
        "A mean loss times its number of samples is the batch's sum. Divide the sums by the number of all samples.",
        "Scale each batch's loss *before* its `backward`, and call `backward` inside the loop, so that the graph is "
        "freed at once.",
    ],
)
def grad_accumulate(model, loss_fn, batches):
    total = sum(len(inputs) for inputs, _ in batches)
    for inputs, targets in batches:
        share = len(inputs) / total
        loss = share * loss_fn(model(inputs), targets)
        loss.backward()


@grad_accumulate.right
def _(model, loss_fn, batches):
    model.zero_grad()
    total = 0
    for inputs, targets in batches:
        (loss_fn(model(inputs), targets) * len(inputs)).backward()
        total += len(inputs)
    for parameter in model.parameters():
        parameter.grad /= total


@grad_accumulate.right
def _(model, loss_fn, batches):
    weights = {name: weight.detach() for name, weight in model.named_parameters()}
    total = sum(len(inputs) for inputs, _ in batches)
    for inputs, targets in batches:

        def share(weights, inputs=inputs, targets=targets):
            return loss_fn(torch.func.functional_call(model, weights, (inputs,)), targets) * len(inputs) / total

        for name, gradient in torch.func.grad(share)(weights).items():
            weight = model.get_parameter(name)
            weight.grad = gradient if weight.grad is None else weight.grad + gradient


@grad_accumulate.mistake(
    "The mean of the batches' means: right for equal batches, wrong here, where the last has one sample and counts as "
    "much as three. Weigh each batch by its number of samples."
)
def _(model, loss_fn, batches):
    for inputs, targets in batches:
        (loss_fn(model(inputs), targets) / len(batches)).backward()


@grad_accumulate.mistake(
    "Only the last batch's share is left: `zero_grad()` inside the loop throws away what the batches before it have "
    "added."
)
def _(model, loss_fn, batches):
    total = sum(len(inputs) for inputs, _ in batches)
    for inputs, targets in batches:
        model.zero_grad()
        (loss_fn(model(inputs), targets) * len(inputs) / total).backward()


@grad_accumulate.mistake(
    "Only the last batch is left, and it counts fully: `zero_grad()` inside the loop throws away what came before. And "
    "each batch should count by its share of all samples."
)
def _(model, loss_fn, batches):
    for inputs, targets in batches:
        model.zero_grad()
        loss_fn(model(inputs), targets).backward()


@grad_accumulate.mistake(
    "Only the last batch is left, divided by the number of batches: `zero_grad()` inside the loop throws away what "
    "came before."
)
def _(model, loss_fn, batches):
    for inputs, targets in batches:
        model.zero_grad()
        (loss_fn(model(inputs), targets) / len(batches)).backward()


@grad_accumulate.mistake(
    "The batches' means are added and never divided: the gradient grows with the number of batches. Give each batch "
    "its share."
)
def _(model, loss_fn, batches):
    for inputs, targets in batches:
        loss_fn(model(inputs), targets).backward()


@grad_accumulate.mistake(
    "That is the gradient of the *sum* over all samples. For the mean, divide by how many samples there are in all."
)
def _(model, loss_fn, batches):
    for inputs, targets in batches:
        (loss_fn(model(inputs), targets) * len(inputs)).backward()


@grad_accumulate.mistake(
    "The numbers are right, but you put all batches into one: that is the big batch that does not fit into memory."
)
def _(model, loss_fn, batches):
    inputs, targets = (torch.cat(parts) for parts in zip(*batches, strict=True))
    loss_fn(model(inputs), targets).backward()


@grad_accumulate.mistake(
    "The numbers are right, but a batch's graph is still there when the next batch begins. Either you collect outputs "
    "or losses first and call `backward` later, or `retain_graph=True` keeps the graph."
)
def _(model, loss_fn, batches):
    total = sum(len(inputs) for inputs, _ in batches)
    loss = sum(loss_fn(model(inputs), targets) * len(inputs) for inputs, targets in batches) / total
    loss.backward()


@grad_accumulate.mistake(
    "The gradient is right, and then you let an optimiser take a step: the weights move. The gradient alone is asked "
    "for; what to do with it is the caller's matter."
)
def _(model, loss_fn, batches):
    grad_accumulate.answer(model, loss_fn, batches)
    torch.optim.SGD(model.parameters(), lr=0.1).step()


@grad_accumulate.mistake(
    "The gradient is right, but you set `loss_fn.reduction`, and `loss_fn` is the caller's: from now on it gives sums "
    "to everybody. Multiply its mean by the number of samples."
)
def _(model, loss_fn, batches):
    loss_fn.reduction = "sum"
    total = sum(len(inputs) for inputs, _ in batches)
    for inputs, targets in batches:
        (loss_fn(model(inputs), targets) / total).backward()


@grad_accumulate.mistake("`backward` stands after the loop, so it sees the last batch only. Each batch needs its own.")
def _(model, loss_fn, batches):
    for inputs, targets in batches:
        loss = loss_fn(model(inputs), targets)
    loss.backward()


@grad_accumulate.mistake("The share is right, but `backward` stands after the loop: it sees the last batch only.")
def _(model, loss_fn, batches):
    total = sum(len(inputs) for inputs, _ in batches)
    for inputs, targets in batches:
        loss = loss_fn(model(inputs), targets) * len(inputs) / total
    loss.backward()


@grad_accumulate.mistake("The number of samples stands in your code as a fixed number. Count them in `batches`.")
def _(model, loss_fn, batches):
    for inputs, targets in batches:
        (loss_fn(model(inputs), targets) * len(inputs) / 7).backward()


@grad_accumulate.mistake("Not every loss is a mean squared error. Use the `loss_fn` that is passed.")
def _(model, loss_fn, batches):
    grad_accumulate.answer(model, torch.nn.MSELoss(), batches)


@grad_accumulate.mistake("`loss_fn` takes the outputs first, then the targets. For some losses the order matters.")
def _(model, loss_fn, batches):
    grad_accumulate.answer(model, lambda outputs, targets: loss_fn(targets, outputs), batches)


@grad_accumulate.mistake(
    "You divide each batch's mean by the number of all samples. But a mean has been divided by its own number of "
    "samples already: multiply by that one first."
)
def _(model, loss_fn, batches):
    total = sum(len(inputs) for inputs, _ in batches)
    for inputs, targets in batches:
        (loss_fn(model(inputs), targets) / total).backward()


@grad_accumulate.mistake(
    "You send the running sum back in each turn, so the first batches are counted again and again. Call `backward` on "
    "the loss of one batch alone."
)
def _(model, loss_fn, batches):
    total, running = sum(len(inputs) for inputs, _ in batches), 0.0
    for inputs, targets in batches:
        running = running + loss_fn(model(inputs), targets) * len(inputs) / total
        running.backward(retain_graph=True)


@grad_accumulate.mistake(
    "You scale `.grad` after each `backward`, and with it all that was collected before, again and again. Scale the "
    "loss, before its `backward`."
)
def _(model, loss_fn, batches):
    total = sum(len(inputs) for inputs, _ in batches)
    for inputs, targets in batches:
        loss_fn(model(inputs), targets).backward()
        for parameter in model.parameters():
            parameter.grad *= len(inputs) / total


@grad_accumulate.mistake(
    "`.grad` is None at the end. Either nothing was written there (`backward` does that, `torch.autograd.grad` does "
    "not), or a `zero_grad()` after the last `backward` has thrown it away."
)
def _(model, loss_fn, batches):
    total = 0
    for inputs, targets in batches:
        total += loss_fn(model(inputs), targets).item()


def _padded_batches(rows):
    model = torch.nn.Sequential(torch.nn.Embedding(5, 3), torch.nn.Linear(3, 5))
    with torch.no_grad():
        model[0].weight *= 20
    batches = []
    for lengths in rows:
        tokens, targets = torch.randint(5, (2, len(lengths), 4))
        for row, length in enumerate(lengths):
            targets[row, length:] = -100
        batches.append((tokens, targets))
    return model, batches


def _after_padded_batches(token_accumulate, rows=([4, 4, 3], [2, 1])):
    model, batches = _padded_batches(rows)
    token_accumulate(model, batches)
    return _gradients(model)


def _token_batches_stay_small(token_accumulate):
    model, batches = _padded_batches(([4, 2], [3, 1]))
    with samples_sent(model) as sizes:
        token_accumulate(model, batches)
    return 0 < max(sizes, default=0) <= 2


def _one_token_graph_at_a_time(token_accumulate):
    model, batches = _padded_batches(([4, 2], [3, 1]))
    return keeps_memory(lambda: token_accumulate(model, batches), model)


def _fills_token_gradients_only(token_accumulate):
    model, batches = _padded_batches(([4, 2], [3, 1]))
    things = {"model": model, "tokens": batches[0][0], "targets": batches[0][1]}
    return touches_nothing_else(lambda: token_accumulate(model, batches), things, but={"grad of model"})


@exercise(
    """
    Write `token_accumulate(model, batches)`: leave in `.grad` the gradient of the mean cross entropy per **valid**
    token over all batches. `batches` is a list of pairs (tokens, targets), both of shape (rows, length); a target of
    −100 is padding and does not count. `model(tokens)` has the shape (rows, length, classes).
    """,
    probe={
        ".grad after a batch of full rows and one of mostly padding": _after_padded_batches,
        ".grad after three other batches": lambda answer: _after_padded_batches(answer, ([1], [4, 2], [3])),
        "the model never gets more rows at once than a batch has": _token_batches_stay_small,
        "each batch's graph is gone before the next batch begins": _one_token_graph_at_a_time,
        "nothing but `.grad` is changed": _fills_token_gradients_only,
    },
    because="The mean runs over all valid tokens, so each batch has to count by its tokens and not as one.",
    hints=[
        "Count first: how many targets in all batches together are not −100?",
        "`cross_entropy` leaves out −100 by itself. With `reduction=\"sum\"` it gives a sum over the valid tokens of a "
        "batch.",
        "It wants scores of shape (tokens, classes) and targets of shape (tokens,): `flatten(0, 1)` and `flatten()`.",
    ],
)
def token_accumulate(model, batches):
    valid = sum((targets != -100).sum() for _, targets in batches)
    for tokens, targets in batches:
        scores = model(tokens).flatten(0, 1)
        loss = torch.nn.functional.cross_entropy(scores, targets.flatten(), reduction="sum")
        (loss / valid).backward()


@token_accumulate.right
def _(model, batches):
    counts = [(targets != -100).sum().item() for _, targets in batches]
    for (tokens, targets), count in zip(batches, counts, strict=True):
        loss = torch.nn.functional.cross_entropy(model(tokens).transpose(1, 2), targets)
        (loss * count / sum(counts)).backward()


def _token_accumulate(model, batches, *, share, reduction="mean"):
    for tokens, targets in batches:
        loss = torch.nn.functional.cross_entropy(model(tokens).flatten(0, 1), targets.flatten(), reduction=reduction)
        (share(targets) * loss).backward()


@token_accumulate.mistake(
    "The mean of the batches' means: a batch of mostly padding counts as much as a full one. Weigh each batch by its "
    "number of valid tokens."
)
def _(model, batches):
    _token_accumulate(model, batches, share=lambda targets: 1 / len(batches))


@token_accumulate.mistake(
    "You weigh each batch by its number of rows. Rows have different lengths: it is the valid tokens that count."
)
def _(model, batches):
    rows = sum(len(targets) for _, targets in batches)
    _token_accumulate(model, batches, share=lambda targets: len(targets) / rows)


@token_accumulate.mistake(
    "You divide by the number of all tokens, padding included, so every gradient is too small. Count the targets that "
    "are not −100."
)
def _(model, batches):
    tokens = sum(targets.numel() for _, targets in batches)
    _token_accumulate(model, batches, share=lambda targets: 1 / tokens, reduction="sum")


@token_accumulate.mistake(
    "That is the gradient of the sum over all valid tokens. Divide by how many there are in all batches together."
)
def _(model, batches):
    _token_accumulate(model, batches, share=lambda targets: 1.0, reduction="sum")


@token_accumulate.mistake(
    "The batches' means are added and never divided. Give each batch its share of all valid tokens."
)
def _(model, batches):
    _token_accumulate(model, batches, share=lambda targets: 1.0)


@token_accumulate.mistake(
    "You divide by all valid tokens, but the batch's mean has been divided by its own valid tokens already. Start from "
    "the sum."
)
def _(model, batches):
    valid = sum((targets != -100).sum() for _, targets in batches)
    _token_accumulate(model, batches, share=lambda targets: 1 / valid)


@token_accumulate.mistake(
    "You divide by the tokens seen *so far*, so the first batch is divided by too few. Count the valid tokens of all "
    "batches before the loop."
)
def _(model, batches):
    seen = 0
    for tokens, targets in batches:
        seen += (targets != -100).sum()
        loss = torch.nn.functional.cross_entropy(model(tokens).flatten(0, 1), targets.flatten(), reduction="sum")
        (loss / seen).backward()


@token_accumulate.mistake(
    "Only the last batch is left: `zero_grad()` inside the loop throws away what the batches before it have added, or "
    "`backward` stands after the loop."
)
def _(model, batches):
    valid = sum((targets != -100).sum() for _, targets in batches)
    for tokens, targets in batches:
        model.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(tokens).flatten(0, 1), targets.flatten(), reduction="sum")
        (loss / valid).backward()


@token_accumulate.mistake(
    "`.grad` is None at the end. Either nothing was written there (`backward` does that, `torch.autograd.grad` does "
    "not), or a `zero_grad()` after the last `backward` has thrown it away."
)
def _(model, batches):
    for tokens, targets in batches:
        torch.nn.functional.cross_entropy(model(tokens).flatten(0, 1), targets.flatten())


@token_accumulate.mistake(
    "The numbers are right, but you put all batches into one: that is the big batch that does not fit into memory."
)
def _(model, batches):
    tokens, targets = (torch.cat(parts) for parts in zip(*batches, strict=True))
    torch.nn.functional.cross_entropy(model(tokens).flatten(0, 1), targets.flatten()).backward()


@token_accumulate.mistake(
    "The numbers are right, but a batch's graph is still there when the next batch begins: you collect outputs or "
    "losses first and call `backward` later, or `retain_graph=True` keeps the graph."
)
def _(model, batches):
    valid = sum((targets != -100).sum() for _, targets in batches)
    losses = [
        torch.nn.functional.cross_entropy(model(tokens).flatten(0, 1), targets.flatten(), reduction="sum")
        for tokens, targets in batches
    ]
    (sum(losses) / valid).backward()


@token_accumulate.mistake(
    "The gradient is right, and then you let an optimiser take a step: the weights move. Leave that to the caller."
)
def _(model, batches):
    token_accumulate.answer(model, batches)
    torch.optim.SGD(model.parameters(), lr=0.1).step()


@token_accumulate.mistake(
    "The gradient is right, but you overwrite the −100 in the caller's targets: who reads them later takes padding for "
    "tokens. Make a mask, or a copy."
)
def _(model, batches):
    token_accumulate.answer(model, batches)
    for _, targets in batches:
        targets[targets == -100] = 0


@token_accumulate.mistake("The number of valid tokens stands in your code as a fixed number. Count them in `batches`.")
def _(model, batches):
    _token_accumulate(model, batches, share=lambda targets: 1 / 14, reduction="sum")


@token_accumulate.mistake(
    "`cross_entropy` looks for the classes in dimension 1, and here they stand last. Flatten the scores to (tokens, "
    "classes) and the targets to (tokens,)."
)
def _(model, batches):
    for tokens, targets in batches:
        torch.nn.functional.cross_entropy(model(tokens), targets).backward()


@prediction(
    """
    A network has one of these layers: `BatchNorm1d`, `LayerNorm`, `GroupNorm`, `Dropout` (in training mode), `Tanh`.
    With which of them does the gradient of several micro-batches **differ** from that of the full batch, however
    carefully you scale? Type their names: `prediction = ["…", "…"]`.
    """,
    probe=names_among("BatchNorm1d", "LayerNorm", "GroupNorm", "Dropout", "Tanh"),
    mistakes=[
        (["BatchNorm1d"], "Right about that one: its mean and spread come from the samples at hand. A second layer "
         "draws random numbers anew for each batch."),
        (["Dropout"], "Right about that one: it drops at random, and differently for each batch. A second layer "
         "computes with *other samples* of its batch."),
        (["BatchNorm1d", "LayerNorm", "Dropout"], "One too many. `LayerNorm` normalises each sample by itself: it does "
         "not know which others are in the batch."),
        (["BatchNorm1d", "LayerNorm"], "`LayerNorm` normalises each sample by itself. And one of the others is "
         "random."),
        (["BatchNorm1d", "LayerNorm", "GroupNorm"], "Not every norm looks at other samples: two of these stay within "
         "one sample. And one of the other layers is random."),
        (["BatchNorm1d", "LayerNorm", "GroupNorm", "Dropout"], "Two too many. The question is whether a layer looks at "
         "*other samples* of its batch, or draws random numbers for it."),
        (["BatchNorm1d", "GroupNorm", "Dropout"], "One too many. The groups of `GroupNorm` are groups of features, "
         "within one sample."),
        ([], "Two of them do. Ask of each: does a sample's output depend on which others are in its batch, or on "
         "chance?"),
    ],
    because=(
        "`BatchNorm1d` uses the statistics of the batch it sees and `Dropout` draws anew for each; the others treat"
        " each sample alone."
    ),
    hints=[
        "Adding up gradients works if each sample's loss is the same, whoever else is in its batch.",
        "Which of the layers computes something *across* the samples of a batch? And which of them draws random "
        "numbers?",
    ],
)
def accumulation_layers():
    nn = torch.nn
    layers = [nn.BatchNorm1d(4), nn.LayerNorm(4), nn.GroupNorm(2, 4), nn.Dropout(), nn.Tanh()]
    different = []
    for layer in layers:
        net = nn.Sequential(nn.Linear(3, 4), layer, nn.Sigmoid(), nn.Linear(4, 1)).double()
        samples = torch.randn(6, 3).double()
        gradients = []
        for size in (6, 3):
            net.zero_grad()
            for batch in samples.split(size):
                (net(batch).square().sum() / 6).backward()
            gradients.append(net[0].weight.grad)
        if not torch.allclose(*gradients):
            different.append(type(layer).__name__)
    return different
