"""The graph's door: `trace` reads one, `draw_graph` draws it, `step_backward` and `explore_graph` put sliders on it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import product as combinations
from math import ceil
from typing import TYPE_CHECKING, Any

import torch

from ..core.checks import check_function, check_text, check_whole, describe
from ..core.picture import Picture
from .draw.choose import ALL, choose_cards
from .draw.choose import LIMIT as CARDS
from .draw.drawing import CURVE, GAP, MOST_CARDS, Drawing, Frame, frame_for, label_lines, picture_of, wrapped
from .draw.strokes import CELL
from .graph import Graph
from .read.foreign import is_foreign, read_foreign
from .read.inputs import first_input, tensors_in
from .read.trace import read_function, read_tensors
from .words.steps import Stages
from .words.text import cells

if TYPE_CHECKING:
    from ..sliders import Explorer
    from ..sliders.controls import Control

MOST_NODES, POSITIONS, WIDEST_GAP = 200, 32, 230
# More tensors than anybody looks at, and read in a few milliseconds.
LIMIT = 4500
_FLAG = (bool, type(None))


def trace(
    target: torch.Tensor | Sequence[torch.Tensor] | Callable[..., object],
    /,
    *unnamed: object,
    model: torch.nn.Module | None = None,
    limit: int | None = None,
    values: bool | None = None,
    **names: object,
) -> Graph:
    """Reads an autograd graph into plain data, and leaves everything as it was.

    `trace(z, x=x, y=y)` reads the graph behind `z` and calls the tensors `x` and `y` by these names. Of the forward
    values it knows those that autograd or you still hold, and what follows from them.
    `trace(f, x=2.0, y=3.0)` calls `f` on new leaves with these values, so every value, line of code and module call
    is known. Numbers and tensors, also those in lists and dicts, become leaves; an `nn.Module` gets its tensors as they
    are. A number that cannot be a tensor there (`range(n)`, `x[k]`) is handed on as it is, and a remark says so.
    `trace(z, x=x)` also reads a graph of your own objects, if they have what the module `foreign` asks for.

    An option below counts as a name where it is given a tensor (`trace(z, limit=limit)`), or where the function has
    a parameter of that name.

    Args:
        target: the output, a tensor or several; or the function or `nn.Module` that makes it.
        model: the module whose parameters lend their names, and whose parts tell which of them made what.
        limit: the most tensors to read, those nearest to the output first (4,500 if not given).
        values: False reads no forward values, which is faster on a big graph.
        names: the tensors to call by name; or the function's inputs.

    Raises:
        TypeError: `target`, an option or a name is of the wrong type, or the inputs do not fit the function.
        ValueError: there is no graph behind `target`, a tensor is not in it, or two names stand for the same tensor.
        Exception: what the function raises; the graph that it had made is then the error's `graph`.
    """
    _refuse_unnamed("trace", target, unnamed)
    if callable(target) or model is not None or limit is not None or not isinstance(values, _FLAG):
        model, limit, values, names = _sort_out(target, {"model": model, "limit": limit, "values": values}, names)
    limit = LIMIT if limit is None else limit
    if callable(target):
        with torch.inference_mode(False), torch.enable_grad():
            return read_function(target, names, model=model, limit=limit)
    if not isinstance(target, torch.Tensor) and is_foreign(target):
        return read_foreign(target, names, model=model, limit=limit)
    return read_tensors(target, names, model=model, limit=limit, values=values)


def _sort_out(
    target: object, options: dict[str, Any], names: dict[str, object]
) -> tuple[torch.nn.Module | None, int | None, bool | None, dict[str, object]]:
    """The options that are none of the names, checked, and the names."""
    _claim_names(target, options, {"model": None, "limit": None, "values": None}, names)
    model, limit, values = options.values()
    if model is not None and not isinstance(model, torch.nn.Module):
        raise TypeError(f"model is {describe(model)}; expected the nn.Module that the output comes from")
    if values is not None and not isinstance(values, bool):
        raise TypeError(f"values is {describe(values)}; expected True or False")
    if limit is not None:
        limit = check_whole(limit, name="limit", low=1, high=100_000_000)
    return model, limit, values, names


def _claim_names(
    target: object, options: dict[str, Any], defaults: Mapping[str, object], names: dict[str, object]
) -> None:
    """Moves to `names` what is given for an option and is none: a tensor, or an input that the function calls so."""
    own = _own_names(target)
    for option, given in options.items():
        if isinstance(given, torch.Tensor) or (option in own and given != defaults[option]):
            names[option], options[option] = given, defaults[option]


def _refuse_unnamed(door: str, target: object, unnamed: Sequence[object]) -> None:
    if unnamed:
        is_called = callable(target) and not isinstance(target, torch.Tensor)
        hint = f"name the input: {door}(net, {first_input(target)}=x)" if is_called else f"name it: {door}(z, x=x)"
        raise TypeError(f"{door} got {describe(unnamed[0])} without a name after {describe(target)}; {hint}")


def _take_v(target: object, names: dict[str, object]) -> object:
    """What the backward pass starts from, if `v` is not the name of a tensor or an input."""
    if "v" not in names or "v" in _own_names(target):
        return None
    outputs = [] if isinstance(target, Graph) or callable(target) else list(tensors_in(target))
    is_scalar = len(outputs) == 1 and outputs[0].numel() == 1
    return None if is_scalar and isinstance(names["v"], torch.Tensor) else names.pop("v")


def _own_names(target: object) -> Mapping[str, object]:
    """The parameters of a function, by name."""
    if not callable(target):
        return {}
    try:
        return inspect.signature(target.forward if isinstance(target, torch.nn.Module) else target).parameters
    except (TypeError, ValueError):  # a function in C that does not tell
        return {}


def draw_graph(
    target: object,
    /,
    *unnamed: object,
    model: object = None,
    open: str | None = None,
    title: str = "",
    gradients: bool = False,
    limit: int = CARDS,
    **names: object,
) -> Picture:
    """Draws an autograd graph, left to right, with the value and the gradient of every tensor on it.

    `draw_graph(z, x=x, y=y)` shows the graph as the forward pass leaves it: every gradient reads "no gradient yet",
    which is not 0. `draw_graph(z, x=x, y=y, gradients=True)` shows what a backward pass from `z` brings, on every node
    and, flowing back, on every edge; nothing is written to `.grad` and the graph is not freed.

    Leaves are round, operations square, outputs have a thick border; a value is blue, a gradient orange and dashed.
    A big graph shows its modules, with repeats folded: `draw.choose` gives the rules.

    Args:
        target: a tensor, several tensors, a function (then `names` are its inputs), a `Graph` made by `trace`,
            or the output of an autograd of your own (the module `foreign` says what its objects need).
        model: the module behind the tensors: its parameters get their names, and it can be collapsed part by part.
        open: the part of the model to look into, such as "encoder.0"; "all" for every node.
        title: a line over the picture.
        gradients: True to run a backward pass for the picture. For an output that is no single number it starts from
            `v=…`, as in `Graph.backward`.
        limit: the most cards to draw, at most 1,000; a picture of more makes no sense.
        names: the tensors to call by name, or the function's inputs.

    Raises:
        TypeError: `target` is none of these, an option is of the wrong type, or names are given with a `Graph`.
        ValueError: no graph leads to `target`, a name does not fit, or `open` names no part of the model.
    """
    _refuse_unnamed("draw_graph", target, unnamed)
    defaults = {"model": None, "open": None, "title": "", "gradients": False, "limit": CARDS}
    options: dict[str, Any] = {"model": model, "open": open, "title": title, "gradients": gradients, "limit": limit}
    _claim_names(target, options, defaults, names)
    model, open, title, gradients, limit = options.values()
    if open is not None and not isinstance(open, str):
        raise TypeError(f"open is {describe(open)}; expected the name of a module, such as 'encoder.0', or 'all'")
    if not isinstance(gradients, bool):
        raise TypeError(f"gradients is {describe(gradients)}; expected True or False")
    limit, title = check_whole(limit, name="limit", low=2, high=MOST_CARDS), check_text(title, name="title")
    target = list(target) if isinstance(target, Iterator) else target
    v = _take_v(target, names) if gradients else None
    graph = read_graph(target, model, names)
    return _picture(graph.backward(v) if gradients else graph, open=open, title=title, limit=limit)


def _picture(graph: Graph, **options: Any) -> Picture:
    """The picture, which keeps none of the learner's tensors alive."""
    return picture_of(graph.plain(), **options)


