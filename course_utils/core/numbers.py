"""How a number reads: one rule for cards, tables, labels, readouts, axes and descriptions; nobody else formats floats.

Four digits count, at least two decimals are written, and the minus is the true minus sign, which screen readers say
aloud. Very large and very small numbers have an exponent: 1.50e−7.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache

DIGITS = 4
MORE = 1  # digit that a number of a column may have besides; more would show the rounding of float32
NOISE = 6  # decimals; further ones of what a plot measured in float32 are rounding, which differs between machines


# One number is said on its card, in the table and in the description.
@lru_cache(maxsize=4096, typed=True)
def format_number(number: float | complex | int | bool, *, digits: int = DIGITS) -> str:
    """A number with four digits that count and at least two decimals: 4.00, −1.375, 0.9093, 1.50e−7.

    Integers and booleans keep their own look (3, True), so that a float is seen to be one; there is no minus zero.
    With fewer `digits`, for tight places, one decimal is enough.
    """
    if isinstance(number, complex):
        sign = "−" if number.imag < 0 else "+"
        return f"{format_number(number.real, digits=digits)}{sign}{format_number(abs(number.imag), digits=digits)}i"
    if isinstance(number, bool | int) and abs(number) < 1_000_000:
        return str(number).replace("-", "−")
    if not _is_plain(number, digits):
        return _alone(float(number), digits)
    return _trim(format_fixed(number, _decimals(number, digits)), _least(digits))


def format_measured(number: float) -> str:
    """A number that a plot measured, to the nearest millionth: noise around zero reads 0.00."""
    return format_number(round(float(number), NOISE))


def format_given(number: float) -> str:
    """A number that the learner gave (an argument, a slider's position), as short as it is typed: −2, 0.5, 1e−5.

    One that nobody types, such as 2π, has four digits.
    """
    if isinstance(number, int):
        return str(number).replace("-", "−")
    number = float(number) + 0.0  # no minus zero
    typed = f"{number:.6g}"
    mantissa, _, exponent = (typed if _agrees(typed, number) else f"{number:.{DIGITS}g}").partition("e")
    return f"{mantissa}{f'e{int(exponent)}' if exponent else ''}".replace("-", "−")


def _agrees(text: str, number: float) -> bool:
    return math.isclose(float(text), number, rel_tol=1e-7)  # as close as float32 keeps it


def format_fixed(number: float, decimals: int) -> str:
    """A number with so many decimals: −2.00."""
    return f"{round(number, decimals) + 0.0:.{decimals}f}".replace("-", "−")


def format_column(numbers: Iterable[float | complex | int | bool], *, digits: int = DIGITS) -> list[str]:
    """Numbers that stand together, such as a column of a table or a vector: the floats share their decimals.

    There are as many as give each its four digits, but none of them more than four, or five if the smallest would be
    left with fewer than two; zeros behind a number that has no further digits do not count. What would be left with
    nothing has an exponent, as a number on its own below 0.001 has.
    """
    numbers = list(numbers)
    if len(numbers) == 1:  # most tensors of a small graph; this way takes half the time
        return [format_number(numbers[0], digits=digits)]
    floats = iter(_shared(tuple(number for number in numbers if isinstance(number, float)), digits))
    return [next(floats) if isinstance(each, float) else format_number(each, digits=digits) for each in numbers]


def format_vector(numbers: Sequence[float]) -> str:
    """The parts of a vector that a plot measured: (43.00, 20.00)."""
    return f"({', '.join(format_column(round(float(number), NOISE) for number in numbers))})"


def format_point(numbers: Iterable[float]) -> str:
    """The place that the learner gave, or that sliders set: (1, 0.5)."""
    return f"({', '.join(map(format_given, numbers))})"


def typable(text: str) -> str:
    """A text with numbers as a keyboard types it, so that the true minus is understood as well."""
    return text.replace("−", "-")


@lru_cache(maxsize=1024)
def _shared(numbers: tuple[float, ...], digits: int) -> tuple[str, ...]:
    decimals = _shared_decimals([abs(number) for number in numbers if number and _is_plain(number, digits)], digits)
    alone = [not _is_plain(number, digits) or 0 < abs(number) < 0.95 * 10**-decimals for number in numbers]
    return tuple(
        _alone(number, digits) if apart else format_fixed(number, decimals)
        for number, apart in zip(numbers, alone, strict=True)
    )


def _shared_decimals(sizes: Sequence[float], digits: int) -> int:
    """The decimals that give each number all its digits, as far as no longer one gets more than it has."""
    own = [format_number(size, digits=digits) for size in sizes]
    decimals = max((len(text.partition(".")[2]) for text in own), default=_least(digits))
    longer = [size for size, text in zip(sizes, own, strict=True) if not _agrees(text, size)]
    for most in (digits, digits + MORE):
        found = min([decimals, *(_decimals(size, most) for size in longer)])
        if all(size >= 9.5 * 10**-found for size in sizes):
            break
    return found


def _alone(number: float, digits: int) -> str:
    """A number with an exponent; nan and infinities by their names."""
    return _scientific(number, digits) if math.isfinite(number) else str(number).replace("-", "−")


def _is_plain(number: float, digits: int) -> bool:
    """Whether a number is written without an exponent."""
    return number == 0 or 0.001 <= abs(number) < 10 ** (digits + 1)


def _least(digits: int) -> int:
    return 2 if digits >= DIGITS else 1


def _decimals(number: float, digits: int) -> int:
    """How many decimals give the number its digits."""
    return max(_least(digits), digits - 1 - (math.floor(math.log10(abs(number))) if number else 0))


def _scientific(number: float, digits: int) -> str:
    mantissa, exponent = f"{number:.{digits - 1}e}".split("e")
    return f"{_trim(mantissa, _least(digits))}e{int(exponent)}".replace("-", "−")


def _trim(decimals: str, least: int) -> str:
    """Without the zeros that follow the decimals that are always written."""
    whole, _, fraction = decimals.partition(".")
    return f"{whole}.{fraction[:least]}{fraction[least:].rstrip('0')}"
