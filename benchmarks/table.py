"""Results as Markdown tables, each between its own markers in benchmarks/README.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

README = Path(__file__).resolve().parent / "README.md"


def markdown(header: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    """A table; every column but the first is set flush right."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def machine(*packages: str) -> str:
    """One line on what was measured where: Python, the versions of `packages`, system, cores."""
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return f"Python {platform.python_version()}, {versions}, {system}"


def write_section(name: str, text: str, *, path: Path = README) -> None:
    """Puts `text` between `<!-- name -->` and `<!-- /name -->` in `path`, and leaves all else there alone.

    Raises:
        ValueError: the markers are not there, or not in this order.
    """
    page = path.read_text(encoding="utf-8")
    before, opened, rest = page.partition(f"<!-- {name} -->")
    _, closed, after = rest.partition(f"<!-- /{name} -->")
    if not (opened and closed):
        raise ValueError(f"{path.name} has no section {name!r}; add the lines <!-- {name} --> and <!-- /{name} -->")
    path.write_text(f"{before}{opened}\n{text.strip()}\n{closed}{after}", encoding="utf-8")
