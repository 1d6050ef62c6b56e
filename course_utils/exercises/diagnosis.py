"""What to say about a wrong answer that nobody foresaw. It never tells the expected value."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping

import torch

from ..core.numbers import format_given
from .compare import same
from .observe import Other, Raised, Told, canonical, outside_values
from .show import as_code


def misfit(answer: object, solution: object) -> str:
    """What is wrong with the kind of an answer before it is tried, or its parameters; "" where they fit."""
    if not callable(solution):
        names_are_asked = isinstance(solution, str | list) and all(isinstance(part, str) for part in solution)
        if not callable(answer) or (names_are_asked and hasattr(answer, "__name__")):
            return ""
        return "This exercise asks for a value, and you passed a function. Pass what it returns."
    name = getattr(solution, "__name__", "your function")
    if isinstance(answer, str):
        return f"Pass the {_noun(solution)} itself, without quotation marks: `check({name})`."
    if not callable(answer):
        what = "" if isinstance(solution, type) else ", without calling it"
        return f"Pass the {_noun(solution)} itself{what}: `check({name})`. You passed {_kind(_safely(answer))}."
    if isinstance(answer, type) and not isinstance(solution, type):
        if issubclass(answer, torch.autograd.Function):
            return f"A Function is called by its `apply`. Pass that: `check({answer.__name__}.apply)`."
        return f"A function is asked for, and you passed the class {as_code(answer.__name__)}. Begin with `def {name}`."
    wanted = list(inspect.signature(solution).parameters)
    try:
        given = list(inspect.signature(answer).parameters)
    except (TypeError, ValueError):  # some built-in functions have no signature to read
        return ""
    try:
        inspect.signature(answer).bind(*wanted)
        fits = given == wanted or sorted(given) != sorted(wanted)
    except TypeError:
        fits = False
    shown = ", ".join(given) or "none"
    return "" if fits else f"It is called as `{name}({', '.join(wanted)})`; your parameters are: {shown}."


def _noun(solution: object) -> str:
    return "class" if isinstance(solution, type) else "function"


def _safely(answer: object) -> object:
    """The answer as `_kind` knows it."""
    try:
        return canonical(answer)
    except Exception:
        return Other(type(answer).__name__)


def diagnose(seen: Mapping[str, object], expected: Mapping[str, object], *, answer: object, tolerance: float) -> str:
    """One message in Markdown about the first case of `seen` that differs from `expected`."""
    wrong = [case for case in expected if not same(seen[case], expected[case], tolerance=tolerance)]
    case, right = wrong[0], len(expected) - len(wrong)
    it = "The result is" if callable(answer) else "Your answer is"
    what = describe(seen[case], expected[case], it=it, may_tell_factor=callable(answer), tolerance=tolerance)
    if isinstance(expected[case], bool) and isinstance(seen[case], bool):
        what = f"This should {'hold and does not' if expected[case] else 'not hold and does'}: *{case}*."
    elif case and not isinstance(seen[case], Told):
        what = f"Tried: *{case}*. {what}"
    if right and len(expected) > 2:
        what += f" ({right} of {len(expected)} tests agree.)"
    outside = [name for name, value in outside_values(answer).items() if isinstance(value, torch.Tensor)]
    if outside:
        what += f" Your function reads {as_code(outside[0])} from the notebook; does it mean one of its arguments?"
    return what


def describe(seen: object, expected: object, *, it: str, may_tell_factor: bool, tolerance: float) -> str:
    """How one observation differs from the expected one, in a sentence or two that may begin with `it`."""
    if isinstance(seen, Raised):
        return _describe_error(seen)
    if isinstance(seen, Told):
        return seen.text
    if isinstance(expected, Raised):
        return "This should raise an error, and it does not."
    if seen is None:
        return f"{it} None." + (" Is there a `return`? Or is a `.grad` empty?" if it == "The result is" else "")
    if isinstance(seen, torch.Tensor) and isinstance(expected, torch.Tensor):
        return next(_differences(seen, expected, it=it, may_tell_factor=may_tell_factor, tolerance=tolerance))
    if isinstance(seen, frozenset) and isinstance(expected, frozenset):
        missing = "some are missing" if expected - seen else "none is missing"
        right = len(seen & expected)
        return f"You name {len(seen)}, of which {right or 'none'} belong{'s' * (right == 1)} there; {missing}."
    if isinstance(seen, list) and isinstance(expected, list):
        if len(seen) != len(expected):
            return f"{it} {len(seen)} thing{'s' * (len(seen) != 1)}, and {len(expected)} are asked for."
        at = next(i for i, pair in enumerate(zip(seen, expected, strict=True)) if not same(*pair, tolerance=tolerance))
        deeper = describe(seen[at], expected[at], it="It is", may_tell_factor=may_tell_factor, tolerance=tolerance)
        return f"Look at number {at + 1} of {len(seen)}. {deeper}"
    if seen == "error" and it == "Your answer is":
        return f"No error comes here: {_asked_for(expected)}. What will come out?"
    if type(seen) is not type(expected):
        clue = _clue(seen, expected)
        return f"{it} {_kind(seen)}, and {_asked_for(expected)}.{clue and ' '}{clue}"
    if isinstance(seen, str) and may_tell_factor:  # a probe's word for what the learner's code does
        return f"It gives “{seen}”, and that is not right."
    return f"{it} {_kind(seen)}, as it should be, but not the right one."


def _clue(seen: object, expected: object) -> str:
    """What may be behind something of another kind, "" where nothing is known of it."""
    if isinstance(seen, Other) and re.search("method|function", seen.kind):
        return "Are the brackets of a call missing?"
    if isinstance(seen, frozenset) and isinstance(expected, torch.Tensor | list):
        return "A set has no order; type a list, in square brackets."
    if isinstance(seen, list) and None in seen:
        return f"Number {seen.index(None) + 1} in it is None."
    texts = [part for part in (seen if isinstance(seen, list) else [seen]) if isinstance(part, str)]
    if isinstance(expected, torch.Tensor) and any(re.search(r"\d", text) for text in texts):
        return "Numbers are typed without quotation marks."
    return ""


def _describe_error(seen: Raised) -> str:
    where = f" in the line {as_code(seen.line)}" if seen.line else ""
    meaning = f" {seen.meaning}" if seen.meaning != seen.message else ""
    own_words = f" Its own words: {as_code(seen.message)}." if seen.message else ""
    return f"Your code stops with {seen.kind}{where}.{meaning}{own_words}"


def _kind(value: object) -> str:
    if isinstance(value, torch.Tensor):
        return "a single number" if value.dim() == 0 else f"numbers of shape {tuple(value.shape)}"
    if isinstance(value, Other):
        return f"of type {value.kind}"
    names = {str: "a text", bool: "True or False", list: "a list", dict: "a dictionary", frozenset: "a set of names"}
    return names.get(type(value), "None")


def _asked_for(expected: object) -> str:
    kind = _kind(expected)
    return f"{kind} {'are' if kind.startswith('numbers') else 'is'} asked for"


def _differences(
    seen: torch.Tensor, expected: torch.Tensor, *, it: str, may_tell_factor: bool, tolerance: float
) -> Iterator[str]:
    """What can be said about numbers that differ, the most telling first."""

    def agrees(other: torch.Tensor) -> bool:
        return same(other, expected, tolerance=tolerance)

    if seen.dim() == 2 and agrees(seen.T):
        yield "The numbers are right, but rows and columns are swapped."
    if seen.shape != expected.shape:
        reshaped = seen.numel() == expected.numel() and agrees(seen.reshape(expected.shape))
        but = ": right numbers, wrong shape" if reshaped else ""
        yield f"{it} {_kind(seen)}, and {_asked_for(expected)}{but}."
    if seen.is_complex() != expected.is_complex():
        yield f"{it} {'complex' if seen.is_complex() else 'real'} numbers, and the other kind is asked for."
    for found, name in (("isnan", "nan (not a number)"), ("isinf", "infinity")):
        places = getattr(seen, found)()
        if places.any() and not getattr(expected, found)().any():
            yield f"{it} {name}{'' if places.all() else ' in some places'}."
    if same(seen, torch.zeros_like(seen), tolerance=tolerance):
        where, ask = " everywhere" if seen.dim() else "", " Does anything reach the input?" if may_tell_factor else ""
        yield f"{it} zero{where}.{ask}"
    ratios = (seen / expected)[expected.isfinite() & (expected != 0)]
    if may_tell_factor and len(ratios) and (ratios - 1).abs().max() < 5e-4 and same(seen, expected, tolerance=5e-4):
        yield "The numbers are close, but not close enough. Is something approximated that can be computed exactly?"
    one_factor = len(ratios) and same(seen, expected * ratios[0], tolerance=tolerance)
    if may_tell_factor and one_factor and (seen.dim() or _is_simple(ratios[0].item())):
        each = "Every number" if seen.dim() else "The number"
        yield (
            "The sign is wrong."
            if agrees(-seen)
            else f"{each} is {format_given(ratios[0].item())} times what it should be."
        )
    right = torch.isclose(seen, expected, rtol=tolerance, atol=1e-7, equal_nan=True).sum().item()
    if right:
        yield f"{right} of the {seen.numel()} numbers {'is' if right == 1 else 'are'} right."
    if seen.dim() and agrees(seen.flip(0)):
        yield "The numbers are right, but in the opposite order."
    shape = tuple(seen.shape)
    yield f"The shape {shape} is right, the numbers are not." if shape else "The number is not right."


def _is_simple(factor: float) -> bool:
    """Whether a factor is one that a step forgotten, or done twice, would leave, such as -2, 0.1 or 2/3."""
    return 1e-3 < abs(factor) < 1e3 and any(abs(factor * n - round(factor * n)) < 1e-6 for n in range(1, 11))
