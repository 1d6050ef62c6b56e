"""The set-up script: quick when there is nothing to do, and clear about what is missing."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import course

ROOT = Path(__file__).resolve().parents[2]
BACKEND = """
def get_requires_for_build_editable(settings=None):
    return []
def build_editable(folder, settings=None, metadata=None):
    raise SystemExit({words!r})
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project's set-up files, with nothing to download."""
    shutil.copytree(ROOT / "tools", tmp_path / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(ROOT / "constraints.txt", tmp_path / "constraints.txt")
    rewrite(tmp_path)
    return tmp_path


def rewrite(project: Path, *, python: str = ">=3.10,<3.14", requires: str = "[]", words: str = "no reason") -> None:
    """Gives the copy a build backend of its own, which fails with these words."""
    (project / "backend.py").write_text(BACKEND.format(words=words), encoding="utf-8")
    (project / "pyproject.toml").write_text(
        f'[build-system]\nrequires = {requires}\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        f'[project]\nname = "copy"\nversion = "0"\nrequires-python = "{python}"\n'
        "[project.optional-dependencies]\nlab = []\n",
        encoding="utf-8",
    )


def run(project: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Calls the script of the copy."""
    command = [sys.executable, str(project / "tools/course.py")]
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}, cwd=project, encoding="utf-8"
    )


@pytest.mark.parametrize(("python", "age"), [(">=3.98,<3.99", "old"), (">=3.1,<3.3", "new")])
def test_a_python_that_does_not_fit(python: str, age: str, project: Path) -> None:
    rewrite(project, python=python)
    done = run(project)
    assert done.returncode == 1
    assert f"is too {age} for this course" in done.stderr
    assert "What to do: install Python 3" in done.stderr
    assert not (project / ".venv").exists()


def test_an_old_python_can_read_the_script() -> None:
    ast.parse((ROOT / "tools/course.py").read_text(encoding="utf-8"), feature_version=(3, 6))


def test_a_python_that_cannot_make_environments(project: Path) -> None:
    blocked = project / "blocked"
    blocked.mkdir()
    (blocked / "ensurepip.py").write_text("raise ImportError('No module named ensurepip')", encoding="utf-8")
    done = run(project, PYTHONPATH=str(blocked))
    assert done.returncode == 1
    assert "cannot make virtual environments: No module named ensurepip" in done.stderr
    assert f"apt install python3.{sys.version_info[1]}-venv" in done.stderr
    assert not (project / ".venv").exists()


def test_no_network_and_then_a_failing_build(project: Path) -> None:
    rewrite(project, requires='["not-downloaded"]')
    done = run(project, PIP_NO_INDEX="1", PIP_FIND_LINKS="", PIP_CONFIG_FILE=os.devnull)
    assert done.returncode == 1
    assert "The install stopped: pip cannot reach its package index" in done.stderr
    assert "run the same command again" in done.stderr
    rewrite(project, words="error: command '/usr/bin/gcc' failed with exit code 1")
    done = run(project)
    assert done.returncode == 1
    assert "The install stopped: a package had to be compiled" in done.stderr
    assert "apt install build-essential" in done.stderr
    assert not (project / ".venv/installed").exists()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("PermissionError: [Errno 13] Permission denied: 'x'", "could not be written"),
        ("error: Microsoft Visual C++ 14.0 or greater is required.", "had to be compiled"),
        ("unable to execute 'gcc': No such file or directory", "had to be compiled"),
        ("NewConnectionError('<HTTPSConnection>: [Errno -2] Name or service not known')", "cannot reach"),
        ("ERROR: No matching distribution found for torch==2.13.0", "no build for this Python"),
    ],
)
def test_pips_words_are_understood(line: str, told: str) -> None:
    assert told in next(what for pattern, what, _ in course.FAILURES if re.search(pattern, line))


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """An environment that stands already; what would be installed into it is listed instead."""
    installs: list[list[str]] = []
    python = tmp_path / "python"
    python.touch()
    source = tmp_path / "pyproject.toml"
    source.write_text("one", encoding="utf-8")
    for name, value in {"PYTHON": python, "STAMP": tmp_path / "installed", "SOURCES": [source]}.items():
        monkeypatch.setattr(course, name, value)
    monkeypatch.setattr(course, "make_venv", lambda: None)
    monkeypatch.setattr(course, "install", installs.append)
    return installs


def test_an_extra_that_is_not_there_is_named(fake: list[list[str]]) -> None:
    with pytest.raises(SystemExit, match="--with=tset: the course has no such extra.\nWhat to do: write one of lab, "):
        course.main(["--with=tset"])
    assert fake == []


def test_a_second_start_installs_nothing(fake: list[list[str]]) -> None:
    course.main(["--with=test"])
    course.main(["--with=test"])
    course.main([])
    assert fake == [["lab", "test"]]


def test_new_requirements_and_new_extras_are_installed(fake: list[list[str]]) -> None:
    course.main([])
    course.main(["--with=test"])
    course.main(["--with=bench"])
    course.SOURCES[0].write_text("two", encoding="utf-8")
    course.main([])
    assert fake == [["lab"], ["lab", "test"], ["bench", "lab", "test"], ["lab"]]


def test_a_lost_python_is_made_again(fake: list[list[str]]) -> None:
    course.main([])
    course.PYTHON.unlink()
    course.main([])
    assert fake == [["lab"], ["lab"]]


def test_the_environments_kernel_wins_over_one_at_home(tmp_path: Path) -> None:
    home = tmp_path / "kernels/python3"
    home.mkdir(parents=True)
    (home / "kernel.json").write_text(
        json.dumps({"argv": ["/nowhere/python"], "display_name": "At home"}), encoding="utf-8"
    )
    environment = {**course.activated(), "JUPYTER_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "jupyter", "kernelspec", "list", "--json"]
    listed = json.loads(
        subprocess.run(command, env=environment, capture_output=True, text=True, check=True, encoding="utf-8").stdout
    )
    assert listed["kernelspecs"]["python3"]["spec"]["display_name"] != "At home"
    assert environment["PATH"].startswith(str(course.BIN))


def test_the_settings_shipped_are_known_to_jupyterlab() -> None:
    schemas = Path(sys.prefix) / "share/jupyter"
    overrides = json.loads((ROOT / "tools/jupyter/overrides.json").read_text(encoding="utf-8"))
    assert overrides["@jupyter-widgets/jupyterlab-manager:plugin"] == {"saveState": True}
    for plugin, values in overrides.items():
        package, name = plugin.split(":")
        (schema,) = schemas.rglob(f"schemas/{package}/{name}.json")
        assert set(values) <= set(json.loads(schema.read_text(encoding="utf-8"))["properties"]), plugin
