"""The linter and the formatter have nothing to say, about code and notebooks."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("what", [["check"], ["format", "--check"]], ids=["lint", "format"])
def test_nothing_to_mend(what):
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *what, "--no-cache", str(ROOT)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
