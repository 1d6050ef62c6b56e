"""Slides: made of the notebooks' own cells, question before answer, and with all they need inside."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import slides
from course_utils.exercises import lesson_02

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TITLE = (
    "# A title\n\n**A promise.**\n\n| | |\n|---|---|\n| Time | 5 minutes |\n\n"
    "You will be able to\n\n- **do** it.\n\nRun."
)
OUTPUT = new_output("execute_result", data={"text/plain": "tensor(18.)"}, execution_count=1)


def lesson(*cells: str | nbformat.NotebookNode) -> list[slides.Slide]:
    """Slides of a small lesson; a text is a Markdown cell."""
    made = [new_markdown_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    return slides.slides_of(
        new_notebook(cells=[new_markdown_cell(TITLE), new_code_cell("import torch"), *made]), lesson_02
    )


def code(source: str, *outputs: nbformat.NotebookNode) -> nbformat.NotebookNode:
    return new_code_cell(source, outputs=list(outputs))


def test_the_title_keeps_promise_time_and_aims() -> None:
    (title,) = lesson()
    assert (title.kind, title.heading) == ("title", "A title")
    assert "A promise" in title.say and "5 minutes" in title.say and "**do** it" in title.say
    assert "Run." not in title.say


def test_a_question_comes_first_and_output_and_bold_wait() -> None:
    _, slide = lesson("## Section\n\nLong ago. Take $x$. Is it 3? It is **18**. More.", code("x.grad", OUTPUT))
    assert slide.say == "Take $x$. Is it 3?"
    assert slide.claim == "It is **18**."
    shown = slide.to_html(2)
    waiting = shown.index('class="answer step"')
    assert shown.index("Is it 3?") < waiting < shown.index("tensor(18.)")
    assert shown.index('class="claim step"') > waiting
    assert "Long ago." in shown[shown.index('class="notes" hidden') :]


def test_code_keeps_its_lines_and_long_ones_go_on_below_their_start() -> None:
    shown = slides.code_to_html("def f(x):\n\n    return x")
    assert re.sub("<[^>]+>", "", shown) == "def f(x):\n\n    return x\n"
    assert re.findall(r"--indent:(\d+)ch", shown) == ["0", "0", "4"]


def test_what_is_no_lesson_is_named_and_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"'README.md' is no lesson of the course; expected one as notebooks/02"):
        slides.main(["notebooks/02_backward.ipynb", "README.md", f"--into={tmp_path / 'slides'}"])
    assert not (tmp_path / "slides").exists()


def test_a_prediction_shows_its_answer_last_and_blanks_and_hints_are_left_out() -> None:
    blank = code("prediction = ...\n\nexercises.first_slope.check(prediction)", OUTPUT)
    cells = "## Predict", code("exercises.first_slope"), blank, code("exercises.first_slope.hint()")
    _, slide = lesson(*cells)
    assert slide.kind == "prompt"
    assert "x.grad" in slide.code and "<b>Predict</b>" in slide.code
    assert slide.answer == '<p class="value">18.00</p>'


def test_an_exercise_shows_no_solution() -> None:
    _, slide = lesson(
        "## Do", code("exercises.slope"), code("def slope(f, x):\n    ...\n\nexercises.slope.check(slope)")
    )
    assert "<b>Exercise</b>" in slide.code
    assert slide.answer == ""


def test_text_before_the_next_heading_explains_the_slide_before_it() -> None:
    _, first, second = lesson("## One\n\nRun it.", code("x", OUTPUT), "As **foreseen**.\n\n## Two\n\nNow.", code("y"))
    assert (first.heading, first.claim) == ("One", "As **foreseen**.")
    assert (second.heading, second.say) == ("Two", "Now.")


def test_the_summary_and_the_last_question_have_slides_of_their_own() -> None:
    _, summary, last = lesson("## What you take away\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n**Next.** And then?")
    assert "| 1 | 2 |" in summary.say
    assert (last.kind, last.say.strip()) == ("next", "And then?")


def test_errors_show_their_message_without_the_traceback() -> None:
    error = new_output("error", ename="ValueError", evalue="a < b", traceback=["File nowhere"])
    _, slide = lesson("## Fails", code("fail()", error))
    assert slide.answer == '<pre class="error"><b>ValueError:</b> a &lt; b</pre>'


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two? Three!", ["One.", "Two?", "Three!"]),
        ("It is **18.** Now.", ["It is **18.**", "Now."]),
        (
            "Call `f(x). Then` and (see p. 3. Or not) stop. End.",
            ["Call `f(x). Then` and (see p. 3. Or not) stop.", "End."],
        ),
        ("At 0.5 it is e.g. flat.", ["At 0.5 it is e.g. flat."]),
    ],
)
def test_sentences(text: str, parts: list[str]) -> None:
    assert slides.sentences(text) == parts


def test_formulas_are_drawn_by_the_browser_itself() -> None:
    drawn = slides.to_html(r"Let $y = u \sin u$.")
    assert "<math" in drawn and "$" not in drawn
    assert '<mspace width="0.17em"/><mi>sin</mi>' in drawn


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_lesson_becomes_a_page_that_needs_nothing_else(path: Path) -> None:
    page = slides.deck(path.name, path.read_bytes())
    text = re.sub(r"(?s)<style>.*?</style>|<script>.*?</script>|<pre>.*?</pre>|<code>.*?</code>", "", page)
    assert not re.search(r'(?:src|href)="(?!data:|#)[^"]*//', page)
    assert not re.search(r"\$[^$]+\$|\\(?:frac|sin|cdot)|exercises\.\w+\.check", text)
    cells = nbformat.read(path, as_version=4).cells
    pictures = sum("<img alt=" in str(output) for cell in cells if cell.cell_type == "code" for output in cell.outputs)
    alternatives = re.findall(r'<img alt="([^"]+)" class="(?:wide|tall)"', page)
    assert len(alternatives) == pictures
    questions = sum(bool(slides.PROMPT.fullmatch(cell.source)) for cell in cells)
    assert page.count('class="question"') == questions
