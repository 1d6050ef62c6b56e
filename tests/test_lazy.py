import ast
import subprocess
import sys
from pathlib import Path

import pytest

import course_utils


def test_every_public_name_can_be_had():
    assert dir(course_utils) == course_utils.__all__
    for name in course_utils.__all__:
        assert getattr(course_utils, name).__name__ == name


def test_a_name_that_is_not_there_is_told_with_those_that_are():
    with pytest.raises(AttributeError, match="course_utils has no 'draw_grahp'; it offers .*draw_graph"):
        course_utils.draw_grahp  # noqa: B018


def test_importing_the_package_loads_neither_torch_nor_matplotlib():
    code = "import sys, course_utils; print(sorted({'torch', 'matplotlib', 'anywidget'} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True, encoding="utf-8").strip() == "[]"


def test_the_stub_beside_the_lazy_names_has_the_same_names_from_the_same_modules():
    stub = Path(course_utils.__file__).with_suffix(".pyi").read_text(encoding="utf-8")
    imports = [step for step in ast.parse(stub).body if isinstance(step, ast.ImportFrom)]
    told = {alias.asname: step.module for step in imports for alias in step.names if alias.name == alias.asname}
    assert sorted(told.items()) == sorted((name, home.lstrip(".")) for name, home in course_utils._HOMES.items())
