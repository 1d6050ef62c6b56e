"""`make portable` tells green from red, and docs/machines.md is its table."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import portable
from conditions import ROOT, Condition, conditions
from environments import is_open_to_others, move_names
from hiding import path_without
from machines_page import NEVER, PAGE, Row, rows_of, table, with_rows

SMALL_COURSE = """
import os, pathlib, shutil, tempfile

def test_as_here():
    assert os.environ.get("ANOTHER") != "machine"

def test_the_row_has_a_home_and_a_tmp_of_its_own():
    home, tmp = pathlib.Path.home(), pathlib.Path(tempfile.gettempdir())
    assert [path.name for path in home.rglob("*.py")] == os.environ.get("HOLDS", "").split()
    assert tmp.parent == home.parent
    assert pathlib.Path.cwd().name == os.environ.get("NAME", "course")
    assert shutil.which("hides-me") is None
"""
pytestmark = pytest.mark.slow
needs_git = pytest.mark.skipif(not shutil.which("git"), reason="a row is a clone: it needs git")


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with two tests; a third is not committed."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # the small course needs none, and they take seconds
    (tmp_path / "test_course.py").write_text(SMALL_COURSE, encoding="utf-8")
    who = ["-c", "user.name=Anna", "-c", "user.email=anna@example.org"]
    for command in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "All"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    (tmp_path / "test_later.py").write_text("def test_not_committed(): raise Exception", encoding="utf-8")
    return tmp_path


def tried(source: Path, tests: str = ".", **options: object) -> Row:
    """The row of a condition over the small repository, in this Python."""
    condition = Condition("name", "words", **options)
    return portable.try_condition(condition, [tests], workers=1, source=source, bring=lambda *_: Path(sys.executable))


@needs_git
def test_a_red_condition_is_red_and_says_what_failed(source: Path) -> None:
    row = tried(source, environment={"ANOTHER": "machine"})
    assert (row.is_red, row.result, row.red) == (True, "red: 1 failed, 1 passed", "test_course.py::test_as_here")


@needs_git
def test_a_green_condition_is_green_in_its_own_surroundings(source: Path) -> None:
    rows = [
        tried(source),
        tried(source, folder="ä & [b]", environment={"NAME": "ä & [b]"}),
        tried(source, home={".config/it.py": "x = 1"}, environment={"HOLDS": "it.py"}),
    ]
    assert [row.result for row in rows] == ["green: 2 passed"] * 3
    assert f"Python {sys.version_info.major}.{sys.version_info.minor}" in rows[0].versions


@needs_git
def test_what_cannot_be_had_or_set_up_is_never_green(source: Path) -> None:
    assert tried(source, missing=lambda: "no such machine").result == "not had: no such machine"
    assert tried(source / "nowhere").is_red
    row = tried(source, "no_such.py")
    assert row.is_red and "pytest ended with code" in row.red


def test_a_crash_is_red_even_if_no_test_is() -> None:
    assert portable.read("Segmentation fault\n", -11) == ("red: nothing ran", "pytest ended with code -11")


def test_the_exit_code_says_red(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    results = {"no-dot": "green: 3 passed", "no-git": "not had: git", "link": "red: 1 failed"}
    monkeypatch.setattr(portable, "try_condition", lambda it, *_, **__: Row(it.name, "", results[it.name]))
    assert portable.main(["no-dot", "no-git"]) == 0
    assert portable.main(["link", "no-dot"]) == 1  # and goes on after the red row
    assert "| no-dot |  | green: 3 passed |" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="WHAT=no-dots: no such condition; expected some of plain, rounding-1"):
        portable.main(["no-dots"])
    with pytest.raises(SystemExit, match="2"):
        portable.main(["--write", "no-dot", "--tests", "tests/test_lazy.py"])


def test_large_environments_are_made_only_if_named() -> None:
    every = conditions()
    large = {name for name, each in every.items() if each.large}
    assert {name.partition("-")[0] for name in large} == {"python", "torch"}
    assert large.isdisjoint(each.name for each in portable.chosen([], every))
    assert [each.name for each in portable.chosen(["torch-2.9.1"], every)] == ["torch-2.9.1"]


def test_every_condition_runs_tests_that_are_there() -> None:
    named = {ROOT / test for each in conditions().values() for test in each.tests}
    assert named and [path for path in named if not path.exists()] == []


def test_a_program_is_hidden_and_its_neighbours_are_not(tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b", tmp_path / "links"]
    for folder in folders:
        folder.mkdir()
    for file in (folders[0] / "dot", folders[0] / "cat", folders[1] / "git"):
        file.write_text("#!/bin/sh\n", encoding="utf-8")
        file.chmod(0o755)
    path = path_without(["dot"], folders[2], os.pathsep.join(map(str, folders[:2])))
    assert [bool(shutil.which(program, path=path)) for program in ("dot", "cat", "git")] == [False, True, True]
    assert str(folders[1]) in path and str(folders[0]) not in path.split(os.pathsep)


def test_a_moved_script_finds_its_python_in_a_folder_with_spaces(tmp_path: Path) -> None:
    now = tmp_path / "ü [b]"
    now.mkdir()
    (now / "python").symlink_to(sys.executable)
    script, twin = now / "say", tmp_path / "twin"
    script.write_text("#!/old/place/python\nprint('moved')\n", encoding="utf-8")
    script.chmod(0o755)
    twin.hardlink_to(script)
    move_names(script, {Path("/old/place"): now})
    assert subprocess.check_output([script], text=True, encoding="utf-8") == "moved\n"
    assert twin.read_text(encoding="utf-8").startswith("#!/old")


def test_a_folder_behind_a_closed_one_is_not_open(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir(mode=0o755)
    tmp_path.chmod(0o700)
    assert not is_open_to_others(tmp_path / "inner")
    assert is_open_to_others(Path("/"))


def test_the_page_has_a_row_for_each_condition_and_none_besides() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows, every = rows_of(text), conditions()
    assert {row.name: row.says for row in rows} == {each.name: each.says for each in every.values()}
    assert [row.name for row in rows] == list(every)
    assert with_rows(text, []) == text
    for row in rows:
        assert row.result.partition(":")[0] in ("green", "red", "not had", NEVER), row
        assert bool(row.day) == (row.result != NEVER), row
        assert bool(row.versions) == row.result.startswith(("green", "red: 1", "red: 2")), row


def test_a_new_row_takes_the_place_of_the_old_and_no_other() -> None:
    text = f"Before.\n\n{table([Row('no-dot', 'a'), Row('link', 'b', 'green: 1 passed', '', '2026-11-30')])}\nAfter.\n"
    new = Row("no-dot", "x | y", "red: 1 failed", "a.py::b")
    rows = {row.name: row for row in rows_of(with_rows(text, [new]))}
    assert rows["no-dot"] == new and rows["link"].result == "green: 1 passed"
    assert rows["plain"].result == NEVER and len(rows) == len(conditions())
    with pytest.raises(ValueError, match="0 tables"):
        rows_of("no table")
