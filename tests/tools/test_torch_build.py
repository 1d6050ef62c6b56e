"""No 3 GB of CUDA unasked: what the set-up does on a Linux machine where pip would bring PyTorch's large build."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pip
import pytest

import course
from small_wheel import make_wheel

if sys.platform != "linux":
    pytest.skip("pip brings PyTorch's CPU build to this system", allow_module_level=True)
import pty

ROOT = Path(__file__).resolve().parents[2]
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "see-gradients"
version = "1.0"
requires-python = ">=3.10,<3.14"
dynamic = ["dependencies"]
[project.optional-dependencies]
lab = []
"""
BACKEND = """
import os, shutil
def build_editable(folder, *_):
    return os.path.basename(shutil.copy("see_gradients-1.0-py3-none-any.whl", folder))
"""
# Notes how it was called, and brings what the real one would.
UV = """
import json, subprocess, sys
from pathlib import Path
Path({said!r}).write_text(json.dumps(sys.argv[1:]), encoding="utf-8")
pip = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--find-links", {small!r}]
sys.exit(subprocess.call([*pip, "torch==1.0+cpu"]) or {code})
"""
SHOW = "import sys; from importlib.metadata import distributions as d; print(sorted(it.name for it in d() if it.name))"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small course that needs a PyTorch; in the folder that pip knows lies a large one."""
    project, index, small = tmp_path / "project", tmp_path / "index", tmp_path / "small"
    for folder in (project, index, small):
        folder.mkdir()
    make_wheel(index, "torch", requires='Requires-Dist: nvidia-cublas==1.0; platform_system == "Linux"\n')
    make_wheel(index, "nvidia_cublas")
    make_wheel(index, "ipykernel")
    put_uv(tmp_path)
    make_wheel(small, "torch", version="1.0+cpu")
    make_wheel(project, "see_gradients", requires="Requires-Dist: ipykernel\nRequires-Dist: torch\n")
    shutil.copytree(ROOT / "tools", project / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    (project / "constraints.txt").write_text("torch==1.0\nuv==1.0\n", encoding="utf-8")
    (project / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    (project / "backend.py").write_text(BACKEND, encoding="utf-8")
    venv.create(project / ".venv", symlinks=True)
    (packages,) = (project / ".venv").glob("lib/python*/site-packages")
    (packages / "pip").symlink_to(Path(pip.__file__).parent)  # quicker than pip installed afresh for each test
    return project


def put_uv(place: Path, *, code: int = 0) -> None:
    """Lays the uv of these tests into pip's folder; it ends with `code`."""
    program = UV.format(said=str(place / "uv.json"), small=str(place / "small"), code=code)
    make_wheel(place / "index", "uv", code=program)


def environment(project: Path, **more: str) -> dict[str, str]:
    """The variables under which the script finds the small world and no other."""
    own = {
        name: value for name, value in os.environ.items() if not name.startswith("PIP_") and name not in ("CI", "TORCH")
    }
    index = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": (project.parent / "index").as_uri(), "PIP_CONFIG_FILE": os.devnull}
    return {**own, **index, **more}


