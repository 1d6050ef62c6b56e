"""Every rule holds for the miniature lesson, and speaks up when the lesson is spoilt in the way it watches for."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

import mini
import rules

Spoil = Callable[[NotebookNode], object]


def cell(lesson: NotebookNode, source: str) -> NotebookNode:
    """The lesson's cell with this source."""
    return next(cell for cell in lesson.cells if cell.source == source)


def data(lesson: NotebookNode, source: str) -> NotebookNode:
    """What the cell with this source shows, by kind."""
    return cell(lesson, source).outputs[0].data


def add(lesson: NotebookNode, source: str, **metadata: object) -> None:
    """Puts a code cell, with an honest execution count, at the end of the lesson."""
    count = 1 + max(cell.execution_count for cell in rules.code_cells(lesson))
    lesson.cells.insert(-1, new_code_cell(source, metadata=metadata, execution_count=count, id=f"added-{count}"))


def replace(lesson: NotebookNode, source: str, old: str, new: str) -> None:
    """Changes the text of the cell with this source."""
    assert old in source
    cell(lesson, source).source = source.replace(old, new)


def show(lesson: NotebookNode, **kinds: str) -> None:
    """Replaces what the number's cell shows."""
    data(lesson, mini.NUMBER).clear()
    data(lesson, mini.NUMBER).update({kind.replace("_", "/"): text for kind, text in kinds.items()})


def write(lesson: NotebookNode, name: str, text: str) -> None:
    """Lets the number's cell write to a stream."""
    cell(lesson, mini.NUMBER).outputs.append(new_output("stream", name=name, text=text))


def draw_another(lesson: NotebookNode) -> None:
    """Shows a picture that is not the one compared."""
    shown = data(lesson, mini.GRAPH)
    other = base64.b64encode(shown["image/svg+xml"].replace("27", "28").encode()).decode()
    shown["text/html"] = re.sub('base64,[^"]+', f"base64,{other}", shown["text/html"])


