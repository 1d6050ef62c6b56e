"""Hooks of the learner's: the backward pass of a graph does not run them, so each is named where it is."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterable
from typing import Any

import torch
from torch.utils.hooks import RemovableHandle

from ...core.internals import has_hooks
from .facts import Facts
from .walk import Walk, is_tracked, key_of

NOTE = "a hook of yours is not called here"
MODULE_NOTE = "a module's backward hook is not called here"
# The autograd function by which a module listens to the gradients that pass it.
_MODULE_HOOK = "BackwardHookFunctionBackward"


class _Registered:
    """Whether anybody else has registered a hook in this process, and the tensors that were found to have one.

    PyTorch numbers hooks as they are registered. As long as all of them are the course's own, nothing is searched.
    """

    def __init__(self) -> None:
        self.seen, self.others, self.searched = 0, 0, 0
        self.tensors: list[weakref.ref] = []

    def look(self) -> None:
        self.others += RemovableHandle.next_id - self.seen
        self.seen = RemovableHandle.next_id

    def skip(self) -> None:
        """What was registered since `look` is the course's own."""
        self.seen = RemovableHandle.next_id

    def hooked(self) -> Iterable[torch.Tensor]:
        """The living tensors with a hook; Python's objects are searched again only after new ones were registered."""
        if self.searched != self.others:
            self.searched = self.others
            found = [one for one in gc.get_objects() if issubclass(type(one), torch.Tensor)]
            self.tensors = [weakref.ref(one) for one in found if has_hooks(one) and one.grad_fn is not None]
        return [one for ref in self.tensors if (one := ref()) is not None]


registered = _Registered()


def note_hooks(found: Walk, facts: Facts, tensors: Iterable[torch.Tensor], keys: Iterable[Any] = ()) -> None:
    """Notes on the nodes which of them have a hook.

    Args:
        tensors: those at hand, which are in the graph or not.
        keys: where tensors with a hook stood in the graph when the function ran.
    """
    registered.look()
    for number, operation in enumerate(found.operations):
        if operation == _MODULE_HOOK:
            facts.notes[number] = MODULE_NOTE
        elif operation is None and has_hooks(found.functions[number].variable):
            facts.notes[number] = NOTE
    keys = [*keys, *(key_of(one) for one in tensors if has_hooks(one) and is_tracked(one))]
    if registered.others:
        keys += [key_of(one) for one in registered.hooked() if has_hooks(one)]
        keys += [(function, 0) for function in dict.fromkeys(found.functions) if _function_has_hooks(function)]
        registered.skip()
    for key in keys:
        if (number := found.find(key)) is not None:
            facts.notes.setdefault(number, NOTE)


def _function_has_hooks(function: Any) -> bool:
    """Whether a hook is on an autograd function; PyTorch shows them to nobody but to who adds one."""
    for register in (function.register_hook, getattr(function, "register_prehook", None)):
        if register is not None:
            handle = register(print)
            others = len(handle.hooks_dict_ref() or ()) > 1
            handle.remove()
            if others:
                return True
    return False