def read_graph(target: Any, model: Any, names: dict[str, Any]) -> Graph:
    """The graph of what `draw_graph` and its relatives accept."""
    if not isinstance(target, Graph):
        return trace(target, **({} if model is None else {"model": model}), **names)
    if names or model is not None:
        given = ", ".join([*names, *(["model"] if model is not None else [])])
        raise TypeError(f"{given} given with a Graph; names belong to trace(…), which made the graph")
    return target


def step_backward(
    target: object, /, *unnamed: object, model: object = None, title: str = "", **names: object
) -> Explorer:
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

    _refuse_unnamed("step_backward", target, unnamed)
    options: dict[str, Any] = {"model": model, "title": title}
    _claim_names(target, options, {"model": None, "title": ""}, names)
    model, title = options.values()
    check_text(title, name="title")
    target = list(target) if isinstance(target, Iterator) else target
    v = _take_v(target, names)
    graph = read_graph(target, model, names)
    if len(graph.nodes) > MOST_NODES:
        raise ValueError(
            f"the graph has {len(graph.nodes):,} nodes; step_backward walks at most {MOST_NODES}. "
            "Step through a smaller part, or see the whole with draw_graph"
        )
    if not isinstance(target, Graph) or v is not None or all(node.gradient is None for node in graph.nodes):
        graph = graph.backward(v)
    graph = graph.plain()
    stages = Stages(graph)
    drawing = Drawing(graph, choose_cards(graph, open=ALL), _step_frame(stages))

    def backward_pass(step: int) -> Picture:
        return drawing.picture(stages.graph_at(step), title=title, spot=stages.spot(step))

    return explore(backward_pass, step=play((0, stages.last, 1, stages.last), seconds=1.2))


