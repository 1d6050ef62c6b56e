"""Local derivatives spelled out: "2·x = 2·2.00 = 4.00", and for tensors the shapes of the product."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .data import Node
from .numbers import format_number, format_shape

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
    "MseLoss": ("upstream {up} · 2·({0} − {1})/{count} → {own}", "upstream {up} · 2·({1} − {0})/{count} → {own}"),
    "Max": ("upstream {up} to the largest entry of {own}",),
    "Min": ("upstream {up} to the smallest entry of {own}",),
    "Amax": ("upstream {up} to the largest entries of {own}, ties share",),
    "Amin": ("upstream {up} to the smallest entries of {own}, ties share",),
    "LinalgVectorNorm": ("upstream {up} · {0}/‖{0}‖ → {own}",),
    "Expand": ("upstream {up} summed to {own}",),
    "Repeat": ("upstream {up} summed to {own}",),
}
_RESHAPES = {"View", "UnsafeView", "ReshapeAlias", "Unsqueeze", "Squeeze"}
_TURNS = {"T", "Transpose", "Permute"}
_PICKS = {"Select", "Slice", "Index", "Gather", "IndexSelect", "Unbind", "Split", "Narrow", "Diagonal"}
_JOINS = {"Stack", "Cat"}
_LETTERS = "ABC"
_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


class Use(NamedTuple):
    """One use of an input by an operation: all that a formula is made of."""

    operation: str
    slot: int
    source: Node
    target: Node
    inputs: Sequence[Node | None]
    function: Any


def spell_out(use: Use, local: float | complex | None) -> str:
    """The formula of the derivative of `use.target` with respect to its input `use.slot`; "" where none is known.

    Args:
        use: the use.
        local: the derivative as a number where both are single numbers, else None.
    """
    texts = _elementwise(use)
    text = texts[use.slot] if use.slot < len(texts) else None
    if local is not None:
        return _with_numbers(text, use.inputs, local) if text else format_number(local)
    if text is not None:
        return _elementwise_product(text, use)
    return _whole(use)


def _elementwise(use: Use) -> tuple[str, ...]:
    special = _SPECIAL.get(use.operation)
    return special(use) if special else _ELEMENTWISE.get(use.operation, ())


def _with_numbers(text: str, inputs: Sequence[Node | None], local: float | complex) -> str:
    if text.lstrip("−").isdigit():
        return text
    steps = [_fill(text, [_symbol(node) for node in inputs]), _fill(text, [_number(node) for node in inputs])]
    steps.append(format_number(local))
    spelled = [step for step in steps if step is not None]
    return " = ".join(step for at, step in enumerate(spelled) if step not in spelled[:at])


def _fill(text: str, words: Sequence[str | None]) -> str | None:
    """`text` with the inputs put in; None where one of those it needs is not known."""
    if any(word is None and f"{{{at}}}" in text for at, word in enumerate(words)):
        return None
    try:
        return text.format(*words).replace("((", "(").replace("))", ")") if "((" in text else text.format(*words)
    except IndexError:
        return None


def _symbol(node: Node | None) -> str | None:
    if node is None:
        return None
    return node.name or (_number(node) if node.kind == "constant" else None)


def _number(node: Node | None) -> str | None:
    if node is None or node.value is None or len(node.value.numbers) != 1:
        return None
    text = format_number(node.value.numbers[0])
    return f"({text})" if text.startswith("−") else text


def _elementwise_product(text: str, use: Use) -> str:
    up, own = use.target.shape, use.source.shape
    product = f"upstream {format_shape(up)}"
    if text != "1":
        filled = _fill(text, [_symbol(node) or _stand_in(at) for at, node in enumerate(use.inputs)])
        product += f" · ({filled})" if filled and " " in filled else f" · {filled or text}"
    return product if up == own else f"{product}, summed to {format_shape(own)}"


def _stand_in(at: int) -> str:
    return _LETTERS[at] if at < len(_LETTERS) else f"input {at}"


def _whole(use: Use) -> str:
    up, own = format_shape(use.target.shape), format_shape(use.source.shape)
    if use.operation in _RESHAPES:
        return f"upstream {up} reshaped to {own}"
    if use.operation in _TURNS:
        return f"upstream {up} turned back to {own}"
    if use.operation in _PICKS:
        return f"upstream {up} put back where it was taken from, zeros elsewhere: {own}"
    if use.operation in _JOINS:
        return f"its own part of upstream {up}: {own}"
    texts = _WHOLE.get(use.operation, ())
    if use.slot >= len(texts):
        return f"upstream {up} → {own}"
    words = {"up": up, "own": own}
    shapes = [node.shape if node is not None else None for node in use.inputs]
    for at, shape in enumerate(shapes):
        words[f"shape{at}"] = format_shape(shape) if shape is not None else ""
        words[f"turned{at}"] = format_shape([*shape[:-2], *shape[:-3:-1]]) if shape is not None else ""
    inside, outside = math.prod(use.source.shape), math.prod(use.target.shape)
    words.update(share=str(inside // outside if outside else inside), count=str(inside))
    names = [_symbol(node) or _stand_in(at) for at, node in enumerate(use.inputs)]
    names += [_stand_in(at) for at in range(len(names), 3)]
    for at in range(len(shapes), 3):
        words[f"shape{at}"] = words[f"turned{at}"] = ""
    return texts[use.slot].format(*names, **words).replace("  ", " ")


def _add(use: Use) -> tuple[str, ...]:
    alpha = getattr(use.function, "_saved_alpha", 1)
    return "1", format_number(alpha)


def _power(use: Use) -> tuple[str, ...]:
    kind = type(use.function).__name__
    if kind == "PowBackward2":
        return ("{1}^{0}·ln {1}",)
    if kind == "PowBackward1":
        return "{1}·{0}^({1} − 1)", "{0}^{1}·ln {0}"
    exponent = use.function._saved_exponent
    if exponent in (0, 1):
        return (str(int(exponent)),)
    factor, rest = format_number(exponent), exponent - 1
    factor = f"({factor})" if factor.startswith("−") else factor
    if rest == 1:
        return (f"{factor}·{{0}}",)
    if float(rest).is_integer():
        return (f"{factor}·{{0}}{str(int(rest)).translate(_SUPERSCRIPTS)}",)
    return (f"{factor}·{{0}}^{format_number(rest)}",)


def _clamp(use: Use) -> tuple[str, ...]:
    low, high = getattr(use.function, "_saved_min", None), getattr(use.function, "_saved_max", None)
    bounds = [f"{format_number(low)} ≤ " if isinstance(low, int | float) else "", "{0}"]
    bounds.append(f" ≤ {format_number(high)}" if isinstance(high, int | float) else "")
    return (f"1 if {''.join(bounds)} else 0",)


def _leaky(use: Use) -> tuple[str, ...]:
    return (f"1 if {{0}} > 0 else {format_number(use.function._saved_negative_slope)}",)


_SPECIAL: dict[str, Callable[[Use], tuple[str, ...]]] = {
    "Add": _add,
    "Pow": _power,
    "Clamp": _clamp,
    "LeakyRelu": _leaky,
}
