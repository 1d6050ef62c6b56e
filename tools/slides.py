"""Makes slides out of the lessons: slides/*.html, one file for each, which need no network and no server.

    python tools/slides.py                                  every notebook in notebooks/
    python tools/slides.py notebooks/02_backward.ipynb      only this one

What a cell is decides what becomes of it, so nothing about slides is kept in the notebooks:

- the lesson's heading, promise and aims: the title; the headings of its sections: the contents;
- the prompt of an exercise: the question, large; a prediction's answer comes with the next key;
- the import cell, the learner's blanks, calls for hints: left out;
- any other code: what the text before it asks, or how it begins, and the code; with the next key the output and what
  the text has in bold. Key `n` shows the whole text.
"""

from __future__ import annotations

import argparse
import base64
import html
import importlib
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import latex2mathml.converter
import mistune
from nbformat import NotebookNode
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from classroom.editions.files import write_all
from classroom.editions.learner import to_notebook
from classroom.editions.source import Course, is_lesson, read_course
from course_utils.core.tables import format_cell
from course_utils.exercises.exercise import Prediction

ROOT = Path(__file__).resolve().parent.parent
DECK = Path(__file__).resolve().parent / "deck"
PROMPT = re.compile(r"exercises\.(\w+)")
FOR_LEARNERS = re.compile(r"(?s).*exercises\.\w+\.(check|hint|solution)\(\w*\)")  # a blank to fill in, a call for help
WHOLE = re.compile(r"[|<]|- |\d+\. |\$\$|```")  # how a paragraph begins that is not cut into sentences
UNBROKEN = re.compile(r"`[^`]*`|\$[^$]*\$|\([^)]*\)|\[[^]]*\]\([^)]*\)")  # where a full stop ends no sentence
SENTENCE_ENDS = re.compile(r"(?:(?<=[.?!])|(?<=[.?!]\*)|(?<=[.?!]\*\*))\s+(?=[^a-z])")
MOVE_IT = re.compile(r"<p><em>▸.*?</em></p>")
SIZE = re.compile(r'<svg[^>]*?width="([\d.]+)"[^>]*?height="([\d.]+)"')
WIDE = 1.9  # a picture so many times wider than high gets the slide's whole width
LONG = 48  # letters of an answer from which it is set smaller
ZOOM = 1.6  # how much larger than in the notebook a picture may get


def to_mathml(formula: str, *, display: str = "inline") -> str:
    """A formula of LaTeX for the browser to draw; `sin x` and its like get the space that browsers leave out."""
    drawn = latex2mathml.converter.convert(formula.strip(), display=display)
    return re.sub(r"(<mi>[a-z]{2,}</mi>)", r'<mspace width="0.17em"/>\1<mspace width="0.17em"/>', drawn)


class Renderer(mistune.HTMLRenderer):
    """Markdown to HTML, with formulas as MathML, which browsers draw and screen readers say by themselves."""

    def inline_math(self, text: str) -> str:
        return to_mathml(text)

    def block_math(self, text: str) -> str:
        return to_mathml(text, display="block")


to_html = mistune.create_markdown(renderer=Renderer(escape=False), plugins=["table", "math"])


@dataclass
class Slide:
    """One slide. `say`, `claim` and `notes` are Markdown, `code` and `answer` HTML; answer and claim wait for a key."""

    heading: str
    kind: str
    say: str = ""
    code: str = ""
    answer: str = ""
    claim: str = ""
    notes: str = ""

    def to_html(self, number: int) -> str:
        """The slide as a section of the page."""
        places = {
            "say": to_html(self.say),
            "code": self.code,
            "answer step": self.answer,
            "claim step": to_html(self.claim),
        }
        parts = {place: f'<div class="{place}">{content}</div>' for place, content in places.items() if content}
        if self.kind == "plain":
            parts["code"] = f'<div class="work">{parts["code"]}{parts.pop("answer step", "")}</div>'
        body = "".join(parts.values())
        notes = f'<aside class="notes" hidden>{to_html(self.notes)}</aside>' if self.notes else ""
        level = "h1" if self.kind == "title" else "h2"
        heading = re.sub(r"</?p>", "", to_html(self.heading)).strip()
        return (
            f'<section class="slide {self.kind}" id="{number}"><{level} tabindex="-1">{heading}</{level}>'
            f'<div class="body">{body}</div>{notes}</section>'
        )


