"""Which sort of answer was given: names in every form that a learner may type, errors, methods without brackets."""

from __future__ import annotations

import dis
import re
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType

import torch

from .observe import Told
from .show import as_code

_ERROR = re.compile(r"(?i)(an? |raises? |it raises |throws )*(\w*error|\w*exception|raises?|crash(es)?|fails)\b[^0-9]*")


def read_error(answer: object) -> object:
    """ "error" for all that names an exception: its class, one of them, "RuntimeError", "an error"; else the answer."""
    if isinstance(answer, list | tuple) and len(answer) == 1:
        return "error" if read_error(answer[0]) == "error" else answer
    is_exception = isinstance(answer, BaseException) or (isinstance(answer, type) and issubclass(answer, BaseException))
    is_word = isinstance(answer, str) and _ERROR.fullmatch(answer.strip())
    return "error" if is_exception or is_word else answer


def names_among(*options: str) -> Callable[[object], object]:
    """A probe that reads names in any form ("a and b", "AEG", [torch.exp], {"a.grad"}) as one set.

    The message says what is not among `options`. "none" and "all" are read as what they say.
    """
    known = {_plain(option): option.casefold() for option in options}
    asked = "one or more of " + ", ".join(f'`"{option}"`' for option in options)

    def read(answer: object) -> object:
        parts = list(answer) if isinstance(answer, list | tuple | set | frozenset) else [answer]
        if any(part is ... for part in parts):
            return ...
        texts = [_name_of(part) for part in parts]
        if None in texts:
            return Told(f"Names are asked for, {asked}. Your answer holds {_sort(parts[texts.index(None)])}.")
        found: set[str] = set()
        for text in texts:
            for word in _words(str(text), known):
                if word not in known:
                    return Told(f"{as_code(word)} is none of the names in question. Type {asked}.")
                found.add(known[word])
        return frozenset(found)

    return read


def _plain(name: str) -> str:
    return name.casefold().removesuffix("1d")


def _name_of(part: object) -> str | None:
    if isinstance(part, str):
        return part
    if isinstance(part, torch.nn.Module):
        return type(part).__name__
    return getattr(part, "__name__", None) if callable(part) else None


def _words(text: str, known: dict[str, str]) -> Iterator[str]:
    text = re.sub(r"\b(torch|nn|tensor)\.|\.(grad|requires_grad)\b|\b(and|or)\b|\(\)", " ", text.casefold())
    words = [_plain(word) for word in re.findall(r"\w+", text)]
    if words == ["all"] and "all" not in known:
        words = list(known)
    if words in (["none"], ["nothing"], ["neither"]) and words[0] not in known:
        words = []
    while words:
        if len(words) > 1 and words[0] not in known and words[0] + words[1] in known:
            words[:2] = [words[0] + words[1]]  # "Batch Norm"
        word = words.pop(0)
        if word not in known and set(word) <= known.keys():
            yield from word  # "AEG"
        else:
            yield word


def _sort(part: object) -> str:
    sorts = {bool: "True or False", int: "a number", float: "a number", type(None): "None", dict: "a dictionary"}
    if isinstance(part, torch.Tensor):
        return "a tensor itself; its name stands in quotation marks"
    return sorts.get(type(part), f"something of type {as_code(type(part).__name__)}")


def uncalled(answer: object) -> list[str]:
    """Methods that a function names in a line of their own and does not call, such as "backward" in `y.backward`."""
    return list(_uncalled(answer.__code__)) if isinstance(answer, FunctionType) else []


def _uncalled(code: CodeType) -> Iterator[str]:
    steps = [step for step in dis.get_instructions(code) if step.opname not in {"CACHE", "NOP"}]
    for step, following in zip(steps, steps[1:]):
        if step.opname in {"LOAD_ATTR", "LOAD_METHOD"} and following.opname == "POP_TOP":
            yield step.argval
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from _uncalled(part)
