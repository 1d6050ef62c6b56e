"""The learner's names on a walked graph."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from ...core.checks import describe
from ...core.internals import has_hooks
from .facts import Facts
from .walk import CONSTANT, Walk, key_of


def name_tensors(found: Walk, facts: Facts, names: Mapping[str, object]) -> dict[str, torch.Tensor]:
    """Puts names on nodes, and returns those of tensors without grad, which only constants can have.

    Raises:
        TypeError: a name is not for a tensor.
        ValueError: a name is for a tensor that is not in the graph, or for one that has a name.
    """
    owner: dict[int, str] = {}
    constants = {}
    for name, tensor in names.items():
        if not isinstance(tensor, torch.Tensor):
            raise TypeError(f"{_short(name)} is {describe(tensor)}; expected a tensor of the graph")
        if id(tensor) in owner:
            raise ValueError(f"{owner[id(tensor)]} and {_short(name)} name the same tensor; expected one name for it")
        owner[id(tensor)] = _short(name)
        if tensor.requires_grad:
            number = found.find(key_of(tensor))
            if number is None:
                raise _not_in_graph(found, name, tensor)
            facts.names[number] = name
            note_hooks(facts, number, tensor)
        else:
            constants[name] = tensor
    return constants


def check_placed(found: Walk, facts: Facts, unplaced: Mapping[str, torch.Tensor]) -> None:
    """Refuses names of constants that cannot be in the graph.

    Autograd keeps a constant only where the backward pass needs it. So as long as some operation has an input that
    is not known, the constant may be that one, and nothing is said.

    Raises:
        ValueError: every input of every operation is known, and one of the named constants is none of them.
    """
    if not unplaced:
        return
    uses = {use for constant in facts.constants for use in constant.uses}
    for number, sources in enumerate(found.sources):
        if any(source == CONSTANT and (number, slot) not in uses for slot, source in enumerate(sources)):
            return
    for name, tensor in unplaced.items():
        raise _not_in_graph(found, name, tensor)


def note_hooks(facts: Facts, number: int, tensor: torch.Tensor) -> None:
    """Says on the graph that a hook of the learner's is not called."""
    if has_hooks(tensor):
        facts.notes[number] = "a hook of yours is not called here"


def _not_in_graph(found: Walk, name: str, tensor: torch.Tensor) -> ValueError:
    """The error for a name whose tensor the graph does not have."""
    reason = "the walk was cut before it; raise limit" if found.cut else "the output was not computed from it"
    return ValueError(f"{_short(name)} is {describe(tensor)} that is not in the graph: {reason}")


def _short(name: str) -> str:
    return name if len(name) <= 60 else f"{name[:57]}..."
