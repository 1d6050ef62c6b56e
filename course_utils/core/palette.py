"""The course's colours, their dark-theme twins, and the matplotlib style that uses them.

Four colours carry meaning everywhere, always with a second cue (line style, marker, label):
`VALUE`, `GRADIENT`, `LEAF` and `TROUBLE`. Each tone and its twin reach 4.5:1 on its own paper.
Draw with the light tones; `themed` makes the finished SVG follow the reader's theme.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAPER, INK, MUTED, GRID, PANEL = "#ffffff", "#1f2328", "#5c6470", "#dde1e6", "#f3f5f7"
VALUE, GRADIENT, LEAF, TROUBLE = "#0072b2", "#b84f00", "#007f5c", "#a8407a"

# light tone -> (name in the SVG, dark tone)
TONES = {
    PAPER: ("paper", "#111111"),
    INK: ("ink", "#e8eaed"),
    MUTED: ("muted", "#a3abb5"),
    GRID: ("grid", "#33383e"),
    PANEL: ("panel", "#1c1f23"),
    VALUE: ("value", "#56b4e9"),
    GRADIENT: ("gradient", "#ff8a3d"),
    LEAF: ("leaf", "#2cc79a"),
    TROUBLE: ("trouble", "#e58fc0"),
}

TONE = re.compile("#[0-9a-fA-F]{6}")
INKED = tuple(f"{what}{how}" for what in ("fill", "stroke", "stop-color") for how in ('="', ":", ": "))

STYLE = {
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": GRID,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "axes.labelsize": 11,
    "font.size": 11,
    "font.family": "DejaVu Sans",
    "lines.linewidth": 2.2,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "svg.hashsalt": "course_utils",
    "svg.fonttype": "path",
}
CYCLE = [
    {"color": VALUE, "linestyle": "-"},
    {"color": GRADIENT, "linestyle": "--"},
    {"color": LEAF, "linestyle": "-."},
    {"color": TROUBLE, "linestyle": ":"},
]

_STYLING = RLock()


@contextmanager
def style() -> Iterator[None]:
    """The course's matplotlib style for the length of a `with`; nothing global stays changed.

    Every picture of the course is made and saved inside, so none depends on the learner's matplotlibrc. One thread at
    a time: JupyterLab moves sliders in a thread of their own, beside the cell that runs.
    """
    import matplotlib
    from cycler import cycler

    cycle = cycler(color=[c["color"] for c in CYCLE]) + cycler(linestyle=[c["linestyle"] for c in CYCLE])
    with _STYLING, matplotlib.rc_context({**_defaults(), **STYLE, "axes.prop_cycle": cycle}):
        yield


def _defaults() -> dict[str, object]:
    """matplotlib's own value of every setting that has another one now; setting all of them takes a slider's time."""
    import matplotlib

    own = dict(dict.items(matplotlib.rcParamsDefault))
    del own["backend"]  # `rc_context` leaves a changed one changed
    now = dict.items(matplotlib.rcParams)
    return {name: own[name] for name, value in now if name in own and value is not own[name] and value != own[name]}


def new_figure(*, width: float = 6.4, height: float = 3.8, columns: int = 1) -> tuple[Figure, Any]:
    """A figure of `width` by `height` inches outside pyplot, and its axes, one or an array, in the course's style."""
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=(width, height))
        return figure, figure.subplots(1, columns)


def _variable(tone: re.Match[str]) -> str:
    known = TONES.get(tone[0].lower())
    is_ink = tone.string[max(0, tone.start() - 12) : tone.start()].lower().endswith(INKED)
    return f"var(--{known[0]})" if known and is_ink else tone[0]


def with_variables(text: str) -> str:
    """SVG or CSS with every tone of the palette replaced by its variable, which `themed` defines."""
    return TONE.sub(_variable, text)


_LIGHT = "".join(f"--{name}:{light};" for light, (name, _) in TONES.items())
_DARK = "".join(f"--{name}:{dark};" for name, dark in TONES.values())
_SHEET = f"<style>svg{{{_LIGHT}}}@media(prefers-color-scheme:dark){{svg{{{_DARK}}}}}</style>"
_ROOT = re.compile(r"<svg\b[^>]*>")


def themed(svg: str) -> str:
    """The SVG with every tone of the palette replaced by a variable that follows the reader's theme.

    An SVG inside `<img>` gets its `prefers-color-scheme` from the page around it, so the picture follows
    JupyterLab's theme also where the notebook is not trusted. `svg` must have one `<svg …>` root.
    """
    return _ROOT.sub(lambda root: root[0] + _SHEET, with_variables(svg), count=1)
