"""Everything that the course asks PyTorch by a private name, which a version may lack or change.

Nothing here raises because PyTorch lacks a name: what then cannot be known is None, or an `Unknown` that the caller
passes over. Public names stand where they are used.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

import torch
from torch.autograd.function import BackwardCFunction

try:
    from torch.utils._python_dispatch import TorchDispatchMode as TorchDispatchMode
except ImportError:

    class TorchDispatchMode:  # type: ignore[no-redef]
        """In place of PyTorch's."""

        def __init__(self) -> None:
            raise RuntimeError(f"PyTorch {torch.__version__} has no TorchDispatchMode, so operations cannot be watched")


# Autograd's sequence number of every function that collects a leaf's gradient.
LEAF_AGE = 2**64 - 1
# How `torch.autograd.forward_ad.make_dual` calls itself below the public name.
MAKE_DUAL = "_make_dual"
_SAVED, _RAW = "_saved_", "_raw_saved_"
_BEHIND_A_HOOK = "a saved value behind a hook may be computed anew when it is read"


class Unknown(LookupError):
    """PyTorch does not tell this, or only at a price."""


@cache
def is_clamp_flat_at_its_bounds() -> bool:
    """Whether this PyTorch gives `clamp` the slope 0 at a bound, as since 2.15; before, it gave 1."""
    with torch.inference_mode(False), torch.enable_grad():
        bound = torch.zeros((), requires_grad=True)
        (slope,) = torch.autograd.grad(bound.clamp(min=0), bound)
    return slope.item() == 0


def owner_of(output: torch.Tensor) -> Any:
    """What keeps an output's graph alive without the output; None where its function does so itself.

    A function of the learner's is an object of Python that PyTorch's own part may leave: it then fails, or in old
    versions ends the process. A function of PyTorch's that comes after it keeps both, and holds no numbers.
    """
    if not isinstance(output.grad_fn, BackwardCFunction) or output.layout is not torch.strided:
        return None
    with torch.inference_mode(False), torch.enable_grad():
        return output.view_as(output).grad_fn


def shapes_of(functions: Iterable[Any], outputs: Iterable[int]) -> Iterator[tuple[int, ...] | None]:
    """The shape of one output of each autograd function; None where PyTorch does not tell.

    Raises:
        RuntimeError: the output is a nested tensor without a shape.
    """
    for function, output in zip(functions, outputs):
        try:
            yield tuple(function._input_metadata[output].shape)
        except AttributeError:
            leaf = getattr(function, "variable", None)
            yield None if leaf is None else tuple(leaf.shape)


def dtypes_of(functions: Iterable[Any], outputs: Iterable[int]) -> Iterator[torch.dtype | None]:
    """The dtype of one output of each autograd function; None where PyTorch does not tell."""
    for function, output in zip(functions, outputs):
        try:
            yield function._input_metadata[output].dtype
        except AttributeError:
            yield getattr(getattr(function, "variable", None), "dtype", None)


def outputs_of(function: Any) -> Sequence[Any]:
    """What autograd notes of each output of a function: its `shape`, `dtype` and `device`.

    Raises:
        Unknown: PyTorch does not tell.
    """
    try:
        return function._input_metadata
    except AttributeError:
        raise Unknown(f"PyTorch {torch.__version__} does not tell the shapes within a graph") from None


def materializes(function: Any) -> bool:
    """Whether a learner's function gets zeros where no gradient has come; False if its forward pass asks for None.

    PyTorch keeps what `set_materialize_grads` was told to itself; so its call is looked for in the code.
    """
    made_by = getattr(function, "_forward_cls", None)
    methods = (getattr(made_by, name, None) for name in ("forward", "setup_context"))
    codes = (getattr(method, "__code__", None) for method in methods)
    return not any("set_materialize_grads" in getattr(code, "co_names", ()) for code in codes)


def ages_of(functions: Iterable[Any]) -> list[int]:
    """Autograd's sequence number of each function: the younger, the larger; 0 where PyTorch does not tell."""
    try:
        return [function._sequence_nr() for function in functions]
    except AttributeError:
        return [LEAF_AGE if hasattr(function, "variable") else 0 for function in functions]


