"""Graphs of objects that are no tensors: an autograd of the learner's own.

The protocol is what such an engine has anyway. An object takes part if it has

- `data`: its forward value, a number or a tensor;
- `grad`: None as long as no backward pass has reached it, then a number or a tensor like `data`;
- `parents`: the objects that it was computed from, in order; empty for a leaf;
- `local`: for each parent the local derivative, a number (or a tensor, for an elementwise operation), or else a
  function that turns the gradient of this object into what flows back to that parent;
- `operation`: what made it, such as "mul"; it may be missing.

The graph shows what stands in `grad`. Where that is not the sum of what flows back, the node is marked.
`Graph.backward` finds the gradients anew from `local`, and writes nothing into the objects.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ...core.checks import describe
from ..data import Edge, Node, Summary
from ..graph import Graph
from ..words.text import format_shape, format_summary
from .summary import summarise, summarise_number
from .walk import BEYOND

PARTS = ("data", "grad", "parents", "local")


def is_foreign(target: object) -> bool:
    """Whether `target` means to be an object of this protocol; a part that it lacks is an error of its own later."""
    return hasattr(target, "parents") and not isinstance(target, torch.Tensor) and not callable(target)


def read_foreign(output: object, names: Mapping[str, object], *, model: object = None, limit: int) -> Graph:
    """The graph behind `output`, an object of the protocol, with the gradients that stand in the objects.

    Args:
        output: the object at the end.
        names: the objects to call by name.
        model: None; only a graph of tensors has one.
        limit: the most objects to read, those nearest to the output first.

    Raises:
        TypeError: an object lacks a part, a part is not what the protocol says, or there is a model.
        ValueError: a name does not fit, an object has more parents than local derivatives or fewer, or the parents
            lead round in a circle.
    """
    if model is not None:
        raise TypeError(f"model is {describe(model)}; a graph of objects that are no tensors has no model")
    near = _nearest(output, limit)
    objects = sorted(_inputs_first(output, near), key=lambda one: bool(one.parents))
    number = {id(one): at for at, one in enumerate(objects)}
    sources = [[number.get(id(parent), BEYOND) for parent in one.parents] for one in objects]
    found = Objects(objects, sources, _placed(names, number))
    return found.graph([one.grad for one in objects])


@dataclass(frozen=True)
class Objects:
    """What was found behind an output; a `Graph` holds it to be walked backwards later.

    Attributes:
        objects: leaves, then the others after their parents, the output last.
        sources: for each object its parents' places in `objects`, or BEYOND.
        names: the learner's names by place.
    """

    objects: Sequence[Any]
    sources: Sequence[Sequence[int]]
    names: Mapping[int, str]

    def backward(self, v: object) -> Graph:
        """The graph with the gradients of a backward pass that starts from `v`; errors as in `Graph.backward`."""
        gradients: list[Any] = [None] * len(self.objects)
        gradients[-1] = _start(self.objects[-1].data, v)
        for at in reversed(range(len(self.objects))):
            for slot, source in enumerate(self.sources[at]):
                if source != BEYOND and gradients[at] is not None:
                    share = self._share(at, slot, gradients[at])
                    gradients[source] = share if gradients[source] is None else gradients[source] + share
        return self.graph(gradients)

    def graph(self, gradients: Sequence[Any]) -> Graph:
        """The graph as plain data, with a gradient or None for each object."""
        given = zip(self.objects, gradients, strict=True)
        shown = [None if one is None else _summary(one, f"grad of {describe(owner)}") for owner, one in given]
        edges, arriving = [], [[] for _ in self.objects]
        for at, sources in enumerate(self.sources):
            for slot, source in enumerate(sources):
                if source != BEYOND:
                    share = None if gradients[at] is None else self._share(at, slot, gradients[at])
                    edges.append(self._edge(source, at, slot, share))
                    arriving[source] += [share] if share is not None else []
        nodes = [self._node(at, *both) for at, both in enumerate(zip(shown, arriving, strict=True))]
        cut = any(BEYOND in sources for sources in self.sources)
        order = tuple(reversed(range(len(nodes))))
        return Graph(tuple(nodes), tuple(edges), order, left_out=None if cut else 0, _walk=self)

    def _share(self, at: int, slot: int, gradient: Any) -> Any:
        """What flows back from an object to one of its parents; broadcasting is undone by summing."""
        local, shape = self.objects[at].local[slot], _shape(self.objects[self.sources[at][slot]].data)
        with torch.no_grad():
            share = local(gradient) if callable(local) else local * gradient
            if isinstance(share, torch.Tensor) and share.shape != shape and _spreads(shape, share.shape):
                share = share.sum_to_size(shape)
        return share

    def _node(self, at: int, gradient: Summary | None, arriving: Sequence[Any]) -> Node:
        one = self.objects[at]
        value = _summary(one.data, f"data of {describe(one)}")
        return Node(
            "operation" if one.parents else "leaf",
            self.names.get(at),
            _operation(one) if one.parents else None,
            value.shape,
            str(one.data.dtype).removeprefix("torch.") if hasattr(one.data, "dtype") else type(one.data).__name__,
            value,
            gradient,
            is_output=at == len(self.objects) - 1,
            note=None if gradient is None else _doubt(value, gradient, arriving),
        )

    def _edge(self, source: int, target: int, slot: int, share: Any) -> Edge:
        if share is None:
            return Edge(source, target, slot)
        local = self.objects[target].local[slot]
        own, up = (_shape(self.objects[at].data) for at in (source, target))
        flow = _summary(share, f"what flows back from {describe(self.objects[target])}")
        if callable(local):
            return Edge(source, target, slot, flow, None, "function")
        is_number = math.prod(own) == math.prod(up) == 1
        number = _summary(local, f"local[{slot}] of {describe(self.objects[target])}").numbers[0] if is_number else None
        return Edge(source, target, slot, flow, number, "factor")


def _nearest(output: Any, limit: int) -> dict[int, Any]:
    """The objects nearest to the output, by `id`."""
    near, queue = {id(output): output}, [output]
    for one in queue:
        _check_parts(one)
        for parent in one.parents:
            if id(parent) not in near and len(near) < limit:
                near[id(parent)] = parent
                queue.append(parent)
    return near


def _check_parts(one: Any) -> None:
    for part in PARTS:
        if not hasattr(one, part):
            raise TypeError(f"{describe(one)} has no .{part}; an object of a graph has {', '.join(PARTS)}")
    for part in ("parents", "local"):
        if not isinstance(getattr(one, part), list | tuple):
            raise TypeError(f".{part} of {describe(one)} is {describe(getattr(one, part))}; expected a tuple or a list")
    if len(one.parents) != len(one.local):
        raise ValueError(
            f"{describe(one)} has parents: {len(one.parents)}, local: {len(one.local)}; "
            "expected one local derivative for each parent"
        )


def _inputs_first(output: Any, near: Mapping[int, Any]) -> Iterator[Any]:
    """The objects in `near`, each after all its parents; without recursion."""
    is_done, path = {id(output): False}, [(output, iter(output.parents))]
    while path:
        one, parents = path[-1]
        parent = next((parent for parent in parents if id(parent) in near and not is_done.get(id(parent))), None)
        if parent is None:
            is_done[id(one)] = True
            path.pop()
            yield one
        elif id(parent) in is_done:
            raise ValueError(f"the parents of {describe(parent)} lead back to itself; expected a graph without circles")
        else:
            is_done[id(parent)] = False
            path.append((parent, iter(parent.parents)))


def _placed(names: Mapping[str, object], number: Mapping[int, int]) -> dict[int, str]:
    placed: dict[int, str] = {}
    for name, one in names.items():
        at = number.get(id(one))
        if at is None:
            raise ValueError(
                f"{name} is {describe(one)}, which is not in the graph: the output was not computed from it"
            )
        if at in placed:
            raise ValueError(f"{placed[at]} and {name} name the same object; expected one name for it")
        placed[at] = name
    return placed


def _operation(one: Any) -> str:
    """The operation's name, spelled as autograd would where it is a word: "Mul"."""
    given = str(getattr(one, "operation", "") or "operation")
    return given.capitalize() if given.isidentifier() and given.islower() else given


