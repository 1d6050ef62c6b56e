"""Random numbers: whatever a picture draws, torch's random state is the learner's, also beside a running cell."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch

from .internals import TorchDispatchMode, argument_names


def in_main_thread() -> bool:
    """Whether this is the thread in which cells run; JupyterLab moves sliders in others, beside the cell that runs."""
    return threading.current_thread() is threading.main_thread()


@contextmanager
def random_state_kept(devices: Sequence[int] = ()) -> Iterator[None]:
    """Puts torch's random state back at the end of the `with`, in the main thread.

    All threads share that state: put back in another one, it would make the running cell draw the same numbers twice,
    so there it is left alone.

    Args:
        devices: numbers of the CUDA devices whose states are kept as well.
    """
    if not in_main_thread():
        yield
        return
    with torch.random.fork_rng(devices=list(devices)):
        yield


class OwnRandomness(TorchDispatchMode):
    """Within `with OwnRandomness():` every random operation on the CPU draws from a generator that starts at a seed.

    Unlike a forked random state, nothing is shared with other threads: the same seed gives the same numbers while a
    cell that trains keeps its own.

    Args:
        seed: of the generator.
    """

    def __init__(self, seed: int = 0):
        super().__init__()
        self.generator = torch.Generator().manual_seed(seed)

    def __torch_dispatch__(
        self, operation: Any, types: Sequence[type], args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if torch.Tag.nondeterministic_seeded in operation.tags and kwargs.get("generator") is None:
            operation, kwargs = _with_generator(operation), {**kwargs, "generator": self.generator}
        return operation(*args, **kwargs)


def _random_like(like: torch.Tensor, *ends: int, generator: torch.Generator, **options: Any) -> torch.Tensor:
    return torch.empty_like(like, **options).random_(*(ends if ends[1:] else (0, *ends)), generator=generator)


# Until PyTorch 2.9 these take no generator; filling an empty tensor draws the same numbers.
_FILLED = {
    "rand_like": lambda like, *, generator, **options: torch.empty_like(like, **options).uniform_(generator=generator),
    "randn_like": lambda like, *, generator, **options: torch.empty_like(like, **options).normal_(generator=generator),
    "randint_like": _random_like,
}


@cache
def _with_generator(operation: Any) -> Any:
    """The overload of `operation` that takes a generator."""
    wanted = argument_names(operation) | {"generator"}
    overloads = [getattr(operation.overloadpacket, name) for name in operation.overloadpacket.overloads()]
    same = [each for each in overloads if argument_names(each) == wanted]
    if not same and operation.overloadpacket.__name__ in _FILLED:
        return _FILLED[operation.overloadpacket.__name__]
    if not same:
        raise NotImplementedError(f"{operation} takes no generator; it can only draw from torch's random state")
    return operation if operation in same else same[0]
