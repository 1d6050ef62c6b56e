"""A repair that shows the first symptom again hears what it changed."""

import pytest
import torch

from course_utils.exercises import lesson_08
from course_utils.exercises.exercise import exercise
from course_utils.exercises.second_tries import SAME


@exercise("Repair it.", probe=lambda loop: loop(torch.tensor([1.0, 2.0])), hints=["look", "look closer"])
def loop(x):
    return x.sum()


@loop.broken("It gives the mean.")
def loop(x):
    return x.mean()


@loop.again("A copy has the same mean.")
def _(x):
    return x.clone().mean()


def renamed(x):
    result = x.mean()
    return result


def copied_elsewhere(x):
    y = x.clone()
    return y.abs().mean()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda x: x.clone().mean(), SAME + "A copy has the same mean."),
        (copied_elsewhere, SAME + "A copy has the same mean."),
        (renamed, SAME + "It gives the mean. What you changed makes no difference to what the loop computes."),
        (lambda x: x.abs().mean(), SAME + "It gives the mean. New in your loop: `abs`. That does not reach the cause."),
        (lambda x: torch.div(x.sum(), len(x)), SAME + "It gives the mean. New in your loop: `div`, `len`, `sum`; gone "
         "or done less often: `mean`. That does not reach the cause."),
    ],
)  # fmt: skip
def test_the_change_is_named(answer, says):
    assert loop.grade(answer).message == says


def test_the_code_as_it_was_given_gets_its_symptom_alone():
    cell = {}
    exec(loop.given, cell)
    assert loop.grade(cell["loop"]).message == "It gives the mean."


def forgets_the_brackets(w, optimizer, batches):
    for x, y in batches:
        optimizer.zero_grad  # noqa: B018
        loss = ((w * x - y) ** 2).mean()
        loss.backward()
        optimizer.step()


def zeroes_before(w, optimizer, batches):
    optimizer.zero_grad()
    for x, y in batches:
        loss = ((w * x - y) ** 2).mean()
        loss.backward()
        optimizer.step()


def windows(change):
    def carried(w, optimizer, windows):
        h = torch.tensor(0.0)
        for window in windows:
            optimizer.zero_grad()
            h = change(h)
            for x in window:
                h = torch.tanh(w * h + x)
            ((h - 0.5) ** 2).backward()
            optimizer.step()

    return carried


def not_assigned(h):
    h.detach()
    return h


def masked(root=torch.sqrt, total=lambda error, known: torch.where(known, error, 0.0).sum(), after=lambda w: None):
    def loop(w, optimizer, x, y):
        for _ in range(2):
            optimizer.zero_grad()
            total((root(w * x) - y) ** 2, x > 0).backward()
            after(w)
            optimizer.step()

    return loop


@pytest.mark.parametrize(
    ("repair", "answer", "says"),
    [
        (lesson_08.growing_steps, forgets_the_brackets, "`zero_grad` is named in a line of your code and not called"),
        (lesson_08.growing_steps, zeroes_before, "once, before the loop"),
        (lesson_08.carried_state, windows(not_assigned), "give the result a name"),
        (lesson_08.carried_state, windows(torch.clone), "records the copying"),
        (lesson_08.masked_too_late, masked(root=lambda x: torch.sqrt(x + 1e-6)), "helps against 0"),
        (lesson_08.masked_too_late, masked(total=lambda error, known: error[known].sum()), "*after* the root"),
        (lesson_08.masked_too_late, masked(total=lambda error, known: error.nansum()), "passes over nan"),
        (lesson_08.masked_too_late, masked(after=lambda w: torch.nn.utils.clip_grad_norm_([w], 2.0)), "Clipping"),
    ],
)
def test_second_tries_that_got_the_first_message(repair, answer, says):
    """FINDINGS.md, 4."""
    message = repair.grade(answer).message
    assert says in message and "The same symptom as before" in message
