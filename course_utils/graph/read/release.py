"""Letting go of deep graphs without a deep recursion.

An autograd function that Python has looked at keeps its Python object, and torch frees a chain of such functions by
recursion: some 40,000 of them end a process with a stack of 8 MB, 5,000 a thread with 1 MB. So at every SAFE_DEPTH
functions on the way down, a `_Stop` in the metadata of the function above holds the ones below. When the function
above goes, they stay until Python's garbage collector comes, and the next stretch is freed from a shallow stack.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

SAFE_DEPTH = 1000
_KEY = "course_utils: freed in stretches"


class _Stop:
    """Holds functions for a moment longer than the function whose metadata it is in."""

    __slots__ = ("below",)

    def __init__(self, below: list[Any]):
        self.below = below

    def __del__(self) -> None:
        # A list that holds itself is freed by the garbage collector alone, so not from in here.
        self.below.append(self.below)


def make_safe_to_free(functions: Sequence[Any], sources: Sequence[Sequence[int]], heights: Sequence[int]) -> None:
    """Puts stops into a graph whose functions Python has looked at.

    Args:
        functions: all of them.
        sources: for each the indices of those that it depends on, leaves left out; what is below 0 is passed over.
        heights: a number for each that is larger than those of all it depends on.
    """
    for function, below, height in zip(functions, sources, heights):
        start = height - height % SAFE_DEPTH
        for source in below:
            if source >= 0 and heights[source] < start:
                ends = [functions[one] for one in below if one >= 0 and heights[one] < start]
                function.metadata[_KEY] = _Stop(ends)
                break
