"""What a repair has changed if its loop still shows the first symptom: which steps are new, which are gone."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from .observe import Probe, observe
from .show import as_code

SAME = "The same symptom as before. "


class _Steps(TorchFunctionMode):
    """Counts what is called while it is open: PyTorch's functions, attributes of tensors, the optimiser's methods."""

    open: _Steps | None = None

    def __init__(self) -> None:
        super().__init__()
        self.count: Counter[str] = Counter()

    def __enter__(self) -> _Steps:
        _Steps.open = self
        return super().__enter__()

    def __exit__(self, *error: object) -> None:
        _Steps.open = None
        super().__exit__(*error)

    def __torch_function__(self, function, types, args=(), kwargs=None):
        owner = getattr(function, "__self__", None)  # of `Tensor.grad.__get__`, the attribute
        is_attribute = getattr(function, "__name__", "") in {"__get__", "__set__"}
        self.count[getattr(owner if is_attribute else function, "__name__", "?")] += 1
        self.count["retain_graph"] += bool((kwargs or {}).get("retain_graph"))
        return function(*args, **(kwargs or {}))


class NotedSGD(torch.optim.SGD):
    """SGD whose `zero_grad` and `step` count among the steps of a loop."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        _note("zero_grad")
        super().zero_grad(set_to_none)

    def step(self, closure: Callable[[], object] | None = None) -> object:
        _note("step")
        return super().step(closure)


def _note(name: str) -> None:
    if _Steps.open is not None:
        _Steps.open.count[name] += 1


Change = tuple[frozenset[str], frozenset[str]]  # the steps that are new or more frequent, and those that are fewer


def change(probe: Probe, code: object, broken: object) -> Change:
    """Which steps the probe finds in `code` beyond those of `broken`, and which it misses."""
    counts = []
    for each in (code, broken):
        with _Steps() as steps:
            observe(probe, each)
        counts.append(steps.count)
    return frozenset(+(counts[0] - counts[1])), frozenset(+(counts[1] - counts[0]))


def message_for(probe: Probe, code: object, broken: object, tries: Sequence[tuple[object, str]], symptom: str) -> str:
    """What to say about code that shows the symptom of the broken code; the symptom alone if nothing was changed."""
    same = _is_the_same(code, broken)
    if same:
        return symptom
    new, gone = change(probe, code, broken)
    if same is None and not new and not gone:
        return symptom
    known = [(change(probe, each, broken), message) for each, message in tries]
    fitting = [(len(more) + len(less & gone), message) for (more, less), message in known if more and more <= new]
    if fitting:
        return max(fitting, key=lambda found: found[0])[1]
    return f"{SAME}{symptom} {_describe(new, gone)}"


def _is_the_same(code: object, broken: object) -> bool | None:
    """Whether both are the same lines; None if the lines of one cannot be had, as of code that `exec` made."""
    try:
        first, second = (ast.dump(ast.parse(source_of(each))) for each in (code, broken))
    except (OSError, TypeError, SyntaxError):
        return None
    return first == second


def source_of(definition: Any) -> str:
    """The source of a function or a class, without what decorates it."""
    text = textwrap.dedent(inspect.getsource(definition))
    first = ast.parse(text).body[0].lineno
    return "\n".join(text.splitlines()[first - 1 :]).strip()


def _describe(new: frozenset[str], gone: frozenset[str]) -> str:
    if not new and not gone:
        return "What you changed makes no difference to what the loop computes."
    parts = [
        f"{word} {', '.join(map(as_code, sorted(name.strip('_') for name in steps)))}"
        for word, steps in (("new in your loop:", new), ("gone or done less often:", gone))
        if steps
    ]
    said = "; ".join(parts)
    return f"{said[0].upper()}{said[1:]}. That does not reach the cause."
