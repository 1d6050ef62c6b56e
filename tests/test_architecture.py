"""The map of the code: which room may import which, no circle, small files, small functions, and what each room is for.

`python tests/test_architecture.py` prints the rooms, floor by floor.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ["course_utils", "classroom"]
# From the ground up. A room imports from lower floors and from itself, never from above or from next door.
FLOORS = [
    ["course_utils.core"],
    ["course_utils.sliders", "course_utils.gradients", "course_utils.measuring", "course_utils.processes"],
    ["course_utils.graph", "course_utils.plots", "course_utils.exercises"],
    ["course_utils.monitor", "classroom"],
    ["course_utils"],  # the doors: the names a learner types, and the commands
]
# The floors inside course_utils.graph.
GRAPH = "course_utils.graph"
GRAPH_FLOORS = [["data"], ["words"], ["graph"], ["read", "draw"], ["show", "torchviz"]]
MOST_LINES, MOST_LINES_OF_A_FUNCTION = 400, 40
LISTS_OF_EXERCISES = ("course_utils.exercises.lesson_", "course_utils.exercises.repairs")


def module_of(path: Path, root: Path = ROOT) -> str:
    """The dotted name under which a file is imported."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def read_modules() -> dict[str, str]:
    """The text of each module by its dotted name."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return {module_of(path): path.read_text(encoding="utf-8") for path in paths}


MODULES = read_modules()
PACKAGE_MODULES = {module_of(path) for name in PACKAGES for path in (ROOT / name).rglob("__init__.py")}


def is_for_types(node: ast.AST) -> bool:
    """Whether this is `if TYPE_CHECKING:`, whose imports never run."""
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def running(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node that may run, bodies of functions included."""
    yield tree
    for child in ast.iter_child_nodes(tree):
        if is_for_types(child):
            for other in child.orelse:
                yield from running(other)
        else:
            yield from running(child)


