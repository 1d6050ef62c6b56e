"""Lesson 02 as a learner meets it: opened in JupyterLab, run, moved, stepped, answered."""

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from course_utils.exercises import lesson_02

LESSON = Path(__file__).resolve().parents[2] / "notebooks/02_backward.ipynb"


@pytest.fixture(scope="module")
def page(lab) -> Page:
    shutil.copy(LESSON, lab.folder / LESSON.name)
    page = lab.open(LESSON.name)
    lab.run_all(page)
    yield page
    page.context.close()


def cell(page: Page, code: str) -> Locator:
    """The first cell with this code."""
    found = page.locator(".jp-CodeCell", has=page.locator(".cm-content", has_text=code)).first
    found.scroll_into_view_if_needed()
    return found


def pixels(place: Locator) -> str:
    return place.locator("canvas").evaluate("canvas => canvas.toDataURL()")


def test_the_tangent_moves_by_keyboard(page: Page):
    place = cell(page, "explore_tangent(g")
    handle, readout = place.get_by_role("slider", name="x"), place.locator(".cu-readout")
    handle.press("Home")
    expect(readout).to_have_text("tangent of g at x = −3: g = 52.00, slope = −34.00")
    before = pixels(place)
    handle.press("End")
    expect(readout).to_have_text("tangent of g at x = 3: g = 64.00, slope = 38.00")
    assert pixels(place) != before


def test_the_walk_backwards_is_stepped_by_keyboard(page: Page):
    place = cell(page, "step_backward(z, x=x, y=y, z=z)")
    handle, picture = place.get_by_role("slider", name="step"), place.get_by_role("img")
    finished = picture.get_attribute("src")
    handle.press("Home")
    expect(picture).to_have_accessible_name(re.compile("before", re.IGNORECASE))
    assert picture.get_attribute("src") != finished
    handle.press("End")
    expect(picture).to_have_accessible_name(re.compile(re.escape("x.grad = 4.00, y.grad = 27.00")))


@pytest.mark.parametrize(("answer", "verdict"), [("27", "Not yet. That is y itself"), ("18", "Right.")])
def test_an_answer_gets_its_verdict(page: Page, answer: str, verdict: str):
    place = cell(page, "exercises.first_slope.check(prediction)")
    place.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.type(f"prediction = {answer}\nexercises.first_slope.check(prediction)")
    page.keyboard.press("Shift+Enter")
    expect(place.locator(".jp-OutputArea")).to_contain_text(verdict)


def test_an_exercise_is_tried_asked_about_and_solved(page: Page):
    place = cell(page, "exercises.slope.check(slope)")
    place.locator(".cm-content").click()
    for key in ("Control+Home", "ArrowDown", "End", "Shift+Home"):  # selects the three dots
        page.keyboard.press(key)
    page.keyboard.type("x.requires_grad_()\nf(x).backward()\nreturn x.grad")
    page.keyboard.press("Alt+Enter")  # runs the cell and opens a new one below
    verdict = place.locator(".jp-OutputArea")
    expect(verdict).to_contain_text("Not yet. The number of the first call is right, and then it grows")

    page.keyboard.type("exercises.slope.hint()")
    page.keyboard.press("Control+Enter")
    asked = page.locator(".jp-CodeCell.jp-mod-active")
    expect(asked.locator(".jp-OutputArea")).to_contain_text("Hint 1 of 3. backward adds into the .grad of the leaf")

    place.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(f"{lesson_02.slope.cell()}\n\nexercises.slope.check(slope)")
    page.keyboard.press("Shift+Enter")
    expect(verdict).to_contain_text(re.compile(r"Right\. .+\.\s*Done in this lesson: \d+ of \d+\."))
