"""Refreshing stores what a run says, the same bytes every time."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

import mini
import refresh
from surroundings import surroundings

WIDGET = "import ipywidgets\nipywidgets.IntSlider(description='x')"
STREAMS = "import sys, warnings\nprint('one')\nsys.stdout.flush()\nprint('two')\nobject()"
WARNING = "warnings.warn('careful')"


def write(path: Path, *sources: str, tags: tuple[str, ...] = ()) -> Path:
    """A notebook file with these code cells, as JupyterLab would save it."""
    cells = [new_code_cell(source, metadata={"tags": [*tags], "collapsed": False}) for source in sources]
    metadata = {"kernelspec": {"name": "elsewhere", "display_name": "Mine"}, "widgets": {"state": {}}}
    nbformat.write(new_notebook(cells=cells, metadata=metadata), path)
    return path


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = write(tmp_path_factory.mktemp("lesson") / "lesson.ipynb", STREAMS, WARNING, WIDGET)
    assert refresh.main([str(path)]) == 0
    return path


def test_a_second_run_writes_the_same_bytes(refreshed: Path) -> None:
    first = refreshed.read_bytes()
    assert refresh.main([str(refreshed)]) == 0
    assert refreshed.read_bytes() == first


def test_stores_nothing_that_changes(refreshed: Path) -> None:
    notebook = nbformat.read(refreshed, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata == refresh.METADATA
    assert [cell.execution_count for cell in notebook.cells] == [1, 2, 3]
    assert all(cell.metadata == {} and not refresh.RANDOM_ID.fullmatch(cell.id) for cell in notebook.cells)
    streams, result = notebook.cells[0].outputs
    assert streams.text == "one\ntwo\n"
    assert result.data == {"text/plain": "<object at 0x...>"}
    assert notebook.cells[1].outputs[0].text.startswith("<cell>:1: UserWarning: careful")
    assert notebook.cells[2].outputs[0].data == {"text/plain": "IntSlider(value=0, description='x')"}


def test_a_cell_that_raises_leaves_the_notebook_as_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "lesson.ipynb", "1 / 0")
    before = path.read_bytes()
    assert refresh.main([str(path)]) == 1
    assert path.read_bytes() == before
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_another_torchs_outputs_stay_and_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored = new_output("execute_result", data={"text/plain": "old"}, execution_count=1)
    for name, bound, shows, word in (("other", "torch<2", "old", True), ("ours", "torch>=2", "'new'", False)):
        path = write(tmp_path / f"{name}.ipynb", "'new'", tags=(bound,))
        notebook = nbformat.read(path, as_version=4)
        notebook.cells[0].outputs, notebook.cells[0].id = [stored], "the-tagged-cell"
        nbformat.write(notebook, path)
        assert refresh.main([str(path)]) == 0
        assert nbformat.read(path, as_version=4).cells[0].outputs[0].data == {"text/plain": shows}
        assert ("the-tagged-cell" in capsys.readouterr().err) is word


def test_an_error_on_purpose_is_stored_with_the_lines_of_the_cell_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "lesson.ipynb", "import torch\ntorch.ones(2).backward()", tags=("raises-exception",))
    refresh.refresh(path)
    (error,) = nbformat.read(path, as_version=4).cells[0].outputs
    _, _, own, between, last = [re.sub(r"\x1b\[[\d;]*m", "", frame) for frame in error.traceback]
    assert own.startswith("Cell In[1], line 2") and "torch.ones(2).backward()" in own
    assert between.startswith("… calls inside torch; to see them: ")
    assert last == f"RuntimeError: {error.evalue}"


HOSTILE = {
    "PYTHONWARNINGS": "error", "COLUMNS": "30", "NO_COLOR": "1", "LC_ALL": "C", "MPLBACKEND": "TkAgg",
    "PYTHONSTARTUP": "/no/such/file", "JUPYTER_PATH": "/no/such/folder", "TORCH_LOGS": "+all", "PYTHONDEVMODE": "1",
}  # fmt: skip
PROFILE = """\
c = get_config()
c.InteractiveShell.ast_node_interactivity = "all"
c.PlainTextFormatter.float_precision = "%.1f"
c.InteractiveShellApp.exec_lines = ["print('mine')"]
"""
SEEN = f"""\
import os, sys, matplotlib
print({HOSTILE}.items() & os.environ.items(), sys.warnoptions, matplotlib.rcParams["font.size"])
warnings = __import__("warnings")
warnings.warn("careful")
"one"
1 / 3
"""


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user with settings of their own everywhere, in a home with a difficult name that cannot be written to."""
    home = tmp_path / "Übung & [Kurs] (neu)"
    for place in (".ipython/profile_default", "ipython/profile_default"):
        (home / place).mkdir(parents=True)
        (home / place / "ipython_config.py").write_text(PROFILE, encoding="utf-8")
    for place in (".config/matplotlib", "matplotlib"):
        (home / place).mkdir(parents=True)
        (home / place / "matplotlibrc").write_text("font.size: 30\ntext.usetex: True\n", encoding="utf-8")
    (home / "tmp").mkdir()
    folders = {"HOME": ".", "IPYTHONDIR": "ipython", "MPLCONFIGDIR": "matplotlib", "TMPDIR": "tmp"}
    for name, value in (HOSTILE | {name: str(home / place) for name, place in folders.items()}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("tempfile.tempdir", None)
    for place in (".config", "."):
        (home / place).chmod(0o500)
    yield home
    for place in (".", ".config"):
        (home / place).chmod(0o700)


def test_the_users_settings_are_not_stored(tmp_path: Path, hostile: Path) -> None:
    path = write(tmp_path / "lesson.ipynb", SEEN)
    refresh.refresh(path)
    said, warning, result = nbformat.read(path, as_version=4).cells[0].outputs
    assert said.text == "set() [] 10.0\n"
    assert warning.text.startswith("<cell>:4: UserWarning: careful")
    assert result.data == {"text/plain": "0.3333333333333333"}


def test_the_users_settings_are_not_compared(tmp_path: Path, hostile: Path) -> None:
    path = write(tmp_path / "test_lesson.ipynb", "import warnings", WARNING, "1 / 3")
    refresh.refresh(path)
    shutil.copy(refresh.ROOT / "conftest.py", tmp_path)
    options = ["-c", str(refresh.ROOT / "pyproject.toml"), "--rootdir", str(tmp_path), "-p", "no:cacheprovider"]
    # the run itself may stumble over a warning of pytest's; `error` is for what it starts
    plain = {**os.environ, "PYTHONWARNINGS": "default"}
    command = [sys.executable, "-m", "pytest", *options, str(path)]
    done = subprocess.run(command, cwd=refresh.ROOT, capture_output=True, encoding="utf-8", env=plain)
    assert "3 passed" in done.stdout, done.stdout + done.stderr


def test_a_list_of_fonts_is_there_already(tmp_path: Path) -> None:
    own = surroundings(tmp_path)
    assert [*Path(own["MPLCONFIGDIR"]).glob("fontlist-*.json")]


def test_shows_its_progress(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refresh.main([str(write(tmp_path / "lesson.ipynb", "1", "2"))])
    assert "lesson: 100%" in capsys.readouterr().err


def test_streams_merge_only_where_they_follow_one_another() -> None:
    first, second, last = (new_output("stream", name="stdout", text=text) for text in "abc")
    picture = new_output("display_data", data={"text/plain": "picture"})
    stable = refresh.stable_outputs([first, second, picture, last], 1)
    assert [output.get("text", output.output_type) for output in stable] == ["ab", "display_data", "c"]


def test_cell_names_last() -> None:
    lesson = refresh.normalise(mini.unrun())
    before = [cell.id for cell in lesson.cells]
    lesson.cells[0].source += " More."
    assert [cell.id for cell in refresh.normalise(lesson).cells] == before


def test_cell_names_do_not_hang_on_chance() -> None:
    names = [[cell.id for cell in refresh.normalise(mini.unrun()).cells] for _ in range(2)]
    assert names[0] == names[1]


def test_equal_cells_get_different_names() -> None:
    cells = [new_code_cell("1"), new_code_cell("1"), new_code_cell("1")]
    cells[0].id = cells[1].id = "same"
    refresh.name_cells(cells)
    first, second, third = (cell.id for cell in cells)
    assert first == "same"
    assert second.startswith("code-")
    assert third == f"{second}-2"
