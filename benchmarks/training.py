"""What watching the gradients costs a training loop: `training_monitor` beside the same loop without it.

Every contender trains its own copy of the same network in short runs, taken in turns within one process; a ratio
compares the shortest run of each, for what else the machine does only ever makes a run longer. Times are processor
times. A run includes entering the monitor, its ten first steps, which are all read, and leaving it.

    python benchmarks/training.py            measures, prints, and writes benchmarks/README.md
    python benchmarks/training.py --print    only prints
"""

from __future__ import annotations

import contextlib
import copy
import gc
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import nn

from course_utils import training_monitor
from table import machine, markdown, write_section

ROUNDS, STEPS = 24, 500
Step = Callable[[nn.Module, torch.optim.Optimizer, torch.Tensor, torch.Tensor], object]


@dataclass(frozen=True)
class Case:
    """A network and how it is trained: what builds it, its optimiser (None: by hand), and the shape of a batch."""

    name: str
    build: Callable[[], nn.Module]
    optimiser: Callable[..., torch.optim.Optimizer] | None
    batch: int
    inputs: int = 2
    outputs: int = 1
    rounds: int = ROUNDS


def mlp(*widths: int) -> nn.Sequential:
    """Linear layers of these widths, with ReLU between them."""
    pairs = list(zip(widths, widths[1:], strict=False))
    return nn.Sequential(*[part for one, two in pairs for part in (nn.Linear(one, two), nn.ReLU())][:-1])


CASES = (
    Case("2-32-32-1, batch of 32, SGD", lambda: mlp(2, 32, 32, 1), torch.optim.SGD, 32),
    Case("2-32-32-1, batch of 32, Adam", lambda: mlp(2, 32, 32, 1), torch.optim.Adam, 32),
    Case("2-32-32-1, batch of 32, updated by hand", lambda: mlp(2, 32, 32, 1), None, 32),
    Case("20 layers of 32, batch of 32, SGD", lambda: mlp(2, *[32] * 19, 1), torch.optim.SGD, 32, rounds=8),
    Case("784-256-256-10, batch of 64, SGD", lambda: mlp(784, 256, 256, 10), torch.optim.SGD, 64, 784, 10, 8),
)


class Every:
    """What one writes without a helper: the norm of every gradient, noted at every step."""

    def __init__(self, model: nn.Module):
        self.model, self.norms = model, []

    def note(self) -> None:
        self.norms.append([parameter.grad.norm().item() for parameter in self.model.parameters()])


def train(
    case: Case, model: nn.Module, x: torch.Tensor, y: torch.Tensor, note: Callable[[], None] | None = None
) -> None:
    """One run of `STEPS` steps; `note` is called before each update."""
    optimiser = case.optimiser(model.parameters(), lr=1e-3) if case.optimiser else None
    for _ in range(STEPS):
        model.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        if note is not None:
            note()
        if optimiser is not None:
            optimiser.step()
            continue
        with torch.no_grad():
            for parameter in model.parameters():
                parameter -= 1e-3 * parameter.grad


@contextlib.contextmanager
def stopwatch(times: list[float]) -> Iterator[None]:
    begin = time.process_time()
    yield
    times.append(time.process_time() - begin)


def contenders(case: Case, x: torch.Tensor, y: torch.Tensor) -> list[Callable[[], None]]:
    """The plain loop, the same again, two ways to watch it, and one by hand; each with its own copy of the network."""
    model = case.build()
    models = [copy.deepcopy(model) for _ in range(5)]

    def watched(model: nn.Module, **options: int) -> None:
        with training_monitor(model, **options):
            train(case, model, x, y)

    return [
        lambda: train(case, models[0], x, y),
        lambda: train(case, models[1], x, y),
        lambda: watched(models[2]),
        lambda: watched(models[3], every=1),
        lambda: train(case, models[4], x, y, Every(models[4]).note),
    ]


def measure(case: Case) -> list[str]:
    """A row of the table."""
    x, y = torch.randn(case.batch, case.inputs), torch.randn(case.batch, case.outputs)
    runs = contenders(case, x, y)
    times: list[list[float]] = [[] for _ in runs]
    for turn in range(case.rounds + 1):
        gc.collect()
        for place in range(len(runs)):
            which = (place + turn) % len(runs)
            with stopwatch(times[which]):
                runs[which]()
    plain, *others = map(min, times)
    return [case.name, f"{plain / STEPS * 1e6:.0f} µs", *(f"{100 * (other / plain - 1):+.1f}%" for other in others)]


HEADER = (
    "one training step",
    "takes",
    "the same loop again",
    "`training_monitor` (target: under 3 % more)",
    "… with `every=1`",
    "by hand: each norm, each step",
)
TEXT = f"""
Shortest of {ROUNDS} runs (8 for the two larger networks) of {STEPS} steps, taken in turns; the same loop measured again
shows the noise of the method. A loop that updates by hand, without an optimiser, is watched by a hook on each
parameter, and pays for each.
"""

if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(0)
    table = markdown(HEADER, [measure(case) for case in CASES])
    text = f"{table}\n\n{TEXT.strip()} Measured with {machine('torch')}, one thread."
    print(text)
    if "--print" not in sys.argv:
        write_section("training", text)
