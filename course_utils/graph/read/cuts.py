"""Where a gradient is lost: every way in which numbers leave the graph while a function runs."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Mapping, Sequence
from types import CodeType
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from .walk import Key, dtype_name

if TYPE_CHECKING:
    from .record import Input

WITHOUT_GRAD, NO_GRADIENT = "made without grad", "no gradient"
_ATEN = torch.ops.aten
_COMPARISONS = {"gt", "ge", "lt", "le", "eq", "ne", "isclose", "logical_not", "logical_and", "logical_or"}
# What is copied to numbers of Python and back again is found by its numbers, among the tensors made last.
_LAST, _MOST = 16, 4096


class Cut(NamedTuple):
    """What was cut off from the graph: where from (None if that is not known), and how."""

    origin: Key | None = None
    note: str | None = None


class Cuts:
    """The tensors and numbers that came out of the graph, and what was made of them.

    Args:
        code: the code of the function; a number that is written in it was not necessarily read from a tensor.
    """

    def __init__(self, code: CodeType | None):
        self._written = {one for one in getattr(code, "co_consts", ()) if isinstance(one, float)} | {0.0, 1.0, -1.0}
        self._tensors: dict[int, tuple[weakref.ref, Cut]] = {}
        self._memory: dict[int, tuple[weakref.ref, Cut]] = {}
        self._made: dict[int, tuple[torch.Tensor, Cut]] = {}
        self._numbers: dict[float, Cut] = {}
        self._last: deque[torch.Tensor] = deque(maxlen=_LAST)

    def of(self, tensor: torch.Tensor) -> Cut:
        """How a tensor was cut off, if it was."""
        known = self._tensors.get(id(tensor))
        return known[1] if known is not None and known[0]() is tensor else Cut()

    def of_number(self, number: object) -> Cut:
        """How a number of Python was read from a tensor, if it was."""
        return self._numbers.get(number, Cut()) if type(number) is float else Cut()

    def of_leaf(self, tensor: torch.Tensor) -> Cut:
        """How a leaf that the function made came out of another tensor, if it did."""
        known = self._made.get(_place(tensor))
        return Cut() if known is None else known[1]

    def watch(self, func: Any, inputs: Sequence[Input], out: Any) -> None:
        """Notes what an operation cuts off."""
        if func is _ATEN.lift_fresh.default:
            self._watch_new(out)
            return
        tracked = next((given for given in inputs if given.key is not None), None)
        cut = next((given for given in inputs if given.note is not None), None)
        if tracked is None and cut is None:
            return
        outputs = out if isinstance(out, list | tuple) else (out,)
        if tracked is not None and torch.is_grad_enabled() and func is not _ATEN.detach.default:
            self._last.extend(one for one in outputs if isinstance(one, torch.Tensor) and one.numel() <= _MOST)
            self._mark(tracked.key, _way(func, outputs), [one for one in outputs if not _can_require_grad(one)])
        elif tracked is not None:
            self._mark(tracked.key, "detached here" if func is _ATEN.detach.default else WITHOUT_GRAD, outputs)
        else:
            self._mark(cut.origin, cut.note, outputs)

    def _mark(self, origin: Key | None, note: str | None, outputs: Sequence[Any]) -> None:
        if note is None:
            return
        for one in outputs:
            if isinstance(one, torch.Tensor):
                known = weakref.ref(one), Cut(origin, note)
                self._tensors[id(one)] = known
                if place := _place(one):
                    self._memory[place] = known
            elif type(one) is float and one not in self._written:
                self._numbers[one] = Cut(origin, f"item: {NO_GRADIENT}")

    def _watch_new(self, tensor: torch.Tensor) -> None:
        """A tensor made of an array or of numbers: whether those came out of the graph."""
        known = self._memory.get(_place(tensor))
        if known is not None and known[0]() is not None and known[0]() is not tensor:
            self._found(tensor, Cut(known[1].origin, f"NumPy: {NO_GRADIENT}"))
        elif 0 < tensor.numel() <= _MOST and tensor.is_floating_point():
            numbers = tensor.flatten().tolist()
            cut = next((self._numbers[one] for one in numbers if one in self._numbers), None) or self._same(tensor)
            if cut is not None:
                self._found(tensor, cut)

    def _found(self, tensor: torch.Tensor, cut: Cut) -> None:
        self._tensors[id(tensor)] = (weakref.ref(tensor), cut)
        self._made[_place(tensor)] = (tensor, cut)

    def _same(self, tensor: torch.Tensor) -> Cut | None:
        """The cut of a tensor that has the numbers of one that was made just before."""
        for one in reversed(self._last):
            is_alike = one.shape == tensor.shape and _can_require_grad(one)
            if is_alike and not self._written.issuperset(tensor.flatten().tolist()) and _equal(one, tensor):
                key = (one.grad_fn, one.output_nr) if one.grad_fn is not None else None
                return Cut(key, f"numbers of Python: {NO_GRADIENT}")
        return None

    def made_last(self) -> list[torch.Tensor]:
        """The tensors that were made last, which are let go of."""
        made = list(self._last)
        self._last.clear()
        return made

    def rename(self, leaves: Mapping[Key, Key]) -> None:
        """Puts the keys of leaves in place of those that stand for them below autograd."""
        for at, (tensor, cut) in self._made.items():
            self._made[at] = tensor, cut._replace(origin=leaves.get(cut.origin, cut.origin))


def _can_require_grad(value: object) -> bool:
    return isinstance(value, torch.Tensor) and (value.is_floating_point() or value.is_complex())


def _equal(one: torch.Tensor, other: torch.Tensor) -> bool:
    return torch.equal(one.detach().to(other.dtype), other)


def _place(tensor: torch.Tensor) -> int:
    """Where the entries lie in memory; 0 if that is not told."""
    return tensor.data_ptr() if tensor.layout is torch.strided and not tensor.is_meta else 0


def _way(func: Any, outputs: Sequence[Any]) -> str | None:
    """How an operation that PyTorch has no derivative of loses the gradient; None if it uses no entries at all."""
    name = func.overloadpacket.__name__.lstrip("_")
    if name.split("_")[-1] == "like" or name.startswith(("new_", "sym_")):
        return None
    if name in _COMPARISONS:
        name = "comparison"
    elif name in ("to_copy", "to"):
        name = f"cast to {dtype_name(outputs[0].dtype)}"
    return f"{name}: {NO_GRADIENT}"
