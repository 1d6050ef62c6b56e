"""Cheat sheets, printed: each lesson's fits on one page."""

import os
import re
from pathlib import Path

import pytest

import sheets
from lab import INSTALL_CHROMIUM, find_chromium

LESSONS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))


def test_a_lesson_takes_one_page_and_all_take_two(tmp_path: Path) -> None:
    if find_chromium() is None:
        reason = f"no Chromium found; {INSTALL_CHROMIUM}"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    pages = sheets.sheets({path.name: path.read_bytes() for path in LESSONS})
    counts = {}
    for name, page in pages.items():
        printed = sheets.printed(page, sheets.find_chromium(), tmp_path)
        assert printed.startswith(b"%PDF")
        counts[name] = len(re.findall(rb"/Type\s*/Page\b", printed))
    assert counts == {**{path.stem: 1 for path in LESSONS[1:]}, sheets.ALL: 2}