def newest_age() -> int | None:
    """The sequence number of the function that autograd made last in this thread; None where PyTorch does not tell."""
    try:
        return torch._C._autograd._get_sequence_nr() - 1
    except AttributeError:
        return None


@cache
def saved_names(kind: type) -> tuple[str, ...]:
    """What a kind of autograd function saves in the forward pass, by PyTorch's names: "self", "exponent", "result"."""
    return tuple(name.removeprefix(_SAVED) for name in dir(kind) if name.startswith(_SAVED))


def saved(function: Any, name: str) -> Any:
    """What an autograd function saved under a name; a tensor behind a hook is worked out for it.

    Raises:
        Unknown: it saves nothing under this name.
        RuntimeError: a backward pass has freed it, or it was changed in place.
    """
    try:
        return getattr(function, _SAVED + name)
    except AttributeError:
        raise Unknown(f"{type(function).__name__} saves no {name!r} in PyTorch {torch.__version__}") from None


def saved_or(function: Any, name: str, otherwise: Any) -> Any:
    """As `saved`, or `otherwise` where nothing is saved under this name."""
    return getattr(function, _SAVED + name, otherwise)


def saved_without_hook(function: Any, name: str) -> Any:
    """As `saved`, but of what lies behind a hook nothing is run: checkpointing computes such values anew.

    Raises:
        Unknown: it is behind a hook, or saved under another name.
        RuntimeError: a backward pass has freed it, or it was changed in place.
    """
    raw = getattr(function, _RAW + name, None)
    if raw is None:
        return saved(function, name)
    try:
        hook = raw.unpack_hook
    except AttributeError:
        return _read_if_silent(function, name)
    if hook is not None:
        raise Unknown(_BEHIND_A_HOOK)
    return saved(function, name)


def _read_if_silent(function: Any, name: str) -> Any:
    """For a PyTorch whose saved tensors do not name their hooks: a hook is stopped before its first line has run."""
    if sys.getprofile() is not None:
        raise Unknown("a profiler is on, and only one can be")
    collects = gc.isenabled()
    gc.disable()  # what it calls would be stopped as well
    sys.setprofile(_stop)
    try:
        return saved(function, name)
    finally:
        sys.setprofile(None)
        if collects:
            gc.enable()


def _stop(frame: Any, event: str, _: object) -> None:
    if event == "call" and frame.f_code not in _OURS:
        raise Unknown(_BEHIND_A_HOOK)


_OURS = {saved.__code__}


def change_count(tensor: torch.Tensor) -> int | None:
    """How often a tensor was changed in place; None where PyTorch does not count."""
    return getattr(tensor, "_version", None)


def base_of(tensor: torch.Tensor) -> torch.Tensor | None:
    """What a tensor is a view of; None for no view, and where PyTorch does not tell."""
    return getattr(tensor, "_base", None)


def has_hooks(tensor: torch.Tensor) -> bool:
    """Whether a hook of `register_hook` or `register_post_accumulate_grad_hook` is on a tensor."""
    return bool(getattr(tensor, "_backward_hooks", None) or getattr(tensor, "_post_accumulate_grad_hooks", None))


def hooks_on(thing: torch.Tensor | torch.nn.Module) -> list[Any]:
    """The hooks on a tensor, or on a module itself (not on its parts), for its forward and its backward pass."""
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return [hook for kind in kinds for hook in (getattr(thing, kind, None) or {}).values()]


def buffers_of(module: torch.nn.Module) -> dict[str, torch.Tensor | None]:
    """A module's own buffers; what is put into the dictionary is put into the module."""
    return getattr(module, "_buffers", {})


def norms(tensors: list[torch.Tensor]) -> Sequence[torch.Tensor]:
    """The Euclidean norm of each tensor."""
    together = getattr(torch, "_foreach_norm", None)
    if together is None:
        return [torch.linalg.vector_norm(tensor) for tensor in tensors]
    return together(tensors) if tensors else []


def argument_names(operation: Any) -> set[str]:
    """The names of an operation's arguments, such as "self" and "generator"; empty where PyTorch does not tell."""
    schema = getattr(operation, "_schema", None)
    return set() if schema is None else {argument.name for argument in schema.arguments}
