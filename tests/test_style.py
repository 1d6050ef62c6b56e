"""The linter and the formatter have nothing to say, about code and notebooks; all text is UTF-8."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ["course_utils", "classroom", "tools", "deploy", "benchmarks", "tests"]


@pytest.mark.parametrize("what", [["check"], ["format", "--check"]], ids=["lint", "format"])
def test_nothing_to_fix(what):
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *what, "--no-cache", str(ROOT)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout + done.stderr


def lacks_encoding(call: ast.Call) -> bool:
    """Whether the call reads or writes text, and leaves it to the system in which encoding: on Windows not in UTF-8."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if "encoding" in given or None in given:
        return False
    if name in ("read_text", "write_text"):
        return len(call.args) <= (name == "write_text")
    if name in ("run", "Popen", "check_output"):
        return "text" in given or "universal_newlines" in given
    if name != "open":
        return False
    is_builtin = isinstance(call.func, ast.Name)
    mode = next(iter(call.args[is_builtin:]), given.get("mode"))
    if mode is None:
        return is_builtin or not call.args
    return isinstance(mode, ast.Constant) and bool(re.fullmatch("[rwaxt+]+", str(mode.value)))


@pytest.mark.parametrize(
    ("code", "lacks"),
    [
        ("open('x')", True), ("open('x', 'w')", True), ("open('x', mode='a')", True), ("p.open()", True),
        ("p.open('w')", True), ("p.read_text()", True), ("p.write_text('ü')", True), ("run(x, text=True)", True),
        ("open('x', 'rb')", False), ("p.open('rb')", False), ("lab.open('one.ipynb')", False), ("run(x)", False),
        ("p.write_text('ü', encoding='utf-8')", False), ("open('x', **how)", False), ("lab.open(page)", False),
    ],
)  # fmt: skip
def test_text_that_is_left_to_the_system_is_found(code, lacks):
    assert lacks_encoding(ast.parse(code, mode="eval").body) is lacks


def test_every_text_is_read_and_written_as_utf_8():
    listed = (path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))
    left = [
        f"{path.relative_to(ROOT).as_posix()}:{call.lineno}"
        for path in [*ROOT.glob("*.py"), *listed]
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and lacks_encoding(call)
    ]
    assert left == []
