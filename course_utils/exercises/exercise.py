"""`Exercise`: a task that knows its solution, its foreseeable mistakes and its hints, and answers the learner.

There is no second description of what is right: an answer is right if it behaves like the solution.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import FunctionType
from typing import Any

from ..core import palette
from .compare import same
from .diagnosis import diagnose, misfit
from .observe import Probe, is_unfinished, is_unfinished_observation, observe, world_as_it_was
from .records import remember, remember_answer
from .report import board_folder, has_opened, report, wrong_answers
from .second_tries import SAME, message_for, source_of
from .show import Card, Shown, as_code
from .sorts import read_error, uncalled

_WORDS = {
    "right": ("Right", palette.LEAF),
    "wrong": ("Not yet", palette.TROUBLE),
    "unfinished": ("Unfinished", palette.MUTED),
}


_TRIES = 3  # wrong answers after which a workshop shows the solution
_AFTER = "Three tries open the solution, or your instructor does. `{hint}` helps on the way."


@dataclass(frozen=True, repr=False)
class Verdict(Shown):
    """What an exercise says about an answer; shows itself as the last line of a cell.

    Attributes:
        status: "right", "wrong" or "unfinished".
        message: Markdown, "" if there is nothing to add.
        mistake: which foreseen mistake it was, counted from 1, or None.
    """

    status: str
    message: str = ""
    mistake: int | None = None

    @property
    def card(self) -> Card:
        word, tone = _WORDS[self.status]
        return Card(word, self.message, tone=tone)


class Exercise(Shown):
    """A task with a checked answer: a function, a class or a value. As the last line of a cell it shows its prompt.

    Args:
        prompt: the task in Markdown.
        solution: a right answer.
        probe: turns an answer into what is compared: a function, or several by the name of the case they try. What they
            return may hold numbers, tensors, texts, flags, lists, sets and dictionaries; a flag's case is named by the
            statement that should hold. Each runs under seed 0 in float64, and what it raises is part of what it finds.
        hints: from the first nudge to the last before the solution.
        because: one sentence after *Right*, in Markdown: why it is so, also for those who guessed.
        mistakes: pairs of a wrong answer and what to say to those whose answer behaves the same.
        also_right: other right answers.
        tolerance: the relative difference within which two numbers are the same.
    """

    heading = "Exercise"

    def __init__(
        self,
        prompt: str,
        solution: object,
        *,
        probe: Probe = lambda answer: answer,
        hints: Sequence[str],
        because: str = "",
        mistakes: Sequence[tuple[object, str]] = (),
        also_right: Sequence[object] = (),
        tolerance: float = 1e-5,
    ):
        self.prompt, self._solution, self.probe, self.tolerance = inspect.cleandoc(prompt), solution, probe, tolerance
        self.hints, self.mistakes, self.also_right = list(hints), list(mistakes), list(also_right)
        self.because = because
        self.second_tries: list[tuple[object, str]] = []
        self._hints_shown = 0
        self._broken: Callable | None = None
        self._wrong, self._passed = 0, False
        self._seen_in_mistakes: dict[int, dict[str, object]] = {}

    def mistake(self, message: str) -> Callable[[Callable], Callable]:
        """Decorates a wrong answer with what to say to those whose answer behaves the same."""

        def keep(wrong: Callable) -> Callable:
            self.mistakes.append((wrong, inspect.cleandoc(message)))
            return wrong

        return keep

    def broken(self, symptom: str) -> Callable[[Callable], Exercise]:
        """Decorates the code that the learner is given to repair, with what to say while it is as it was given.

        It takes the exercise's own name, as a property's setter does: `@loop.broken("…")` on another `def loop`.
        """

        def keep(code: Callable) -> Exercise:
            self.heading, self._broken = "Repair", code
            self.mistake(symptom)(code)
            return self

        return keep

    def again(self, message: str) -> Callable[[Callable], Callable]:
        """Decorates code that still shows the symptom of the broken code, with what its change did or did not do.

        It is recognised by the steps that it has more, or fewer, than the broken code.
        """
        said = SAME + inspect.cleandoc(message)

        def keep(code: Callable) -> Callable:
            self.second_tries.append((code, said))
            return code

        return keep

    def right(self, answer: Callable) -> Callable:
        """Decorates another right answer."""
        self.also_right.append(answer)
        return answer

    def check(self, answer: object) -> Verdict:
        """Right and why, Not yet and what is wrong, or Unfinished; a pass is remembered. Never raises.

        If the instructor has set a board (`COURSE_UTILS_BOARD`), the verdict goes there too, and the card says so.
        """
        verdict, name = self.grade(answer), self.name
        self._wrong, self._passed = self._wrong + (verdict.status == "wrong"), self._passed or verdict.status == "right"
        said = [self.because if verdict.status == "right" else verdict.message]
        if name is not None:
            said += [remember(name, self._lesson)] if verdict.status == "right" else []
            said += [report(name, verdict.status, verdict.mistake)]
        return replace(verdict, message="\n\n".join(filter(None, said)))

    def grade(self, answer: object) -> Verdict:
        """The verdict of `check`, without remembering or telling it."""
        verdict = self._grade(answer)
        missing = uncalled(answer) if verdict.status == "wrong" else []
        if not missing:
            return verdict
        note = f"{as_code(missing[0])} is named in a line of your code and not called: its brackets are missing."
        return replace(verdict, message=f"{note} {verdict.message}")

    def _grade(self, answer: object) -> Verdict:
        if answer is not ... and (problem := misfit(answer, self.answer)):
            return Verdict("wrong", problem)
        if is_unfinished(answer):
            return self._unfinished
        seen = observe(self.probe, answer)
        if is_unfinished_observation(seen):
            return self._unfinished
        if same(seen, self._expected, tolerance=self.tolerance):
            return Verdict("right")
        for number, (wrong, message) in enumerate(self.mistakes, 1):
            if number not in self._seen_in_mistakes:
                self._seen_in_mistakes[number] = observe(self.probe, wrong)
            if same(seen, self._seen_in_mistakes[number], tolerance=self.tolerance):
                if wrong is self._broken:
                    message = message_for(self.probe, answer, wrong, self.second_tries, message)
                return Verdict("wrong", message, mistake=number)
        diagnosis = diagnose(seen, self._expected, answer=answer, tolerance=self.tolerance)
        return Verdict("wrong", f"{diagnosis} Stuck? `{self._called}.hint()` helps.")

    def hint(self) -> Card:
        """The next hint; after the last one, the last one again."""
        self._hints_shown = min(self._hints_shown + 1, len(self.hints))
        text = self.hints[self._hints_shown - 1]
        if self._hints_shown == len(self.hints):
            text += f" After a good try, `{self._called}.solution()` shows a solution."
        return Card(f"Hint {self._hints_shown} of {len(self.hints)}", text, tone=palette.VALUE)

    def solution(self) -> Card:
        """A solution: the source of the very answer that the course's own tests run.

        In a workshop (`COURSE_UTILS_BOARD` is set) it comes after three wrong answers or a right one, or once the
        instructor has opened the lesson's solutions.
        """
        if (name := self.name) and self._is_kept_back(name):
            return Card("After the exercise", _AFTER.format(hint=f"{self._called}.hint()"), tone=palette.MUTED)
        return Card("A solution", f"```python\n{self.cell()}\n```", tone=palette.LEAF)

    def _is_kept_back(self, name: str) -> bool:
        if board_folder() is None or self._passed or has_opened(name[len("lesson_") :][:2]):
            return False
        return max(self._wrong, wrong_answers(name)) < _TRIES

    @cached_property
    def answer(self) -> object:
        """The right answer itself."""
        return self._solution

    def cell(self, variable: str = "answer") -> str:
        """The code of a cell with the solution, a definition or `variable = value`; it needs `import torch` only."""
        return source_of(self.answer) if callable(self.answer) else f"{variable} = {self.answer!r}"

    @property
    def given(self) -> str | None:
        """The broken code that the learner starts from; None if there is nothing to repair."""
        return None if self._broken is None else source_of(self._broken)

    @property
    def name(self) -> str | None:
        """Where the exercise stands, as in "lesson_02.slope"; None for one that stands in no lesson of the course."""
        lessons = [item for item in vars(sys.modules[__package__]).items() if item[0].startswith("lesson_")]
        named = ((lesson, *item) for lesson, module in lessons for item in vars(module).items())
        return next((f"{lesson}.{name}" for lesson, name, thing in named if thing is self), None)

    @property
    def _lesson(self) -> list[str]:
        """The names of all exercises of its lesson, as in "lesson_02.slope"."""
        lesson = (self.name or "").partition(".")[0]
        things = vars(sys.modules[f"{__package__}.{lesson}"]).items()
        return [f"{lesson}.{name}" for name, thing in things if isinstance(thing, Exercise)]

    @property
    def card(self) -> Card:
        """The prompt, as a cell shows it."""
        return Card(self.heading, self.prompt, tone=palette.VALUE)

    @property
    def _called(self) -> str:
        return f"exercises.{self.name.partition('.')[2]}" if self.name else "exercise"

    @property
    def _unfinished(self) -> Verdict:
        message = f"Put your answer in place of the `...` and run the cell again. Stuck? `{self._called}.hint()` helps."
        return Verdict("unfinished", message)

    @cached_property
    def _expected(self) -> dict[str, object]:
        return observe(self.probe, self.answer)


class Prediction(Exercise):
    """A typed prediction: what will some code give?

    Args:
        prompt: the question in Markdown.
        solution: the value, in plain Python; or the code itself, a function without arguments that returns it.
        tolerance: wide enough for rounding by hand.
        parts: the other arguments of `Exercise`.

    Example:
        >>> slope = Prediction("How steep is $3x^2$ at 3?", 18.0, mistakes=[(27.0, "…"), (9.0, "…")], hints=["…", "…"])
    """

    heading = "Predict"

    def __init__(self, prompt: str, solution: object, *, tolerance: float = 1e-3, **parts: Any):
        super().__init__(prompt, solution, tolerance=tolerance, **parts)

    def check(self, answer: object) -> Verdict:
        """As for every exercise; a miss is remembered, so that `recap` asks this question again."""
        verdict = super().check(answer)
        if verdict.status == "wrong" and self.name and (trouble := remember_answer(self.name, is_right=False)):
            return replace(verdict, message=f"{verdict.message}\n\n{trouble}")
        return verdict

    @cached_property
    def answer(self) -> object:
        """The value that is predicted."""
        if not callable(self._solution):
            return self._solution
        with world_as_it_was(self._solution):
            return self._solution()

    def grade(self, answer: object) -> Verdict:
        """The verdict of `check`, without remembering or telling it. All that names an exception is "error"."""
        return super().grade(read_error(answer))

    def cell(self, variable: str = "prediction") -> str:
        """The code of a cell that gives the solution, computed where the exercise has code for it."""
        if not isinstance(self._solution, FunctionType):
            return super().cell(variable)
        return f"{source_of(self._solution)}\n\n{variable} = {self._solution.__name__}()"


def exercise(prompt: str, **parts: Any) -> Callable[[Callable], Exercise]:
    """Decorates a solution, which becomes an `Exercise` of that name; `parts` are its other arguments.

    Example:
        >>> @exercise("Write `twice(x)`.", probe=lambda twice: twice(3.0), hints=["Add.", "Add `x` to itself."])
        ... def twice(x):
        ...     return x + x
        >>> @twice.mistake("That is the square. It agrees with twice a number at 2 only.")
        ... def _(x):
        ...     return x * x
    """
    return lambda solution: Exercise(prompt, solution, **parts)


def prediction(prompt: str, **parts: Any) -> Callable[[Callable], Prediction]:
    """Decorates the code whose result is to be predicted, a function without arguments; it becomes a `Prediction`."""
    return lambda code: Prediction(prompt, code, **parts)
