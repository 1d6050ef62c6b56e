"""The table in docs/machines.md."""

from __future__ import annotations

import re
from dataclasses import astuple, dataclass

from conditions import ROOT, conditions

PAGE = ROOT / "docs/machines.md"
HEADINGS = ("condition", "what differs", "result", "what was red", "day", "on")
NEVER = "not tried"
TABLE = re.compile(r"(?m)^\| condition \|.*\n(\|.*\n)*")


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    name: str
    says: str
    result: str = NEVER
    red: str = ""
    day: str = ""
    versions: str = ""

    @property
    def is_red(self) -> bool:
        return self.result.startswith("red")


def table(rows: list[Row]) -> str:
    """The rows in Markdown."""
    lines = [HEADINGS, ["---"] * len(HEADINGS), *map(astuple, rows)]
    cells = [[re.sub(r"\s+", " ", cell).replace("|", "\\|") for cell in line] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


def rows_of(text: str) -> list[Row]:
    """The rows of the table in a page.

    Raises:
        ValueError: the page has no such table, or more than one.
    """
    found = [match[0] for match in TABLE.finditer(text)]
    if len(found) != 1:
        raise ValueError(f"the page has {len(found)} tables that begin with the column `condition`; expected 1")
    lines = [re.split(r"(?<!\\)\|", line)[1:-1] for line in found[0].splitlines()[2:]]
    return [Row(*(cell.strip().replace("\\|", "|") for cell in line)) for line in lines]


def with_rows(text: str, new: list[Row]) -> str:
    """The page with these rows in place of the old; conditions without a row count as not tried."""
    known = {row.name: row for row in [*rows_of(text), *new]}
    rows = [known.get(each.name, Row(each.name, each.says)) for each in conditions().values()]
    return TABLE.sub(lambda _: table(rows), text)
