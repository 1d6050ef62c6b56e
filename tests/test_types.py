"""The type checker has nothing to say; pyproject.toml has what it leaves out, and why."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PINS = (ROOT / "constraints.txt").read_text(encoding="utf-8")
HERE = [f"{name}=={metadata.version(name).partition('+')[0]}" for name in ("mypy", "torch")]
OTHERS = ", ".join(version for version in HERE if f"\n{version}" not in PINS)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(OTHERS), reason=f"types are checked with the pinned versions, not with {OTHERS}"),
]


def check(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mypy", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")


def test_types_fit() -> None:
    done = check("-p", "course_utils", "-p", "classroom")
    assert done.returncode == 0, done.stdout + done.stderr


def test_who_uses_the_course_sees_its_types() -> None:
    done = check("-c", "import course_utils\nreveal_type(course_utils.draw_graph)\nmissing = course_utils.draw_grahp")
    assert re.search(r"Revealed type is .*-> course_utils.core.picture.Picture", done.stdout)
    assert 'Module has no attribute "draw_grahp"' in done.stdout
