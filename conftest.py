"""For every test and every notebook run by pytest: the learner's settings, record and board are out of reach."""

import atexit
import os
import sys
import tempfile
from pathlib import Path

import pytest

from surroundings import surroundings

FOLDER_VARIABLE = "COURSE_UTILS_DATA"


def pytest_configure() -> None:
    folder = tempfile.TemporaryDirectory(prefix="course_utils_", ignore_cleanup_errors=True)
    atexit.register(folder.cleanup)  # pytest-xdist's workers do not come to pytest's own cleaning up
    own = surroundings(Path(folder.name))
    for name in set(os.environ) - set(own):
        del os.environ[name]
    os.environ.update(own)
    if "matplotlib" in sys.modules:  # it has read the learner's matplotlibrc to find the fonts
        import matplotlib

        matplotlib.rcdefaults()


@pytest.fixture(autouse=True)
def _own_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test passes, no other test and no notebook sees."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
