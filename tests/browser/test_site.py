"""The web edition, opened from the disk: whole in both themes and at three widths, and asking for nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from playwright.sync_api import Page

import build
import course_utils
from classroom.editions.source import is_lesson, read_course

ROOT = Path(__file__).resolve().parents[2]
PART = 2  # lessons; the whole site is built by `make site`
LINK = re.compile(r'(?:href|src)="(?!https?:|data:|mailto:)([^"#?]*)(?:\?[^"#]*)?(?:#([^"]*))?"')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = dict(read_course(ROOT, as_it_is=True).files)
    into = tmp_path_factory.mktemp("site")
    build.build(files, sorted(path for path in files if is_lesson(path))[:PART], into)
    return into


@pytest.fixture(params=["light", "dark"])
def page(lab, request: pytest.FixtureRequest) -> Iterator[Page]:
    page = lab.browser.new_page(color_scheme=request.param)
    page.scheme, page.told = request.param, []
    page.on("console", lambda message: page.told.append(message.text))
    page.on("pageerror", lambda error: page.told.append(str(error)))
    outside = ("file:", "data:", "blob:")
    page.on("request", lambda asked: asked.url.startswith(outside) or page.told.append(asked.url))
    yield page
    page.close()


def test_every_public_name_is_in_the_reference(site: Path) -> None:
    text = (site / "reference.html").read_text(encoding="utf-8")
    described = set(re.findall(r'<dt class="sig[^>]*id="course_utils\.(\w+)"', text))
    assert described == set(course_utils.__all__)


def test_no_link_is_dead(site: Path) -> None:
    for page in site.rglob("*.html"):
        for path, part in LINK.findall(page.read_text(encoding="utf-8")):
            target = (page.parent / unquote(path)) if path else page
            assert target.is_file(), f"{page.name}: {path}"
            if part and target.suffix == ".html":
                assert f'id="{unquote(part)}"' in target.read_text(encoding="utf-8"), f"{page.name}: {path}#{part}"


def test_no_page_asks_for_anything_complains_or_scrolls_sideways(site: Path, page: Page) -> None:
    for path in sorted(site.rglob("*.html")):
        page.goto(path.as_uri())
        for width in (360, 800, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path.name} at {width}"
        assert page.evaluate("getComputedStyle(document.body).colorScheme") == page.scheme
    assert page.told == []


def test_formulas_and_pictures_keep_their_words(site: Path) -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (site / "notebooks").glob("*.html"))
    assert "<math" in text and not re.search(r"\\(?:frac|partial|cdot)", text)
    assert re.findall(r"<img[^>]*>", text) and not re.findall(r"<img(?![^>]*alt=)[^>]*>", text)


def test_a_link_to_what_is_no_page_is_its_words_and_code_stays() -> None:
    text = "[a](b.md#c) [d](../e.py) [f](https://g.h) `x[0](y)`"
    assert build.without_dead_links(text, "docs/i.md", {"docs/b.md"}) == text.replace("[d](../e.py)", "d")
