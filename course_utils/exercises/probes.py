"""What several lessons' probes look at besides the result."""

from __future__ import annotations

import re
from collections.abc import Callable

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class _NumberCounter(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.numbers = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        result = operation(*args, **(kwargs or {}))
        made = [] if operation.is_view else tree_leaves(result)
        self.numbers += sum(tensor.numel() for tensor in made if isinstance(tensor, torch.Tensor))
        return result


def numbers_made(function: Callable[..., object], *arguments: object) -> int:
    """How many numbers PyTorch computes in `function(*arguments)`, backward passes included; views cost nothing."""
    with _NumberCounter() as counter:
        function(*arguments)
    return counter.numbers


def names(answer: object) -> object:
    """Names in any form a learner may type ("a, b", ["a", "b"], {"a", "b"}) as one set; anything else as it is."""
    if isinstance(answer, str):
        return frozenset(re.findall(r"\w+", answer))
    if isinstance(answer, list | tuple | set | frozenset) and all(isinstance(name, str) for name in answer):
        return frozenset(name.removeprefix("torch.") for name in answer)
    return answer
