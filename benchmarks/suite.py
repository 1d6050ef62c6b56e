"""What comparing every output costs, and what `import course_utils` adds."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, RunningKernel

from table import machine, markdown, write_section

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
ROUNDS = 3
CLOCKED_IMPORT = """
import time
start = time.perf_counter()
import torch, matplotlib
middle = time.perf_counter()
import course_utils
print(middle - start, time.perf_counter() - middle)
"""


def clocked(work: Callable[[], object]) -> tuple[float, float]:
    """Wall time of one call, and the processor time that it and its child processes took."""
    wall, before = time.perf_counter(), os.times()
    work()
    wall, after = time.perf_counter() - wall, os.times()
    return wall, sum(after[:4]) - sum(before[:4])


def only_run() -> None:
    """The floor: a kernel for each notebook that imports torch and matplotlib and runs the cells, nothing compared."""
    for path in NOTEBOOKS:
        kernel = RunningKernel(CURRENT_ENV_KERNEL_NAME, cwd=str(path.parent))
        cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
        for source in ["import torch, matplotlib", *cells]:
            request = kernel.execute_cell_input(source, allow_stdin=False)
            kernel.await_reply(request, timeout=600)
            kernel.await_idle(request, timeout=600)
        kernel.stop()


def strict(*options: str) -> Callable[[], object]:
    """A run of pytest that compares every output of every notebook."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, *map(str, NOTEBOOKS)]
    return lambda: subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def import_times() -> tuple[float, float]:
    """Seconds for importing torch and matplotlib, and for course_utils after them, in a fresh Python."""
    printed = subprocess.run(
        [sys.executable, "-c", CLOCKED_IMPORT], check=True, capture_output=True, text=True, encoding="utf-8"
    ).stdout
    peers, own = map(float, printed.split())
    return peers, own


def measure_suite() -> str:
    """The table of the three ways to run the notebooks: medians of interleaved rounds, ratios within each round."""
    ways = {
        "kernels that import torch and matplotlib and run the same cells": only_run,
        "`pytest --nbval`, strict, one worker": strict(),
        "`pytest --nbval`, strict, two workers by file, as in `make test`": strict("-n", "2", "--dist", "loadfile"),
    }
    rounds = [[clocked(work) for work in ways.values()] for _ in range(ROUNDS)]
    rows = []
    for way, measured in zip(ways, zip(*rounds, strict=True), strict=True):
        cells = [way]
        for clock in (0, 1):
            ratio = statistics.median(m[clock] / one[0][clock] for m, one in zip(measured, rounds, strict=True))
            cells += [f"{statistics.median(m[clock] for m in measured):.1f} s", f"{ratio:.2f} ×"]
        rows.append(cells)
    title = f"{len(NOTEBOOKS)} notebooks, each cell's output compared (target: under 1.5 ×)"
    return markdown([title, "time", "to the floor", "processor time", "to the floor"], rows)


def measure_import() -> str:
    """The table of import times, medians of fresh processes."""
    pairs = [import_times() for _ in range(2 * ROUNDS + 1)]
    peers, own = map(statistics.median, zip(*pairs, strict=True))
    rows = [
        ["torch and matplotlib", f"{peers:.3f} s", ""],
        ["course_utils after them", f"{own:.4f} s", f"{own / peers:.2%}"],
    ]
    return markdown(["import (target: under 5 % more)", "time", "added"], rows)


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # pytest then compiles its plugins at every start
    about = machine("torch", "jupyterlab", "nbval", "pytest")
    note = f"Medians of {ROUNDS} rounds (imports: {2 * ROUNDS + 1} fresh processes), interleaved. {about}."
    write_section("suite", f"{measure_suite()}\n\n{measure_import()}\n\n{note}")
