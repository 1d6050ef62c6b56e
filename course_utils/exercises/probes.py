"""What several lessons' probes look at besides the result."""

from __future__ import annotations

import re
from collections.abc import Callable

from torch.overrides import TorchFunctionMode

from ..core.internals import MAKE_DUAL, TorchDispatchMode
from ..measuring import tensors_in
from .compare import same
from .observe import canonical


class _NumberCounter(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.numbers = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        result = operation(*args, **(kwargs or {}))
        if not operation.is_view:
            self.numbers += sum(tensor.numel() for tensor in tensors_in(result))
        return result


def numbers_made(function: Callable[..., object], *arguments: object) -> int:
    """How many numbers PyTorch computes in `function(*arguments)`, backward passes included; views cost nothing."""
    with _NumberCounter() as counter:
        function(*arguments)
    return counter.numbers


class _WalkCounter(TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.walks = 0

    def __torch_function__(self, function, types, args=(), kwargs=None):
        self.walks += getattr(function, "__name__", "") in {"backward", "grad", MAKE_DUAL}
        return function(*args, **(kwargs or {}))


def differentiates(function: Callable[..., object], *arguments: object) -> bool:
    """Whether `function(*arguments)` lets PyTorch differentiate: by `backward`, `autograd.grad` or `torch.func`."""
    with _WalkCounter() as counter:
        function(*arguments)
    return counter.walks > 0


def right_without_autograd(function: Callable[..., object], *arguments: object, right: object) -> bool:
    """Whether `function(*arguments)` gives `right`, and PyTorch differentiated nothing on the way."""
    with _WalkCounter() as counter:
        result = canonical(function(*arguments))
    return counter.walks == 0 and same(result, canonical(right), tolerance=1e-5)


def names(answer: object) -> object:
    """Names in any form a learner may type ("a and b", ["a, b"], {"a.grad"}) as one set; anything else as it is."""
    parts = [answer] if isinstance(answer, str) else answer
    if not isinstance(parts, list | tuple | set | frozenset) or not all(isinstance(part, str) for part in parts):
        return answer
    text = re.sub(r"\btorch\.|\.(grad|requires_grad)\b|\band\b", " ", ", ".join(parts))
    return frozenset(re.findall(r"\w+", text))
