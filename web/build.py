"""Makes the web edition, build/site: each lesson with its stored outputs, the guides and the reference, as plain files.

    python web/build.py                                 the whole site
    python web/build.py notebooks/02_backward.ipynb     with this lesson alone

The pages need no network and no server. What Sphinx warns of ends the build.
"""

from __future__ import annotations

import argparse
import posixpath
import re
import sys
import tempfile
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from nbformat import NotebookNode  # noqa: E402
from sphinx.cmd.build import build_main  # noqa: E402

from classroom.editions.files import write_all  # noqa: E402
from classroom.editions.learner import to_bytes, to_notebook  # noqa: E402
from classroom.editions.source import read_course  # noqa: E402
from reference import reference  # noqa: E402
from slides import chosen  # noqa: E402

HERE = Path(__file__).resolve().parent
GUIDES = (
    "docs/glossary.md",
    "docs/instructors.md",
    "docs/accessibility.md",
    "docs/offline.md",
    "docs/machines.md",
    "benchmarks/README.md",
    "docs/architecture.md",
    "CONTRIBUTING.md",
)
REFERENCE = "reference.rst"
LINK = re.compile(r"\[([^]]+)\]\(([^)#:\s]+\.\w+|LICENSE)(#[^)]*)?\)")  # to a file, not to an address


def front_page(lessons: list[str], guides: list[str]) -> str:
    """The first page: what the course is, its picture, where to begin, and the lists of all pages."""
    text = (HERE / "index.md").read_text(encoding="utf-8")
    for name, pages in {"LESSONS": lessons, "GUIDES": [*guides, REFERENCE]}.items():
        text = text.replace(name, "\n".join(str(PurePosixPath(page).with_suffix("")) for page in pages))
    return text.replace("FIRST", lessons[0])


def without_dead_links(text: str, path: str, pages: set[str]) -> str:
    """Markdown in which a link to a file that is no page of the site is the link's words alone."""

    def kept(link: re.Match) -> str:
        return link[0] if posixpath.normpath(f"{posixpath.dirname(path)}/{link[2]}".lstrip("/")) in pages else link[1]

    return LINK.sub(kept, text)


def lesson(stored: bytes, path: str, pages: set[str]) -> NotebookNode:
    """The notebook with the outputs that it stores, its links such that each leads somewhere."""
    notebook = to_notebook(stored)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = without_dead_links(cell.source, path, pages)
    return notebook


def sources(files: dict[str, bytes], lessons: list[str]) -> dict[str, bytes]:
    """The files that Sphinx reads, by path."""
    guides = [path for path in GUIDES if path in files]
    pages = {*guides, *lessons}
    made = {path: without_dead_links(files[path].decode(), path, pages).encode() for path in guides}
    # Jupyter keeps a heading's capitals in its anchor, Sphinx does not.
    made |= {path: to_bytes(lesson(files[path], path, pages)).replace(b"#The-map", b"#the-map") for path in lessons}
    made |= {"docs/graph.svg": files["docs/graph.svg"], REFERENCE: reference().encode()}
    return made | {"index.md": front_page(lessons, guides).encode()}


def build(files: dict[str, bytes], lessons: list[str], into: Path) -> None:
    """Writes the site into a folder.

    Raises:
        ValueError: Sphinx found something wrong; it has said what.
    """
    with tempfile.TemporaryDirectory(prefix="see-gradients-site-") as aside:
        source = Path(aside, "source")
        write_all(source, sources(files, lessons))
        options = ["-b", "html", "-W", "--keep-going", "-q", "-c", str(HERE), "-d", str(Path(aside, "doctrees"))]
        if build_main([*options, str(source), str(into)]):
            raise ValueError("the site was not made; Sphinx says why above")


def main(arguments: list[str] | None = None) -> None:
    """Makes the site with the lessons named on the command line, or with all, as they are committed.

    Raises:
        SystemExit: there is no such lesson, a page has a fault, or the folder cannot be written.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", help="lessons, as notebooks/02_backward.ipynb (default: all)")
    parser.add_argument("--into", type=Path, default=ROOT / "build/site", help="the folder to fill (build/site)")
    parser.add_argument("--as-it-is", action="store_true", help="the files on disk, not those that are committed")
    told = parser.parse_args(arguments)
    try:
        course = read_course(ROOT, as_it_is=told.as_it_is)
        if course.notice:
            print(course.notice)
        build(dict(course.files), chosen(course, told.notebooks), told.into)
    except (ValueError, OSError) as error:
        sys.exit(f"{error}.")
    print(told.into / "index.html")


if __name__ == "__main__":
    main()
