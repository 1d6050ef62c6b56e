"""An operation in words: its sign ("x²", "u × v", an unnamed input is □) and its derivative ("2·x = 2·2.00 = 4.00")."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from ...core.internals import is_clamp_flat_at_its_bounds
from ...core.numbers import format_number
from ..data import Edge, GraphData, Node
from .text import called, cells, clean, format_shape, format_summary, is_plain

_INFIX = {"Mul": "×", "Add": "+", "Sub": "−", "Rsub": "−", "Div": "÷", "Mm": "@", "Mv": "@", "Bmm": "@", "Dot": "·"}
_AROUND = {
    "Neg": "−{}", "Square": "{}²", "Sqrt": "√{}", "Rsqrt": "1/√{}", "Reciprocal": "1/{}", "Abs": "|{}|", "T": "{}ᵀ",
    "Transpose": "{}ᵀ", "Permute": "{}ᵀ", "Select": "{}[i]", "Slice": "{}[i:j]", "Index": "{}[i]",
}  # fmt: skip
_FUNCTIONS = {
    "Log": "ln", "Sigmoid": "σ", "Sum": "Σ", "Prod": "Π", "MseLoss": "mse", "NllLoss": "nll", "ToCopy": "copy",
    "Addmm": "A@B + c", "Addmv": "A@x + c", "Linear": "A@x + c",
}  # fmt: skip
WITH_NUMBER = {"Pow", "Mul", "Add", "Sub", "Rsub", "Div"}
_RAISED = str.maketrans("0123456789−-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻")
_BOX, _LONGEST_OPERAND, _LONGEST = "□", 8, 16

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
Settings = tuple[tuple[str, object], ...] | None


class Operand(NamedTuple):
    """An input of an operation, as its sign and its derivative can speak of it.

    Attributes:
        node: the input; None where it is not in the graph.
        turns: the name of the tensor whose transpose it is, as a linear layer makes one of its weight; or None.
    """

    node: Node | None = None
    turns: str | None = None

    @property
    def is_number(self) -> bool:
        """Whether it is a plain number, which stands for itself."""
        return self.node is not None and is_plain(self.node)

    @property
    def word(self) -> str | None:
        """What stands for it in a sign: its number or its short name."""
        if self.is_number:
            return format_summary(self.node.value)
        name = None if self.node is None or self.node.name is None else called(self.node.name)
        return name if name is not None and cells(name) <= _LONGEST_OPERAND else None

    @property
    def name(self) -> str | None:
        """What stands for it in a formula, where that is a name."""
        own = None if self.node is None else self.node.name
        if own is None and self.turns is not None:
            own = f"{self.turns}ᵀ"
        return None if own is None else clean(own)

    @property
    def number(self) -> str | None:
        """The value where it is one number, in brackets where it is negative."""
        if self.node is None or self.node.value is None or len(self.node.value.numbers) != 1:
            return None
        text = format_number(self.node.value.numbers[0])
        return f"({text})" if text.startswith("−") else text

    @property
    def symbol(self) -> str | None:
        """What stands for it in a formula: its name, or the number itself for a constant."""
        return self.name if self.name is not None else self.number if self.is_constant else None

    @property
    def is_constant(self) -> bool:
        return self.node is not None and self.node.kind == "constant"

    @property
    def shape(self) -> tuple[int, ...] | None:
        return None if self.node is None else self.node.shape


def operands_of(graph: GraphData, inputs: Iterable[Edge]) -> list[Operand]:
    """The inputs of an operation in their order, by the edges into it; those that are not known are empty."""
    operands: list[Operand] = []
    for edge in inputs:
        operands += [Operand()] * (edge.slot + 1 - len(operands))
        operands[edge.slot] = Operand(graph.nodes[edge.source])
    return operands


def sign_of(graph: GraphData, index: int, inputs: Iterable[Edge]) -> str:
    """The sign of a node's operation, with its inputs in it where they have short names or are plain numbers."""
    inputs, operation = list(inputs), graph.nodes[index].operation or ""
    is_weighted = any(isinstance(edge.local, float) and abs(edge.local) != 1 for edge in inputs)
    if is_weighted and operation in ("Add", "Sub"):  # torch.add(x, y, alpha=2)
        return spell(operation, [])
    return spell(operation, operands_of(graph, inputs))


def spell(operation: str, operands: list[Operand]) -> str:
    """An operation with its inputs, as far as they are known; the sign alone where that would be too long."""
    full = _spell_in_full(operation, operands)
    if cells(full) <= _LONGEST:
        return full
    return _spell_in_full(operation, [each if each.is_number else Operand() for each in operands])


