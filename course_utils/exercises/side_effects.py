"""What an answer changes besides what it was asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

from ..core.internals import buffers_of, hooks_on
from .observe import Told


def touches_nothing_else(
    call: Callable[[], object], things: Mapping[str, object], *, but: Collection[str] = ()
) -> bool | Told:
    """Whether `call()` leaves all `things` as they were; if not, what it changes, in words.

    Args:
        call: runs the answer.
        things: tensors, modules and optimisers, by the names that the learner knows them by.
        but: what it is asked to change: "values", "grad" or "requires_grad" of all tensors, or those of one thing only
            ("values of net"); "step" for an optimiser's step.
    """
    steps: list[object] = []
    before = _state(things, but)
    handle = register_optimizer_step_pre_hook(lambda optimizer, args, kwargs: steps.append(None))
    try:
        call()
    finally:
        handle.remove()
    if steps and "step" not in but:
        return Told("Your code lets an optimiser take a step, so the weights move. That was not asked for.")
    after = _state(things, but)
    if changed := [what for what in before | after if not _alike(before.get(what), after.get(what))]:
        return Told(_describe(changed[0], before.get(changed[0]), after.get(changed[0])))
    return True


def _describe(what: str, before: object, after: object) -> str:
    if isinstance(before, _Hooks) and isinstance(after, _Hooks):
        if set(before) - set(after):
            return f"A hook that somebody else put on {what} is gone. Remove your own hooks only."
        return f"A hook is left on {what}: from now on it runs each time. Keep its handle, and `remove()` it."
    return f"Your code also changes {what}. Everybody who uses it later is affected; leave it as it was."


class _Hooks(list):
    """The identities of hooks."""


def _alike(one: object, other: object) -> bool:
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return torch.equal(one, other)
    return type(one) is type(other) and one == other


def _state(things: Mapping[str, object], but: Collection[str]) -> dict[str, object]:
    allowed = {name: {kind.removesuffix(f" of {name}") for kind in but} for name in things}
    return {what: value for name, thing in things.items() for what, value in _parts(name, thing, allowed[name])}


def _parts(name: str, thing: object, but: Collection[str]) -> Iterator[tuple[str, object]]:
    """What may be changed of a thing, each with the words for it."""
    if isinstance(thing, torch.Tensor):
        yield from _tensor_parts(name, thing, but)
    elif isinstance(thing, torch.optim.Optimizer):
        for number, group in enumerate(thing.param_groups):
            for setting in group.keys() - {"params"}:
                yield f"`{name}.param_groups[{number}]['{setting}']`", group[setting]
    elif isinstance(thing, torch.nn.Module):
        for below, module in thing.named_modules():
            place = f"{name}.{below}".rstrip(".")
            yield f"`{place}`", _Hooks(map(id, hooks_on(module)))
            for key, value in vars(module).items():
                if not key.startswith("_") and isinstance(value, bool | int | float | str | None):
                    yield f"`{place}.{key}`", value
            tensors = dict(module.named_parameters(recurse=False)) | buffers_of(module)
            for key, tensor in tensors.items():
                yield from _parts(f"{place}.{key}", tensor, but)


def _tensor_parts(name: str, tensor: torch.Tensor, but: Collection[str]) -> Iterator[tuple[str, object]]:
    yield f"`{name}`", _Hooks(map(id, hooks_on(tensor)))
    if "values" not in but:
        yield f"the numbers in `{name}`", tensor.detach().clone()
    if "requires_grad" not in but:
        yield f"`{name}.requires_grad`", tensor.requires_grad
    if "grad" not in but:
        yield f"`{name}.grad`", None if tensor.grad is None else tensor.grad.detach().clone()
