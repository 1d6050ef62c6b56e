"""docs/architecture.md is true: its files are there, every room is on it, and each route is one that the calls take."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
TREE = re.search(r"(?ms)^```\n(.*?)^```", PAGE)[1]
STEP = re.compile(r"(?m)^\d+\. `([\w/]+\.py)`, `(\w+)`")
ROUTES = {name: STEP.findall(steps) for name, steps in re.findall(r"(?ms)^### (\S+)\n(.*?)(?=^##)", PAGE)}


def places_in(tree: str) -> set[str]:
    """The paths of an indented tree, whose lines begin with the name of a folder or a file."""
    places, above = set(), []
    for indent, name in re.findall(r"(?m)^( *)([\w.]+/?)", tree):
        above = [*above[: len(indent) // 4], name]
        places.add("".join(above))
    return places


@cache
def parsed(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def home_of(path: str, name: str) -> str | None:
    """The file from which the file at `path` imports `name` in the end, through packages that hand it on; or None."""
    for step in ast.walk(parsed(path)):
        if (
            isinstance(step, ast.ImportFrom)
            and step.level
            and name in {alias.asname or alias.name for alias in step.names}
        ):
            base = (ROOT / path).parents[step.level - 1].joinpath(*(step.module or "").split("."))
            if base.with_suffix(".py").is_file():
                return base.with_suffix(".py").relative_to(ROOT).as_posix()
            return home_of((base / "__init__.py").relative_to(ROOT).as_posix(), name)
    return None


def defined(path: str) -> set[str]:
    kinds = ast.FunctionDef | ast.ClassDef
    return {node.name for node in ast.walk(parsed(path)) if isinstance(node, kinds)}


def called(path: str) -> set[str]:
    """The names that the file calls, or hands on as something to be called."""
    nodes = list(ast.walk(parsed(path)))
    names = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return names | {
        node.func.attr for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }


def gaps(route: list[tuple[str, str]]) -> list[str]:
    """The steps that no file further up on the route calls."""
    found = []
    for number, (path, name) in enumerate(route):
        callers = [above for above, _ in route[:number] if name in called(above)]
        if name not in defined(path):
            found.append(f"{path} does not define {name}")
        elif number and not any(above == path or home_of(above, name) == path for above in callers):
            found.append(f"nothing above it calls {name} of {path}")
    return found


def test_every_place_named_is_there() -> None:
    named = places_in(TREE) | set(re.findall(r"`((?:course_utils|notebooks)/[\w/.]+)`", PAGE))
    assert len(named) > 30
    assert sorted(place for place in named if not (ROOT / place).exists()) == []


def test_every_room_is_on_the_map() -> None:
    rooms = {f"{init.parent.relative_to(ROOT).as_posix()}/" for init in (ROOT / "course_utils").rglob("__init__.py")}
    rooms |= {path.relative_to(ROOT).as_posix() for path in (ROOT / "course_utils").glob("*.py")}
    assert sorted(rooms - places_in(TREE)) == []


def test_the_four_routes_are_there() -> None:
    assert list(ROUTES) == ["draw_graph", "step_backward", "explore_tangent", "exercise.check"]
    assert all(name.endswith(route[0][1]) for name, route in ROUTES.items())


@pytest.mark.parametrize("name", ROUTES)
def test_each_step_of_a_route_is_called_by_a_file_above_it(name: str) -> None:
    assert gaps(ROUTES[name]) == []


def test_a_wrong_route_is_noticed() -> None:
    right = ROUTES["draw_graph"]
    assert gaps([right[0], *right[:0:-1]]) != []
    stranger = ("course_utils/core/tables.py", "table")
    assert gaps([right[0], stranger]) == ["nothing above it calls table of course_utils/core/tables.py"]
    assert gaps([(right[0][0], "paint_graph")]) == [f"{right[0][0]} does not define paint_graph"]


def test_a_change_opens_three_files_at_most() -> None:
    rows = re.findall(r"(?m)^\| (?!change|-)(.+?) \| (.+) \|$", PAGE)
    assert [what.split()[-1] for what, _ in rows] == ["card", "reads", "exercise", "plot", "explorer"]
    assert all(1 <= files.count("`") // 2 <= 3 for _, files in rows)
