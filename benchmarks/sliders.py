"""From the hand to the picture: `explore` beside `ipywidgets.interact`, ipympl and a bare round trip.

A real JupyterLab in a real Chromium; every contender stands in the same notebook and is moved by real key presses. The
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
        "`explore`",
        "from course_utils import explore\n"
        "@explore(x0=(-2, 2, 0.05, -1.5))\n"
        "def tangent(ax):\n    line, point = still(ax)\n    return lambda x0: move(line, point, x0)\n"
        "tangent",
        "input[type=range]",
        ".cu-stage :is(img, canvas)",
    ),
    Contender(
        "`interact` with inline matplotlib",
        "def draw(x0):\n    figure, ax = plt.subplots(figsize=(6.4, 3.8), dpi=100)\n    move(*still(ax), x0)\n    plt.show()\n"
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
# Notes, for one contender at a time, when a new picture can be seen, and every frame in which there is none.
WATCH = """
(picture) => {
  const root = [...document.querySelectorAll('.jp-Cell-outputArea')].at(-1);
  const watch = { keys: [], shown: [], frames: 0, empty: 0, height: root.offsetHeight, on: true };
  const seen = () => requestAnimationFrame(() => watch.shown.push(performance.now()));
  const content = () => {
    const found = root.querySelector(picture);
    return { IMG: found?.src, CANVAS: found?.getAttribute('aria-label') }[found?.tagName] ?? found?.textContent;
  };
  let last = content();
  const ready = () => {
    const found = root.querySelector(picture);
    if (found && (found.tagName !== 'IMG' || (found.complete && found.naturalWidth))) seen();
    else requestAnimationFrame(ready);
  };
  const look = () => {
    const now = content();
    if (!now || now === last) return;
    last = now;
    ready();
  };
  new MutationObserver(look).observe(root, { childList: true, subtree: true, characterData: true, attributes: true });
  const draw = CanvasRenderingContext2D.prototype.drawImage;
  CanvasRenderingContext2D.prototype.drawImage = function (image, ...rest) {
    if (picture === 'canvas' && image instanceof HTMLImageElement) seen();
    return draw.call(this, image, ...rest);
  };
  document.addEventListener('keydown', () => watch.keys.push(performance.now()), true);
  const sample = () => {
    if (!watch.on) return;
    const found = root.querySelector(picture);
    watch.frames += 1;
    if (!found || found.offsetHeight < 5 || root.offsetHeight < 0.9 * watch.height) watch.empty += 1;
    requestAnimationFrame(sample);
  };
  sample();
  window.watch = watch;
}
"""


def notebook(contender: Contender, ratio: int) -> nbformat.NotebookNode:
    """The set-up, and the contender's cell."""
    setup = SETUP.replace("{format}", "retina" if ratio == 2 else "png")
    cells = [nbformat.v4.new_code_cell(code) for code in (setup, contender.code)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return nbformat.v4.new_notebook(cells=cells, metadata=kernel)


def measure(page: Page, contender: Contender) -> dict:
    """Single presses one after the other, then presses at keyboard repeat rate."""
    page.locator(".jp-Cell-outputArea").last.locator(contender.handle).focus()
    page.wait_for_timeout(500)
    page.evaluate(WATCH, contender.picture)
    begin, latencies, lost = time.time(), [], 0
    for number in range(MOVES):
        page.keyboard.press("ArrowRight" if number % 4 < 2 else "ArrowLeft")
        try:
            page.wait_for_function("watch.shown.at(-1) > watch.keys.at(-1)", timeout=LOST)
        except PlaywrightTimeout:
            lost += 1
            continue
        latencies.append(page.evaluate("watch.shown.find(at => at > watch.keys.at(-1)) - watch.keys.at(-1)"))
        page.wait_for_timeout(60)
    end = time.time()
    for _ in range(PRESSES):
        page.keyboard.down("ArrowRight")
        time.sleep(REPEAT)
    page.keyboard.up("ArrowRight")
    page.wait_for_timeout(3000)
    told = page.evaluate("watch.on = false, watch")
    after = [at - told["keys"][-1] for at in told["shown"] if at > told["keys"][-1]]
    return {"span": (begin, end), "latencies": latencies, "lost": lost, "after": after, "empty": told["empty"], "frames": told["frames"]}


def run(contender: Contender, ratio: int) -> dict:
    """One contender at `ratio` device pixels for each pixel of the page, in a JupyterLab of its own."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "work"
        work.mkdir()
        nbformat.write(notebook(contender, ratio), work / "sliders.ipynb")
        with Lab(work, Path(folder)) as lab:
            page = lab.open("sliders.ipynb", scale=ratio)
            lab.run_all(page)
            result = measure(page, contender)
        messages = [tuple(map(float, line.split())) for line in (work / "spent.txt").read_text().splitlines()]
    begin, end = result["span"]
    kernel = sum(seconds for when, seconds in messages if begin <= when <= end) / MOVES * 1000
    return {**result, "name": contender.name, "kernel": kernel}


def report(ratio: int, results: list[dict]) -> str:
    """The results as a table with ratios to `interact` (kernel time) and to the floor (latency)."""
    floor, _, interact, _ = results
    rows = []
    for result in results:
        middle, late = (quantile(result["latencies"], q) for q in (0.5, 0.95))
        rows.append([
            result["name"],
            f"{result['kernel']:.1f} ms ({result['kernel'] / interact['kernel']:.2f})",
            f"{middle:.0f} ms ({middle / quantile(floor['latencies'], 0.5):.1f})",
            f"{late:.0f} ms ({late / quantile(floor['latencies'], 0.95):.1f})",
            f"{len(result['after'])} ({max(result['after'], default=0):.0f} ms)",
            f"{result['empty']} of {result['frames']}",
            result["lost"],
        ])  # fmt: skip
    header = ("", "kernel time per move", "latency, median", "latency, 95th percentile", "pictures after the last press",
              "frames without a picture", f"moves (of {MOVES}) never drawn")  # fmt: skip
    return f"At {ratio} device pixels for each pixel of the page:\n\n{markdown(header, rows)}"


def quantile(values: list[float], q: float) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[round(100 * q) - 1]


if __name__ == "__main__":
    tables = [report(ratio, [run(contender, ratio) for contender in CONTENDERS]) for ratio in (1, 2)]
    print("\n\n".join(tables))
