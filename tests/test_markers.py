"""`make quick` leaves out whole kinds of tests, by the markers that conftest.py gives."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOME = ["notebooks/00_start_here.ipynb", "tests/notebooks/test_structure.py", "tests/browser/test_watch.py"]
SOME += ["tests/deploy/test_learners.py", "tests/tools/test_course.py", "tests/core/test_tables.py"]


def test_places_that_are_marked_are_there(pytestconfig: pytest.Config) -> None:
    (marking,) = [it for it in pytestconfig.pluginmanager.get_plugins() if hasattr(it, "KIND_OF_PLACE")]
    assert [place for place in marking.KIND_OF_PLACE if not (ROOT / place).exists()] == []


def test_quick_leaves_out_browser_hub_notebooks_and_what_is_slow() -> None:
    chosen = re.search(r'-m "(not .+)"', (ROOT / "Makefile").read_text(encoding="utf-8"))[1]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-qq", "-p", "no:cacheprovider", "-m", chosen, *SOME]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8").stdout
    assert [line.partition(":")[0] for line in listed.splitlines() if line.strip()] == ["tests/core/test_tables.py"]