def run(project: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Calls the script as a machine would: nobody at the terminal."""
    command = [sys.executable, str(project / "tools/course.py"), "-c", SHOW]
    settings = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "encoding": "utf-8"}
    return subprocess.run(command, env=environment(project, **more), cwd=project, **settings)


def run_at_a_terminal(project: Path, typed: str) -> tuple[int, str]:
    """Calls the script in a terminal, and types; returns its exit code and all that the terminal shows."""
    ours, theirs = pty.openpty()
    command = [sys.executable, str(project / "tools/course.py"), "-c", SHOW]
    talk = subprocess.Popen(command, env=environment(project), stdin=theirs, stdout=theirs, stderr=theirs, cwd=project)
    os.close(theirs)
    os.write(ours, typed.encode())
    shown = b""
    try:
        while piece := os.read(ours, 4096):
            shown += piece
    except OSError:  # how Linux tells that the other side is closed
        pass
    os.close(ours)
    return talk.wait(), shown.decode()


def test_nothing_is_downloaded_before_somebody_has_chosen(project: Path) -> None:
    done = run(project)
    assert done.returncode == 1
    assert "On this machine pip brings PyTorch with CUDA: about 3 GB to download." in done.stderr
    assert "make lab TORCH=cpu " in done.stderr and "make lab TORCH=cuda " in done.stderr
    assert not list((project / ".venv").glob("lib/python*/site-packages/torch*"))
    assert not (project / ".venv/installed").exists()


def test_the_small_build_comes_by_uv_and_pip_keeps_it(project: Path) -> None:
    done = run(project, TORCH="cpu")
    assert done.returncode == 0, done.stderr
    python = str(project / ".venv/bin/python")
    constraints = ["-c", str(project / "constraints.txt")]
    said = json.loads((project.parent / "uv.json").read_text(encoding="utf-8"))
    assert said == [
        "pip", "install", "--python", python, "--torch-backend", "cpu", "--no-deps", *constraints, "torch",
    ]  # fmt: skip
    assert "'torch', 'uv'" in done.stdout and "nvidia" not in done.stdout.splitlines()[-1]
    assert run(project, TORCH="cpu").stdout.count("\n") == 1


def test_a_small_build_that_cannot_be_had_is_told(project: Path) -> None:
    put_uv(project.parent, code=2)
    done = run(project, TORCH="cpu")
    assert done.returncode == 1
    assert "PyTorch's CPU build could not be installed (the reason stands above)." in done.stderr


def test_the_large_build_comes_where_it_is_asked_for_and_is_not_taken_for_the_small_one(project: Path) -> None:
    done = run(project, TORCH="cuda")
    assert done.returncode == 0, done.stderr
    assert "'nvidia-cublas'" in done.stdout.replace("_", "-") and "3 GB" not in done.stdout
    done = run(project, TORCH="cpu")
    assert done.returncode == 1
    assert "holds PyTorch with CUDA.\nWhat to do: remove that folder" in done.stderr


def test_ci_goes_on_and_says_so(project: Path) -> None:
    done = run(project, CI="true")
    assert done.returncode == 0, done.stderr
    assert "Installing PyTorch with CUDA, about 3 GB, since CI is set. TORCH=cpu takes the small build." in done.stdout


def test_a_person_is_asked_until_the_answer_is_one(project: Path) -> None:
    code, shown = run_at_a_terminal(project, "yes\ncpu\n")
    assert code == 0, shown
    assert shown.count("Type cpu or cuda, then Enter (Ctrl+C stops): ") == 2
    assert "nvidia" not in shown.splitlines()[-1]


def test_a_person_may_stop(project: Path) -> None:
    code, shown = run_at_a_terminal(project, "\x04")
    assert code == 1
    assert "Nothing was downloaded." in shown


def test_a_small_build_that_pip_finds_by_itself_is_taken_without_a_word(project: Path) -> None:
    make_wheel(project.parent / "index", "torch", version="1.0+cpu")
    done = run(project)
    assert done.returncode == 0, done.stderr
    assert "CUDA" not in done.stdout and not (project.parent / "uv.json").exists()


@pytest.mark.parametrize("system", ["Darwin", "Windows"])
def test_on_other_systems_pip_is_not_even_asked(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(course.platform, "system", lambda: system)
    monkeypatch.setattr(course, "rehearse", lambda *_: pytest.fail("pip was asked"))
    course.settle_build({})


def test_an_unknown_build_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH", "gpu")
    with pytest.raises(SystemExit, match="TORCH=gpu: PyTorch has no such build here.\nWhat to do: write TORCH=cpu or"):
        course.main([])


def test_make_passes_the_choice_on(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "TORCH is $TORCH"\n', encoding="utf-8")
    python.chmod(0o755)
    command = ["make", "install", "TORCH=cpu", f"PYTHON={python}"]
    assert "TORCH is cpu" in subprocess.check_output(command, cwd=ROOT, text=True, encoding="utf-8")


def test_a_container_is_set_up_without_a_question() -> None:
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    assert container["postCreateCommand"].startswith("TORCH=cpu python tools/course.py ")
