"""The walk over `grad_fn.next_functions`: once, without recursion, into columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import torch
from torch.autograd.graph import get_gradient_edge

from ...core.internals import LEAF_AGE, ages_of, base_of, dtypes_of, outputs_of, shapes_of

# One output of one autograd function, as `next_functions` spells it: the function and the number of its output.
Key = tuple[Any, int]
# In place of a tensor's number: the input is not in autograd's graph, or lies beyond the cap.
CONSTANT, BEYOND = -1, -2
SAFE_DEPTH = 1000
# So many operations may lie between a tensor and what was cut off from it.
MOST_BETWEEN = 64
_KEY = "course_utils: freed in stretches"


class Order(NamedTuple):
    """A deterministic topological order of the tensors of a walk.

    Attributes:
        numbers: every tensor's number: leaves by first use, then operations as the forward pass made them.
        place: for each number, its index in `numbers`.
        leaves: how many of them are leaves.
        backward: the numbers in the order in which autograd's engine reaches them.
    """

    numbers: list[int]
    place: list[int]
    leaves: int
    backward: list[int]


@dataclass
class Walk:
    """What the walk found. A tensor's number is its index in these columns, nearest to the outputs first.

    An operation with several used outputs has several numbers, one for each tensor.

    Attributes:
        functions: the autograd function that made it, or collects its gradient.
        outputs: which of that function's outputs it is.
        sources: the numbers of each operation's inputs in order, CONSTANT or BEYOND; () for a leaf.
        operations: the operation's name, None for a leaf.
        shapes: of each tensor; None where PyTorch does not tell.
        index: numbers by function for first outputs, by function and output for others; for `find`.
        roots: how many of the first numbers are outputs.
        cut: whether the cap ended the walk.
        owners: what keeps the functions alive once the outputs are gone.
    """

    functions: list[Any]
    outputs: list[int]
    sources: list[tuple[int, ...]]
    operations: list[str | None]
    shapes: list[tuple[int, ...] | None]
    index: dict[Any, int]
    roots: int
    cut: bool
    owners: Sequence[Any] = ()

    def __len__(self) -> int:
        return len(self.functions)

    def find(self, key: Key | None) -> int | None:
        """The number of one output of one function, or None."""
        if key is None or key[0] is None:
            return None
        return self.index.get(key if key[1] else key[0])

    def find_near(self, key: Key | None) -> int | None:
        """The number of this output or, if it is not in the walk, of the nearest behind it that is; or None."""
        queue = [] if key is None or key[0] is None else [key]
        for one in queue:
            if (number := self.find(one)) is not None:
                return number
            if len(queue) < MOST_BETWEEN:
                queue += [source for source in one[0].next_functions if source[0] is not None]
        return None

    @cached_property
    def dtypes(self) -> list[str | None]:
        """Each tensor's dtype by name; None where PyTorch does not tell."""
        return [_DTYPES[dtype] for dtype in dtypes_of(self.functions, self.outputs)]

    def metadata(self, number: int) -> Any:
        """What autograd notes of a tensor: its dtype and device.

        Raises:
            Unknown: PyTorch does not tell.
        """
        return outputs_of(self.functions[number])[self.outputs[number]]

    @cached_property
    def known_shapes(self) -> list[tuple[int, ...] | None]:
        """Each tensor's shape in plain numbers; None for a nested tensor, whose rows differ in length, and as above."""
        if all(type(size) is int for shape in self.shapes for size in shape or ()):
            return self.shapes
        return [shape if all(type(size) is int for size in shape or ()) else None for shape in self.shapes]

    @cached_property
    def ages(self) -> list[int]:
        """Autograd's sequence numbers."""
        return ages_of(self.functions)

    @cached_property
    def widths(self) -> list[int]:
        """How many outputs each function has, used or not."""
        return [len(outputs_of(function)) for function in self.functions]

    @cached_property
    def order(self) -> Order:
        """Autograd numbers its functions in the order of the forward pass, each thread for itself."""
        ages = self.ages
        by_age = sorted(range(len(ages)), key=ages.__getitem__)
        operations = by_age[: len(ages) - ages.count(LEAF_AGE)]
        if not self.is_in_order:
            operations = self._sorted_by_dependence(operations)
        return self._place_leaves(operations)

    @cached_property
    def is_in_order(self) -> bool:
        """Whether every operation is younger than those it depends on; not so where several threads made them."""
        ages = self.ages
        for age, sources in zip(ages, self.sources):
            for source in sources:
                if source >= 0 and age <= ages[source] != LEAF_AGE:
                    return False
        return True

    def _place_leaves(self, operations: list[int]) -> Order:
        """The engine takes the youngest operation that is ready, and a leaf as soon as it is."""
        count, backward, leaves = len(self), [], []
        place = [-1] * count
        first = count - len(operations)
        for at, number in enumerate(operations, first):
            new = len(leaves)
            for source in self.sources[number]:
                if source >= 0 and place[source] < 0:
                    place[source] = len(leaves)
                    leaves.append(source)
            place[number] = at
            backward.extend(reversed(leaves[new:]))
            backward.append(number)
        # Outputs that are leaves and that no operation uses.
        alone = [number for number in range(count) if place[number] < 0]
        for number in alone:
            place[number] = len(leaves)
            leaves.append(number)
        return Order(leaves + operations, place, first, [*alone, *reversed(backward)])

    def _sorted_by_dependence(self, operations: list[int]) -> list[int]:
        """Kahn's algorithm from the outputs, the youngest first; all tensors that one function made stand together."""
        made: dict[Any, list[int]] = {}
        for number in operations:
            made.setdefault(self.functions[number], []).append(number)
        waiting = dict.fromkeys(made, 0)
        for number in operations:
            for source in self.sources[number]:
                if source >= 0 and self.ages[source] != LEAF_AGE:
                    waiting[self.functions[source]] += 1
        ready = [function for function in made if not waiting[function]]
        order: list[int] = []
        while ready:
            order += reversed(made[function := ready.pop()])
            for number in made[function]:
                for source in self.sources[number]:
                    if source >= 0 and self.ages[source] != LEAF_AGE:
                        waiting[before := self.functions[source]] -= 1
                        if not waiting[before]:
                            ready.append(before)
        return order[::-1]

    @cached_property
    def _last_outputs(self) -> set[int]:
        last: dict[Any, int] = {}
        for number in self.order.backward:
            last[self.functions[number]] = number
        return set(last.values())

    def is_last_output(self, number: int) -> bool:
        """Whether the backward pass reaches all other used outputs of the same function before this one."""
        return number in self._last_outputs


