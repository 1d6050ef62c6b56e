"""Operations as mathematics writes them: "u × v", "x²", "sin(u)"; an input without a name is an empty box, □²."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ..data import Edge, Graph, Node
from .text import called, cells, clean, format_summary, is_plain

INFIX = {"Mul": "×", "Add": "+", "Sub": "−", "Rsub": "−", "Div": "÷", "Mm": "@", "Mv": "@", "Bmm": "@", "Dot": "·"}
AROUND = {
    "Neg": "−{}", "Square": "{}²", "Sqrt": "√{}", "Rsqrt": "1/√{}", "Reciprocal": "1/{}", "Abs": "|{}|", "T": "{}ᵀ",
    "Transpose": "{}ᵀ", "Permute": "{}ᵀ", "Select": "{}[i]", "Slice": "{}[i:j]", "Index": "{}[i]",
}  # fmt: skip
FUNCTIONS = {
    "Log": "ln", "Sigmoid": "σ", "Sum": "Σ", "Prod": "Π", "MseLoss": "mse", "NllLoss": "nll", "ToCopy": "copy",
    "Addmm": "A@B + c", "Addmv": "A@x + c", "Linear": "A@x + c",
}  # fmt: skip
WITH_NUMBER = {"Pow", "Mul", "Add", "Sub", "Rsub", "Div"}
RAISED = str.maketrans("0123456789−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
BOX, LONGEST_OPERAND, LONGEST = "□", 8, 16


class Operand(NamedTuple):
    """An input in an operation's sign: its name or number, or None where it has neither."""

    word: str | None
    is_number: bool = False


def sign_of(graph: Graph, index: int, inputs: Iterable[Edge]) -> str:
    """The sign of a node's operation, with its inputs in it where they have short names or are plain numbers."""
    operands: list[Operand] = []
    for edge in inputs:
        operands += [Operand(None)] * (edge.slot + 1 - len(operands))
        operands[edge.slot] = _operand(graph.nodes[edge.source])
        if isinstance(edge.local, float) and abs(edge.local) != 1 and graph.nodes[index].operation in ("Add", "Sub"):
            return spell(graph.nodes[index].operation, [])  # torch.add(x, y, alpha=2)
    return spell(graph.nodes[index].operation or "", operands)


def _operand(node: Node) -> Operand:
    if is_plain(node):
        return Operand(format_summary(node.value), True)
    name = None if node.name is None else called(node.name)
    return Operand(name if name is not None and cells(name) <= LONGEST_OPERAND else None)


def spell(operation: str, operands: list[Operand]) -> str:
    """An operation with its inputs, as far as they are known; the sign alone where that would be too long."""
    full = _spell_in_full(operation, operands)
    if cells(full) <= LONGEST:
        return full
    return _spell_in_full(operation, [each if each.is_number else Operand(None) for each in operands])


def _spell_in_full(operation: str, operands: list[Operand]) -> str:
    words = [operand.word for operand in operands]
    if operation == "Pow" and len(words) == 2:
        return _power(*words)
    if operation in INFIX:
        return _infix(operation, operands)
    alone = words[0] if len(words) == 1 else None
    if operation in AROUND:
        return AROUND[operation].format(alone or BOX)
    name = FUNCTIONS.get(operation) or clean(operation.lower() if len(operation) <= 8 else operation)
    return f"{name}({alone})" if alone and name.isalpha() else name


def _power(base: str | None, exponent: str | None) -> str:
    whole = (exponent or "ⁿ").removesuffix(".00")
    if exponent is None or whole.lstrip("−").isdigit():
        return f"{base or BOX}{whole.translate(RAISED)}"
    return f"{base or BOX}^{exponent}"


def _infix(operation: str, operands: list[Operand]) -> str:
    mark = INFIX[operation]
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
