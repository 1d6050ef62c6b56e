"""Python's search for garbage in circles, put off for a while."""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Result = TypeVar("Result")


# What a big graph comes to, tens of thousands of small tuples, is needed to the end. Python takes their number for a
# sign of garbage, and looks for it in everything that is loaded: with torch that takes a tenth of a second.
def collecting_later(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """The function, with the search for garbage put off until it is done; one that was off stays off."""

    @wraps(function)
    def run(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        was_on = gc.isenabled()
        gc.disable()
        try:
            return function(*args, **kwargs)
        finally:
            if was_on:
                gc.enable()

    return run
