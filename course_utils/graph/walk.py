"""The walk over `grad_fn.next_functions`: once, without recursion, into columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
from torch.autograd.graph import get_gradient_edge

# One output of one autograd function, as `next_functions` spells it: the function and the number of its output.
Key = tuple[Any, int]
NOTHING: Key = (None, 0)


@dataclass
class Walk:
    """What the walk found, in a deterministic topological order: leaves in order of first use, then operations.

    A position is an index into the columns. There is one for each tensor, so an operation with several used outputs
    has several.

    Attributes:
        keys: the function and output number. The list runs from inputs to outputs, and a list is freed from its
            end, so letting go of it never frees a long chain in one recursion.
        inputs: each operation's `next_functions`; () for a leaf.
        operations: the operation's name, None for a leaf.
        shapes, dtypes: of each tensor, dtypes by name; None where autograd does not tell.
        edges: in the field order of `Edge`, positions for indices, by target and slot.
        backward_order: positions in the order in which autograd's engine reaches them.
        index: from key to position.
        roots: the keys of the outputs.
        leaves: how many of the positions are leaves.
        cut: whether the cap ended the walk.
    """

    keys: list[Key]
    inputs: list[tuple[Key, ...]]
    operations: list[str | None]
    shapes: list[tuple[int, ...] | None]
    dtypes: list[str | None]
    edges: list[tuple]
    backward_order: list[int]
    index: dict[Key, int]
    roots: list[Key]
    leaves: int
    cut: bool


def key_of(tensor: torch.Tensor) -> Key:
    """Where a tensor that requires grad stands in autograd's graph."""
    if tensor.grad_fn is not None:
        return tensor.grad_fn, tensor.output_nr
    return get_gradient_edge(tensor).node, 0


@cache
def operation_name(kind: type) -> str | None:
    """ "Mul" for MulBackward0; None for the function that collects a leaf's gradient."""
    name = kind.__name__
    return None if name == "AccumulateGrad" else name.partition("Backward")[0] or name


@cache
def dtype_name(dtype: torch.dtype) -> str:
    """ "float32" for torch.float32."""
    return str(dtype).removeprefix("torch.")


def walk(roots: Sequence[Key], *, limit: int) -> Walk:
    """Visits at most `limit` tensors behind `roots`, those nearest to the roots first."""
    inputs, cut = _visit(roots, limit)
    leaves, operations, order = _in_forward_order(inputs)
    keys = [*leaves, *operations]
    index = dict(zip(keys, range(len(keys))))
    shapes, dtypes = _metadata(keys)
    edges = [
        (index[source], position, slot, None, None, "")
        for position, key in enumerate(operations, len(leaves))
        for slot, source in enumerate(inputs[key])
        if source in index
    ]
    return Walk(
        keys,
        [inputs[key] for key in keys],
        [operation_name(type(key[0])) for key in keys],
        shapes,
        dtypes,
        edges,
        [index[key] for key in reversed(order)],
        index,
        list(roots),
        len(leaves),
        cut,
    )


def _visit(roots: Sequence[Key], limit: int) -> tuple[dict[Key, tuple[Key, ...]], bool]:
    found = {key: None for key in roots}
    queue, cut = list(found), False
    found[NOTHING] = None
    inputs = {}
    for key in queue:
        inputs[key] = sources = key[0].next_functions
        for source in sources:
            if source not in found:
                if len(queue) >= limit:
                    cut = True
                else:
                    found[source] = None
                    queue.append(source)
    return inputs, cut


def _in_forward_order(inputs: dict[Key, tuple[Key, ...]]) -> tuple[list[Key], list[Key], list[Key]]:
    """Leaves by first use, operations as the forward pass made them, and both in the engine's order, turned round.

    Autograd numbers its functions in the order of the forward pass, each thread for itself. The engine takes the
    function with the highest number that is ready, and a leaf at once.
    """
    operations = [key for key in reversed(inputs) if operation_name(type(key[0])) is not None]
    operations.sort(key=lambda key: key[0]._sequence_nr())
    leaves, order, in_order = _place(operations, inputs)
    if not in_order:
        leaves, order, _ = _place(operations := _sorted_by_dependence(operations, inputs), inputs)
    return leaves, operations, order


def _place(
    operations: list[Key], inputs: dict[Key, tuple[Key, ...]]
) -> tuple[list[Key], list[Key], bool]:
    placed, leaves, order, in_order = {NOTHING}, [], [], True
    for key in operations:
        new = len(leaves)
        for source in inputs[key]:
            if source not in placed and source in inputs:
                if operation_name(type(source[0])) is None:
                    placed.add(source)
                    leaves.append(source)
                else:
                    in_order = False
        placed.add(key)
        order.extend(reversed(leaves[new:]))
        order.append(key)
    alone = [key for key in inputs if key not in placed]
    return leaves + alone, order + alone, in_order


def _sorted_by_dependence(operations: list[Key], inputs: dict[Key, tuple[Key, ...]]) -> list[Key]:
    """Kahn's algorithm from the outputs, the latest function first; for graphs that several threads made."""
    uses = Counter(source for key in operations for source in inputs[key])
    ready = [key for key in operations if not uses[key]]
    inside, order = set(operations), []
    while ready:
        order.append(key := ready.pop())
        for source in inputs[key]:
            uses[source] -= 1
            if not uses[source] and source in inside:
                ready.append(source)
    return order[::-1]


def _metadata(keys: list[Key]) -> tuple[list[tuple[int, ...] | None], list[str | None]]:
    shapes, dtypes = [], []
    for function, number in keys:
        metadata = function._input_metadata[number]
        shapes.append(tuple(metadata.shape))
        dtypes.append(dtype_name(metadata.dtype))
    return shapes, dtypes
