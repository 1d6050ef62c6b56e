"""Where every card of a graph goes: left to right, in rows like lines of text. Pure arithmetic, the same everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from .layers import BETWEEN, Layered

Point = tuple[int, int]
MARGIN, TRACK = 14, 14


@dataclass(frozen=True)
class Layout:
    """Places in whole pixels, y downwards: there text and lines are sharpest, and an SVG shortest.

    Attributes:
        corners: the top left corner of each card.
        routes: for each link, the points from its source's right side to its target's left side; two neighbours are
            joined by a straight line where they share an x or a y, else by a curve that starts and ends level.
        spots: for each link, the two ends of the level part along which there is room for a label.
        width, height: of the whole drawing.
    """

    corners: tuple[Point, ...]
    routes: tuple[tuple[Point, ...], ...]
    spots: tuple[tuple[Point, Point], ...]
    width: int
    height: int


def lay_out(
    sizes: Sequence[Point],
    links: Sequence[tuple[int, int]],
    *,
    gap: int = 76,
    lead: int = 44,
    port: int = 26,
    width: int = 960,
) -> Layout:
    """Places cards of given (width, height) and routes the links between them.

    Args:
        sizes: width and height of each card.
        links: (source, target) as indices into `sizes`, each source before its target; pairs may repeat.
        gap: the free width between two columns.
        lead: how much of it a link runs level, from its source on.
        port: the height that one link takes where several meet a card.
        width: where a row ends; one column wider than that makes the drawing wider.
    """
    return lay_out_rows(tuple(sizes), tuple(links), gap, lead, port, width)


# A graph is drawn again and again with other numbers: before and after backward, and when its cell is run again.
@lru_cache(maxsize=128)
def lay_out_rows(
    sizes: tuple[Point, ...], links: tuple[tuple[int, int], ...], gap: int, lead: int, port: int, width: int
) -> Layout:
    """`lay_out`, remembered."""
    if not sizes:
        return Layout((), (), (), 2 * MARGIN, 2 * MARGIN)
    return _Rows(Layered(sizes, links, port=port), gap, lead, width).layout()


class _Rows:
    """Columns broken into rows, as few as fit, with links that run back from the end of one to the next."""

    def __init__(self, items: Layered, gap: int, lead: int, width: int):
        self.items, self.gap, self.lead, self.limit = items, gap, lead, width
        self.breadths = [max(items.sizes[item][0] for item in column) for column in items.columns]
        self.middle = [*items.middle]
        self.left: list[int] = []
        self.width, self.height = MARGIN, float(MARGIN)
        # For a leg between two rows: where it turns down, runs back, and turns down again.
        self.rails: dict[int, tuple[int, float, int]] = {}
        # How many links come into each column, and into the one after the last.
        self.crossing = [sum(len(items.inputs[item]) for item in column) for column in items.columns] + [0]
        starts = self._breaks()
        for start, stop in zip(starts, [*starts[1:], len(items.columns)], strict=True):
            self._add_row(start, stop)

    def _inset(self, start: int) -> int:
        """Where a row begins: to the right of the links that come back to it."""
        return MARGIN + (TRACK * self.crossing[start] + 8 if start else 0)

    def _breaks(self) -> list[int]:
        """The columns at which a row starts: as few rows as fit, broken where the fewest links cross."""
        last, crossing = len(self.breadths), self.crossing
        starts, start = [], 0
        while start < last:
            starts.append(start)
            used, fits = self._inset(start) + MARGIN, [start + 1]
            for stop in range(start + 1, last + 1):
                used += self.breadths[stop - 1]
                if used + TRACK * crossing[stop] <= self.limit:
                    fits.append(stop)
                used += self.gap
                if used > self.limit:
                    break
            fits = [stop for stop in fits if stop - start > (fits[-1] - start) // 2]
            start = min(fits, key=lambda stop: (crossing[stop], -stop))
        return starts

    def _add_row(self, start: int, stop: int) -> None:
        items, x = self.items, self._inset(start)
        for column in range(start, stop):
            self.left.append(x)
            x += self.breadths[column] + self.gap
        x -= self.gap
        row = [item for column in items.columns[start:stop] for item in column]
        down = self.height - min(self.middle[item] - items.sizes[item][1] / 2 for item in row)
        for item in row:
            self.middle[item] += down
        bottom = max(self.middle[item] + items.sizes[item][1] / 2 for item in row)
        legs = items.arriving(stop) if stop < len(items.columns) else []
        # Nested turns: the higher a link leaves, the farther out it turns and the lower it runs back.
        for outward, leg in enumerate(reversed(legs), start=1):
            self.rails[leg] = (x + TRACK * outward, bottom + items.port * outward, MARGIN + TRACK * (outward - 1))
        self.width = max(self.width, x + TRACK * len(legs))
        self.height = bottom + (items.port * len(legs) + BETWEEN if legs else 0)

    def layout(self) -> Layout:
        items = self.items
        last = len(items.columns) - 1
        ends = [
            (self.left[last - layer], self.left[last - layer] + self.breadths[last - layer]) for layer in items.layer
        ]
        corners = []
        for (wide, high), middle, (left, right) in zip(items.sizes[: items.cards], self.middle, ends):
            corners.append(((left + right - wide) // 2, _pixel(middle - high / 2)))
        leaves = [_pixel(self.middle[source] + below) for (source, _), below in zip(items.legs, items.leaves_at)]
        arrives = [_pixel(self.middle[target] + below) for (_, target), below in zip(items.legs, items.arrives_at)]
        routes, spots, leg = [], [], 0
        for chain in items.chains:
            points = [(corners[chain[0]][0] + items.sizes[chain[0]][0], leaves[leg])]
            level = run_back = None
            for source, target in zip(chain, chain[1:]):
                y, to = leaves[leg], arrives[leg]
                end = ends[source][1]
                if leg in self.rails:
                    turn, channel, back = self.rails[leg]
                    channel = _pixel(channel)
                    points += [(end, y), (turn, y), (turn, channel), (back, channel), (back, to)]
                    run_back = run_back or ((turn, channel), (back, channel))
                else:
                    points += [(end, y), (end + self.lead, y)]
                    level = level or ((end, y), (end + self.lead, y))
                points.append((ends[target][0], to))
                leg += 1
            points.append((corners[chain[-1]][0], points[-1][1]))
            routes.append(_straightened(points))
            spots.append(level or run_back)
        return Layout(tuple(corners), tuple(routes), tuple(spots), self.width + MARGIN, _pixel(self.height) + MARGIN)


def _pixel(length: float) -> int:
    """A length from 0 on in whole pixels, halves up, also where they came out a little less."""
    return int(length + 0.501)


def _straightened(points: Sequence[Point]) -> tuple[Point, ...]:
    """Without points that are there twice, or in the middle of a level line."""
    kept = [points[0]]
    for point in points[1:]:
        if point == kept[-1]:
            continue
        if len(kept) > 1 and kept[-2][1] == kept[-1][1] == point[1]:
            kept[-1] = point
        else:
            kept.append(point)
    return tuple(kept)
