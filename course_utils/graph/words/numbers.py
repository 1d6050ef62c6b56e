"""How numbers read on a graph: one rule for the drawing, the text and the formulas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from ..data import Summary


# One number is said on its card, in the table and in the description.
@lru_cache(maxsize=4096, typed=True)
def format_number(number: float | complex | int | bool) -> str:
    """A number with four significant digits and at least two decimals: 4.00, −1.375, 0.9093, 1.50e−7.

    Integers and booleans keep their own look (3, True), so that a float is seen to be one. The minus is the true
    minus sign, which screen readers say aloud; there is no minus zero.
    """
    if isinstance(number, complex):
        sign = "−" if number.imag < 0 else "+"
        return f"{format_number(number.real)}{sign}{format_number(abs(number.imag))}i"
    if isinstance(number, bool | int) and abs(number) < 1_000_000:
        return str(number).replace("-", "−")
    if number == 0:
        return "0.00"
    if not math.isfinite(number):
        return str(float(number)).replace("-", "−")
    if 0.001 <= abs(number) < 100_000:
        text = _trim(f"{number:.{max(2, 3 - math.floor(math.log10(abs(number))))}f}")
    else:
        text = _scientific(number, 3)
    return text.replace("-", "−")


def _scientific(number: float, decimals: int) -> str:
    mantissa, exponent = f"{number:.{decimals}e}".split("e")
    return f"{_trim(mantissa)}e{int(exponent)}".replace("-", "−")


def _trim(decimals: str) -> str:
    """Without the zeros that follow the second decimal."""
    whole, _, fraction = decimals.partition(".")
    return f"{whole}.{fraction[:2]}{fraction[2:].rstrip('0')}"


def format_shape(shape: Sequence[int]) -> str:
    """(2, 3), and (3,) for a vector, as Python writes it."""
    return str(tuple(shape))


def format_summary(summary: Summary, *, room: int | None = None) -> str:
    """A tensor's value in at most `room` characters where that can be done: its entries, or else its norm.

    Args:
        summary: what is known of the tensor.
        room: the number of characters there are, or None for no limit.
    """
    if not summary.numbers:
        return _without_entries(summary, room)
    texts = [format_number(number) for number in summary.numbers]
    nested = _nest(texts, summary.shape)
    if room is None or len(nested) <= room or len(texts) == 1:
        return nested
    return f"all {texts[0]}" if len(set(texts)) == 1 else _without_entries(summary, room)


def _without_entries(summary: Summary, room: int | None) -> str:
    if 0 in summary.shape:
        return "empty"
    if summary.norm is None:
        return f"has {summary.trouble}" if summary.trouble else "not shown"
    text = format_number(summary.norm)
    if room is not None and len(text) > room - 5 and math.isfinite(summary.norm):
        text = _scientific(summary.norm, 1)
    return f"norm {text}"


def _nest(texts: list[str], shape: tuple[int, ...]) -> str:
    for length in reversed(shape):
        texts = [f"[{', '.join(texts[at : at + length])}]" for at in range(0, len(texts), length)]
    return texts[0]
