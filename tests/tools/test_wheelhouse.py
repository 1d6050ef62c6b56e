"""The stick for laptops without a network: tried with its own small packages, and rehearsed where a real one is."""

from __future__ import annotations

import argparse
import base64
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

import course
import wheelhouse
from small_wheel import make_wheel

ROOT = Path(__file__).resolve().parents[2]
NO_NETWORK = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "http://127.0.0.1:9", "PIP_RETRIES": "0"}
REQUIRES = (
    "Provides-Extra: lab\nRequires-Dist: ipykernel ; extra == 'lab'\n"
    "Provides-Extra: test\nRequires-Dist: only-tests ; extra == 'test'\n"
)
OWN_WHEEL = "see_gradients-1.0-py3-none-any.whl"
BACKEND = """
import base64, pathlib
def build_wheel(folder, *_):
    pathlib.Path(folder, {name!r}).write_bytes(base64.b64decode({content!r}))
    return {name!r}
build_editable = build_wheel
"""
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "see-gradients"
version = "1.0"
requires-python = ">=3.10,<3.14"
dynamic = ["dependencies", "optional-dependencies"]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small course that needs a package with two versions and two markers, all in the folder `index`."""
    index, project = tmp_path / "index", tmp_path / "project"
    index.mkdir()
    markers = "Requires-Dist: on-windows ; sys_platform == 'win32'\nRequires-Dist: elsewhere ; os_name != 'nt'\n"
    make_wheel(index, "ipykernel", requires=markers)
    make_wheel(index, "ipykernel", version="2.0")
    for name in ("setuptools", "on_windows", "elsewhere", "only_tests"):
        make_wheel(index, name)
    shutil.copytree(ROOT / "tools", project / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(ROOT / ".gitignore", project / ".gitignore")
    (project / ".venv").mkdir()
    (project / "constraints.txt").write_text("# pins\nipykernel==1.0\non-windows==1.0\n", encoding="utf-8")
    (project / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    own = base64.b64encode((tmp_path / make_wheel(tmp_path, "see_gradients", requires=REQUIRES)).read_bytes())
    (project / "backend.py").write_text(BACKEND.format(name=OWN_WHEEL, content=own), encoding="utf-8")
    return project


def fill(project: Path, *arguments: str) -> Path:
    """Runs the small course's own script, with `index` for the network; returns the stick."""
    stick = project.parent / "stick"
    command = [sys.executable, str(project / "tools/wheelhouse.py"), f"--into={stick}", *arguments]
    index = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": (project.parent / "index").as_uri(), "PIP_CONFIG_FILE": os.devnull}
    subprocess.run(command, env={**os.environ, **index}, check=True, capture_output=True)
    return stick


def packages(stick: Path) -> set[str]:
    return {file.name.rpartition("-py3")[0] for file in (stick / "see-gradients/wheels").iterdir()}


def test_another_system_gets_what_it_needs_and_no_more(project: Path) -> None:
    stick = fill(project, "windows-3.12", "--with=test")
    assert packages(stick) == {
        f"{name}-1.0" for name in ("see_gradients", "ipykernel", "on_windows", "only_tests", "setuptools")
    }
    assert {each.name for each in stick.iterdir()} == {"INSTALL.txt", "see-gradients"}
    copied = {each.name for each in (stick / "see-gradients").iterdir()}
    assert copied == {".gitignore", "SHA256SUMS", "backend.py", "constraints.txt", "pyproject.toml", "tools", "wheels"}
    page = (stick / "INSTALL.txt").read_text(encoding="utf-8")
    assert "Made for windows-3.12." in page
    assert "py -3.12 tools\\course.py" in page


def test_a_laptop_installs_from_the_stick_alone(project: Path) -> None:
    stick = fill(project)
    assert packages(stick) >= {"see_gradients-1.0", "ipykernel-1.0", "setuptools-1.0"}
    laptop = project.parent / "my laptop"
    shutil.copytree(stick / "see-gradients", laptop)
    command = [sys.executable, str(laptop / "tools/course.py"), "-c", "import see_gradients, ipykernel; print('ready')"]
    done = subprocess.run(command, env={**os.environ, **NO_NETWORK}, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "ready"
    assert {each.name for each in stick.iterdir()} == {"INSTALL.txt", "see-gradients"}


@pytest.mark.parametrize(
    "error", ["No matching distribution found for torch==2.13.0", "ResolutionImpossible: for help"]
)
def test_a_folder_without_the_right_wheels_is_told_from_a_missing_network(error: str) -> None:
    log = f"Looking in links: {course.WHEELS}\nIgnoring indexes\nERROR: {error}"
    told = next(what for pattern, what, _ in course.FAILURES if re.search(pattern, log))
    assert told == "the folder `wheels` has nothing for this Python and machine."


@pytest.mark.parametrize("text", ["windows", "windows-2.7", "windows-3.9", "windows-3.x", "amiga-3.12"])
def test_what_is_no_target_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="as in windows-3.12"):
        wheelhouse.parse_target(text)


def test_a_version_that_another_package_refuses_is_found(tmp_path: Path) -> None:
    make_wheel(tmp_path, "ipykernel", version="2.0")
    with pytest.raises(SystemExit, match=r"ipykernel<2 is needed"):
        wheelhouse.check({"ipykernel": SpecifierSet("<2")}, tmp_path)


def test_the_stick_never_lies_in_the_course(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        wheelhouse.main([f"--into={ROOT / 'docs'}"])
    assert "name a folder outside it" in capsys.readouterr().err


def test_the_real_folder_is_complete() -> None:
    wheels = ROOT / "wheelhouse/see-gradients/wheels"
    if not list(wheels.glob(f"torch-*cp3{sys.version_info.minor}*")):
        pytest.skip("make wheelhouse has not filled wheelhouse/ for this Python")
    alone = ["--dry-run", "--ignore-installed", "--quiet", "--no-index", "--find-links", str(wheels)]
    command = [sys.executable, "-m", "pip", "--isolated", "install", *alone, "-c", str(ROOT / "constraints.txt")]
    assert subprocess.run([*command, "see-gradients[lab]", "setuptools"]).returncode == 0
