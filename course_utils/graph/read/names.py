"""Names on a walked graph: the learner's, those of parameters, and which module made what."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.nn.modules import module as torch_modules

from ...core.checks import describe
from ...core.internals import buffers_of
from .facts import Facts
from .hooks import registered
from .walk import CONSTANT, Walk, is_tracked, key_of


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
        if is_tracked(tensor):
            number = found.find(key_of(tensor))
            if number is None:
                raise _not_in_graph(found, name, tensor)
            facts.names[number] = name
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


def _not_in_graph(found: Walk, name: str, tensor: torch.Tensor) -> ValueError:
    """The error for a name whose tensor the graph does not have."""
    reason = "the walk was cut before it; raise limit" if found.cut else "the output was not computed from it"
    return ValueError(f"{_short(name)} is {describe(tensor)} that is not in the graph: {reason}")


def _short(name: str) -> str:
    return name if len(name) <= 60 else f"{name[:57]}..."


class ModuleCalls:
    """Which module call is running: "encoder.0.linear1", and "cell@2" for the second call of `cell` in its parent."""

    def __init__(self, name_of: dict[int, str]):
        self.name_of = dict(name_of)
        self.running: list[tuple[str, str, dict[str, int]]] = [("", "", {})]
        self.buffers: list[tuple[torch.nn.Module, dict[str, Any]]] = []
        self.seen: set[int] = set()
        self.thread = threading.get_ident()

    def current(self) -> str | None:
        return self.running[-1][1] or None

    def __enter__(self) -> ModuleCalls:
        registered.look()
        self.hooks = [
            torch_modules.register_module_forward_pre_hook(self._enter_call),
            torch_modules.register_module_forward_hook(self._leave_call, always_call=True),
        ]
        registered.skip()
        return self

    def __exit__(self, *_: object) -> None:
        for hook in self.hooks:
            hook.remove()
        for module, buffers in self.buffers:
            buffers_of(module).update(buffers)

    def keep_buffers(self, module: torch.nn.Module) -> None:
        """Lets a module work on copies of its buffers until the end."""
        if id(module) not in self.seen:
            self.seen.add(id(module))
            own = buffers_of(module)
            self.buffers.append((module, dict(own)))
            own.update((name, buffer.clone()) for name, buffer in self.buffers[-1][1].items() if buffer is not None)

    def _enter_call(self, module: torch.nn.Module, _: object) -> None:
        if threading.get_ident() != self.thread:
            return
        self.keep_buffers(module)
        if id(module) not in self.name_of:
            for path, inner in module.named_modules(prefix=type(module).__name__):
                self.name_of.setdefault(id(inner), path)
        path = self.name_of[id(module)]
        above, shown, counts = self.running[-1]
        step = path[len(above) + 1 :] if above and path.startswith(f"{above}.") else path
        counts[step] = counts.get(step, 0) + 1
        step += f"@{counts[step]}" if counts[step] > 1 and step else ""
        self.running.append((path, ".".join(filter(None, (shown, step))), {}))

    def _leave_call(self, module: torch.nn.Module, *_: object) -> None:
        if threading.get_ident() == self.thread:
            self.running.pop()


def name_parameters(found: Walk, facts: Facts, name_of: Mapping[int, str], *modules: torch.nn.Module) -> None:
    """Gives the leaves that are parameters of `modules` their names, after the names of the parts that own them."""
    owners: dict[int, tuple[str, str]] = {}
    for module in modules:
        for part in module.modules():
            path = name_of.get(id(part), "")
            for name, parameter in part.named_parameters(recurse=False):
                owners.setdefault(id(parameter), (path, f"{path}.{name}" if path else name))
    for number, operation in enumerate(found.operations):
        if operation is None and (owner := owners.get(id(found.functions[number].variable))):
            facts.modules[number] = owner[0] or None
            facts.names.setdefault(number, owner[1])


def guess_modules(found: Walk, facts: Facts) -> None:
    """Tells which module made each operation, as far as its parameters do.

    An operation that uses a parameter belongs to the parameter's owner. One between two such belongs to what their
    owners share; after the last of a bigger part, such as a residual block, it still belongs to that part.
    """
    operations = found.order.numbers[found.order.leaves :]
    owners = [_owner(found, facts, number) for number in operations]
    known = [at for at, owner in enumerate(owners) if owner]
    for before, after in zip(known, [*known[1:], None]):
        left = owners[before].split(".")
        right = owners[after].split(".") if after is not None else []
        shared = _common(left, right)
        # One step further into the part that ends here, unless that is the owner itself.
        steps = shared + 1 if len(left) > shared + 1 else shared
        for at in range(before + 1, len(owners) if after is None else after):
            owners[at] = ".".join(left[:steps]) or None
    facts.modules.update((number, owner) for number, owner in zip(operations, owners) if owner)


def _owner(found: Walk, facts: Facts, number: int) -> str | None:
    sources = [source for source in found.sources[number] if source >= 0 and found.operations[source] is None]
    return next((facts.modules[source] for source in sources if facts.modules.get(source)), None)


def _common(left: Sequence[str], right: Sequence[str]) -> int:
    return next((at for at, (one, other) in enumerate(zip(left, right)) if one != other), min(len(left), len(right)))
