"""The rules of derivatives as texts: for each kind of operation what stands for it, by its settings."""

from __future__ import annotations

from collections.abc import Callable

from ...core.internals import is_clamp_flat_at_its_bounds
from ...core.numbers import format_number

Settings = tuple[tuple[str, object], ...] | None
RAISED = str.maketrans("0123456789−-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻")

# Local derivatives of elementwise operations, one text for each input; {0}, {1} are the operation's own inputs.
ELEMENTWISE: dict[str, tuple[str, ...]] = {
    "Mul": ("{1}", "{0}"),
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
    "Silu": ("σ({0})·(1 + {0}·(1 − σ({0})))",),
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
WHOLE: dict[str, tuple[str, ...]] = {
    "Sum": ("upstream {up} copied to every entry of {own}",),
    "Mean": ("upstream {up} / {share}, copied to every entry of {own}",),
    "Dot": ("upstream {up} · {1} {shape1} → {own}", "upstream {up} · {0} {shape0} → {own}"),
    "Mv": ("upstream {up} ⊗ {1} {shape1} → {own}", "{0}ᵀ {turned0} @ upstream {up} → {own}"),
    "Mm": ("upstream {up} @ {1}ᵀ {turned1} → {own}", "{0}ᵀ {turned0} @ upstream {up} → {own}"),
    "Bmm": ("upstream {up} @ {1}ᵀ {turned1} → {own}", "{0}ᵀ {turned0} @ upstream {up} → {own}"),
    "Softmax": ("softmax ⊙ (upstream − Σ upstream ⊙ softmax), {own}",),
    "LogSoftmax": ("upstream − softmax·Σ upstream, {own}",),
    "Amax": ("upstream {up} to the largest entries of {own}, ties share",),
    "Amin": ("upstream {up} to the smallest entries of {own}, ties share",),
    "Expand": ("upstream {up} summed to {own}",),
    "Repeat": ("upstream {up} summed to {own}",),
}
MOVES = (
    ({"View", "UnsafeView", "ReshapeAlias", "Unsqueeze", "Squeeze"}, "upstream {up} reshaped to {own}"),
    ({"T", "Transpose", "Permute"}, "upstream {up} turned back to {own}"),
    (
        {"Select", "Slice", "Unbind", "Split", "Diagonal"},
        "upstream {up} put back where it was taken from, zeros elsewhere: {own}",
    ),
    (
        {"Index", "Gather", "IndexSelect"},
        "upstream {up} added up where it was taken from, zeros elsewhere: {own}",
    ),
    ({"Stack", "Cat"}, "its own part of upstream {up}: {own}"),
)
_MM = (
    "upstream {up}, summed to {own}",
    "upstream {up} @ {2}ᵀ {turned2} → {own}",
    "{1}ᵀ {turned1} @ upstream {up} → {own}",
)


def _negative(settings: Settings) -> str:
    """The factor of what is taken away: −1 but for an `alpha`."""
    text = format_number(dict(settings or ()).get("alpha", 1))
    return text[1:] if text.startswith("−") else f"−{text}"


def _divide(settings: Settings) -> tuple[str, ...]:
    return ("0", "0") if dict(settings or ()).get("rounding_mode") else ("1/{1}", "−{0}/{1}²")


def _softplus(settings: Settings) -> tuple[str, ...]:
    beta = dict(settings or ()).get("beta", 1)
    return ("σ({0})",) if beta == 1 else (f"σ({format_number(beta)}·{{0}})",)


def _gelu(settings: Settings) -> tuple[str, ...]:
    return () if dict(settings or ()).get("approximate") == "tanh" else ("Φ({0}) + {0}·φ({0})",)


def _add(settings: Settings) -> tuple[str, ...]:
    return "1", format_number(dict(settings or ()).get("alpha", 1))


def _power(settings: Settings) -> tuple[str, ...]:
    if settings is None:
        return ()
    known = dict(settings)
    if "self" in known:  # the base is a number
        return ("{1}^{0}·ln {1}",)
    if "exponent" not in known:
        return "{1}·{0}^({1} − 1)", "{0}^{1}·ln {0}"
    exponent = known["exponent"]
    if exponent in (0, 1):
        return (str(int(exponent)),)
    factor, rest = "−" if exponent == -1 else f"{format_number(exponent)}·", exponent - 1
    if rest == 1:
        return (f"{factor}{{0}}",)
    if float(rest).is_integer():
        return (f"{factor}{{0}}{str(int(rest)).translate(RAISED)}",)
    return (f"{factor}{{0}}^{format_number(rest)}",)


def _clamp(settings: Settings) -> tuple[str, ...]:
    if not settings:  # the bounds are tensors
        return "1 between the bounds, 0 outside", "1 below this bound, 0 above", "1 above this bound, 0 below"
    known, below = dict(settings), "<" if is_clamp_flat_at_its_bounds() else "≤"
    low = f"{format_number(known['min'])} {below} " if "min" in known else ""
    high = f" {below} {format_number(known['max'])}" if "max" in known else ""
    return (f"1 if {low}{{0}}{high} else 0",)


def _leaky(settings: Settings) -> tuple[str, ...]:
    return () if settings is None else (f"1 if {{0}} > 0 else {format_number(dict(settings)['negative_slope'])}",)


def _mse(settings: Settings) -> tuple[str, ...]:
    kind = dict(settings or ()).get("reduction")
    if not isinstance(kind, int):
        return ()
    tail = ("", "/{count} → {own}", " → {own}")[kind]
    return f"upstream {{up}} · 2·({{0}} − {{1}}){tail}", f"upstream {{up}} · 2·({{1}} − {{0}}){tail}"


def _nll(settings: Settings) -> tuple[str, ...]:
    known = dict(settings or ())
    if "reduction" not in known:
        return ()
    weighs, is_mean = "weight" in known, known["reduction"] == 1
    share = ("−w/Σw" if weighs else "−1/n") if is_mean else "−w" if weighs else "−1"
    return (f"upstream {{up}} · ({share} at each target's class, 0 elsewhere) → {{own}}",)


def _extreme(which: str) -> Callable[[Settings], tuple[str, ...]]:
    def texts(settings: Settings) -> tuple[str, ...]:
        if "dim" in dict(settings or ()):
            return (f"upstream {{up}} to one {which} entry along dimension {dict(settings)['dim']} of {{own}}",)
        return (f"upstream {{up}} to the {which} entry of {{own}}, ties share",)

    return texts


def _norm(settings: Settings) -> tuple[str, ...]:
    order = dict(settings or ()).get("ord")
    texts = {1.0: "upstream {up} · sign({0}) → {own}", 2.0: "upstream {up} · {0}/‖{0}‖ → {own}"}
    return (texts[order],) if order in texts else ()


def _addmm(settings: Settings) -> tuple[str, ...]:
    known = dict(settings or ())
    return _MM if known.get("alpha", 1) == known.get("beta", 1) == 1 else ()


_BY_SETTINGS: dict[str, Callable[[Settings], tuple[str, ...]]] = {
    "Add": _add,
    "Sub": lambda settings: ("1", _negative(settings)),
    "Rsub": lambda settings: (_negative(settings), "1"),
    "Div": _divide,
    "Pow": _power,
    "Clamp": _clamp,
    "LeakyRelu": _leaky,
    "Softplus": _softplus,
    "Gelu": _gelu,
}
_WHOLE_BY_SETTINGS: dict[str, Callable[[Settings], tuple[str, ...]]] = {
    "MseLoss": _mse,
    "NllLoss": _nll,
    "Max": _extreme("largest"),
    "Min": _extreme("smallest"),
    "LinalgVectorNorm": _norm,
    "Addmm": _addmm,
}


def elementwise(operation: str | None, settings: Settings) -> tuple[str, ...]:
    """The local derivative of an elementwise operation as a text for each input; () for other operations."""
    rule = _BY_SETTINGS.get(operation)
    return rule(settings) if rule else ELEMENTWISE.get(operation, ())


def whole(operation: str, settings: Settings, slot: int) -> str | None:
    """What an operation does with the upstream gradient for input `slot`, as a text; None where nothing is known."""
    for kinds, text in MOVES:
        if operation in kinds:
            return text
    rule = _WHOLE_BY_SETTINGS.get(operation)
    texts = rule(settings) if rule else WHOLE.get(operation, ())
    return texts[slot] if slot < len(texts) else None
