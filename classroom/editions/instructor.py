"""The instructor's edition of a lesson: outputs, every solution filled in, and what learners ask where they ask it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_output

from course_utils.exercises.exercise import Verdict

from .learner import to_bytes, to_notebook
from .questions import questions, solved
from .source import GUIDE, Course, is_lesson

FRAME = '<div style="border-left: 4px solid #8a8a8a; padding: 8px 0 1px 12px; margin: 4px 0">\n\n{text}\n\n</div>'
QUESTION = re.compile(r"(?ms)^- (.+?)(?=^- |^On the board:|\Z)")
POINTER = re.compile(r"→\s+\*(.+?)\*(?=[\s;.]|$)")


def notes_of(guide: str) -> dict[str, str]:
    """What the guide has about each lesson under "What learners ask", by the lesson's number."""
    part = guide[guide.index("## What learners ask") :]
    return dict(re.findall(r"(?ms)^### (\d\d) [^\n]*\n(.*?)(?=^##)", part))


def for_instructors(notebook: NotebookNode, notes: str) -> NotebookNode:
    """A copy of the stored notebook with solutions, their verdicts, and the notes below the headings they point to."""
    page = solved(notebook)
    for question in questions(page):
        right = Verdict("right", question.exercise.because if question.exercise else "")
        shown = {"text/markdown": right._repr_markdown_(), "text/plain": repr(right)}
        count = question.cell.execution_count
        question.cell.outputs = [new_output("execute_result", data=shown, execution_count=count)]
    for number, (section, text) in enumerate(_by_section(notes)):
        place = next((n for n, cell in enumerate(page.cells) if _has_heading(cell, section)), 0)
        page.cells.insert(place + 1, new_markdown_cell(FRAME.format(text=text), id=f"note-{number}"))
    return page


def instructors_lessons(course: Course) -> dict[str, bytes]:
    """The instructor's edition of every lesson, by file name.

    Raises:
        ValueError: a lesson is no notebook.
    """
    guide = course.files.get(GUIDE, b"## What learners ask").decode("utf-8")
    return {path.removeprefix("notebooks/"): _lesson(path, course.files[path], notes_of(guide))
            for path in sorted(filter(is_lesson, course.files))}  # fmt: skip


def _lesson(path: str, stored: bytes, notes: Mapping[str, str]) -> bytes:
    name = path.removeprefix("notebooks/")
    try:
        return to_bytes(for_instructors(to_notebook(stored), notes.get(name[:2], "")))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _by_section(notes: str) -> list[tuple[str, str]]:
    """Each section's questions, and first what is for the board, which stands below the title."""
    asked: dict[str, list[str]] = {}
    for text in QUESTION.findall(notes):
        if pointer := POINTER.search(text):
            asked.setdefault(pointer[1], []).append(f"- {text.strip()}")
    found = [(section, "**Learners ask**\n\n" + "\n".join(its)) for section, its in asked.items()]
    board = re.search(r"(?s)On the board: (.+)", notes)
    return [*([("", f"**On the board.** {board[1].strip()}")] if board else []), *found]


def _has_heading(cell: NotebookNode, heading: str) -> bool:
    return cell.cell_type == "markdown" and bool(heading) and f" {heading}" in re.findall(r"(?m)^#+( .+)$", cell.source)
