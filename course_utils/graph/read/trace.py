"""`trace`: any autograd graph as plain data."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import torch

from ...core.checks import check_whole, describe
from ..data import Graph
from .facts import Facts, Traced
from .foreign import is_foreign, read_foreign
from .function import call, closure_names, fresh_inputs, name_everything, name_modules, read_record
from .modules import guess_modules, name_parameters
from .names import check_placed, name_tensors
from .record import Recorder
from .summary import summarise
from .values import read_kept, read_values
from .walk import key_of, walk

# More than anybody looks at, and read in a few milliseconds.
LIMIT = 4500
_NOTHING = Facts()
_FLAG = (bool, type(None))


def trace(
    target: torch.Tensor | Sequence[torch.Tensor] | Callable[..., object],
    /,
    *,
    model: torch.nn.Module | None = None,
    limit: int | None = None,
    values: bool | None = None,
    **names: object,
) -> Graph:
    """Reads an autograd graph into plain data, and leaves everything as it was.

    `trace(z, x=x, y=y)` reads the graph behind `z` and calls the tensors `x` and `y` by these names. Of the forward
    values it knows those that autograd or you still hold, and what follows from them.
    `trace(f, x=2.0, y=3.0)` calls `f` on new leaves with these values, so every value, line of code and module call
    is known. Numbers and tensors become leaves; an `nn.Module` gets its tensors as they are.
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
    """
    if callable(target) or model is not None or limit is not None or not isinstance(values, _FLAG):
        model, limit, values, names = _sort_out(target, {"model": model, "limit": limit, "values": values}, names)
    limit = LIMIT if limit is None else limit
    if callable(target):
        with torch.inference_mode(False), torch.enable_grad():
            return _trace_function(target, names, model, limit)
    if not isinstance(target, torch.Tensor) and is_foreign(target):
        return read_foreign(target, names, model=model, limit=limit)
    outputs = {key_of(output): output for output in _check_outputs(target)}
    found = walk(list(outputs), limit=limit)
    if values is False and model is None and not names:
        return Traced(found, _NOTHING).graph()
    facts = Facts()
    constants = name_tensors(found, facts, names)
    if model is not None:
        name_parameters(found, facts, {id(part): path for path, part in model.named_modules()}, model)
        guess_modules(found, facts)
    if values is not False:
        held = {found.find(key_of(tensor)): tensor for tensor in names.values() if tensor.requires_grad}
        held.update(enumerate(outputs.values()))
        check_placed(found, facts, read_values(found, facts, held, constants))
        read_kept(found, facts, names)
    return Traced(found, facts).graph()


def _sort_out(
    target: object, options: dict[str, Any], names: dict[str, object]
) -> tuple[torch.nn.Module | None, int | None, bool | None, dict[str, object]]:
    """The options that are none of the names, checked, and the names."""
    own = _own_names(target)
    for option, given in options.items():
        if isinstance(given, torch.Tensor) or (given is not None and option in own):
            names[option], options[option] = given, None
    model, limit, values = options.values()
    if model is not None and not isinstance(model, torch.nn.Module):
        raise TypeError(f"model is {describe(model)}; expected the nn.Module that the output comes from")
    if values is not None and not isinstance(values, bool):
        raise TypeError(f"values is {describe(values)}; expected True or False")
    if limit is not None:
        limit = check_whole(limit, name="limit", low=1, high=100_000_000)
    return model, limit, values, names


def _own_names(target: object) -> Mapping[str, object]:
    """The parameters of a function, by name."""
    if not callable(target):
        return {}
    try:
        return inspect.signature(target.forward if isinstance(target, torch.nn.Module) else target).parameters
    except (TypeError, ValueError):  # a function in C that does not tell
        return {}


def _check_outputs(target: object, *, name: str = "target") -> list[torch.Tensor]:
    outputs = [target] if isinstance(target, torch.Tensor) else list(_tensors(target))
    if not outputs:
        raise TypeError(f"{name} is {describe(target)}; expected a tensor, several tensors, or a function")
    tracked = [output for output in outputs if output.requires_grad]
    if not tracked:
        raise ValueError(
            f"{name} is {describe(outputs[0])} that does not require grad, so no graph leads to it; "
            "expected a tensor computed from one made with requires_grad=True"
        )
    return tracked


def _tensors(value: object) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Mapping):
        yield from _tensors(list(value.values()))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _tensors(inner)


def _trace_function(
    function: Callable[..., object], given: Mapping[str, object], model: torch.nn.Module | None, limit: int
) -> Graph:
    written = function.func if isinstance(function, partial) else function
    around, inputs = closure_names(written), fresh_inputs(function, given)
    recorder = Recorder(getattr(written, "__code__", None), name_modules(function, model, around))
    with recorder.watching():
        result = call(function, inputs)
    outputs = {key_of(output): output for output in _check_outputs(result, name="what the function returned")}
    keys, facts = list(outputs), Facts()
    # The recorder has looked at every function, so all of them must be safe to free, also those beyond the limit.
    found = walk(keys, limit=max(limit, len(recorder.values) + len(keys)))
    if len(found) > limit:
        found = walk(keys, limit=limit)
    recorder.values.update((key, summarise(output)) for key, output in outputs.items())
    read_record(found, facts, recorder, name_everything(found, facts, inputs, around, recorder))
    modules = [module for module in (function, model, *around.values()) if isinstance(module, torch.nn.Module)]
    name_parameters(found, facts, recorder.modules.name_of, *modules)
    recorder.release()
    return Traced(found, facts).graph()
