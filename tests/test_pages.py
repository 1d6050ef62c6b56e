"""What README and CONTRIBUTING name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs").glob("*.md"))
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md", "deploy/README.md", *DOCS]


def text(page: str) -> str:
    """The page as a reader sees it, without comments."""
    return re.sub(r"(?s)<!--.*?-->", "", (ROOT / page).read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_named_exists(page: str) -> None:
    targets = set(re.findall(r"(?m)^([a-z]+): ##", text("Makefile")))
    assert targets >= {"lab", "test", "install", "refresh", "bench", "help"}
    assert set(re.findall(r"(?m)(?:^|`|> |=\S+ )make ([a-z]+)", text(page))) <= targets


@pytest.mark.parametrize("page", PAGES)
def test_every_file_named_exists(page: str) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text(page))
    paths = re.findall(r"\b(?:notebooks|tools|tests|benchmarks|docs|deploy|course_utils)/[\w./-]*\w\.\w+", text(page))
    for name in paths + [str((ROOT / page).parent.relative_to(ROOT) / link) for link in links]:
        assert (ROOT / name).exists(), name


def test_every_target_is_told_by_make_help() -> None:
    phony = re.search(r"(?m)^\.PHONY: (.+)$", text("Makefile"))[1].split()
    assert set(phony) == set(re.findall(r"(?m)^([a-z]+): ##", text("Makefile")))
