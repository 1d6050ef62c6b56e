"""The walk over `grad_fn.next_functions`: once, without recursion, into columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

# One output of one autograd function, as `next_functions` spells it: the function and the number of its output.
Key = tuple[Any, int]
NOTHING: Key = (None, 0)


@dataclass
class Walk:
    """What the walk found, in a deterministic topological order: leaves in order of first use, then operations.

    A position is an index into `keys`. There is one position for each tensor, so an operation with several used
    outputs has several.

    Attributes:
        keys: the function and output number at each position. The list runs from inputs to outputs and a list is
            freed from its end, so letting go of it never frees a long chain in one recursion.
        inputs: each operation's `next_functions`; () for a leaf.
        shapes, dtypes: of the tensor at each position; None where autograd does not tell.
        arity: how many outputs the function at each position has.
        index: from key to position.
        leaves: how many of the positions are leaves.
        cut: whether the cap ended the walk.
    """

    keys: list[Key]
    inputs: list[tuple[Key, ...]]
    shapes: list[tuple[int, ...] | None]
    dtypes: list[torch.dtype | None]
    arity: list[int]
    index: dict[Key, int]
    leaves: int
    cut: bool
    roots: list[Key] = field(default_factory=list)


def is_leaf(function: object) -> bool:
    """Whether this autograd function is the one that collects a leaf's gradient."""
    return type(function).__name__ == "AccumulateGrad"


def walk(roots: Sequence[Key], *, limit: int) -> Walk:
    """Visits at most `limit` tensors behind `roots`, those nearest to the roots first."""
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
    leaves, operations = _in_forward_order(queue, inputs)
    return _columns(leaves + operations, inputs, len(leaves), cut, list(roots))


def _in_forward_order(keys: list[Key], inputs: dict[Key, tuple[Key, ...]]) -> tuple[list[Key], list[Key]]:
    operations = [key for key in reversed(keys) if not is_leaf(key[0])]
    # Autograd numbers its functions as the forward pass makes them, each thread for itself.
    operations.sort(key=lambda key: key[0]._sequence_nr())
    placed = {NOTHING}
    known = set(keys)
    leaves: dict[Key, None] = {}
    in_order = True
    for key in operations:
        for source in inputs[key]:
            if source not in placed and source in known:
                if is_leaf(source[0]):
                    leaves[source] = None
                else:
                    in_order = False
        placed.add(key)
    leaves.update((key, None) for key in keys if is_leaf(key[0]))
    return list(leaves), operations if in_order else _sorted_by_dependence(operations, inputs)


def _sorted_by_dependence(operations: list[Key], inputs: dict[Key, tuple[Key, ...]]) -> list[Key]:
    """Kahn's algorithm from the outputs, the latest function first; for graphs made by several threads."""
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


def _columns(keys: list[Key], inputs: dict[Key, tuple[Key, ...]], leaves: int, cut: bool, roots: list[Key]) -> Walk:
    shapes, dtypes, arity = [], [], []
    for function, number in keys:
        metadata = function._input_metadata
        shapes.append(tuple(metadata[number].shape))
        dtypes.append(metadata[number].dtype)
        arity.append(len(metadata))
    index = {key: position for position, key in enumerate(keys)}
    return Walk(keys, [inputs[key] for key in keys], shapes, dtypes, arity, index, leaves, cut, roots)
