"""The style of a graph's SVG, and the strokes it is made of."""

from __future__ import annotations

import html
from collections.abc import Sequence
from math import ceil

from ...core import palette
from ..words.text import cells
from .layout import Point

FONT, TITLE_FONT, ADVANCE = 13, 16, 0.602
CELL, TITLE_CELL = FONT * ADVANCE, TITLE_FONT * ADVANCE
APART, ROUND = 4, 7
DIM = ' opacity=".38"'
STYLE = palette.with_variables(
    f"text{{font:{FONT}px DejaVu Sans Mono,Menlo,Consolas,monospace;fill:{palette.INK};white-space:pre}}"
    f".t{{font-size:{TITLE_FONT}px;font-weight:700}}.o{{font-weight:400}}.b{{font-weight:700}}.e{{text-anchor:end}}"
    f".m{{fill:{palette.MUTED}}}.v{{fill:{palette.VALUE}}}.g{{fill:{palette.GRADIENT}}}.l{{fill:{palette.LEAF}}}"
    f".w{{fill:{palette.TROUBLE}}}rect,path{{fill:none}}.paper{{fill:{palette.PAPER}}}"
    f".leaf{{fill:{palette.LEAF};fill-opacity:.1;stroke:{palette.LEAF};stroke-width:1.8}}"
    f".operation,.group{{fill:{palette.PANEL};stroke:{palette.MUTED};stroke-width:1.2}}"
    f".output{{fill:{palette.PANEL};stroke:{palette.INK};stroke-width:3.4}}"
    f".constant{{stroke:{palette.MUTED};stroke-dasharray:2 3}}"
    f".trouble{{stroke:{palette.TROUBLE};stroke-width:2.6}}"
    f".lit{{fill:{palette.GRADIENT};fill-opacity:.12;stroke:{palette.GRADIENT};stroke-width:3.4}}"
    f".sign{{fill:{palette.TROUBLE};stroke:{palette.PAPER};stroke-width:1.5;stroke-linejoin:round}}"
    f".mark{{stroke:{palette.PAPER};stroke-width:2;stroke-linecap:round}}"
    f".f{{stroke:{palette.MUTED};stroke-width:1.5}}.fh{{fill:{palette.MUTED}}}"
    f".k{{stroke:{palette.GRADIENT};stroke-width:1.8;stroke-dasharray:5 3.5}}.kh{{fill:{palette.GRADIENT}}}"
    f".cut{{stroke:{palette.TROUBLE};stroke-width:2.4}}.rule{{stroke:{palette.GRID}}}"
)


def forward_line(route: Sequence[Point]) -> tuple[str, str]:
    """Path data of the line from source to target, on the left of the route, and of its head."""
    points = _shifted(route, -APART)
    x, y = points[-1]
    points[-1] = (x - 6, y)
    return _curve(points, -APART), f"M{x} {y}l-8-4v8z"


def backward_line(route: Sequence[Point]) -> tuple[str, str]:
    """Path data of the line from target back to source, on the right of the route, and of its head."""
    points = _shifted(route, APART)
    x, y = points[0]
    points[0] = (x + 6, y)
    return _curve(points, APART), f"M{x} {y}l8-4v8z"


def cut_mark(spot: tuple[Point, Point]) -> str:
    """Path data of two strokes across a link through which no gradient comes back."""
    (x0, y), (x1, _) = spot
    middle = (x0 + x1) // 2
    return f"M{middle} {y - 12}l-6 16M{middle + 6} {y - 12}l-6 16"


def _shifted(route: Sequence[Point], by: int) -> list[Point]:
    """A route moved to its right by `by` (seen along the forward pass), also where it turns."""
    if len(route) < 4:
        return [(x, y + by) for x, y in route]
    points = []
    for (x0, y0), (x, y), (x1, y1) in zip([route[0], *route], route, [*route[1:], route[-1]]):
        is_left = (x0 == x and y0 != y) or (x == x1 and y != y1)
        is_up = x < x0 or x1 < x
        points.append((x - by if is_left else x, y - by if is_up else y + by))
    return points


def _curve(points: Sequence[Point], by: int) -> str:
    """Path data through the points: level curves where the height changes, else lines with rounded corners.

    `by` is how far the points were shifted to the right; steep parts of a curve keep that distance too.
    """
    x, y = points[0]
    data = [f"M{x} {y}"]
    for at, (x1, y1) in enumerate(points[1:], 2):
        if x1 == x or y1 == y:
            x2, y2 = points[at] if at < len(points) else (x1, y1)
            if (x == x1) != (x1 == x2) and (y == y1) != (y1 == y2):
                across, down = _toward(x, x1), _toward(y, y1)
                on, below = across + _toward(x1, x2), down + _toward(y1, y2)
                data.append(f"L{x1 - across} {y1 - down}q{across} {down} {on} {below}")
            else:
                data.append(f"H{x1}" if y1 == y else f"V{y1}")
        else:
            middle = (x + x1) // 2 + (by if y1 < y else -by)
            data.append(f"C{middle} {y} {middle} {y1} {x1} {y1}")
        x, y = x1, y1
    return "".join(data)


def _toward(start: int, end: int) -> int:
    return ROUND * ((end > start) - (end < start))


def text_on_paper(x: int, y: int, text: str, look: str) -> str:
    """A text that hides what is under it."""
    box = f'<rect class="paper" x="{x - 1}" y="{y - 10}" width="{ceil(cells(text) * CELL) + 2}" height="12.5"/>'
    return f'{box}<text class="{look}" x="{x}" y="{y}">{html.escape(text)}</text>'


def warning_sign(x: int, y: int) -> str:
    """A triangle with an exclamation mark, its middle at (x, y)."""
    triangle = f'<path class="sign" d="M{x} {y - 10}l10 18h-20z"/>'
    return f'{triangle}<path class="mark" d="M{x} {y - 4}v6.5m0 2.2v1.8"/>'


def legend(kinds: Sequence[str], *, has_links: bool, has_gradients: bool, top: float) -> tuple[str, float]:
    """What boxes and lines mean, in one row, and the row's width."""
    parts, x = [], 14.0
    for kind in kinds:
        box = f'x="{x:g}" y="{top + 1:g}" width="18" height="12" rx="{6 if kind == "leaf" else 2}"'
        parts.append(f'<rect class="{kind}" {box}/><text class="m" x="{x + 24:g}" y="{top + 11:g}">{kind}</text>')
        x += 24 + (len(kind) + 3) * CELL
    if has_links:
        line = f'<path class="f" d="M{x:g} {top + 7:g}h16"/><path class="fh" d="M{x + 22:g} {top + 7:g}l-8-4v8z"/>'
        parts.append(f'{line}<text class="m" x="{x + 28:g}" y="{top + 11:g}">forward</text>')
        x += 28 + 10 * CELL
    if has_gradients:
        line = f'<path class="k" d="M{x + 6:g} {top + 7:g}h18"/><path class="kh" d="M{x:g} {top + 7:g}l8-4v8z"/>'
        parts.append(f'{line}<text class="m" x="{x + 30:g}" y="{top + 11:g}">gradient, flowing back</text>')
        x += 30 + 22 * CELL
    return "".join(parts), x + 14
