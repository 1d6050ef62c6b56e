"""What lies in an instructor's clone and was not committed reaches nobody: neither hub, stick, slides nor learners."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

import slides
import wheelhouse
from classroom.editions import lab
from classroom.editions.files import write_all
from classroom.editions.source import read_course

ROOT = Path(__file__).resolve().parents[2]
SECRET = "-".join(["never", "to", "be", "handed", "out"])  # this file itself is on the stick
LESSON = "02_backward.ipynb"
pytestmark = pytest.mark.skipif(
    not (shutil.which("git") and (ROOT / ".git").exists()), reason="git is missing, or this folder is no clone"
)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in which an instructor has worked: a typed answer, a list of names, keys, a half-written lesson."""
    clone = tmp_path_factory.mktemp("instructor") / "course"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone)], check=True)
    for name in ("class.txt", "KEY.pem", ".env", "notebooks/class.txt", "deploy/jupyterhub/KEY.pem"):
        (clone / name).write_text(SECRET, encoding="utf-8")
    answered = nbformat.read(clone / "notebooks" / LESSON, as_version=4)
    next(cell for cell in answered.cells if cell.source.startswith("prediction =")).source = f"prediction = {SECRET!r}"
    half = new_notebook(cells=[new_code_cell(f"# {SECRET}")])
    (clone / "notebooks/.ipynb_checkpoints").mkdir()
    nbformat.write(answered, clone / "notebooks" / LESSON)
    nbformat.write(answered, clone / "notebooks/.ipynb_checkpoints/02_backward-checkpoint.ipynb")
    nbformat.write(half, clone / "notebooks/11_half.ipynb")
    return clone


def publish(clone: Path, into: Path, patch: pytest.MonkeyPatch) -> None:
    from publish import publish

    publish(clone / "notebooks", into)


def stick(clone: Path, into: Path, patch: pytest.MonkeyPatch) -> None:
    wheelhouse.fill(into, [], [], read_course(clone).files)


def deck(clone: Path, into: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(slides, "ROOT", clone)
    slides.main([f"--into={into}", f"notebooks/{LESSON}"])


def learners(clone: Path, into: Path, patch: pytest.MonkeyPatch) -> None:
    write_all(into, lab.learners_lessons(read_course(clone)))


@pytest.mark.parametrize("edition", [publish, stick, deck, learners], ids=lambda edition: edition.__name__)
def test_nothing_leaks(
    edition: Callable, clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    if edition is publish and not importlib.util.find_spec("nbgitpuller"):
        pytest.skip("the hub needs the extra `hub`")
    into = tmp_path / "edition"
    into.mkdir()
    edition(clone, into, monkeypatch)
    files = [path for path in into.rglob("*") if path.is_file() and ".git" not in path.relative_to(into).parts]
    assert any(path.stem == Path(LESSON).stem for path in files)
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []
    assert {path.name for path in files} & {"class.txt", "KEY.pem", ".env", "11_half.ipynb", "11_half.html"} == set()
