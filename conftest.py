"""For every test and every notebook run by pytest: the learner's own record is out of reach, and so is the board."""

import os
import tempfile
from pathlib import Path

import pytest

FOLDER_VARIABLE = "COURSE_UTILS_DATA"
BOARD_VARIABLES = ("COURSE_UTILS_BOARD", "COURSE_UTILS_PSEUDONYM")


def pytest_configure(config: pytest.Config) -> None:
    folder = tempfile.TemporaryDirectory(prefix="course_utils_")
    config.add_cleanup(folder.cleanup)
    os.environ[FOLDER_VARIABLE] = folder.name
    for name in BOARD_VARIABLES:
        os.environ.pop(name, None)


@pytest.fixture(autouse=True)
def _own_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test passes, no other test and no notebook sees."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
