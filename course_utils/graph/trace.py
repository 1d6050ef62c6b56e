"""`trace`: any autograd graph as plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch.autograd.graph import get_gradient_edge

from ..checks import check_whole, describe
from .data import Edge, Graph, Node
from .summary import summarise
from .values import Constant, read_values
from .walk import Key, Walk, walk

# The deepest chain that may be let go of in one recursion also where a thread has a stack of 1 MB.
LIMIT = 4500


def trace(
    target: torch.Tensor | Sequence[torch.Tensor] | Callable[..., object],
    /,
    *,
    model: torch.nn.Module | None = None,
    limit: int = LIMIT,
    values: bool = True,
    **names: object,
) -> Graph:
    """Reads an autograd graph into plain data, without changing anything.

    `trace(z, x=x, y=y)` reads the graph behind `z`, and calls the tensors `x` and `y` by these names.
    `trace(f, x=2.0, y=3.0)` calls `f` on new leaves with these values and records everything on the way.

    A keyword that is one of the options below counts as a name where a tensor is given (`trace(z, limit=limit)`),
    or where the function has a parameter of that name.

    Args:
        target: an output tensor, several of them, or a function or `nn.Module` that makes them.
        model: the module whose parameters lend their names to leaves.
        limit: the largest number of tensors to read, those nearest to the outputs first.
        values: whether to read forward values; without them a big graph is read faster.
        names: the learner's tensors by name, or the function's inputs: numbers become leaves, as do tensors.

    Raises:
        TypeError: `target` is not a tensor, or an option is of the wrong type.
        ValueError: `target` has no graph, or a name stands for a tensor that is not in it, or two for the same.
    """
    roots = _outputs(target)
    limit = check_whole(limit, name="limit", low=1, high=100_000_000)
    keys = [_key(root) for root in roots]
    found = walk(keys, limit=limit)
    tensors = {found.index[key]: root for key, root in zip(keys, roots) if key in found.index}
    called = _names(found, names, model)
    known, constants = read_values(found, tensors) if values else ({}, [])
    return _assemble(found, called, known, constants)


def _outputs(target: object) -> list[torch.Tensor]:
    outputs = [target] if isinstance(target, torch.Tensor) else target
    if not isinstance(outputs, list | tuple) or not outputs or not all(isinstance(o, torch.Tensor) for o in outputs):
        raise TypeError(f"target is {describe(target)}; expected a tensor, a list of tensors or a function")
    for output in outputs:
        if not output.requires_grad:
            raise ValueError(
                f"target is {describe(output)} that does not require grad, so it has no graph; "
                "expected a tensor computed from one made with requires_grad=True"
            )
    return list(outputs)


def _key(tensor: torch.Tensor) -> Key:
    if tensor.grad_fn is not None:
        return tensor.grad_fn, tensor.output_nr
    return get_gradient_edge(tensor).node, 0


def _names(found: Walk, names: Mapping[str, object], model: torch.nn.Module | None) -> dict[int, str]:
    called: dict[int, str] = {}
    for name, tensor in names.items():
        if not isinstance(tensor, torch.Tensor):
            raise TypeError(f"{name} is {describe(tensor)}; expected a tensor of the graph")
        position = found.index.get(_key(tensor)) if tensor.requires_grad else None
        if position is None:
            raise ValueError(f"{name} is not in the graph of the output")
        if position in called:
            raise ValueError(f"{called[position]} and {name} are the same tensor; expected one name for it")
        called[position] = name
    for name, parameter in model.named_parameters() if model is not None else ():
        position = found.index.get(_key(parameter)) if parameter.requires_grad else None
        if position is not None:
            called.setdefault(position, name)
    return called


def _assemble(
    found: Walk, called: dict[int, str], known: dict[int, torch.Tensor], constants: list[Constant]
) -> Graph:
    """Nodes and edges, with constants between the leaves and the operations."""
    shift = len(constants)
    place = [p if p < found.leaves else p + shift for p in range(len(found.keys))]
    outputs = {found.index[key] for key in found.roots if key in found.index}
    summaries = {position: summarise(value) for position, value in known.items()}
    nodes = [
        Node(
            "leaf" if position < found.leaves else "operation",
            called.get(position),
            None if position < found.leaves else _operation(found.keys[position][0]),
            found.shapes[position],
            _dtype(found.dtypes[position]),
            summaries.get(position),
            None,
            position in outputs,
        )
        for position in range(len(found.keys))
    ]
    nodes[found.leaves : found.leaves] = [constant.node() for constant in constants]
    extra = {(c.target, c.slot): found.leaves + i for i, c in enumerate(constants)}
    edges = []
    for position, sources in enumerate(found.inputs):
        for slot, source in enumerate(sources):
            if source in found.index:
                edges.append(Edge(place[found.index[source]], place[position], slot))
            elif (position, slot) in extra:
                edges.append(Edge(extra[position, slot], place[position], slot))
        slot = len(sources)
        while (position, slot) in extra:
            edges.append(Edge(extra[position, slot], place[position], slot))
            slot += 1
    return Graph(
        tuple(nodes), tuple(edges), _backward_order(found, place), None if found.cut else 0, _walk=(found, place)
    )


def _operation(function: object) -> str:
    return type(function).__name__.split("Backward")[0]


def _dtype(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _backward_order(found: Walk, place: list[int]) -> tuple[int, ...]:
    waiting = [0] * len(found.keys)
    for sources in found.inputs:
        for source in sources:
            if source in found.index:
                waiting[found.index[source]] += 1
    order = []
    for position in range(len(found.keys) - 1, found.leaves - 1, -1):
        order.append(place[position])
        for source in found.inputs[position]:
            at = found.index.get(source)
            if at is not None:
                waiting[at] -= 1
                if not waiting[at] and at < found.leaves:
                    order.append(place[at])
    return tuple(order) if order else tuple(place)