def sentences(paragraph: str) -> list[str]:
    """The sentences of a paragraph."""
    kept = iter(UNBROKEN.findall(paragraph))
    parts = SENTENCE_ENDS.split(UNBROKEN.sub("\0", paragraph))
    return [re.sub("\0", lambda _: next(kept), part) for part in parts]


def condense(text: str) -> tuple[str, str]:
    """What a slide says of a text before the answer is seen, and what after.

    Before: its questions, each with the sentence that leads to it, or else its first two sentences. After: what else it
    has in bold. Tables, lists and displayed formulas stay.
    """
    whole, cut = [], []
    for paragraph in filter(None, re.split(r"\n\s*\n", text.strip())):
        if WHOLE.match(paragraph):
            whole.append(paragraph)
        else:
            cut += sentences(paragraph)
    asked = {place for place, each in enumerate(cut) if "?" in each}
    first = sorted(asked | {place - 1 for place in asked if place}) or range(min(2, len(cut)))
    claims = [each for place, each in enumerate(cut) if "**" in each and place not in first]
    return "\n\n".join([" ".join(cut[place] for place in first), *whole]), " ".join(claims)


def picture_of(output: NotebookNode) -> str:
    """An output's picture, no larger than it bears, with what it is: "wide" or "tall" as its class; "" for none."""
    shown = output.get("data", {}).get("text/html", "")
    found = re.search(r'(<img alt="[^"]*") width="[^"]*" (src="data:image/svg\+xml;base64,([^"]*)")', shown)
    if not found:
        return ""
    width, height = map(float, SIZE.search(base64.b64decode(found[3]).decode()).groups())
    shape = "wide" if width > WIDE * height else "tall"
    room = f"max-width: {width * ZOOM / 20:.1f}rem; max-height: {height * ZOOM / 20:.1f}rem"
    return f'{found[1]} class="{shape}" style="{room}" {found[2]}>'


def output_to_html(output: NotebookNode) -> str:
    """One output as it stands on a slide."""
    if output.output_type == "error":
        return f'<pre class="error"><b>{output.ename}:</b> {html.escape(output.evalue)}</pre>'
    if output.output_type == "stream":
        text = html.escape(output.text.strip())
        return f'<pre class="{"error" if output.name == "stderr" else "plain"}">{text}</pre>'
    if picture := picture_of(output):
        return picture
    data = output.data
    if "text/html" in data:
        return MOVE_IT.sub("", data["text/html"])
    if "text/markdown" in data:
        return to_html(data["text/markdown"])
    return f'<pre class="plain">{html.escape(data["text/plain"])}</pre>'


def code_to_html(source: str) -> str:
    """Code in colours; a line too long for the slide goes on below where it began, not at the margin."""
    lines = highlight(source, PythonLexer(stripnl=False), HtmlFormatter(nowrap=True)).splitlines(keepends=True)
    indents = [len(line) - len(line.lstrip()) for line in source.splitlines()]
    pairs = zip(lines, indents, strict=True)
    return f"<pre>{''.join(f'<span class=line style=--indent:{n}ch>{line}</span>' for line, n in pairs)}</pre>"


def of_code(cell: NotebookNode, heading: str, text: str) -> Slide:
    """The slide of a cell that shows or defines something."""
    say, claim = condense(text)
    answer = "".join(map(output_to_html, cell.outputs))
    shape = re.search(r'<img [^>]*class="(wide|tall)"', answer)
    return Slide(heading, shape[1] if shape else "plain", say, code_to_html(cell.source), answer, claim, text)


def of_prompt(cell: NotebookNode, heading: str, text: str, exercises: object) -> Slide:
    """The slide of an exercise's question, with the answer where it is a value."""
    exercise = getattr(exercises, PROMPT.fullmatch(cell.source)[1])
    is_prediction = isinstance(exercise, Prediction)
    value = format_cell(exercise.answer) if is_prediction else ""
    size = "value long" if len(value) > LONG else "value"
    answer = f'<p class="{size}">{html.escape(value)}</p>' if is_prediction else ""
    question = f'<div class="question"><b>{exercise.heading}</b>{to_html(exercise.prompt)}</div>'
    return Slide(heading, "prompt", code=question, answer=answer, notes=text)


def of_title(cell: NotebookNode) -> Slide:
    """The title: promise, times, aims."""
    heading, *rest = cell.source.removeprefix("# ").split("\n\n")
    kept = [part for part in rest if WHOLE.match(part) or part.startswith("**") or part.endswith("able to")]
    return Slide(heading.strip(), "title", "\n\n".join(kept))


