"""Exercises that answer back: one module a lesson, `from course_utils.exercises import lesson_02 as exercises`."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .exercise import Exercise


def find_exercises() -> dict[str, dict[str, Exercise]]:
    """All exercises of the course: for each lesson ("lesson_02") its exercises by name, in the order of its module."""
    from .exercise import Exercise

    lessons = sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name.startswith("lesson_"))
    modules = {lesson: import_module(f".{lesson}", __name__) for lesson in lessons}
    return {
        lesson: {name: thing for name, thing in vars(module).items() if isinstance(thing, Exercise)}
        for lesson, module in modules.items()
    }
