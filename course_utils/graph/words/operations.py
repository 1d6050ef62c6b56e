"""An operation in words: its sign ("x²", "u × v", an unnamed input is □) and its derivative ("2·x = 2·2.00 = 4.00")."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from ...core.numbers import format_number
from ..data import Edge, GraphData, Node, Summary
from .proof import gives, gives_as_shown, gives_product
from .rules import RAISED, elementwise, whole
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
_TIED = "0.50, ties share"
_BOX, _LONGEST_OPERAND, _LONGEST = "□", 8, 16

# A negative number in brackets that needs none, being alone, or has some already.
_ALONE, _TWICE = re.compile(r"^\((−[^()]*)\)$"), re.compile(r"\(\((−[^()]*)\)\)")


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
        return f"{base or _BOX}{whole.translate(RAISED)}"
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
    """An operation whose local derivatives are asked for, and its inputs."""

    node: Node
    inputs: Sequence[Operand]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.node.shape or ()

    @property
    def values(self) -> list[Summary | None]:
        """The inputs' values."""
        return [None if one.node is None else one.node.value for one in self.inputs]

    @property
    def is_complex(self) -> bool:
        return (self.node.dtype or "").startswith("complex")


def derivative(graph: GraphData, edge: Edge, inputs: Mapping[int, Sequence[Edge]]) -> str:
    """The local derivative along an edge spelled out, or for tensors the shapes of the product.

    A formula is worked out with the numbers at hand, and not said where it does not give what flows back.

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
    texts = elementwise(target.operation, target.settings)
    text = texts[edge.slot] if edge.slot < len(texts) else None
    site = Site(target, _operands_with_turns(graph, edge.target, inputs))
    if edge.local is not None:
        return _with_numbers(text, site, edge)
    generic = f"upstream {format_shape(site.shape)} → {format_shape(shape)}"
    if text is not None:
        return _elementwise_product(text, site, graph.nodes[edge.source], edge) or generic
    return generic if edge.rule == "own" else _whole(site, edge.slot, shape) or generic


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


def _with_numbers(text: str | None, site: Site, edge: Edge) -> str:
    inputs, local = site.inputs, edge.local
    text = _proven(text, site, edge)
    if text is None:
        return format_number(local)
    needed = _needed(text)
    if not needed and (text.lstrip("−").isdigit() or text == _TIED):
        return text
    if len(inputs) <= max(needed, default=-1):
        return format_number(local)
    if text in ("{0}", "{1}") and (factor := inputs[needed[0]]).is_constant and factor.name is None and factor.number:
        return factor.number.strip("()")
    symbols, numbers = [one.symbol for one in inputs], [one.number for one in inputs]
    if needed and not gives_as_shown(text, site.values, local):
        numbers = [None] * len(numbers)
    steps = (_fill(text, needed, symbols), _fill(text, needed, numbers), format_number(local))
    return " = ".join(dict.fromkeys(step for step in steps if step is not None))


def _proven(text: str | None, site: Site, edge: Edge) -> str | None:
    """The formula of a local derivative, if it gives the number; None where it does not.

    Autograd multiplies with the conjugate of a complex derivative.
    """
    if text is None:
        return None
    values, local, dtype = site.values, edge.local, site.node.dtype
    if " the condition " in text or " bound" in text:
        return text if local in (0, 1) else None
    holds = gives(text, values, local, dtype=dtype)
    if holds is False and site.is_complex:
        text = f"conj({text})"
        holds = gives(text, values, local, dtype=dtype)
    if holds is False and site.node.operation in ("Maximum", "Minimum") and local == 0.5:
        return _TIED if values[0] == values[1] else None
    # A function of the learner's may have the name of one of PyTorch's and another rule.
    return text if holds or (holds is None and edge.rule == "operation" and not site.is_complex) else None


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


def _elementwise_product(text: str, site: Site, source: Node, edge: Edge) -> str | None:
    """ "upstream · local derivative"; None where that is not what flows back."""
    shape, dtype = source.shape or (), site.node.dtype
    if site.is_complex and _needed(text):
        text = f"conj({text})"
    holds = gives_product(text, site.values, site.node.gradient, edge.gradient, dtype=dtype)
    if site.node.operation in ("Maximum", "Minimum"):
        text, holds = f"{text}, ties share", None
    if holds is False or (holds is None and edge.rule == "own"):
        return None
    product = f"upstream {format_shape(site.shape)}"
    if text != "1":
        filled = text.format(*_stand_ins(site))
        product += f" · ({filled})" if " " in filled else f" · {filled}"
    return product if site.shape == shape else f"{product}, summed to {format_shape(shape)}"


def _stand_ins(site: Site) -> list[str]:
    """A word for each input: what stands for it, or else a letter."""
    known = [one.symbol for one in site.inputs]
    return [known[at] if at < len(known) and known[at] is not None else letter for at, letter in enumerate("ABC")]


def _whole(site: Site, slot: int, shape: tuple[int, ...]) -> str | None:
    """What an operation does with the upstream gradient as a whole; None where no text for that is true."""
    up, own = format_shape(site.shape), format_shape(shape)
    text = whole(site.node.operation, site.node.settings, slot)
    is_zero = site.node.value is not None and site.node.value.norm == 0
    if text is None or (site.is_complex and _needed(text)):
        return None
    if is_zero and "‖" in text:  # nothing can be divided by this norm
        return None
    words = {"up": up, "own": own, "count": str(math.prod(shape))}
    words["share"] = str(math.prod(shape) // (math.prod(site.shape) or 1))
    shapes = [one.shape for one in site.inputs] + [None] * 3
    for at, known in enumerate(shapes[:3]):
        words[f"shape{at}"] = format_shape(known) if known is not None else ""
        words[f"turned{at}"] = format_shape((*known[:-2], *known[:-3:-1])) if known is not None else ""
    return text.format(*_stand_ins(site), **words).replace("ᵀᵀ", "").replace("  ", " ")
