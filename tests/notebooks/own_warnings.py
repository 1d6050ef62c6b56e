"""Warnings as errors, but for what other packages say to their own developers."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

OF_DEVELOPERS = (DeprecationWarning, PendingDeprecationWarning, FutureWarning)
OURS = r"course_utils\b"


@contextmanager
def are_errors() -> Iterator[None]:
    """Every warning is an error for the length of a `with`; one about a package's future only where we cause it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for category in OF_DEVELOPERS:
            warnings.simplefilter("ignore", category)
            warnings.filterwarnings("error", category=category, module=OURS)
        yield
