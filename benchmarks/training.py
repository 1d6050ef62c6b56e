"""What watching the gradients costs a training loop: `training_monitor` beside the same loop without it.

Every contender trains its own copy of the same network in short runs, taken in turns within one process; a ratio is the
median over all rounds of what a run took, divided by the plain loop's run of the same round. Times are processor times.
A run includes entering the monitor, its ten first steps, which are all read, and leaving it.

    python benchmarks/training.py            measures, prints, and writes benchmarks/README.md
    python benchmarks/training.py --print    only prints
"""

from __future__ import annotations

import contextlib
import copy
import gc
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from table import machine, markdown, write_section
from torch import nn

from course_utils import training_monitor

ROUNDS, STEPS = 60, 200
Step = Callable[[nn.Module, torch.optim.Optimizer, torch.Tensor, torch.Tensor], object]


@dataclass(frozen=True)
class Case:
    """A network and how it is trained: what builds it, its optimiser (None: by hand), and the shape of a batch."""

    name: str
    build: Callable[[], nn.Module]
    optimiser: Callable[..., torch.optim.Optimizer] | None
    batch: int
    rounds: int = ROUNDS


def mlp(*widths: int) -> nn.Sequential:
    """Linear layers of these widths, with ReLU between them."""
    pairs = list(zip(widths, widths[1:], strict=False))
    return nn.Sequential(*[part for one, two in pairs for part in (nn.Linear(one, two), nn.ReLU())][:-1])


CASES = (
    Case("2-32-32-1, batch of 32, SGD", lambda: mlp(2, 32, 32, 1), torch.optim.SGD, 32),
    Case("2-32-32-1, batch of 32, Adam", lambda: mlp(2, 32, 32, 1), torch.optim.Adam, 32),
    Case("2-32-32-1, batch of 32, updated by hand", lambda: mlp(2, 32, 32, 1), None, 32),
    Case("20 layers of 32, batch of 32, SGD", lambda: mlp(2, *[32] * 19, 1), torch.optim.SGD, 32, 20),
    Case("784-256-256-10, batch of 64, SGD", lambda: mlp(784, 256, 256, 10), torch.optim.SGD, 64, 20),
)


class Every:
    """What one writes without a helper: the norm of every gradient, noted at every step."""

    def __init__(self, model: nn.Module):
        self.model, self.norms = model, []

    def note(self) -> None:
        self.norms.append([parameter.grad.norm().item() for parameter in self.model.parameters()])


def train(case: Case, model: nn.Module, x: torch.Tensor, y: torch.Tensor, note: Callable[[], None] | None = None) -> None:
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


def measure(case: Case) -> list[str]:
    """A row of the table."""
    model = case.build()
    x, y = (torch.randn(case.batch, next(iter(shape))) for shape in (model[0].weight.T.shape, model[-1].weight.shape))
    models = [copy.deepcopy(model) for _ in range(4)]
    plain, again, watched, noted = times = [[] for _ in models]
    for turn in range(case.rounds + 1):
        gc.collect()
        for place in range(4):
            which = (place + turn) % 4
            with stopwatch(times[which]):
                if which == 2:
                    with training_monitor(models[which]):
                        train(case, models[which], x, y)
                else:
                    train(case, models[which], x, y, Every(models[which]).note if which == 3 else None)
    step = statistics.median(plain[1:]) / STEPS * 1e6
    return [case.name, f"{step:.0f} µs", *(share(other, plain) for other in (again, watched, noted))]


def share(other: list[float], plain: list[float]) -> str:
    """How much more the one took than the other in the same round, in percent; the first round warms up."""
    ratios = [one / two for one, two in zip(other[1:], plain[1:], strict=True)]
    return f"{100 * (statistics.median(ratios) - 1):+.1f}%"


HEADER = ("a training step", "takes", "the same loop again", "`training_monitor` (target: under 3 % more)", "every norm, every step")

if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(0)
    text = markdown(HEADER, [measure(case) for case in CASES])
    text += f"\n\nMedians over {ROUNDS} rounds of {STEPS} steps each (20 for larger networks), in turns; the second column\n"
    text += f"of figures is the noise of the method. {machine('torch')}, one thread."
    print(text)
    if "--print" not in sys.argv:
        write_section("training", text)
