"""What is known about a walked graph, by the numbers of its tensors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from ..data import Node, Summary
from .summary import Summaries


class Constant(NamedTuple):
    """A value that operations took as an input and that collects no gradient.

    Attributes:
        uses: (number of the operation, which of its inputs).
        shown, dtype, name, note: as in a `Node`.
        origin: the number of the tensor that it was cut off from, or None.
    """

    uses: list[tuple[int, int]]
    shown: Summary
    dtype: str
    name: str | None = None
    note: str | None = None
    origin: int | None = None

    def node(self) -> Node:
        """As plain data."""
        return Node("constant", self.name, None, self.shown.shape, self.dtype, self.value, note=self.note)

    @property
    def value(self) -> Summary | None:
        """What is known of the value; None where that is the shape alone."""
        return self.shown if self.shown.numbers or self.shown.norm is not None else None


@dataclass(slots=True)
class Facts:
    """What is known by a tensor's number in the walk, besides the walk's own columns.

    Attributes:
        names, values, lines, modules, notes, kept: as in a `Node`.
        constants: the inputs that are not in autograd's graph, where something is known of them.
        summaries: of the gradients with each tensor's shape and dtype.
        gradients: the index of the tensor's own among them.
        flows: for each operation, what flows back to each of its inputs: the index among the input's summaries, and
            the local derivative; or None.
        remarks: what the graph's reader should know of the whole.
        is_freed: whether a backward pass has freed what autograd had saved.
        recomputes: whether reading a saved value may run a part of the forward pass again.
    """

    names: dict[int, str] = field(default_factory=dict)
    values: dict[int, Summary] = field(default_factory=dict)
    lines: dict[int, str] = field(default_factory=dict)
    modules: dict[int, str] = field(default_factory=dict)
    notes: dict[int, str] = field(default_factory=dict)
    kept: dict[int, Summary] = field(default_factory=dict)
    constants: list[Constant] = field(default_factory=list)
    summaries: list[Summaries] = field(default_factory=list)
    gradients: dict[int, int] = field(default_factory=dict)
    flows: dict[int, list[tuple[int, float | complex | None] | None]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    is_freed: bool = False
    recomputes: bool = False