def walk(roots: Sequence[Key], *, limit: int) -> Walk:
    """Visits at most `limit` tensors behind `roots`, which are all different, those nearest to them first."""
    functions, outputs = [function for function, _ in roots], [output for _, output in roots]
    index: dict[Any, int] = {key if key[1] else key[0]: at for at, key in enumerate(roots)}
    index[None] = CONSTANT
    known, count = index.get, len(roots)
    sources, operations, shapes = [], [], []
    for function in functions:
        row = []
        for source, of_source in function.next_functions:
            key = source if of_source == 0 else (source, of_source)
            at = known(key)
            if at is None:
                if count < limit:
                    at = index[key] = count
                    count += 1
                    functions.append(source)
                    outputs.append(of_source)
                else:
                    at = BEYOND
            row.append(at)
        sources.append(tuple(row))
        operations.append(_OPERATIONS[type(function)])
    try:
        shapes.extend(shapes_of(functions, outputs))
    except RuntimeError as error:
        name = functions[len(shapes)].name()
        raise ValueError(f"{name} has a nested tensor without a shape; make it with layout=torch.jagged") from error
    if "CppFunction" in operations:  # a type of many kinds of functions, and only they themselves know their names
        own = [function.name() for function in functions]
        operations = [_short(name) if kind == "CppFunction" else kind for name, kind in zip(own, operations)]
    cut = count >= limit and any(BEYOND in row for row in sources)
    found = Walk(functions, outputs, sources, operations, shapes, index, len(roots), cut)
    if count > SAFE_DEPTH:
        heights = found.ages if found.is_in_order else found.order.place
        _make_safe_to_free(functions, sources, heights)
    return found


class _Stop:
    """Holds functions for a moment longer than the function whose metadata it is in."""

    __slots__ = ("below",)

    def __init__(self, below: list[Any]):
        self.below = below

    def __del__(self) -> None:
        # A list that holds itself is freed by the garbage collector alone, so not from in here.
        self.below.append(self.below)


def _make_safe_to_free(functions: Sequence[Any], sources: Sequence[Sequence[int]], heights: Sequence[int]) -> None:
    """Puts stops into a graph whose functions Python has looked at, so that a deep one is freed in stretches.

    An autograd function that Python has looked at keeps its Python object, and torch frees a chain of such functions by
    recursion: some 40,000 of them end a process with a stack of 8 MB, 5,000 a thread with 1 MB. So at every SAFE_DEPTH
    functions on the way down, a `_Stop` in the metadata of the function above holds the ones below. When the function
    above goes, they stay until Python's garbage collector comes, and the next stretch is freed from a shallow stack.

    Args:
        functions: all of them.
        sources: for each the indices of those that it depends on, leaves left out; what is below 0 is passed over.
        heights: a number for each that is larger than those of all it depends on.
    """
    for function, below, height in zip(functions, sources, heights):
        start = height - height % SAFE_DEPTH
        for source in below:
            if source >= 0 and heights[source] < start:
                ends = [functions[one] for one in below if one >= 0 and heights[one] < start]
                function.metadata[_KEY] = _Stop(ends)
                break


def _short(name: str) -> str:
    return name.rpartition("::")[2].partition("Backward")[0] or name


def key_of(tensor: torch.Tensor) -> Key:
    """Where a tensor that requires grad stands in autograd's graph."""
    function = tensor.grad_fn
    if function is not None:
        return function, tensor.output_nr
    with torch.inference_mode(False):
        if tensor.layout is torch.strided:
            return get_gradient_edge(tensor).node, 0
        with torch.enable_grad():  # a sparse tensor has no view
            return tensor.clone().grad_fn.next_functions[0][0], 0


def is_cut_view(tensor: torch.Tensor) -> bool:
    """Whether a tensor is a view that was made without grad: it says that it requires grad and is in no graph."""
    return tensor.grad_fn is None and (base := base_of(tensor)) is not None and base.requires_grad


def is_tracked(tensor: torch.Tensor) -> bool:
    """Whether a tensor is in autograd's graph."""
    return tensor.requires_grad and not is_cut_view(tensor)


class _Operations(dict):
    """ "Mul" for MulBackward0; None for the function that collects a leaf's gradient."""

    def __missing__(self, kind: type) -> str | None:
        name = kind.__name__
        self[kind] = known = None if name == "AccumulateGrad" else _short(name)
        return known


class _Dtypes(dict):
    """ "float32" for torch.float32, None for None."""

    def __missing__(self, dtype: torch.dtype) -> str:
        self[dtype] = known = str(dtype).removeprefix("torch.")
        return known


_OPERATIONS, _DTYPES = _Operations(), _Dtypes({None: None})


def dtype_name(dtype: torch.dtype) -> str:
    """ "float32" for torch.float32."""
    return _DTYPES[dtype]
