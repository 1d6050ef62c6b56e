"""What a learner writes for one slider, `x0=(-2, 2, 0.05)`, turned into a control with checked values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Any

from ..core.checks import check_number
from ..core.numbers import format_fixed, format_given, typable

FORMS = (
    "(low, high), (low, high, step), (low, high, step, start), range(…), a list of choices, "
    "a dict of labels and values, True or False, or play(…) around one of them"
)


@dataclass(frozen=True)
class Control:
    """One slider, choice or checkbox: its allowed values in order, and where it starts.

    Args:
        name: the view's parameter that it moves.
        kind: "range", "choice" or "checkbox".
        values: every value that it can take, in order.
        labels: the text for each value.
        start: the position in `values` at which it starts.
        seconds: the time between two steps of the play button; None for no play button.
        repeat: True where playing starts again at the end.
        limits: the lowest and the highest value that a call may name, for a range of numbers; else None.
    """

    name: str
    kind: str
    values: Sequence[Any]
    labels: Sequence[str]
    start: int
    seconds: float | None = None
    repeat: bool = False
    limits: tuple[float, float] | None = None

    def at(self, fraction: float) -> Any:
        """The value at `fraction` of the way: 0 is the first, 1 the last."""
        if not 0 <= fraction <= 1:
            raise ValueError(f"fraction = {fraction!r}; expected a number from 0 to 1")
        return self.values[round(fraction * (len(self.values) - 1))]

    def check(self, value: Any) -> Any:
        """`value` as the view is to receive it, for a value that was typed.

        Raises:
            TypeError: no number, where the slider gives numbers.
            ValueError: the value is outside the range or not among the choices.
        """
        if self.limits is None:
            for known in self.values:
                if known is value or (type(known) is type(value) and bool(known == value)):
                    return known
            labels = [typable(label) for label in self.labels]
            if isinstance(value, str) and typable(value) in labels:
                return self.values[labels.index(typable(value))]
            raise ValueError(f"{self.name} = {value!r}; expected one of {', '.join(self.labels)}")
        low, high = self.limits
        number = _number(value, self.name)
        if not low <= number <= high:
            raise ValueError(f"{self.name} = {value!r} is outside the slider's range, {low} to {high}")
        if isinstance(self.values[0], Integral):
            if number != int(number):
                raise ValueError(f"{self.name} = {value!r}; expected a whole number, as the slider gives")
            return int(number)
        return float(number)

    def describe(self) -> str:
        """The control in words: "x0 from -2.00 to 2.00"."""
        if self.kind == "checkbox":
            return f"{self.name} on or off"
        if self.kind == "choice":
            return f"{self.name}: {', '.join(self.labels)}"
        return f"{self.name} from {self.labels[0]} to {self.labels[-1]}"


@dataclass(frozen=True)
class Play:
    """A slider with a play button; made by `play`."""

    values: Any
    seconds: float
    repeat: bool
    at_end: bool


def play(values: Any, *, seconds: float = 0.1, repeat: bool = False, at_end: bool = False) -> Play:
    """A slider that also moves by itself: `explore(view, step=play((0, 50)))`.

    Args:
        values: any range or list that `explore` takes.
        seconds: the time from one value to the next, at least 0.02; a view that needs longer is waited for.
        repeat: True to start again at the end; it always runs until it is paused.
        at_end: True to stand at the last value until it is played, which then begins at the first.

    Raises:
        ValueError: `seconds` is below 0.02.
    """
    if not isinstance(seconds, Real) or not seconds >= 0.02:
        raise ValueError(f"seconds = {seconds!r}; expected a number of seconds, at least 0.02")
    return Play(values, float(seconds), bool(repeat), bool(at_end))


def control(name: str, given: Any) -> Control:
    """The control for `name=given` in a call of `explore`.

    Raises:
        TypeError: `given` is none of the forms that `explore` takes.
        ValueError: an empty range or list, a minimum above the maximum, a step not above zero, or a start outside.
    """
    if isinstance(given, Play):
        made = control(name, given.values)
        if made.kind == "checkbox" or len(made.values) < 2:
            raise ValueError(f"{name} = play({given.values!r}); expected at least two values to play through")
        start = len(made.values) - 1 if given.at_end else made.start
        return replace(made, start=start, seconds=given.seconds, repeat=given.repeat)
    if isinstance(given, bool):
        return Control(name, "checkbox", (False, True), ("off", "on"), int(given))
    if isinstance(given, range):
        return _whole_range(name, given)
    if isinstance(given, tuple):
        return _number_range(name, given)
    if isinstance(given, list):
        return _choice(name, given, [_label(value) for value in given])
    if isinstance(given, dict):
        return _choice(name, list(given.values()), [_label(label) for label in given])
    raise TypeError(f"{name} = {given!r}; expected {FORMS}")


def _number(value: Any, name: str) -> float:
    """`value` as a finite number that stays whole where it is whole."""
    number = check_number(value, name=name)
    return int(value) if isinstance(value, Integral) else number


def _whole_range(name: str, given: range) -> Control:
    if not given:
        raise ValueError(f"{name} = {given!r} holds no numbers; expected a range of at least one, such as range(1, 6)")
    values = given if given.step > 0 else given[::-1]
    return Control(
        name, "range", values, [*map(format_given, values)], values.index(given[0]), limits=(values[0], values[-1])
    )


def _number_range(name: str, given: tuple) -> Control:
    if not 2 <= len(given) <= 4:
        raise ValueError(f"{name} = {given!r}; expected (low, high), (low, high, step) or (low, high, step, start)")
    numbers = [_number(value, name) for value in given]
    low, high = numbers[:2]
    whole = all(isinstance(number, Integral) for number in numbers)
    if low > high:
        raise ValueError(f"{name} = {given!r}: the minimum {low} is above the maximum {high}")
    if low == high:
        raise ValueError(f"{name} = {given!r} is empty: minimum and maximum are both {low}")
    step = numbers[2] if len(given) > 2 else 1 if whole else _fine_step(high - low)
    if not 0 < step <= (high - low) * (1 + 1e-9):
        raise ValueError(f"{name} = {given!r}: step {step} must be above zero and at most {high - low}")
    count = math.floor((high - low) / step + 1e-9) + 1
    if count > 10_000:
        raise ValueError(f"{name} = {given!r} has {count} positions; expected a larger step, for at most 10000")
    if whole:
        values: Sequence[Any] = range(int(low), int(low + count * step), int(step))
        labels = [*map(format_given, values)]
    else:
        values = [min(round(low + i * step, 10), high) for i in range(count)]
        decimals = max(_decimals(step), min(_decimals(low), _decimals(step) + 2))
        labels = [format_fixed(value, decimals) for value in values]
    start = numbers[3] if len(given) > 3 else values[(count - 1) // 2]
    if not values[0] <= start <= values[-1]:
        raise ValueError(f"{name} = {given!r}: the start {start} is outside {low} to {high}")
    nearest = min(range(count), key=lambda i: abs(values[i] - start))
    return Control(name, "range", values, labels, nearest, limits=(low, high))


def _fine_step(width: float) -> float:
    """A round step that cuts `width` into 100 to 250 parts."""
    unit = 10.0 ** math.floor(math.log10(width / 100))
    return max(unit * factor for factor in (1, 2, 5) if unit * factor <= width / 100 * (1 + 1e-9))


def _decimals(number: float) -> int:
    """How many decimals `number` is written with; at most three digits that count, as 1/3 is 0.333."""
    most = 10 if number == 0 else min(max(2 - math.floor(math.log10(abs(number))), 0), 10)
    return next(
        decimals for decimals in range(most + 1) if decimals == most or math.isclose(round(number, decimals), number)
    )


def _label(value: Any) -> str:
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    return format_given(value) if is_number else getattr(value, "__name__", str(value))


def _choice(name: str, values: list, labels: list[str]) -> Control:
    if not values:
        raise ValueError(f"{name} holds no choices; expected at least one")
    if len(set(labels)) < len(labels):
        raise ValueError(f"{name} = {labels}: two choices have the same label; give a dict of labels and values")
    numbers = [value for value in values if isinstance(value, Real) and not isinstance(value, bool)]
    rising = len(numbers) == len(values) > 2 and all(a < b for a, b in zip(numbers, numbers[1:], strict=False))
    return Control(name, "range" if rising else "choice", values, labels, 0)
