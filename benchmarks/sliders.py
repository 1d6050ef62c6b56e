"""From the hand to the picture: `explore` beside `ipywidgets.interact`, ipympl and a bare round trip.

A real JupyterLab in a real Chromium; every contender is moved by real key presses. The
drawing is the same everywhere: a curve, its tangent and the point where they touch, 640 by 380 pixels of the page.

    python benchmarks/sliders.py            measures, prints, and writes benchmarks/README.md
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from table import machine, markdown, write_section

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "browser"))
from lab import Lab

MOVES, PRESSES, REPEAT, LOST = 60, 60, 1 / 30, 2000
SETUP = """
import time
import ipywidgets, matplotlib.pyplot as plt, torch
from IPython.display import display

spent = open("spent.txt", "w", buffering=1)  # when, and seconds, for every message that a widget answered
answer = ipywidgets.Widget._handle_msg

def timed(self, message):
    begin = time.perf_counter()
    answer(self, message)
    print(time.time(), time.perf_counter() - begin, file=spent)

ipywidgets.Widget._handle_msg = timed
%config InlineBackend.figure_format = "{format}"
xs = torch.linspace(-2, 2, 200)

def f(x):
    return x**3 - 1.5 * x

def still(ax):
    ax.plot(xs, f(xs), label="f")
    line, = ax.plot([], [], "--", label="tangent")
    point, = ax.plot([], [], "o", markersize=9)
    ax.set(ylim=(-4, 4), xlabel="x", ylabel="f(x)")
    ax.legend(loc="upper left")
    return line, point

def move(line, point, x0):
    x = torch.tensor(x0, requires_grad=True)
    y = f(x)
    slope, = torch.autograd.grad(y, x)
    y, slope = y.item(), slope.item()
    line.set_data([x0 - 1, x0 + 1], [y - slope, y + slope])
    point.set_data([x0], [y])
    return f"f({x0:.2f}) = {y:.3f}, slope {slope:.3f}"
