"""Sliders on a graph: walk the backward pass node by node, or move a function's inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from itertools import product as combinations
from math import ceil
from typing import TYPE_CHECKING

from ..core.checks import check_function, check_text
from ..core.picture import Picture
from .data import Graph
from .draw.choose import ALL, choose_cards
from .draw.drawing import CURVE, GAP, Drawing, Frame, frame_for, label_lines, read_graph, wrapped
from .draw.strokes import CELL
from .words.steps import Stages
from .words.text import cells

if TYPE_CHECKING:
    from ..sliders import Explorer
    from ..sliders.controls import Control

MOST_NODES, POSITIONS, WIDEST_GAP = 200, 32, 230


def step_backward(target: object, /, *, model: object = None, title: str = "", **names: object) -> Explorer:
    """The backward pass through a graph, one operation at a time, with a slider that goes forwards and back.

    Step 0 is before the pass: no gradient yet. At each step one operation is lit; the multiplication of its upstream
    gradient with each local derivative is spelled out, with the sum where several gradients meet. At the last step the
    pass is finished: that is the picture that stays in a stored notebook.

    Args:
        target: a tensor, several tensors, a function (then `names` are its inputs), or a `Graph`.
        model: the module behind the tensors, which lends its parameters' names.
        title: a line over the picture.
        names: the tensors to call by name, or the function's inputs.

    Returns:
        An `Explorer`; called with a step it gives the still picture: `step_backward(z, x=x)(step=2)`.

    Raises:
        TypeError, ValueError: as `draw_graph`; and a graph with more than 200 nodes.
    """
    from ..sliders import explore, play

    check_text(title, name="title")
    graph = read_graph(target, model, names)
    if len(graph.nodes) > MOST_NODES:
        raise ValueError(
            f"the graph has {len(graph.nodes):,} nodes; step_backward walks at most {MOST_NODES}. "
            "Step through a smaller part, or see the whole with draw_graph"
        )
    if not isinstance(target, Graph) or all(node.gradient is None for node in graph.nodes):
        graph = graph.backward()
    stages = Stages(graph)
    drawing = Drawing(graph, choose_cards(graph, open=ALL), _step_frame(stages))

    def backward_pass(step: int) -> Picture:
        return drawing.picture(stages.graph_at(step), title=title, spot=stages.spot(step))

    return explore(backward_pass, step=play((0, stages.last, 1, stages.last), seconds=1.2))


def _step_frame(stages: Stages) -> Frame:
    """Room for the longest product on an edge, for the most lines below, and for the longest of them."""
    labels = [label_lines(edge, at_hand=True) for edge in stages.graph.edges if edge.gradient is not None]
    widest = max((cells(text) for texts in labels for text in texts), default=0) * CELL
    gap = min(max(GAP, ceil(widest) + 30), WIDEST_GAP)
    said = [wrapped(stages.said(step)) for step in range(stages.last + 1)]
    width = max(cells(line) for lines in said for line in lines) * CELL + 28
    return Frame(width=width, gap=gap, lead=gap - CURVE, port=42, lines=max(map(len, said)))


def explore_graph(
    function: Callable[..., object], /, *, model: object = None, title: str = "", **sliders: object
) -> Explorer:
    """The graph of a function with a slider for each input: values and gradients change in place.

    The cards' sizes do not depend on the numbers, so nothing moves but the numbers. Where the graph itself changes with
    an input (an `if`, a loop), it is drawn anew, on a sheet that is large enough for every graph met on the way.

    Args:
        function: computes a tensor from the inputs that the sliders name.
        model: the module behind the function, which lends its parameters' names.
        title: a line over the picture.
        sliders: one for each input, as in `explore`. A tuple such as `x=(-3.0, 3.0)` moves a leaf; what any other form
            gives, such as `turns=range(1, 6)`, a list or a checkbox, is handed to the function as it is.

    Returns:
        An `Explorer`; called with inputs it gives the still picture: `explore_graph(f, x=(-3, 3))(x=2)`.

    Raises:
        TypeError: `function` cannot be called, or a slider is not one that `explore` takes.
        ValueError: no graph leads to the function's result at some position.
    """
    from ..sliders import explore

    check_function(function, name="function")
    check_text(title, name="title")

    def graph_at(values: dict[str, object]) -> Graph:
        leaves = {name: value for name, value in values.items() if isinstance(sliders[name], tuple)}
        given = {name: value for name, value in values.items() if name not in leaves}
        return read_graph(partial(function, **given) if given else function, model, leaves).backward()

    @cache
    def sheet() -> tuple[float, float]:
        return _largest(graph_at(values) for values in _positions(explorer.controls.values()))

    def function_graph(**values: object) -> Picture:
        graph = graph_at(values)
        view, (width, height) = choose_cards(graph), sheet()
        return Drawing(graph, view, frame_for(graph, view)._replace(width=width, height=height)).picture(title=title)

    explorer = explore(function_graph, **sliders)
    return explorer


def _positions(controls: Iterable[Control]) -> Iterator[dict[str, object]]:
    """Positions all over the sliders, at most 32 for up to five of them."""
    controls = list(controls)
    each = max(2, int(POSITIONS ** (1 / len(controls))))
    counts = [min(each, len(control.values)) for control in controls]
    for places in combinations(*map(range, counts)):
        fractions = [place / max(1, count - 1) for place, count in zip(places, counts, strict=True)]
        yield {control.name: control.at(fraction) for control, fraction in zip(controls, fractions, strict=True)}


def _largest(graphs: Iterable[Graph]) -> tuple[float, float]:
    """The largest width and height among the drawings of the graphs."""
    layouts = {}
    for graph in graphs:
        shape = tuple(node[:5] for node in graph.nodes), tuple(edge[:3] for edge in graph.edges)
        if shape not in layouts:
            view = choose_cards(graph)
            layouts[shape] = Drawing(graph, view, frame_for(graph, view)).layout
    return max(layout.width for layout in layouts.values()), max(layout.height for layout in layouts.values())
