"""`recap`: questions from earlier lessons once more, those that were missed first, the others after growing pauses.

The plan is Leitner's. A question that was missed lies in box 0 and is asked again at once; each right answer moves it
one box on, and a box further on waits longer (`PAUSES`). A question that nobody has answered yet comes after those that
are due, in an order that depends on the lesson alone.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta, timezone

from ..core import palette
from ..core.checks import check_whole
from . import find_exercises
from .exercise import Prediction, Verdict
from .records import progress_file, read, reason, recall_file, remember_answer
from .show import Card, Shown

PAUSES = (0, 1, 3, 7, 14, 30, 90)  # days until a question in this box is asked again
_RULE = "\n\n---\n\n"  # a line between one question and the next
_STUBS = "Answer all of them in one call, in this order; `...` stands for one that you leave out."


class Recap(Shown):
    """Some questions from earlier lessons; as the last line of a cell it shows them.

    Attributes:
        questions: the predictions by their full name, as in "lesson_02.first_slope".
        trouble: a sentence if the records could not be read, "" otherwise.
    """

    def __init__(self, questions: dict[str, Prediction], trouble: str = ""):
        self.questions, self.trouble = questions, trouble

    @property
    def card(self) -> Card:
        asked = [f"**{number}.** {_prompt(it)}" for number, it in enumerate(self.questions.values(), 1)]
        return Card("Recap", _RULE.join(filter(None, [_STUBS, *asked, self.trouble])), tone=palette.VALUE)

    def check(self, *answers: object) -> Card:
        """One verdict for each question, and when it comes again is remembered. Never raises.

        Args:
            answers: one for each question, in their order; `...` for one that you leave out.
        """
        if len(answers) != len(self.questions):
            text = f"You gave {len(answers)}; this recap has {len(self.questions)} questions."
            return Card("Not yet", text, tone=palette.TROUBLE)
        pairs = zip(self.questions.items(), answers)
        said = [_said(*question, answer) for question, answer in pairs]
        right = f"{sum(text.startswith('**Right.') for text in said)} of {len(said)} right."
        numbered = [f"**{number}.** {text}" for number, text in enumerate(said, 1)]
        return Card("Recap", _RULE.join([right, *numbered]), tone=palette.VALUE)


def recap(count: int = 3, *, before: int | None = None) -> Recap:
    """Some questions from earlier lessons once more: first those that you missed, then those whose time has come.

    Args:
        count: how many, 1 to 20; fewer if there are not so many.
        before: the number of a lesson: only lessons before it are asked; None asks the whole course.

    Raises:
        TypeError: one of them is not a whole number.
        ValueError: no lesson comes before that one, or `count` is outside of 1 to 20.

    Example:
        >>> again = recap(before=4)
        >>> again.check(18.0, ..., [3, 2, 1])
    """
    count, lessons = check_whole(count, name="count", low=1, high=20), find_exercises()
    last = len(lessons) if before is None else check_whole(before, name="before", low=1, high=len(lessons))
    known = {
        f"{lesson}.{name}": it
        for lesson, its in lessons.items()
        for name, it in its.items()
        if isinstance(it, Prediction) and int(lesson[-2:]) < last
    }
    try:
        met, trouble = _met(), ""
    except OSError as error:
        met, trouble = {}, f"What was remembered cannot be read: {reason(error)}."
    return Recap({name: known[name] for name in _in_turn(known, met, seed=last)[:count]}, trouble)


def _in_turn(known: dict[str, Prediction], met: dict[str, tuple[int, datetime]], *, seed: int) -> list[str]:
    """The names of the questions in the order in which they are asked: due, not met yet, not due yet."""
    now = datetime.now(timezone.utc)
    new = sorted(known.keys() - met.keys())
    random.Random(seed).shuffle(new)
    waiting = sorted((met[name][1] + timedelta(days=PAUSES[met[name][0]]), name) for name in known.keys() & met.keys())
    missed = [name for _, name in waiting if not met[name][0]]
    due = [name for day, name in waiting if met[name][0] and day <= now]
    return missed + due + new + [name for day, name in waiting if met[name][0] and day > now]


def _met() -> dict[str, tuple[int, datetime]]:
    """For each question that was answered before: its box, and when it came into it.

    Raises:
        OSError: a file is there and cannot be read.
    """
    events = [_event(record, "passed") for record in read(progress_file())]
    events += [_event(record, "asked") for record in read(recall_file())]
    boxes: dict[str, tuple[int, datetime]] = {}
    for time, name, right in sorted((event for event in events if event), key=lambda event: event[0]):
        box = boxes[name][0] if name in boxes else 0
        # A pass after a miss leaves the question in box 0: it was hard once.
        box = 0 if right is False else box if right is None and name in boxes else min(box + 1, len(PAUSES) - 1)
        boxes[name] = box, time
    return boxes


def _event(record: dict[str, object], key: str) -> tuple[datetime, str, bool | None] | None:
    """When a question was answered, which, and how if that is known; None for a line that does not say so."""
    time, name, right = record.get(key), record.get("exercise"), record.get("right")
    if not (isinstance(time, str) and isinstance(name, str)):
        return None
    try:
        when = datetime.fromisoformat(time)
    except ValueError:
        return None
    return (when, name, right if isinstance(right, bool) else None) if when.tzinfo else None


def _prompt(question: Prediction) -> str:
    return question.prompt.replace("`prediction = ", "`")


def _said(name: str, question: Prediction, answer: object) -> str:
    """The verdict on one answer, in Markdown, after it was remembered."""
    verdict = question.grade(answer)
    if verdict.status == "unfinished":
        return f"**Left out.** It is asked in lesson {name[7:9]}."
    trouble = remember_answer(name, is_right=verdict.status == "right")
    text = question.because if verdict.status == "right" else verdict.message.partition(" Stuck? ")[0]
    where = "" if verdict.status == "right" else f"Lesson {name[7:9]} has it."
    return f"**{Verdict(verdict.status).card.word}.** " + " ".join(filter(None, [text, where, trouble]))
