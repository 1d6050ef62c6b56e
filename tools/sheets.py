"""Makes cheat sheets out of the lessons: sheets/*.pdf, one A4 page for each lesson and one sheet for all, by Chromium.

    python tools/sheets.py                                  every lesson with a closing table, and all of them together
    python tools/sheets.py notebooks/02_backward.ipynb      only this one

A sheet is the table that closes the lesson, and one picture: the first finished backward pass, or else the first graph.
"""

from __future__ import annotations

import argparse
import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from nbformat import NotebookNode

from classroom.editions.files import write_all
from classroom.editions.learner import to_notebook
from classroom.editions.source import read_course
from slides import DECK, chosen, picture_of, to_html

ROOT = Path(__file__).resolve().parent.parent
CLOSING = re.compile(r"(?ms)^## What you take away\n+(\|.*?\|)\n(?!\|)")
IN_CODE = re.compile("<code>.*?</code>")  # where a long line may break: between names, never inside one
FINISHED = "The backward pass is finished"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
QUIET = ["--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--no-pdf-header-footer"]
ALL = "all"


def find_chromium() -> str:
    """The path of a Chromium, Chrome or Edge.

    Raises:
        ValueError: there is none on the search path.
    """
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        raise ValueError("no Chromium to print with; install it: apt install chromium, or brew install --cask chromium")
    return found


def closing_table(notebook: NotebookNode) -> str:
    """The table under "What you take away", as Markdown; "" for a lesson without one."""
    texts = (cell.source + "\n\n" for cell in reversed(notebook.cells) if cell.cell_type == "markdown")
    return next((found[1] for found in map(CLOSING.search, texts) if found), "")


def picture(notebook: NotebookNode) -> str:
    """The picture of the lesson, as HTML; "" for a lesson without graphs."""
    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    graphs = [output for output in shown if "image/svg+xml" in output.get("data", {})]
    finished = [output for output in graphs if output.data["text/plain"].startswith(FINISHED)]
    return next(map(picture_of, finished or graphs), "")


def sheet(notebook: NotebookNode) -> str:
    """The sheet of one lesson as a part of a page."""
    title = notebook.cells[0].source.partition("\n")[0].removeprefix("# ")
    table = IN_CODE.sub(lambda code: re.sub(r"(?<=[(.,=])(?=\w)", "<wbr>", code[0]), to_html(closing_table(notebook)))
    return f"<section><h1>{html.escape(title)}</h1>{table}{picture(notebook)}</section>"


def page(body: str, *, kind: str) -> str:
    """A page to be printed: `kind` is "one" or "all"."""
    style = (DECK / "sheet.css").read_text(encoding="utf-8")
    head = f'<meta charset="utf-8"><title>See gradients</title><style>{style}</style>'
    return f'<!doctype html><html lang="en">{head}<body class="{kind}">{body}</body></html>'


def printed(content: str, chromium: str, folder: Path) -> bytes:
    """The page as a PDF; `folder` is one that Chromium may read.

    Raises:
        ValueError: Chromium made none.
    """
    source, result = folder / "sheet.html", folder / "sheet.pdf"
    source.write_text(content, encoding="utf-8")
    result.unlink(missing_ok=True)
    as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    command = [chromium, *QUIET, *as_root, f"--user-data-dir={folder / 'profile'}", f"--print-to-pdf={result}"]
    done = subprocess.run([*command, source.as_uri()], capture_output=True)
    if not result.is_file():
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise ValueError(f"{chromium} printed nothing: {said[-1] if said else 'it gave no reason'}")
    return result.read_bytes()


def sheets(lessons: dict[str, bytes]) -> dict[str, str]:
    """The pages by the names of their sheets: each lesson that closes with a table, and all if there are several."""
    notebooks = {Path(path).stem: to_notebook(stored) for path, stored in lessons.items()}
    parts = {name: sheet(notebook) for name, notebook in notebooks.items() if closing_table(notebook)}
    pages = {name: page(part, kind="one") for name, part in parts.items()}
    together = re.sub(r"<img [^>]*>", "", "".join(parts.values()))
    return pages | ({ALL: page(together, kind="all")} if len(parts) > 1 else {})


def main(arguments: list[str] | None = None) -> None:
    """Prints the sheets of the lessons named on the command line, or of all, as they are committed.

    Raises:
        SystemExit: there is no such lesson, no Chromium, or the folder cannot be written.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", help="lessons, as notebooks/02_backward.ipynb (default: all)")
    parser.add_argument("--into", type=Path, default=ROOT / "sheets", help="the folder to fill (default: sheets)")
    parser.add_argument("--as-it-is", action="store_true", help="the lessons on disk, not those that are committed")
    told = parser.parse_args(arguments)
    try:
        course = read_course(ROOT, as_it_is=told.as_it_is)
        pages, chromium = sheets({path: course.files[path] for path in chosen(course, told.notebooks)}), find_chromium()
        if not pages:
            raise ValueError("none of these lessons closes with a table of what you type")
        if course.notice:
            print(course.notice)
        with tempfile.TemporaryDirectory(dir=ROOT, prefix=".sheets-", ignore_cleanup_errors=True) as aside:
            made = {f"{name}.pdf": printed(content, chromium, Path(aside)) for name, content in pages.items()}
        write_all(told.into, made)
    except (ValueError, OSError) as error:
        sys.exit(f"{error}.")
    print(*(told.into / name for name in made), sep="\n")


if __name__ == "__main__":
    main()
