"""`Graph`: an autograd graph that was read, which can be walked backwards and says in words what it is."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Protocol

from .data import Edge, GraphData, Node
from .words.text import describe


class Walked(Protocol):
    """What was found behind an output, and can be walked again."""

    def read(self) -> dict[str, tuple[Node, ...] | tuple[Edge, ...] | tuple[int, ...]]:
        """The graph's nodes, edges and backward order, by the names of these attributes."""

    def backward(self, v: object) -> Graph:
        """What `Graph.backward` returns."""


@dataclass(frozen=True, repr=False)
class Graph(GraphData):
    """What `trace` returns; the attributes are those of `GraphData`."""

    _walk: Walked | None = field(default=None, compare=False)

    @classmethod
    def unread(cls, walk: Walked, *, left_out: int | None, is_freed: bool, remarks: tuple[str, ...] = ()) -> Graph:
        """A graph whose nodes and edges `walk.read()` puts in order when they are first looked at."""
        graph = object.__new__(cls)
        graph.__dict__.update(left_out=left_out, is_freed=is_freed, remarks=remarks, _walk=walk)
        return graph

    def __getattr__(self, name: str) -> Any:
        walk = self.__dict__.get("_walk")
        if walk is None or name not in ("nodes", "edges", "backward_order"):
            raise AttributeError(f"a Graph has no {name!r}")
        self.__dict__.update(walk.read())
        return self.__dict__[name]

    def plain(self) -> Graph:
        """The same graph without what can be walked again, so that it keeps no tensor alive."""
        return Graph(**{one.name: getattr(self, one.name) for one in fields(GraphData)})

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy is plain data: autograd's own objects stay here."""
        return Graph, tuple(getattr(self, one.name) for one in fields(GraphData))

    def backward(self, v: object = None) -> Graph:
        """A new graph with the gradient at every node and edge, and the local derivatives; autograd is left untouched.

        Args:
            v: what each output's gradient starts from: nothing for a scalar output; else a tensor or number of the
                output's shape, or a sequence of them, one for each output.

        Raises:
            TypeError: `v` is no tensor and no number.
            ValueError: `v` is missing where it is needed, or has the wrong shape.
            RuntimeError: the graph's saved values were freed, or changed in place.
        """
        if self._walk is None:
            raise ValueError(
                "this graph is a copy or was not made by trace(), so there is no autograd graph to walk backwards; "
                "call backward() on the graph that trace() returned"
            )
        return self._walk.backward(v)

    def __repr__(self) -> str:
        return describe(self)
