"""Cheat sheets: the closing tables of the lessons, one page each, and nothing half-made."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import sheets

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SVG = base64.b64encode(b'<svg width="40" height="20"/>').decode()
TABLE = "| You type | What it does |\n|---|---|\n| `f(a.b)` | $x^2$ |"


@pytest.mark.parametrize("path", LESSONS[1:], ids=lambda path: path.stem)
def test_every_lesson_has_a_sheet_of_its_whole_table_and_one_picture(path: Path) -> None:
    notebook = sheets.to_notebook(path.read_bytes())
    rows = sheets.closing_table(notebook).splitlines()
    made = sheets.sheet(notebook)
    assert made.count("<tr>") == len(rows) - 1 >= 5
    assert made.count("<img ") == 1 and "|" not in re.sub(r"<(code|img|math)\b.*?>.*?(?=<)", "", made)
    assert not re.search(r"\$[^$]+\$", made)


def test_the_table_ends_where_it_ends_and_code_breaks_between_names_only() -> None:
    closing = f"## What you take away\n\n{TABLE}\n\n**Next.** And?"
    notebook = new_notebook(cells=[new_markdown_cell("# A & B\n\nWhy."), new_markdown_cell(closing)])
    assert sheets.closing_table(notebook) == TABLE
    made = sheets.sheet(notebook)
    assert "<h1>A &amp; B</h1>" in made and "<code>f(<wbr>a.<wbr>b)</code>" in made and "<math" in made
    assert "Next" not in made and "<img" not in made
    assert sheets.closing_table(new_notebook(cells=notebook.cells[:1])) == ""


def test_the_picture_is_a_finished_pass_if_there_is_one() -> None:
    def graph(text: str, alt: str) -> NotebookNode:
        shown = f'<img alt="{alt}" width="100%" src="data:image/svg+xml;base64,{SVG}">'
        data = {"text/plain": text, "text/html": shown, "image/svg+xml": "<svg/>"}
        return new_code_cell(outputs=[new_output("display_data", data=data)])

    cells = [graph("Graph of z", "first"), graph(f"{sheets.FINISHED}.", "second")]
    assert 'alt="second"' in sheets.picture(new_notebook(cells=cells))
    assert 'alt="first"' in sheets.picture(new_notebook(cells=cells[:1]))


def test_a_lesson_that_is_not_there_a_missing_chromium_and_a_lesson_without_table_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    into = f"--into={tmp_path / 'sheets'}"
    with pytest.raises(SystemExit, match="'99.ipynb' is no lesson of the course"):
        sheets.main([into, "99.ipynb"])
    monkeypatch.setattr(sheets, "find_chromium", lambda: "chromium")
    with pytest.raises(SystemExit, match="none of these lessons closes with a table"):
        sheets.main([into, LESSONS[0].name])
    monkeypatch.undo()
    monkeypatch.setattr(sheets.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match="no Chromium to print with; install it"):
        sheets.main([into, LESSONS[2].name])
    assert list(tmp_path.iterdir()) == []
