import subprocess
import sys

import pytest

import course_utils
import course_utils.graph


@pytest.mark.parametrize("package", [course_utils, course_utils.graph], ids=lambda package: package.__name__)
def test_every_public_name_can_be_had(package):
    assert dir(package) == package.__all__
    for name in package.__all__:
        assert getattr(package, name).__name__ == name


def test_a_name_that_is_not_there_is_told_with_those_that_are():
    with pytest.raises(AttributeError, match="course_utils has no 'draw_grahp'; it offers .*draw_graph"):
        course_utils.draw_grahp  # noqa: B018


def test_importing_the_package_loads_neither_torch_nor_matplotlib():
    code = "import sys, course_utils; print(sorted({'torch', 'matplotlib', 'anywidget'} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
