"""For every test and every notebook run by pytest: what a learner has passed is neither read nor written."""

import os
import tempfile

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    folder = tempfile.TemporaryDirectory(prefix="course_utils_")
    config.add_cleanup(folder.cleanup)
    os.environ["COURSE_UTILS_DATA"] = folder.name
