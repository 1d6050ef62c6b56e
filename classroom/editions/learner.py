"""The learner's edition of a lesson: no outputs, no counts, and every task to be read before anything is run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from course_utils.exercises.exercise import Exercise

from .questions import PROMPT, exercises_of


def for_learners(notebook: NotebookNode) -> NotebookNode:
    """A copy of the notebook as a learner gets it; cells keep their ids and tags."""
    exercises = exercises_of(notebook)
    page = nbformat.from_dict(notebook)
    page.cells = [cell for stored in page.cells for cell in _cells(stored, exercises)]
    return page


def _cells(cell: NotebookNode, exercises: Mapping[str, Exercise]) -> Iterator[NotebookNode]:
    """What becomes of one stored cell: mostly itself; the line that shows a task becomes the task's own text."""
    if cell.cell_type != "code":
        yield cell
        return
    cell.outputs, cell.execution_count = [], None
    found = PROMPT.search(cell.source)
    if not found or found[1] not in exercises:
        yield cell
        return
    code, task = cell.source[: found.start()], exercises[found[1]].card._repr_markdown_()
    if code:
        cell.source = code
        yield cell
    yield new_markdown_cell(task, id=f"{cell.id}-task" if code else cell.id)


def learners_pages(stored: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of notebooks as learners get them, by the same names.

    Raises:
        ValueError: one of them is no notebook.
    """
    pages = {}
    for name, content in stored.items():
        try:
            pages[name] = to_bytes(for_learners(to_notebook(content)))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return pages


def to_notebook(stored: bytes) -> NotebookNode:
    """The notebook of a file.

    Raises:
        ValueError: it is not one.
    """
    try:
        return nbformat.reads(stored.decode("utf-8"), as_version=4)
    except (UnicodeDecodeError, nbformat.reader.NotJSONError, AttributeError, KeyError) as error:
        raise ValueError(f"it is no notebook ({type(error).__name__})") from error


def to_bytes(notebook: NotebookNode) -> bytes:
    """The file of a notebook, as `make refresh` writes it."""
    return f"{nbformat.writes(notebook)}\n".encode()