def _spell_in_full(operation: str, operands: list[Operand]) -> str:
    words = [operand.word for operand in operands]
    if operation == "Pow" and len(words) == 2:
        return _raised(*words)
    if operation in _INFIX:
        return _infix(operation, operands)
    alone = words[0] if len(words) == 1 else None
    if operation in _AROUND:
        return _AROUND[operation].format(alone or _BOX)
    name = _FUNCTIONS.get(operation) or clean(operation.lower() if len(operation) <= 8 else operation)
    return f"{name}({alone})" if alone and name.isalpha() else name


def _raised(base: str | None, exponent: str | None) -> str:
    whole = (exponent or "ⁿ").removesuffix(".00")
    if exponent is None or whole.lstrip("−").isdigit():
        return f"{base or _BOX}{whole.translate(_RAISED)}"
    return f"{base or _BOX}^{exponent}"


def _infix(operation: str, operands: list[Operand]) -> str:
    mark = _INFIX[operation]
    if len(operands) != 2:
        return mark
    first, second = operands[::-1] if operation == "Rsub" else operands
    if first.word and second.word:
        return f"{first.word} {mark} {second.word}"
    if second.is_number:
        return f"{mark} {second.word}"
    if first.is_number:
        return f"{first.word} {mark}"
    return mark


class Site(NamedTuple):
    """An operation whose local derivatives are asked for."""

    operation: str
    shape: tuple[int, ...]
    inputs: Sequence[Operand]


def derivative(graph: GraphData, edge: Edge, inputs: Mapping[int, Sequence[Edge]]) -> str:
    """The local derivative along an edge spelled out, or for tensors the shapes of the product.

    Args:
        graph: what the edge belongs to.
        edge: one along which a gradient flows back.
        inputs: the edges into each node, by its index (`inputs_of`).
    """
    target, shape = graph.nodes[edge.target], graph.nodes[edge.source].shape or ()
    if edge.rule in ("factor", "function"):
        return _own_rule(edge, target, shape)
    if edge.rule == "own" and edge.local is None and math.prod(shape) == math.prod(target.shape or ()) == 1:
        return f"{clean(target.operation)}: its own rule"
    special = _SPECIAL.get(target.operation)
    texts = special(target.settings) if special else _ELEMENTWISE.get(target.operation, ())
    text = texts[edge.slot] if edge.slot < len(texts) else None
    if edge.local is not None and not text:
        return format_number(edge.local)
    site = Site(target.operation, target.shape or (), _operands_with_turns(graph, edge.target, inputs))
    if edge.local is not None:
        return _with_numbers(text, site.inputs, edge.local)
    if text is not None:
        return _elementwise_product(text, site, shape)
    return _whole(site, edge.slot, shape)


def _own_rule(edge: Edge, target: Node, shape: tuple[int, ...]) -> str:
    """For an autograd of the learner's own, of whose operations nothing but the local derivatives is known."""
    if edge.local is not None:
        return format_number(edge.local)
    up, own = format_shape(target.shape or ()), format_shape(shape)
    if edge.rule == "function":
        return f"upstream {up} → {own}"
    return f"upstream {up} · local" + ("" if own == up else f", summed to {own}")


def _operands_with_turns(graph: GraphData, index: int, inputs: Mapping[int, Sequence[Edge]]) -> list[Operand]:
    operands = operands_of(graph, inputs.get(index, ()))
    for edge in inputs.get(index, ()):
        node = graph.nodes[edge.source]
        if node.operation == "T" and node.name is None and (turned := inputs.get(edge.source)):
            operands[edge.slot] = Operand(node, graph.nodes[turned[0].source].name)
    return operands


def _with_numbers(text: str, inputs: Sequence[Operand], local: float | complex) -> str:
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
        return (f"{factor}{{0}}{str(int(rest)).translate(_RAISED)}",)
    return (f"{factor}{{0}}^{format_number(rest)}",)


def _clamp(settings: Settings) -> tuple[str, ...]:
    known, below = dict(settings or ()), "<" if is_clamp_flat_at_its_bounds() else "≤"
    low = f"{format_number(known['min'])} {below} " if "min" in known else ""
    high = f" {below} {format_number(known['max'])}" if "max" in known else ""
    return (f"1 if {low}{{0}}{high} else 0",)


def _leaky(settings: Settings) -> tuple[str, ...]:
    return () if settings is None else (f"1 if {{0}} > 0 else {format_number(dict(settings)['negative_slope'])}",)


_SPECIAL: dict[str, Callable[[Settings], tuple[str, ...]]] = {
    "Add": _add,
    "Pow": _power,
    "Clamp": _clamp,
    "LeakyRelu": _leaky,
}