def _step_frame(stages: Stages) -> Frame:
    """Room for the longest product on an edge, for the most lines below, and for the longest of them."""
    labels = [label_lines(stages.graph, edge, at_hand=True) for edge in stages.graph.edges if edge.gradient is not None]
    widest = max((cells(text) for texts in labels for text in texts), default=0) * CELL
    gap = min(max(GAP, ceil(widest) + 30), WIDEST_GAP)
    said = [wrapped(stages.said(step)) for step in range(stages.last + 1)]
    width = max(cells(line) for lines in said for line in lines) * CELL + 28
    return Frame(width=width, gap=gap, lead=gap - CURVE, port=42, lines=max(map(len, said)))


def explore_graph(
    function: Callable[..., object], /, *, model: object = None, title: str = "", **sliders: Any
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
    options: dict[str, Any] = {"model": model, "title": title}
    _claim_names(function, options, {"model": None, "title": ""}, sliders)
    model, title = options.values()
    check_text(title, name="title")

    def graph_at(values: dict[str, object]) -> Graph:
        leaves = {name: value for name, value in values.items() if isinstance(sliders[name], tuple)}
        given = {name: value for name, value in values.items() if name not in leaves}
        return read_graph(partial(function, **given) if given else function, model, leaves).backward().plain()

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
