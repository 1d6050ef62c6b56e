"""From what a learner has in hand to a graph: tensors are walked from, a function is called on copies and watched."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import torch

from ...core.checks import describe
from ...core.internals import owner_of
from ..graph import Graph
from .facts import Constant, Facts
from .hooks import note_hooks
from .names import check_placed, guess_modules, name_parameters, name_tensors
from .record import Input, Recorder
from .summary import summarise
from .traced import Traced
from .values import read_kept, read_values
from .walk import CONSTANT, Walk, is_tracked, key_of, walk


def read_tensors(
    target: object,
    names: Mapping[str, object],
    *,
    model: torch.nn.Module | None = None,
    limit: int,
    values: bool | None = None,
) -> Graph:
    """The graph behind one tensor or several; arguments and errors are those of `trace`."""
    outputs = {key_of(output): output for output in _check_outputs(target)}
    found = walk(list(outputs), limit=limit)
    found.owners = list(map(owner_of, outputs.values()))
    facts = Facts()
    if values is False and model is None and not names:
        note_hooks(found, facts, outputs.values())
        return Traced(found, facts).graph()
    constants = name_tensors(found, facts, names)
    if model is not None:
        name_parameters(found, facts, {id(part): path for path, part in model.named_modules()}, model)
        guess_modules(found, facts)
    if values is not False:
        held = {found.find(key_of(tensor)): tensor for tensor in names.values() if is_tracked(tensor)}
        held.update(enumerate(outputs.values()))
        check_placed(found, facts, read_values(found, facts, held, constants))
        read_kept(found, facts, names)
    note_hooks(found, facts, [*names.values(), *outputs.values()])
    return Traced(found, facts).graph()


def _check_outputs(target: object, *, name: str = "target") -> list[torch.Tensor]:
    outputs = [target] if isinstance(target, torch.Tensor) else list(_tensors(target))
    if not outputs:
        raise TypeError(f"{name} is {describe(target)}; expected a tensor, several tensors, or a function")
    tracked = [output for output in outputs if is_tracked(output)]
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


def read_function(
    function: Callable[..., object], given: Mapping[str, object], *, model: torch.nn.Module | None = None, limit: int
) -> Graph:
    """The graph of what a function computes from `given`; arguments and errors are those of `trace`."""
    written = function.func if isinstance(function, partial) else function
    around, inputs = _closure_names(written), _fresh_inputs(function, given)
    recorder = Recorder(getattr(written, "__code__", None), _name_modules(function, model, around))
    with recorder.watching():
        result = _call(function, inputs)
    outputs = {key_of(output): output for output in _check_outputs(result, name="what the function returned")}
    keys, facts = list(outputs), Facts()
    # The recorder has looked at every function, so all of them must be safe to free, also those beyond the limit.
    found = walk(keys, limit=max(limit, len(recorder.values) + len(keys)))
    if len(found) > limit:
        found = walk(keys, limit=limit)
    found.owners = list(map(owner_of, outputs.values()))
    recorder.values.update((key, summarise(output)) for key, output in outputs.items())
    _read_record(found, facts, recorder, _name_everything(found, facts, inputs, around, recorder))
    modules = [module for module in (function, model, *around.values()) if isinstance(module, torch.nn.Module)]
    name_parameters(found, facts, recorder.modules.name_of, *modules)
    at_hand = [one for one in (*around.values(), *recorder.local_tensors().values()) if isinstance(one, torch.Tensor)]
    note_hooks(found, facts, at_hand, recorder.hooked)
    recorder.release()
    return Traced(found, facts).graph()


def _closure_names(function: Callable[..., object]) -> dict[str, object]:
    """What the names that a Python function takes from outside stand for."""
    code, cells = getattr(function, "__code__", None), getattr(function, "__closure__", None) or ()
    if code is None:
        return {}
    around = {n: function.__globals__[n] for n in code.co_names if n in function.__globals__}
    for name, cell in zip(code.co_freevars, cells):
        if cell != type(cell)():
            around[name] = cell.cell_contents
    return around


def _fresh_inputs(function: Callable[..., object], given: Mapping[str, object]) -> dict[str, object]:
    """New leaves with the given values, so that nothing of the learner's is touched.

    Numbers and floating-point tensors become leaves that require grad. A module's tensors stay what they are: data
    that requires no grad is not made to. Everything else is handed on.
    """
    is_module = isinstance(function, torch.nn.Module)
    return {name: _fresh(value, is_module) for name, value in given.items()}


def _fresh(value: object, is_module: bool) -> object:
    if isinstance(value, torch.Tensor):
        copy = value.detach().clone()
        return copy.requires_grad_(value.requires_grad or not is_module) if _can_require_grad(copy) else copy
    if is_module or isinstance(value, bool) or not isinstance(value, int | float | complex):
        return value
    return torch.tensor(float(value) if isinstance(value, int) else value, requires_grad=True)


def _can_require_grad(tensor: torch.Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()


def _call(function: Callable[..., object], inputs: Mapping[str, object]) -> object:
    """The function's result; functions whose inputs have no names get them in order.

    Raises:
        TypeError: the inputs do not fit the function.
    """
    try:
        signature = inspect.signature(function.forward if isinstance(function, torch.nn.Module) else function)
    except (TypeError, ValueError):
        return function(*inputs.values())
    in_order = any(one.kind is one.POSITIONAL_ONLY for one in signature.parameters.values())
    try:
        bound = signature.bind(*inputs.values()) if in_order else signature.bind(**inputs)
    except TypeError as error:
        given = ", ".join(inputs) or "nothing"
        raise TypeError(f"{describe(function)} cannot be called with {given}: {error}") from None
    return function(*bound.args, **bound.kwargs)


def _name_modules(function: object, model: torch.nn.Module | None, around: Mapping[str, object]) -> dict[int, str]:
    """Names for the modules that the function may call, by `id`: from `model`, else as the function calls them."""
    module = function if isinstance(function, torch.nn.Module) else model
    modules = {} if module is None else {"": module}
    modules.update((name, value) for name, value in around.items() if isinstance(value, torch.nn.Module))
    names: dict[int, str] = {}
    for prefix, outer in modules.items():
        for path, inner in outer.named_modules(prefix=prefix):
            names.setdefault(id(inner), path)
    return names


def _name_everything(
    found: Walk, facts: Facts, inputs: Mapping[str, object], around: Mapping[str, object], record: Recorder
) -> dict[Any, str]:
    """Names tensors after the inputs, what the function took from outside, and its own names.

    Returns the names of the rest: by `id` of those without grad, which can be constants, and by key of those that
    the output does not depend on, but that may have been cut off.
    """
    constants: dict[Any, str] = {}
    taken: set[str] = set()
    for names in (inputs, around, record.local_tensors()):
        for name, tensor in names.items():
            if not isinstance(tensor, torch.Tensor) or name in taken:
                continue
            taken.add(name)
            if not is_tracked(tensor):
                constants.setdefault(id(tensor), name)
            elif (number := found.find(key := key_of(tensor))) is not None:
                facts.names.setdefault(number, name)
            else:
                constants.setdefault(key, name)
    return constants


def _read_record(found: Walk, facts: Facts, record: Recorder, names: Mapping[Any, str]) -> None:
    """Puts what was recorded into `facts`."""
    shared: dict[int, Constant] = {}
    for number, key in enumerate(zip(found.functions, found.outputs)):
        if key in record.values:
            facts.values[number] = record.values[key]
        if found.operations[number] is None:
            cut = record.cuts.of_leaf(key[0].variable)
            if cut.note is not None:
                facts.notes.setdefault(number, _with_name(cut.note, names.get(cut.origin)))
            continue
        age = found.ages[number]
        if (near := record.call_near(age)) is not None:
            facts.lines[number], facts.modules[number] = near.line, near.module
        exact = record.call_of(age)
        if exact is None:
            continue
        sources = found.sources[number]
        for slot, given in enumerate(exact.slots(sources, found.find)):
            if sources[slot] == CONSTANT and given.key is None:
                _add_constant(found, facts, shared, (number, slot), given, names)
        if exact.number is not None:
            _add_constant(found, facts, shared, (number, len(sources)), exact.number, names)


def _with_name(note: str | None, name: str | None) -> str | None:
    """How something was cut off, with the name of what it came from if that is not on the graph."""
    if note is None or name is None:
        return note
    way, colon, loss = note.partition(": ")
    return f"{way} of {name}: {loss}" if colon else f"{name} {note}"


def _add_constant(
    found: Walk,
    facts: Facts,
    shared: dict[int, Constant],
    use: tuple[int, int],
    given: Input,
    names: Mapping[Any, str],
) -> None:
    if given.identity in shared:
        shared[given.identity].uses.append(use)
        return
    origin = found.find_near(given.origin)
    name = names.get(given.identity)
    note = _with_name(given.note, names.get(given.origin))
    constant = Constant([use], given.shown, given.dtype, name, note, origin)
    facts.constants.append(constant)
    # Only what the learner still holds keeps its identity.
    if name is not None:
        shared[given.identity] = constant
