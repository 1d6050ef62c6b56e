"""Whether a formula gives the number beside it: it is worked out, and what does not hold is not said."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from functools import cache

import torch

from ...core.numbers import format_number
from ..data import Summary

Number = float | complex | int | bool
_LOWERED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_SIGNS = str.maketrans({"·": "*", "−": "-", "^": "**", "≤": "<=", "π": " pi "})
_WORDS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"\{(\d)\}"), lambda found: f"x[{found[1]}]"),
    (re.compile(r"√(x\[\d\]|π|\([^()]*\))"), lambda found: f"sqrt({found[1]})"),
    (re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+"), lambda found: f"**({found[0].translate(_LOWERED)})"),
    (re.compile(r"ln (x\[\d\]|\d+)"), lambda found: f"ln({found[1]})"),
    (
        re.compile(r"^(.+) if (.+) ([≤<]) (.+) ([≤<]) (.+) else (.+)$"),
        lambda found: "where(({2}{3}{4})&({4}{5}{6}),{1},{7})".format(*_parts(found)),
    ),
    (re.compile(r"^(.+) if (.+) else (.+)$"), lambda found: "where({2},{1},{3})".format(*_parts(found))),
)  # fmt: skip
# Relative: what rounding may change of a number by its type, and of one whose inputs are shown with four digits.
_ROUNDING, _SHOWN = {"float16": 2e-2, "bfloat16": 4e-2}, 2e-2


def _parts(found: re.Match[str]) -> tuple[str, ...]:
    return found[0], *found.groups()


def tolerance(dtype: str | None) -> float:
    """How far two numbers of a type may lie apart that are the same but for rounding, relative to them."""
    return _ROUNDING.get(dtype, 1e-3)


def _wrapped(function: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[object], torch.Tensor]:
    return lambda value: function(torch.as_tensor(value, dtype=None if _is_complex(value) else torch.float64))


def _is_complex(value: object) -> bool:
    return isinstance(value, complex) or (isinstance(value, torch.Tensor) and value.is_complex())


def _where(condition: torch.Tensor, yes: Number, no: Number) -> torch.Tensor:
    return torch.where(condition, torch.as_tensor(yes, dtype=torch.float64), torch.as_tensor(no, dtype=torch.float64))


_KNOWN = {
    **{name: _wrapped(getattr(torch, name)) for name in ("exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sqrt")},
    "ln": _wrapped(torch.log), "σ": _wrapped(torch.sigmoid), "sign": _wrapped(torch.sgn), "conj": _wrapped(torch.conj),
    "Φ": _wrapped(torch.special.ndtr), "φ": _wrapped(lambda x: torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)),
    "pi": torch.tensor(math.pi, dtype=torch.float64), "where": _where,
}  # fmt: skip


@cache
def _compiled(text: str) -> object:
    """A formula as code; None for words."""
    for pattern, spelled in _WORDS:
        text = pattern.sub(spelled, text)
    try:
        return compile(text.translate(_SIGNS), "<formula>", "eval")
    except SyntaxError:
        return None


def work_out(text: str, inputs: Sequence[torch.Tensor | None]) -> torch.Tensor | None:
    """What a formula gives for its inputs {0}, {1}, …; None if it is in words, or if an input is not known."""
    code = _compiled(text)
    if code is None:
        return None
    try:
        return torch.as_tensor(eval(code, {"__builtins__": {}}, {**_KNOWN, "x": inputs}))
    except (TypeError, IndexError, RuntimeError):
        return None


def as_tensor(summary: Summary | None, *, is_shown: bool = False) -> torch.Tensor | None:
    """The entries of a summary in double precision, or as they are shown; None where they are not kept."""
    if summary is None or not summary.numbers:
        return None
    numbers = [_as_shown(one) if is_shown else one for one in summary.numbers]
    kind = torch.complex128 if any(isinstance(one, complex) for one in numbers) else torch.float64
    return torch.tensor(numbers, dtype=kind).reshape(summary.shape)


def _as_shown(number: Number) -> Number:
    if isinstance(number, complex):
        return complex(_as_shown(number.real), _as_shown(number.imag))
    return float(format_number(number).replace("−", "-"))


def gives(text: str, inputs: Sequence[Summary | None], local: Number, *, dtype: str | None) -> bool | None:
    """Whether a formula gives a local derivative; None where that cannot be worked out."""
    found = work_out(text, [as_tensor(one) for one in inputs])
    return None if found is None or found.numel() != 1 else _agree(found.item(), local, tolerance(dtype))


def gives_as_shown(text: str, inputs: Sequence[Summary | None], local: Number) -> bool:
    """Whether a formula still gives the number with its inputs rounded to what is shown of them."""
    found = work_out(text, [as_tensor(one, is_shown=True) for one in inputs])
    return found is not None and found.numel() == 1 and _agree(found.item(), local, _SHOWN)


def gives_product(
    text: str, inputs: Sequence[Summary | None], up: Summary | None, sent: Summary | None, *, dtype: str | None
) -> bool | None:
    """Whether "upstream · formula", summed to the input's shape, is what flows back; None where that is not known."""
    arriving, result = as_tensor(up), as_tensor(sent)
    local = work_out(text, [as_tensor(one) for one in inputs])
    if arriving is None or result is None or local is None:
        return None
    product = (arriving * local).broadcast_to(arriving.shape)
    total, size = product.sum_to_size(result.shape), product.abs().sum_to_size(result.shape)
    near = tolerance(dtype) * size.nan_to_num(posinf=0.0)
    return bool((((total - result).abs() <= near) | (total == result) | (total.isnan() & result.isnan())).all())


def is_product(up: Number, local: Number, result: Number, *, dtype: str | None) -> bool:
    """Whether upstream × local is what flows back."""
    return _agree(up * local, result, tolerance(dtype))


def _agree(one: Number, other: Number, near: float) -> bool:
    if one != one or other != other:
        return one != one and other != other
    return one == other or (abs(one - other) <= near * max(abs(one), abs(other)) and abs(one) != math.inf != abs(other))
