"""Local derivatives spelled out: "2·x = 2·2.00 = 4.00", and for tensors the shapes of the product."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from ...core.internals import Unknown, saved, saved_or
from ...core.numbers import format_number
from ..data import Summary
from .text import clean, format_shape

# Local derivatives of elementwise operations, one text for each input; {0}, {1} are the operation's own inputs.
_ELEMENTWISE: dict[str, tuple[str, ...]] = {
    "Sub": ("1", "−1"),
    "Rsub": ("−1",),
    "Mul": ("{1}", "{0}"),
    "Div": ("1/{1}", "−{0}/{1}²"),
    "Neg": ("−1",),
    "Reciprocal": ("−1/{0}²",),
    "Exp": ("exp({0})",),
    "Exp2": ("2^{0}·ln 2",),
    "Expm1": ("exp({0})",),
    "Log": ("1/{0}",),
    "Log1P": ("1/(1 + {0})",),
    "Log2": ("1/({0}·ln 2)",),
    "Log10": ("1/({0}·ln 10)",),
    "Sin": ("cos({0})",),
    "Cos": ("−sin({0})",),
    "Tan": ("1 + tan({0})²",),
    "Asin": ("1/√(1 − {0}²)",),
    "Acos": ("−1/√(1 − {0}²)",),
    "Atan": ("1/(1 + {0}²)",),
    "Sinh": ("cosh({0})",),
    "Cosh": ("sinh({0})",),
    "Tanh": ("1 − tanh({0})²",),
    "Sigmoid": ("σ({0})·(1 − σ({0}))",),
    "LogSigmoid": ("1 − σ({0})",),
    "Softplus": ("σ({0})",),
    "Silu": ("σ({0})·(1 + {0}·(1 − σ({0})))",),
    "Gelu": ("Φ({0}) + {0}·φ({0})",),
    "Erf": ("2/√π·exp(−{0}²)",),
    "Relu": ("1 if {0} > 0 else 0",),
    "Sqrt": ("1/(2·√{0})",),
    "Rsqrt": ("−1/(2·{0}·√{0})",),
    "Abs": ("sign({0})",),
    "Sign": ("0",),
    "Round": ("0",),
    "Floor": ("0",),
    "Ceil": ("0",),
    "Where": ("1 if the condition holds else 0", "0 if the condition holds else 1"),
    "Maximum": ("1 if {0} > {1} else 0", "1 if {1} > {0} else 0"),
    "Minimum": ("1 if {0} < {1} else 0", "1 if {1} < {0} else 0"),
    "Atan2": ("{1}/({0}² + {1}²)", "−{0}/({0}² + {1}²)"),
    "Clone": ("1",),
    "ToCopy": ("1",),
    "Alias": ("1",),
}

# What other operations do with the upstream gradient; {up}, {own} are shapes, {0}… the operation's inputs.
_WHOLE: dict[str, tuple[str, ...]] = {
    "Sum": ("upstream {up} copied to every entry of {own}",),
    "Mean": ("upstream {up} / {share}, copied to every entry of {own}",),
    "Dot": ("upstream {up} · {1} {shape1} → {own}", "upstream {up} · {0} {shape0} → {own}"),
    "Mv": ("upstream {up} ⊗ {1} {shape1} → {own}", "{0}ᵀ {turned0} @ upstream {up} → {own}"),
    "Mm": ("upstream {up} @ {1}ᵀ {turned1} → {own}", "{0}ᵀ {turned0} @ upstream {up} → {own}"),
    "Bmm": ("upstream {up} @ {1}ᵀ {turned1} → {own}", "{0}ᵀ {turned0} @ upstream {up} → {own}"),
    "Addmm": (
        "upstream {up}, summed to {own}",
        "upstream {up} @ {2}ᵀ {turned2} → {own}",
        "{1}ᵀ {turned1} @ upstream {up} → {own}",
    ),
    "Softmax": ("softmax ⊙ (upstream − Σ upstream ⊙ softmax), {own}",),
    "LogSoftmax": ("upstream − softmax·Σ upstream, {own}",),
    "NllLoss": ("upstream {up} · (−1/n at each target's class, 0 elsewhere) → {own}",),
    "MseLoss": (
        "upstream {up} · 2·({0} − {1})/{count} → {own}",
        "upstream {up} · 2·({1} − {0})/{count} → {own}",
    ),
    "Max": ("upstream {up} to the largest entry of {own}",),
    "Min": ("upstream {up} to the smallest entry of {own}",),
    "Amax": ("upstream {up} to the largest entries of {own}, ties share",),
    "Amin": ("upstream {up} to the smallest entries of {own}, ties share",),
    "LinalgVectorNorm": ("upstream {up} · {0}/‖{0}‖ → {own}",),
    "Expand": ("upstream {up} summed to {own}",),
    "Repeat": ("upstream {up} summed to {own}",),
}
_MOVES = (
    ({"View", "UnsafeView", "ReshapeAlias", "Unsqueeze", "Squeeze"}, "upstream {up} reshaped to {own}"),
    ({"T", "Transpose", "Permute"}, "upstream {up} turned back to {own}"),
    (
        {"Select", "Slice", "Index", "Gather", "IndexSelect", "Unbind", "Split", "Diagonal"},
        "upstream {up} put back where it was taken from, zeros elsewhere: {own}",
    ),
    ({"Stack", "Cat"}, "its own part of upstream {up}: {own}"),
)
# A negative number in brackets that needs none, being alone, or has some already.
_ALONE, _TWICE = re.compile(r"^\((−[^()]*)\)$"), re.compile(r"\(\((−[^()]*)\)\)")
_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


class Input(NamedTuple):
    """What a formula can say about one input of an operation."""

    name: str | None
    value: Summary | None
    shape: tuple[int, ...] | None
    is_constant: bool = False

    @property
    def number(self) -> str | None:
        """The value where it is one number, in brackets where it is negative."""
        if self.value is None or len(self.value.numbers) != 1:
            return None
        text = format_number(self.value.numbers[0])
        return f"({text})" if text.startswith("−") else text

    @property
    def symbol(self) -> str | None:
        """What stands for it: its name, or the number itself for a constant."""
        if self.name is not None:
            return clean(self.name)
        return self.number if self.is_constant else None


class Site(NamedTuple):
    """An operation whose local derivatives are asked for."""

    operation: str
    function: Any
    shape: tuple[int, ...]
    inputs: Sequence[Input]


def spell_out(site: Site, slot: int, shape: tuple[int, ...], local: float | complex | None) -> str:
    """The derivative of an operation with respect to its input `slot`, spelled out; "" where nothing is known.

    Args:
        site: the operation.
        slot: which of its inputs.
        shape: that input's shape.
        local: the derivative as a number where both are single numbers, else None.
    """
    special = _SPECIAL.get(site.operation)
    try:
        texts = special(site) if special else _ELEMENTWISE.get(site.operation, ())
    except Unknown:
        texts = ()
    text = texts[slot] if slot < len(texts) else None
    if local is not None:
        return _with_numbers(text, site.inputs, local) if text else format_number(local)
    if text is not None:
        return _elementwise_product(text, site, shape)
    return _whole(site, slot, shape)


def _with_numbers(text: str, inputs: Sequence[Input], local: float | complex) -> str:
    needed = _needed(text)
    if not needed and text.lstrip("−").isdigit():
        return text
    if len(inputs) <= max(needed, default=-1):
        return format_number(local)
    if text in ("{0}", "{1}") and (factor := inputs[needed[0]]).is_constant and factor.name is None and factor.number:
        return factor.number.strip("()")
    symbols, numbers = [one.symbol for one in inputs], [one.number for one in inputs]
    steps = (_fill(text, needed, symbols), _fill(text, needed, numbers), format_number(local))
    return " = ".join(dict.fromkeys(step for step in steps if step is not None))


@cache
def _needed(text: str) -> tuple[int, ...]:
    """Which inputs a text speaks of."""
    return tuple(at for at in range(3) if f"{{{at}}}" in text)


def _fill(text: str, needed: Sequence[int], words: Sequence[str | None]) -> str | None:
    """`text` with the inputs put in; None where one of those it needs is not known."""
    for at in needed:
        if words[at] is None:
            return None
    filled = text.format(*words)
    return _TWICE.sub(r"(\1)", _ALONE.sub(r"\1", filled)) if "(−" in filled else filled


def _elementwise_product(text: str, site: Site, shape: tuple[int, ...]) -> str:
    product = f"upstream {format_shape(site.shape)}"
    if text != "1":
        filled = text.format(*_stand_ins(site))
        product += f" · ({filled})" if " " in filled else f" · {filled}"
    return product if site.shape == shape else f"{product}, summed to {format_shape(shape)}"


def _stand_ins(site: Site) -> list[str]:
    """A word for each input: what stands for it, or else a letter."""
    known = [one.symbol for one in site.inputs]
    return [known[at] if at < len(known) and known[at] is not None else letter for at, letter in enumerate("ABC")]


def _whole(site: Site, slot: int, shape: tuple[int, ...]) -> str:
    up, own = format_shape(site.shape), format_shape(shape)
    for kinds, text in _MOVES:
        if site.operation in kinds:
            return text.format(up=up, own=own)
    texts = _WHOLE.get(site.operation, ())
    if slot >= len(texts):
        return f"upstream {up} → {own}"
    words = {"up": up, "own": own, "count": str(math.prod(shape))}
    words["share"] = str(math.prod(shape) // (math.prod(site.shape) or 1))
    shapes = [one.shape for one in site.inputs] + [None] * 3
    for at, known in enumerate(shapes[:3]):
        words[f"shape{at}"] = format_shape(known) if known is not None else ""
        words[f"turned{at}"] = format_shape((*known[:-2], *known[:-3:-1])) if known is not None else ""
    return texts[slot].format(*_stand_ins(site), **words).replace("ᵀᵀ", "").replace("  ", " ")


def _add(site: Site) -> tuple[str, ...]:
    return "1", format_number(saved_or(site.function, "alpha", 1))


def _power(site: Site) -> tuple[str, ...]:
    kind = type(site.function).__name__
    if kind == "PowBackward2":
        return ("{1}^{0}·ln {1}",)
    if kind == "PowBackward1":
        return "{1}·{0}^({1} − 1)", "{0}^{1}·ln {0}"
    exponent = saved(site.function, "exponent")
    if exponent in (0, 1):
        return (str(int(exponent)),)
    factor, rest = "−" if exponent == -1 else f"{format_number(exponent)}·", exponent - 1
    if rest == 1:
        return (f"{factor}{{0}}",)
    if float(rest).is_integer():
        return (f"{factor}{{0}}{str(int(rest)).translate(_SUPERSCRIPTS)}",)
    return (f"{factor}{{0}}^{format_number(rest)}",)


def _clamp(site: Site) -> tuple[str, ...]:
    low, high = saved_or(site.function, "min", None), saved_or(site.function, "max", None)
    bounds = [f"{format_number(low)} ≤ " if isinstance(low, int | float) else "", "{0}"]
    bounds.append(f" ≤ {format_number(high)}" if isinstance(high, int | float) else "")
    return (f"1 if {''.join(bounds)} else 0",)


def _leaky(site: Site) -> tuple[str, ...]:
    slope = format_number(saved(site.function, "negative_slope"))
    return (f"1 if {{0}} > 0 else {slope}",)


_SPECIAL: dict[str, Callable[[Site], tuple[str, ...]]] = {
    "Add": _add,
    "Pow": _power,
    "Clamp": _clamp,
    "LeakyRelu": _leaky,
}