SPOILT: list[tuple[rules.Rule, str, Spoil]] = [
    (rules.one_title_and_no_skipped_level, "no title", lambda n: replace(n, mini.OPENING, "# A", "A")),
    (rules.one_title_and_no_skipped_level, "two titles", lambda n: replace(n, mini.CLOSING, "## ", "# ")),
    (rules.one_title_and_no_skipped_level, "a level skipped", lambda n: replace(n, mini.CLOSING, "## ", "#### ")),
    (rules.cells_are_plain_python, "a magic", lambda n: add(n, "%timeit 1")),
    (rules.imports_come_first_by_name, "no torch", lambda n: replace(n, mini.IMPORTS, "import torch", "import math")),
    (rules.imports_come_first_by_name, "no seed", lambda n: replace(n, mini.IMPORTS, "manual_seed(0)", "seed()")),
    (rules.imports_come_first_by_name, "a star", lambda n: replace(n, mini.IMPORTS, "draw_graph, plot_tangent", "*")),
    (rules.imports_come_first_by_name, "a late import", lambda n: add(n, "import math\nmath.pi")),
    (rules.cells_are_short, "one long cell", lambda n: add(n, "1\n" * 26)),
    (rules.cells_are_short, "many cells of six lines", lambda n: [add(n, "1\n" * 6) for _ in range(9)]),
    (rules.cells_are_short, "two of ten with 13 lines", lambda n: [add(n, "1\n" * 13) for _ in range(2)]),
    (rules.cells_are_short, "an empty cell", lambda n: n.cells.append(new_markdown_cell(" "))),
    (rules.prose_leads_to_code, "four code cells in a row", lambda n: [add(n, "1") for _ in range(4)]),
    (
        rules.prose_leads_to_code,
        "too few words",
        lambda n: [c.update(source="## Words\n\nToo few.") for c in rules.markdown_cells(n)[1:3]],
    ),
    (rules.cells_end_on_an_expression, "ends on a value", lambda n: add(n, "y = x * 2")),
    (rules.cells_end_on_an_expression, "ends on a semicolon", lambda n: add(n, "x.grad;")),
    (rules.cells_end_on_an_expression, "ends on a block", lambda n: add(n, "with torch.no_grad():\n    x * 2")),
    (rules.floats_are_never_compared_exactly, "a float", lambda n: add(n, "x.item() == 18.0")),
    (rules.floats_are_never_compared_exactly, "a gradient", lambda n: add(n, "assert x.grad == 18\nx")),
    (rules.floats_are_never_compared_exactly, "an item", lambda n: add(n, "y.sum().item() != 18")),
    (rules.drawing_lives_in_the_package, "matplotlib", lambda n: add(n, "import matplotlib.pyplot as plt\nplt")),
    (rules.drawing_lives_in_the_package, "widgets", lambda n: add(n, "from ipywidgets import interact\ninteract")),
    (rules.every_cell_was_run_in_order, "never run", lambda n: cell(n, mini.PLOT).update(execution_count=None)),
    (rules.every_cell_was_run_in_order, "out of order", lambda n: cell(n, mini.PLOT).update(execution_count=1)),
    (
        rules.every_cell_was_run_in_order,
        "a result of another run",
        lambda n: cell(n, mini.PLOT).outputs[0].update(execution_count=77),
    ),
    (rules.outputs_say_something, "empty", lambda n: show(n, text_plain="\n")),
    (rules.outputs_say_something, "a PNG", lambda n: show(n, text_plain="a picture", image_png="iVBOR")),
    (rules.outputs_say_something, "no plain text", lambda n: show(n, text_html="<b>18</b>")),
    (rules.outputs_say_something, "a widget", lambda n: data(n, mini.NUMBER).update({rules.WIDGET_VIEW: {}})),
    (rules.warnings_are_meant, "a warning", lambda n: write(n, "stderr", "careful")),
    (rules.warnings_are_meant, "a tag too many", lambda n: add(n, "1", tags=["shows-warning"])),
    (rules.errors_are_meant, "an untagged error", lambda n: cell(n, mini.TROUBLE).metadata.clear()),
    (rules.errors_are_meant, "no error stored", lambda n: cell(n, mini.TROUBLE).outputs.clear()),
    (rules.nothing_escapes_comparison_without_a_reason, "a marker", lambda n: add(n, "# NBVAL_IGNORE_OUTPUT\n1")),
    (rules.nothing_escapes_comparison_without_a_reason, "a tag", lambda n: add(n, "1", tags=["nbval-skip"])),
    (rules.tags_are_known, "a word", lambda n: add(n, "1", tags=["torch"])),
    (rules.tags_are_known, "a bound the wrong way round", lambda n: add(n, "1", tags=["torch=>2.11"])),
    (rules.tags_are_known, "a bound on another package", lambda n: add(n, "1", tags=["numpy<3"])),
    (rules.pictures_have_words, "an image without", lambda n: show(n, text_plain="18", text_html="<img src='a'>")),
    (rules.pictures_have_words, "too few", lambda n: show(n, text_plain="18", text_html="<img alt='a plot'>")),
    (rules.pictures_have_words, "a bare SVG", lambda n: show(n, text_plain="18", text_html="<svg></svg>")),
    (rules.pictures_have_words, "in Markdown", lambda n: replace(n, mini.CLOSING, "What", "![graph](graph.svg) What")),
    (rules.shown_picture_is_the_compared_one, "another picture", draw_another),
    (
        rules.shown_picture_is_the_compared_one,
        "other words",
        lambda n: data(n, mini.PLOT).update({"text/plain": "tangent of f at x = 3.00: f = 27, slope = 19"}),
    ),
    (rules.metadata_is_the_same_everywhere, "a kernel", lambda n: n.metadata.kernelspec.update(name="mine")),
    (rules.metadata_is_the_same_everywhere, "a widget's state", lambda n: n.metadata.update(widgets={})),
    (rules.metadata_is_the_same_everywhere, "on a cell", lambda n: n.cells[0].metadata.update(collapsed=True)),
    (
        rules.metadata_is_the_same_everywhere,
        "on an output",
        lambda n: cell(n, mini.NUMBER).outputs[0].metadata.update(width=3),
    ),
    (rules.metadata_is_the_same_everywhere, "a random id", lambda n: n.cells[0].update(id="0a1b2c3d")),
    (rules.metadata_is_the_same_everywhere, "an id used twice", lambda n: n.cells[0].update(id=n.cells[1].id)),
    (rules.nothing_of_one_machine, "a folder", lambda n: write(n, "stdout", "in /home/ada/course/a.py")),
    (rules.nothing_of_one_machine, "a Windows folder", lambda n: write(n, "stdout", "in C:\\Users\\ada")),
    (rules.nothing_of_one_machine, "a mounted folder", lambda n: write(n, "stdout", "in /srv/Übung & Kurs/a.py")),
    (rules.nothing_of_one_machine, "a package's line", lambda n: write(n, "stderr", "torch/x.py:979: UserWarning: w")),
    (rules.nothing_of_one_machine, "a package's folder", lambda n: show(n, text_plain="site-packages/torch")),
    (rules.nothing_of_one_machine, "an address", lambda n: show(n, text_plain="<object at 0x7f001122>")),
    (
        rules.nothing_of_one_machine,
        "in a traceback",
        lambda n: cell(n, mini.TROUBLE).outputs[0].traceback.append("\x1b[32m/root/a.py:3\x1b[39m"),
    ),
    (rules.formulas_have_words, "a bare formula", lambda n: n.cells.append(new_markdown_cell("$$y = x^2$$"))),
    (
        rules.opens_with_a_promise_and_closes_with_a_question,
        "no minutes",
        lambda n: replace(n, mini.OPENING, "25 minutes", "a while"),
    ),
    (
        rules.opens_with_a_promise_and_closes_with_a_question,
        "no table",
        lambda n: replace(n, mini.CLOSING, "|---|---|", ""),
    ),
    (
        rules.opens_with_a_promise_and_closes_with_a_question,
        "no question",
        lambda n: replace(n, mini.CLOSING, "twice?", "twice."),
    ),
    (rules.has_every_ingredient, "two checks", lambda n: replace(n, mini.CHECKS, ", Answer().check(4)", "")),
    (rules.has_every_ingredient, "no graph", lambda n: data(n, mini.GRAPH).pop("image/svg+xml")),
    (rules.has_every_ingredient, "no error", lambda n: cell(n, mini.TROUBLE).metadata.clear()),
]


