"""Slides in Chromium, straight from the file: nothing cut off, nothing asked of a network, all by keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import slides

LESSON = Path(__file__).resolve().parents[2] / "notebooks/03_partial_derivatives.ipynb"
CUT_OFF = (
    "slides.filter((each) => [each, ...each.querySelectorAll('.body, .body div')].some(overflows))"
    ".map((each) => each.id)"
)


@pytest.fixture(scope="module")
def page(lab, tmp_path_factory: pytest.TempPathFactory) -> Page:
    place = tmp_path_factory.mktemp("slides") / "03.html"
    place.write_text(slides.deck(LESSON.name, LESSON.read_bytes()), encoding="utf-8")
    page = lab.browser.new_page(viewport={"width": 1280, "height": 720})
    page.asked = []
    page.on("request", lambda request: page.asked.append(request.url))
    page.goto(place.as_uri())
    yield page
    page.close()


def test_nothing_is_cut_off_at_any_size(page: Page) -> None:
    for width, height in ((1920, 1200), (1024, 768), (1280, 720)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(100)
        assert page.evaluate(CUT_OFF) == []
        outside = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not outside


def test_it_asks_for_nothing_but_itself(page: Page) -> None:
    assert [url for url in page.asked if not url.startswith("data:")] == [page.url.partition("#")[0]]


def test_the_keys(page: Page) -> None:
    page.keyboard.press("Home")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", name="In this lesson")).to_be_focused()