def explain(slides: list[Slide], heading: str, text: str) -> None:
    """Puts text without code after it on the slide before it, or, where it is first in its section, on its own."""
    if text and slides[-1].heading == heading:
        slides[-1].claim = "\n\n".join(filter(None, [slides[-1].claim, *condense(text)]))
        slides[-1].notes += f"\n\n{text}"
    elif text:
        slides.append(Slide(heading, "text", text))


def slides_of(notebook: NotebookNode, exercises: object) -> list[Slide]:
    """The slides of a lesson, in order."""
    title, _, *cells = notebook.cells
    slides = [of_title(title)]
    heading, text = "", ""
    for cell in cells:
        if cell.cell_type == "markdown":
            before, *rest = re.split(r"(?m)^##+ (.+)$", cell.source)
            text = f"{text}\n\n{before}".strip()
            for next_heading, next_text in zip(rest[::2], rest[1::2], strict=True):
                explain(slides, heading, text)
                heading, text = next_heading, next_text.strip()
        elif PROMPT.fullmatch(cell.source):
            slides.append(of_prompt(cell, heading, text, exercises))
            text = ""
        elif not FOR_LEARNERS.fullmatch(cell.source):
            slides.append(of_code(cell, heading, text))
            text = ""
    summary, _, following = text.partition("**Next.**")
    explain(slides, heading, summary.strip())
    return [*slides, Slide("Next", "next", following)] if following else slides


def contents(slides: list[Slide]) -> Slide:
    """The sections, as links to their first slides."""
    firsts: dict[str, int] = {}
    for number, slide in enumerate(slides[1:-1], 3):
        firsts.setdefault(slide.heading, number)
    return Slide("In this lesson", "contents", "\n".join(f"1. [{name}](#{number})" for name, number in firsts.items()))


def deck(name: str, stored: bytes) -> str:
    """The page of one lesson's slides: its file's name, and what is in it."""
    exercises = importlib.import_module(f"course_utils.exercises.lesson_{name[:2]}")
    slides = slides_of(to_notebook(stored), exercises)
    slides.insert(1, contents(slides))
    body = "\n".join(slide.to_html(number) for number, slide in enumerate(slides, 1)).replace('.ipynb"', '.html"')
    return page(slides[0].heading, f'<main id="deck">{body}</main><p id="place" aria-hidden="true"></p>')


def page(title: str, body: str) -> str:
    """An HTML page that holds all it needs."""
    style, script = ((DECK / name).read_text(encoding="utf-8") for name in ("deck.css", "deck.js"))
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{html.escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width">\n<style>\n{style}</style>\n'
        f"{body}\n<script>\n{script}</script>\n"
    )


def chosen(course: Course, names: list[str]) -> list[str]:
    """The paths of the lessons to make slides of: those named, or all.

    Raises:
        ValueError: one of the names is no lesson of the course.
    """
    lessons = sorted(filter(is_lesson, course.files))
    for name in names:
        if f"notebooks/{Path(name).name}" not in lessons:
            raise ValueError(f"{name!r} is no lesson of the course; expected one as notebooks/02_backward.ipynb")
    return [path for path in lessons if not names or Path(path).name in {Path(name).name for name in names}]


def main(arguments: list[str] | None = None) -> None:
    """Writes the slides of the lessons named on the command line, or of all, as they are committed.

    Raises:
        SystemExit: there is no such lesson, or the folder cannot be written.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", help="lessons, as notebooks/02_backward.ipynb (default: all)")
    parser.add_argument("--into", type=Path, default=ROOT / "slides", help="the folder to fill (default: slides)")
    parser.add_argument("--as-it-is", action="store_true", help="the lessons on disk, not those that are committed")
    told = parser.parse_args(arguments)
    try:
        course = read_course(ROOT, as_it_is=told.as_it_is)
        lessons = chosen(course, told.notebooks)
        if course.notice:
            print(course.notice)
        pages = {f"{Path(path).stem}.html": deck(Path(path).name, course.files[path]).encode() for path in lessons}
        write_all(told.into, pages)
    except (ValueError, OSError) as error:
        sys.exit(f"{error}.")
    print(*(told.into / name for name in pages), sep="\n")


if __name__ == "__main__":
    main()
