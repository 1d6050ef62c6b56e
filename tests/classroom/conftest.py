"""Running a few lines as somebody else, for tests of who may read and write what."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture
def run_as() -> Callable[..., str]:
    """`run_as(account, program)`: what the program prints when the account of this number runs it; it need not exist.

    `before` runs as root: imports from folders that others cannot read. More keywords become environment variables.
    """
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can run a program as another account")

    def run(account: int, program: str, *, before: str = "", groups: tuple[int, ...] = (), **variables: object) -> str:
        become = f"import os; os.setgroups({list(groups)}); os.setgid({account}); os.setuid({account})"
        environment = {**os.environ, "HOME": "/nonexistent", **{name: str(value) for name, value in variables.items()}}
        ran = subprocess.run(
            [sys.executable, "-c", f"{before}\n{become}\n{program}"],
            capture_output=True,
            text=True,
            env=environment,
            encoding="utf-8",
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.strip()

    return run


@pytest.fixture
def town() -> Iterator[Path]:
    """A folder that every account can pass through, which pytest's own is not."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)