def _start(data: Any, v: object) -> Any:
    shape = _shape(data)
    if v is None and math.prod(shape) != 1:
        raise ValueError(f"v is missing: the output has shape {shape}; expected v, a tensor of that shape")
    if v is None:
        return torch.ones_like(data) if isinstance(data, torch.Tensor) else 1.0
    if _summary(v, "v").shape != shape:
        raise ValueError(f"v is {describe(v)}; expected the output's shape {shape}")
    return v


def _spreads(small: tuple[int, ...], large: tuple[int, ...]) -> bool:
    """Whether broadcasting makes the one shape of the other."""
    sizes = zip(reversed(small), reversed(large), strict=False)
    return len(small) <= len(large) and all(size in (1, full) for size, full in sizes)


def _shape(value: Any) -> tuple[int, ...]:
    return tuple(getattr(value, "shape", ()))


def _summary(value: Any, what: str) -> Summary:
    if isinstance(value, torch.Tensor):
        return summarise(value.detach())
    if isinstance(value, int | float | complex):
        return summarise_number(value)
    try:
        return summarise(torch.as_tensor(value))
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{what} is {describe(value)}; expected a number or a tensor") from error


def _doubt(value: Summary, gradient: Summary, arriving: Sequence[Any]) -> str | None:
    """What a reader should know of a gradient that is not what the backward pass brings."""
    if gradient.shape != value.shape:
        return f"grad is {format_shape(gradient.shape)}"
    if not arriving or not gradient.numbers or any(_shape(share) != value.shape for share in arriving):
        return None
    total = _summary(sum(arriving[1:], start=arriving[0]), "what arrives")
    if all(map(_agree, gradient.numbers, total.numbers)):
        return None
    return f"{format_summary(total, room=12)} arrives here"


def _agree(one: complex, other: complex) -> bool:
    return cmath.isclose(one, other, rel_tol=1e-4, abs_tol=1e-8) or (one != one and other != other)