@pytest.mark.parametrize("rule", rules.RULES + rules.LESSON_RULES)
def test_the_miniature_keeps_every_rule(rule: rules.Rule, lesson: NotebookNode) -> None:
    assert rule(lesson) == []


@pytest.mark.parametrize(("rule", "how", "spoil"), SPOILT, ids=[f"{rule.__name__}-{how}" for rule, how, _ in SPOILT])
def test_a_spoilt_lesson_is_noticed(rule: rules.Rule, how: str, spoil: Spoil, lesson: NotebookNode) -> None:
    spoil(lesson)
    assert rule(lesson), how


def test_every_rule_is_tried() -> None:
    assert {rule for rule, _, _ in SPOILT} == {*rules.RULES, *rules.LESSON_RULES}


def test_a_bound_on_torch_is_a_known_tag(lesson: NotebookNode) -> None:
    add(lesson, "1", tags=["torch>=2.11", "torch<2.15"])
    assert rules.tags_are_known(lesson) == []


def test_a_reason_excuses_a_cell_that_is_not_compared(lesson: NotebookNode) -> None:
    add(lesson, "# NBVAL_IGNORE_OUTPUT\n# not compared: times differ from run to run\n1")
    assert rules.nothing_escapes_comparison_without_a_reason(lesson) == []


@pytest.mark.parametrize("source", ["def slope(f, x):\n    ...", "mine = ...", "mine = None", "_ = x.detach()"])
def test_a_definition_and_a_blank_may_end_a_cell(source: str, lesson: NotebookNode) -> None:
    add(lesson, source)
    assert rules.cells_end_on_an_expression(lesson) == []


def test_words_leave_out_what_is_not_running_text() -> None:
    assert rules.words("# One title\n\nTwo words, `inline.code()` and $x^2$.") == 5
    assert rules.words("```python\nno = words\n```\n\n| a | b |\n|---|---|\n\n$$a + b$$") == 0
    assert rules.words("See [the lesson](01.ipynb) on graphs.") == 5
    assert rules.words("![a long description](graph.svg)") == 0


def test_the_miniature_is_a_valid_notebook(lesson: NotebookNode) -> None:
    nbformat.validate(lesson)
