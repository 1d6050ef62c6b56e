"""The reference: one page with each public name of course_utils and its docstring, for Sphinx to read."""

from __future__ import annotations

import inspect

import course_utils


def reference() -> str:
    """The page, in reStructuredText; names in the order of the alphabet."""
    title = "Reference"
    parts = [f"{title}\n{'=' * len(title)}\n\nEverything that ``course_utils`` offers, by name.\n"]
    for name in sorted(course_utils.__all__, key=str.lower):
        value = getattr(course_utils, name)
        members = "\n   :members:" if inspect.isclass(value) else ""
        kind = "autoclass" if inspect.isclass(value) else "autofunction" if callable(value) else "autodata"
        parts.append(f".. {kind}:: course_utils.{name}{members}\n")
    return "\n".join(parts)
