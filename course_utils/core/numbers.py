"""How a number reads: one rule for graphs, their words and formulas, and tables."""

from __future__ import annotations

import math
from functools import lru_cache


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
        text = scientific(number, 3)
    return text.replace("-", "−")


def scientific(number: float, decimals: int) -> str:
    """A number with an exponent, 1.50e−7, and so many decimals before it."""
    mantissa, exponent = f"{number:.{decimals}e}".split("e")
    return f"{_trim(mantissa)}e{int(exponent)}".replace("-", "−")


def _trim(decimals: str) -> str:
    """Without the zeros that follow the second decimal."""
    whole, _, fraction = decimals.partition(".")
    return f"{whole}.{fraction[:2]}{fraction[2:].rstrip('0')}"
