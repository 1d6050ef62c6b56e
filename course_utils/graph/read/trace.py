"""From what a learner has in hand to a graph: tensors are walked from, a function is called on copies and watched."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch

from ...core.internals import owner_of
from ..graph import Graph
from .facts import Constant, Facts
from .hooks import note_hooks
from .inputs import bind, check_outputs, fresh_inputs, named_inputs, plain_choices
from .names import check_placed, guess_modules, name_parameters, name_tensors
from .record import Input, Recorder
from .stopped import add_graph
from .summary import summarise
from .traced import Traced
from .values import read_kept, read_values
from .walk import CONSTANT, Key, Walk, is_tracked, key_of, walk


def read_tensors(
    target: object,
    names: Mapping[str, object],
    *,
    model: torch.nn.Module | None = None,
    limit: int,
    values: bool | None = None,
) -> Graph:
    """The graph behind one tensor or several; arguments and errors are those of `trace`."""
    outputs = {key_of(output): output for output in check_outputs(target)}
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


def read_function(
    function: Callable[..., object], given: Mapping[str, object], *, model: torch.nn.Module | None = None, limit: int
) -> Graph:
    """The graph of what a function computes from `given`; arguments and errors are those of `trace`."""
    written = function.func if isinstance(function, partial) else function
    around, first = _closure_names(written), None
    for plain in plain_choices(function, given):
        inputs = fresh_inputs(function, given, plain)
        call = bind(function, inputs)
        recorder = Recorder(getattr(written, "__code__", None), _name_modules(function, model, around))
        try:
            with recorder.watching():
                result = call()
            outputs = {key_of(one): one for one in check_outputs(result, name="what the function returned")}
        except Exception as error:
            first = first or (error, recorder, inputs)
            if isinstance(error, TypeError | IndexError | ValueError | RuntimeError):
                continue  # a number may be wanted as it is
            break
        remarks = [f"No leaf: {', '.join(sorted(plain))}; the function needs a plain number there."] if plain else []
        return _read_call(function, recorder, outputs, inputs, around, model=model, limit=limit, remarks=remarks)
    error, recorder, inputs = first
    made = recorder.cuts.made_last()
    add_graph(error, made, lambda tips: _read_call(function, recorder, tips, inputs, around, model=model, limit=limit))
    raise error


def _read_call(
    function: Callable[..., object],
    recorder: Recorder,
    outputs: Mapping[Key, torch.Tensor],
    inputs: Mapping[str, object],
    around: Mapping[str, object],
    *,
    model: torch.nn.Module | None,
    limit: int,
    remarks: Sequence[str] = (),
) -> Graph:
    """The graph behind the outputs of a call that was recorded."""
    keys, facts = list(outputs), Facts(remarks=[*remarks])
    # The recorder has looked at every function, so all of them must be safe to free, also those beyond the limit.
    found = walk(keys, limit=max(limit, len(recorder.values) + len(keys)))
    if len(found) > limit:
        found = walk(keys, limit=limit)
    found.owners = list(map(owner_of, outputs.values()))
    recorder.values.update((key, summarise(output.detach())) for key, output in outputs.items())
    _read_record(found, facts, recorder, _name_everything(found, facts, inputs, around, recorder))
    modules = [module for module in (function, model, *around.values()) if isinstance(module, torch.nn.Module)]
    name_parameters(found, facts, recorder.modules.name_of, *modules)
    at_hand = [one for one in (*around.values(), *recorder.local_tensors().values()) if isinstance(one, torch.Tensor)]
    note_hooks(found, facts, at_hand, recorder.hooked)
    recorder.release()
    recorder.cuts.made_last()
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
    for names in (dict(named_inputs(inputs)), around, record.local_tensors()):
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
