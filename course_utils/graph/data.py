"""Plain data for an autograd graph: nothing here holds a tensor or a drawing.

`Node`, `Edge` and `Summary` are named tuples (`node._replace(name="x")` gives a changed copy): a graph of 20,000
operations makes 40,000 of them, and they cost a fifth of a frozen dataclass.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Summary(NamedTuple):
    """What is kept of a tensor: enough to show it, never the tensor.

    Attributes:
        shape: the tensor's shape, () for a scalar.
        numbers: its entries in row-major order where there are at most 16, else ().
        norm: the Euclidean norm of all entries, nan and inf included; None where it has no number (sparse, quantised).
        trouble: "nan", "inf" or None.
    """

    shape: tuple[int, ...]
    numbers: tuple[float | complex | int | bool, ...] = ()
    norm: float | None = None
    trouble: str | None = None


class Node(NamedTuple):
    """One tensor of the graph: a leaf, a constant, or what an operation made.

    Attributes:
        kind: "leaf" (collects a gradient), "operation", or "constant" (takes part, collects none; only if its
            value or shape is known). One made by `detach` has an edge into it, and no gradient flows back along that.
        name: the learner's name for it, or None.
        operation: as autograd names it without "Backward" and number ("Mul", "Pow", "Addmm"), None for a leaf.
        shape, dtype: of the tensor, e.g. (2, 3) and "float32"; None where autograd does not tell.
        value: its forward value; None where it is not known.
        gradient: the gradient of the output with respect to it, summed over all its uses; None means no gradient yet.
        is_output: whether the graph was traced from this node.
        module: the innermost module call that made it ("encoder.0.linear1"), or None. "cell@2.gate" is in the second
            call of `cell` within the call around it.
        line: the line of code that made it, or None.
        kept: what `.grad` of the tensor held when it was traced, from whichever backward passes there were; None for
            nothing. Only leaves and tensors that retain their gradient have one.
        settings: the numbers besides its inputs that an operation's derivative depends on, by PyTorch's names, such as
            (("exponent", 2.0),); None where they are not known, and before a backward pass.
        note: what a reader should know ("detached here", "a hook of yours is not called here"), or None.
    """

    kind: str
    name: str | None = None
    operation: str | None = None
    shape: tuple[int, ...] | None = None
    dtype: str | None = None
    value: Summary | None = None
    gradient: Summary | None = None
    is_output: bool = False
    module: str | None = None
    line: str | None = None
    note: str | None = None
    kept: Summary | None = None
    settings: tuple[tuple[str, object], ...] | None = None


class Edge(NamedTuple):
    """One use of a tensor by an operation, in the direction of the forward pass.

    Attributes:
        source, target: indices into `Graph.nodes`; the same pair may occur twice (x * x).
        slot: which input of the target's operation this is, from 0.
        gradient: what flows back along this edge; None means no gradient yet.
        local: the local derivative d target / d source along this edge as a number, for scalars; None otherwise.
        rule: what turns the target's gradient into this edge's: "operation" (PyTorch's derivative of the target's
            operation), "own" (that of a `torch.autograd.Function` of the learner's); or, with an autograd of the
            learner's own, "factor" (a local derivative) or "function".
    """

    source: int
    target: int
    slot: int = 0
    gradient: Summary | None = None
    local: float | complex | None = None
    rule: str = "operation"


@dataclass(frozen=True, repr=False)
class GraphData:
    """An autograd graph as plain data; `Graph` is one that can be walked backwards and says what it is.

    Attributes:
        nodes: in a deterministic topological order, inputs first.
        edges: sorted by target, then slot.
        backward_order: indices of the nodes in the order in which the backward pass reaches them.
        left_out: number of nodes known to exist and not walked because of the cap; None where the walk was cut and the
            number is unknown; 0 for a whole graph.
        is_freed: whether a backward pass has freed the saved tensors, so that values and local derivatives are unknown.
        remarks: sentences on what was inferred, and not read.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    backward_order: tuple[int, ...] = field(default_factory=tuple)
    left_out: int | None = 0
    is_freed: bool = False
    remarks: tuple[str, ...] = ()
