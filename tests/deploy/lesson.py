"""A lesson's outputs from somebody's kernel, held against the stored ones as nbval does."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbval.plugin import get_sanitize_patterns

from refresh import ROOT, stable_outputs

STAND_INS = get_sanitize_patterns((ROOT / "tests/nbval_sanitize.cfg").read_text(encoding="utf-8"))
ON_THE_BOARD = r"\s*Also on the instructor's board, as `\w+`\."  # only a hub's learners see that
UNCOMPARED = ("metadata", "execution_count", "traceback")


def code_cells(path: Path) -> list[NotebookNode]:
    """The code cells of a stored lesson."""
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def compared(outputs: list[NotebookNode]) -> list[dict[str, object]]:
    """What of the outputs has to be the same in every run."""
    found = []
    for output in stable_outputs(outputs, 0):
        kept = {name: value for name, value in output.items() if name not in UNCOMPARED}
        kept |= {name: _text(kept[name]) for name in ("text", "evalue") if name in kept}
        if "data" in kept:
            kept["data"] = {kind: _text(value) for kind, value in kept["data"].items() if isinstance(value, str)}
        found.append(kept)
    return found


def _text(text: str) -> str:
    for pattern, stand_in in [*STAND_INS, (ON_THE_BOARD, "")]:
        text = re.sub(pattern, stand_in, text)
    return text


def wrong_cells(cells: list[NotebookNode], outputs: list[list[NotebookNode]]) -> list[str]:
    """The sources of those stored cells that have other outputs now."""
    return [
        cell.source
        for cell, new in zip(cells, outputs, strict=True)
        if "nbval-ignore-output" not in cell.metadata.get("tags", []) and compared(cell.outputs) != compared(new)
    ]
