import subprocess
import sys

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