"""
SLIDER = "ipywidgets.FloatSlider(min=-2, max=2, step=0.05, value=-1.5, description='x0')"


@dataclass(frozen=True)
class Contender:
    """Code of its cell, what takes the keys, and what in the page is its picture."""

    name: str
    code: str
    handle: str
    picture: str


CONTENDERS = (
    Contender(
        "floor: a slider and a label, no drawing",
        f"slider, label = {SLIDER}, ipywidgets.Label('at')\n"
        "slider.observe(lambda change: setattr(label, 'value', f'{change.new:.2f}'), 'value')\n"
        "ipywidgets.VBox([slider, label])",
        ".noUi-handle",
        "div.widget-label",
    ),
    Contender(
        "`explore`, matplotlib",
        "from course_utils import explore\n"
        "@explore(x0=(-2, 2, 0.05, -1.5))\n"
        "def tangent(ax):\n    line, point = still(ax)\n    return lambda x0: move(line, point, x0)\n"
        "tangent",
        "input[type=range]",
        ".cu-stage :is(img, canvas)",
    ),
    Contender(
        "`explore`, a drawing made by the view",
        "from course_utils import Picture, explore\n"
        "@explore(x0=(-2, 2, 0.05, -1.5))\n"
        "def drawing(x0):\n"
        '    shape = f\'<circle cx="{320 + 100 * x0}" cy="190" r="20" fill="#0072b2"/>\' * 50\n'
        '    return Picture(f\'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="380">{shape}</svg>\',\n'
        "                   description=f'a circle at {x0:.2f}')\n"
        "drawing",
        "input[type=range]",
        ".cu-stage :is(img, canvas)",
    ),
    Contender(
        "`interact` with inline matplotlib",
        "def draw(x0):\n"
        "    figure, ax = plt.subplots(figsize=(6.4, 3.8), dpi=100)\n    move(*still(ax), x0)\n    plt.show()\n"
        f"ipywidgets.interact(draw, x0={SLIDER});",
        ".noUi-handle",
        ".jp-RenderedImage img",
    ),
    Contender(
        "ipympl, artists moved",
        "%matplotlib widget\n"
        "plt.ioff()\nfigure, ax = plt.subplots(figsize=(6.4, 3.8), dpi=100)\nplt.ion()\nartists = still(ax)\n"
        f"slider = {SLIDER}\n"
        "def moved(change):\n    move(*artists, change.new)\n    figure.canvas.draw_idle()\n"
        "moved(type('Change', (), {'new': -1.5}))\n"
        "slider.observe(moved, 'value')\nipywidgets.VBox([slider, figure.canvas])",
        ".noUi-handle",
        "canvas",
    ),
)
WATCH = (
    (Path(__file__).resolve().parent / "sliders.js").read_text(encoding="utf-8").partition("\n")[2].rstrip().rstrip(";")
)


@dataclass(frozen=True)
class Result:
    """What was measured of one contender.

    Args:
        kernel: milliseconds that the kernel spends on a move.
        latencies: milliseconds from a key press to its picture, for each single press that was answered.
        lost: single presses that were never answered.
        after: milliseconds from the last of many presses to each picture that came after it.
        empty: frames of the screen without a picture, of `frames`.
    """

    name: str
    kernel: float
    latencies: list[float]
    lost: int
    after: list[float]
    empty: int
    frames: int


def notebook(contender: Contender, ratio: int) -> nbformat.NotebookNode:
    """The set-up, and the contender's cell."""
    setup = SETUP.replace("{format}", "retina" if ratio == 2 else "png")
    cells = [nbformat.v4.new_code_cell(code) for code in (setup, contender.code)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return nbformat.v4.new_notebook(cells=cells, metadata=kernel)


def press_one_by_one(page: Page) -> tuple[list[float], int]:
    """Latencies of single presses, each after the last one's picture has come, and how many were never answered."""
    latencies, lost = [], 0
    for number in range(MOVES):
        page.keyboard.press("ArrowRight" if number % 4 < 2 else "ArrowLeft")
        try:
            page.wait_for_function("watch.shown.at(-1) > watch.keys.at(-1)", timeout=LOST)
        except PlaywrightTimeout:
            lost += 1
            continue
        latencies.append(page.evaluate("watch.shown.find(at => at > watch.keys.at(-1)) - watch.keys.at(-1)"))
        page.wait_for_timeout(60)
    return latencies, lost


def hold_down(page: Page) -> list[float]:
    """When pictures came after the last of many presses at keyboard repeat rate."""
    for _ in range(PRESSES):
        page.keyboard.down("ArrowRight")
        time.sleep(REPEAT)
    page.keyboard.up("ArrowRight")
    page.wait_for_timeout(3000)
    return page.evaluate("watch.drawn.map(at => at - watch.keys.at(-1)).filter(after => after > 0)")


def run(contender: Contender, ratio: int) -> Result:
    """One contender at `ratio` device pixels for each pixel of the page, in a JupyterLab of its own."""
    print(f"{contender.name}, {ratio} ×", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "work"
        work.mkdir()
        nbformat.write(notebook(contender, ratio), work / "sliders.ipynb")
        with Lab(work, Path(folder)) as lab:
            page = lab.open("sliders.ipynb", scale=ratio)
            lab.run_all(page)
            page.locator(".jp-Cell-outputArea").last.locator(contender.handle).focus()
            page.wait_for_timeout(500)
            page.evaluate(WATCH, contender.picture)
            begin = time.time()
            latencies, lost = press_one_by_one(page)
            end = time.time()
            after = hold_down(page)
            empty, frames = page.evaluate("watch.on = false, [watch.empty, watch.frames]")
        messages = [
            tuple(map(float, line.split())) for line in (work / "spent.txt").read_text(encoding="utf-8").splitlines()
        ]
    kernel = sum(seconds for when, seconds in messages if begin <= when <= end) / MOVES * 1000
    return Result(contender.name, kernel, latencies, lost, after, empty, frames)


def report(ratio: int, results: list[Result]) -> str:
    """The results as a table with ratios to `interact` (kernel time) and to the floor (latency)."""
    floor, interact = results[0], results[-2]
    rows = []
    for result in results:
        middle, late = (quantile(result.latencies, q) for q in (0.5, 0.95))
        rows.append(
            [
                result.name,
                f"{result.kernel:.1f} ms ({result.kernel / interact.kernel:.2f})",
                f"{middle:.0f} ms ({middle / quantile(floor.latencies, 0.5):.1f})",
                f"{late:.0f} ms ({late / quantile(floor.latencies, 0.95):.1f})",
                f"{len(result.after)} ({max(result.after, default=0):.0f} ms)",
                f"{result.empty} of {result.frames}",
                f"{result.lost} of {MOVES}",
            ]
        )
    return f"At {ratio} device pixel{'s' * (ratio > 1)} for each pixel of the page:\n\n{markdown(HEADER, rows)}"


def quantile(values: list[float], q: float) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[round(100 * q) - 1]


HEADER = (
    "",
    "kernel time per move",
    "latency, median",
    "latency, 95th percentile",
    "pictures after the last press",
    "frames without a picture",
    "moves never drawn",
)
TEXT = f"""
A real JupyterLab in a real Chromium, moved by real key presses; the same curve, tangent and point everywhere, 640 by
380 pixels of the page. **Kernel time** is what the kernel spends on a move, in brackets as a share of `interact`'s.
**Latency** is the time from the key to the picture on the screen ({MOVES} single presses), in brackets as a multiple
of the floor's. Then {PRESSES} presses at the rate of a held key ({1 / REPEAT:.0f} a second): how many pictures still
come after the last press (one may be in the air at that moment), and when the last of them has come.
"""

if __name__ == "__main__":
    tables = [report(ratio, [run(contender, ratio) for contender in CONTENDERS]) for ratio in (1, 2)]
    measured = machine("jupyterlab", "ipywidgets", "anywidget", "matplotlib", "ipympl")
    text = "\n\n".join([TEXT.strip(), *tables, f"Measured with {measured}."])
    print(text)
    write_section("sliders", text)
