"""axe-core on what the course puts into a page, in both themes, and on the slides; JupyterLab's own parts are not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

import slides

LESSON = Path(__file__).resolve().parents[2] / "notebooks/02_backward.ipynb"
OURS = {"include": [[".jp-OutputArea-output"], [".cu-explore"]]}
# rule -> why it is let pass
KNOWN = {"empty-table-header": "the corner of a table whose first column names the rows"}
# What axe finds in JupyterLab 4 itself, around the lessons. A rule that is not here has come in with the course.
JUPYTERLAB = {
    "aria-allowed-attr": "its debugger button",
    "aria-input-field-name": "its code editors have no name",
    "aria-required-children": "its list of cells",
    "button-name": "its buttons that fold headings",
    "label-title-only": "its field with the file's name",
    "region": "its link past the menus",
}
CELLS = [
    "import torch\n"
    "from course_utils import check_setup, draw_graph, explore, explore_graph, explore_tangent, show_tensors, table\n"
    "from course_utils.exercises import lesson_02 as exercises",
    "explore_tangent(torch.sin, x=(-6, 6))",
    "def f(x, way):\n    return x**2 if way == 'square' else torch.sin(x)\n\n"
    "explore_graph(f, x=(-3.0, 3.0, 0.1, 2.0), way=['square', 'sine'])",
    "x = torch.tensor(2.0, requires_grad=True)\ny = x**2\ndraw_graph(y, x=x, y=y, gradients=True)",
    "show_tensors(x=x, y=y)",
    "check_setup()",
    "exercises.slope",
    "exercises.first_slope.check(18)",
    "exercises.first_slope.check(27)",
    "exercises.first_slope.check(...)",
    "exercises.first_slope.hint()",
    "torch.tensor([1], requires_grad=True)",
]


@pytest.fixture(scope="module", params=["light", "dark"])
def page(lab, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A notebook with one of each thing that lessons show, run."""
    lab.set_theme(request.param)
    page = lab.open(lab.write(f"axe_{request.param}.ipynb", *CELLS))
    lab.run_all(page)
    lab.full_height(page)
    expect(page.locator(".cu-explore canvas").first).to_be_visible()
    yield page
    page.context.close()
    lab.set_theme("light")


def findings(page: Page, context: dict | None = None) -> dict[str, list[str]]:
    """The rules that axe finds broken, each with the elements that break it."""
    broken = Axe().run(page, context=context).response["violations"]
    return {rule["id"]: [node["html"][:200] for node in rule["nodes"]] for rule in broken}


def unknown(found: dict[str, list[str]], known: dict[str, str]) -> dict[str, list[str]]:
    return {rule: elements for rule, elements in found.items() if rule not in known}


def test_what_the_course_shows_breaks_no_rule(page: Page) -> None:
    assert page.locator(".cu-explore").count() == 2
    assert unknown(findings(page, OURS), KNOWN) == {}


def test_the_page_around_it_is_as_jupyterlab_made_it(page: Page) -> None:
    assert unknown(findings(page), KNOWN | JUPYTERLAB) == {}


def test_a_nameless_slider_would_be_found(page: Page) -> None:
    handle = page.locator(".cu-explore input[type=range]").first
    name, number = handle.get_attribute("aria-label"), handle.get_attribute("id")
    handle.evaluate("input => { input.removeAttribute('aria-label'); input.id = 'nameless' }")
    assert "label" in findings(page, OURS)
    handle.evaluate("(input, [name, id]) => { input.setAttribute('aria-label', name); input.id = id }", [name, number])


def test_a_move_is_announced_when_it_has_settled(page: Page) -> None:
    readout, handle = page.locator(".cu-readout").first, page.locator(".cu-explore input[type=range]").first
    expect(readout).to_have_attribute("aria-live", "polite")
    readout.evaluate("readout => { window.busy = []; new MutationObserver(() => busy.push(readout.ariaBusy))"
                     ".observe(readout, { attributes: true, attributeFilter: ['aria-busy'] }) }")  # fmt: skip
    handle.press("Home")
    page.wait_for_function("busy.at(-1) === 'false' && busy.includes('true')")
    expect(readout).to_contain_text("x = −6")


def test_tables_name_their_columns(page: Page) -> None:
    heads = page.locator(".jp-OutputArea-output thead th")
    assert heads.count() >= 4
    assert heads.evaluate_all("heads => heads.every(head => head.scope === 'col')")


def test_slides_break_no_rule(lab, tmp_path: Path) -> None:
    place = tmp_path / "02.html"
    place.write_text(slides.deck(LESSON.name, LESSON.read_bytes()), encoding="utf-8")
    page = lab.browser.new_page(viewport={"width": 1280, "height": 720})
    page.goto(place.as_uri())
    for number in range(8):
        page.evaluate(f"show({number}, true)")
        assert unknown(findings(page), KNOWN) == {}, f"slide {number + 1}"
    page.close()
