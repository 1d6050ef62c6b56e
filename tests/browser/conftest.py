"""One JupyterLab and one Chromium for all tests of a session."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from lab import INSTALL_CHROMIUM, Lab, find_chromium

expect.set_options(timeout=30_000)  # a busy machine may need long for what is immediate on a quiet one


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab on an empty folder, keeping widgets in saved notebooks as `make lab` does; needs a Chromium."""
    if find_chromium() is None:
        reason = f"no Chromium found; {INSTALL_CHROMIUM}"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    folder: Path = tmp_path_factory.mktemp("notebooks")
    with Lab(folder, tmp_path_factory.mktemp("home")) as running:
        running.set("@jupyter-widgets/jupyterlab-manager/plugin", {"saveState": True})
        yield running
