"""A loop that shows how far it is: the bar and the picture move while the cell still runs, and stay when it has run."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

# Each step waits for a file of its own, so that the page can be looked at in the middle of the loop.
LOOP = """
import time
from pathlib import Path
from course_utils import Picture, watch

steps = []

def draw():
    bar = f'<rect width="{40 * len(steps)}" height="20" fill="#0072b2"/>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="200" height="20">{bar}</svg>'
    return Picture(svg, description=f"{len(steps)} steps")

for step in watch(range(3), draw, name="step"):
    while not Path(f"go-{step}").exists():
        time.sleep(0.02)
    steps.append(step)
"""


@pytest.fixture
def page(lab) -> Iterator[Page]:
    page = lab.open(lab.write("watch.ipynb", LOOP))
    lab.menu(page, "Run", "Run All Cells")
    yield page
    page.context.close()


def go(lab, step: int) -> None:
    Path(lab.folder, f"go-{step}").touch()


def test_the_bar_and_the_picture_move_while_the_loop_runs(lab, page):
    bar = page.get_by_role("progressbar", name="steps done")
    expect(bar).to_have_js_property("value", 0)
    expect(page.get_by_text("step 0 of 3")).to_be_visible()
    expect(page.get_by_role("img", name="steps")).to_have_count(0)
    for step in range(3):
        go(lab, step)
        expect(bar).to_have_js_property("value", step + 1)
        expect(page.get_by_text(f"step {step + 1} of 3")).to_be_visible()
        picture = page.get_by_role("img", name=f"{step + 1} steps")
        expect(picture).to_be_visible()
        expect(picture).to_have_js_property("naturalWidth", 200)
        expect(page.get_by_role("img", name="steps")).to_have_count(1)
    assert bar.evaluate("(bar) => bar.max") == 3