def imports(name: str, text: str, modules: dict[str, str], packages: set[str]) -> set[str]:
    """The modules of ours that this one imports when it is loaded or when one of its functions runs."""
    found = set()
    for node in running(ast.parse(text)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = name.split(".")
            up = node.level - (name in packages)
            base = [] if not node.level else parts[: len(parts) - up]
            origin = ".".join([*base, *([node.module] if node.module else [])])
            inside = {f"{origin}.{alias.name}" for alias in node.names}
            found.update(inside & set(modules))
            if not inside <= set(modules):  # some of the names stand in the module itself
                found.add(origin)
    return (found & set(modules)) - {name}


def homes(name: str, text: str) -> set[str]:
    """The modules that a package's lazy names are taken from."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_HOMES":
            return {absolute(name, home) for home in ast.literal_eval(node.value).values()}
    return set()


def absolute(package: str, home: str) -> str:
    """A home as `lazy_names` takes it: below the package if it begins with a dot."""
    return f"{package}{home}" if home.startswith(".") else home


IMPORTS = {name: imports(name, text, MODULES, PACKAGE_MODULES) | homes(name, text) for name, text in MODULES.items()}


def room_of(name: str, floors: list[list[str]]) -> tuple[int, str]:
    """The floor and the room in which a module stands: the longest room that its name begins with."""
    fitting = [
        (len(room), floor, room)
        for floor, rooms in enumerate(floors)
        for room in rooms
        if name == room or name.startswith(f"{room}.")
    ]
    assert fitting, f"{name} stands in no room: give it one in FLOORS"
    return max(fitting)[1:]


def wrong_ways(imported: dict[str, set[str]], floors: list[list[str]]) -> list[str]:
    """Each import that goes up a floor, or next door on the same floor."""
    found = []
    for name, targets in imported.items():
        floor, room = room_of(name, floors)
        for target in sorted(targets):
            there, other = room_of(target, floors)
            if other != room and there >= floor:
                found.append(f"{name} (floor {floor}) imports {target} (floor {there})")
    return found


def circle(imported: dict[str, set[str]]) -> list[str]:
    """One circle of imports, each module beside the next that it imports; empty if there is none."""
    finished: set[str] = set()

    def search(name: str, way: list[str]) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        if name in finished:
            return []
        for target in sorted(imported[name]):
            if found := search(target, [*way, name]):
                return found
        finished.add(name)
        return []

    return next((found for name in imported if (found := search(name, []))), [])


def long_functions(text: str) -> list[str]:
    """Each function over the limit, its docstring not counted."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0]
            told = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            docstring = first.end_lineno - first.lineno + 1 if told and isinstance(first.value.value, str) else 0
            if (lines := node.end_lineno - node.lineno + 1 - docstring) > MOST_LINES_OF_A_FUNCTION:
                found.append(f"{node.name}: {lines} lines")
    return found


def purpose(text: str) -> str:
    """The first line of a module's docstring."""
    return (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]


def test_every_import_goes_down():
    assert wrong_ways(IMPORTS, FLOORS) == []


def test_every_import_inside_the_graph_goes_down():
    inside = {
        name: {target for target in targets if target.startswith(f"{GRAPH}.")}
        for name, targets in IMPORTS.items()
        if name.startswith(f"{GRAPH}.")
    }
    assert wrong_ways(inside, [[f"{GRAPH}.{room}" for room in rooms] for rooms in GRAPH_FLOORS]) == []


def test_the_graph_has_one_door():
    doors = {f"{GRAPH}.{room}" for room in GRAPH_FLOORS[-1]}
    inside = (GRAPH, f"{GRAPH}.")
    entered = {
        target
        for name, targets in IMPORTS.items()
        if not name.startswith(inside)
        for target in targets
        if target.startswith(inside)
    }
    assert entered <= doors


def test_no_circle():
    assert circle(IMPORTS) == []


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_small_and_says_what_it_is_for(name):
    text = MODULES[name]
    if not name.startswith(LISTS_OF_EXERCISES):
        assert len(text.splitlines()) <= MOST_LINES
    assert long_functions(text) == []
    line = purpose(text)
    assert 20 <= len(line) <= 120 and line[-1] in ".:?", "the docstring's first line says what the room is for"


def test_no_two_modules_are_for_the_same():
    purposes = [purpose(text) for text in MODULES.values()]
    assert sorted(set(purposes)) == sorted(purposes)


def test_imports_are_found_wherever_they_may_run():
    modules = dict.fromkeys(["a", "a.b", "a.b.c", "a.d", "a.e", "a.f"], "")
    text = (
        "from .. import d\nfrom .c import x\nimport a.e as e\nif TYPE_CHECKING:\n    from .. import b\n"
        "def later():\n    from ..f import y\n    import torch"
    )
    assert imports("a.b", text, modules, {"a", "a.b"}) == {"a.b.c", "a.d", "a.e", "a.f"}
    assert imports("a.b.c", text, modules, {"a", "a.b"}) == {"a.d", "a.e", "a.f"}
    assert homes("a", "_HOMES = {'x': '.b.c', 'y': 'classroom.z'}") == {"a.b.c", "classroom.z"}


def test_each_wrong_way_and_circle_is_found():
    floors = [["low"], ["one", "two"]]
    assert wrong_ways({"two.x": {"low", "two.y"}}, floors) == []
    assert wrong_ways({"low.x": {"one"}}, floors) == ["low.x (floor 0) imports one (floor 1)"]
    assert wrong_ways({"one.x": {"two.x"}}, floors) == ["one.x (floor 1) imports two.x (floor 1)"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


def test_a_long_function_is_found_and_its_docstring_is_free():
    body = "\n".join(["    x = 1"] * 39)
    assert long_functions(f"def fits():\n    '''One.\n\n    Two.'''\n{body}") == []
    assert long_functions(f"def long():\n{body}\n    x = 2") == ["long: 41 lines"]


if __name__ == "__main__":
    for floor, rooms in reversed(list(enumerate(FLOORS))):
        print(f"floor {floor}")
        for room in rooms:
            print(f"    {room}: {purpose(MODULES[room])}")
