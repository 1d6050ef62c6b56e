"""Where every card of a graph goes: left to right, in rows like lines of text. Pure arithmetic, the same everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from .layers import BETWEEN, Layered

Point = tuple[float, float]
MARGIN, TRACK = 14, 14


@dataclass(frozen=True)
class Layout:
    """Places in pixels, y downwards.

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
    width: float
    height: float


def lay_out(
    sizes: Sequence[Point],
    links: Sequence[tuple[int, int]],
    *,
    gap: float = 76,
    lead: float = 44,
    port: float = 26,
    width: float = 960,
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
    sizes: tuple[Point, ...], links: tuple[tuple[int, int], ...], gap: float, lead: float, port: float, width: float
) -> Layout:
    """`lay_out`, remembered."""
    if not sizes:
        return Layout((), (), (), 2 * MARGIN, 2 * MARGIN)
    return _Rows(Layered(sizes, links, port=port), gap, lead, width).layout()


class _Rows:
    """Columns broken into rows, as few as fit, with links that run back from the end of one to the start of the next."""

    def __init__(self, items: Layered, gap: float, lead: float, width: float):
        self.items, self.gap, self.lead, self.limit = items, gap, lead, width
        self.breadths = [max(items.sizes[item][0] for item in column) for column in items.columns]
        self.middle = [*items.middle]
        self.left: list[float] = []
        self.width = self.height = float(MARGIN)
        # For a leg between two rows: where it turns down, runs back, and turns down again.
        self.rails: dict[int, tuple[float, float, float]] = {}
        # How many links come into each column, and into the one after the last.
        self.crossing = [sum(len(items.inputs[item]) for item in column) for column in items.columns] + [0]
        starts = self._breaks()
        for start, stop in zip(starts, [*starts[1:], len(items.columns)], strict=True):
            self._add_row(start, stop)

    def _inset(self, start: int) -> float:
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
        # Nested turns: the higher a link leaves, the farther out it turns, the lower it runs back, the higher it arrives.
        for outward, leg in enumerate(reversed(legs), start=1):
            self.rails[leg] = (x + TRACK * outward, bottom + items.port * outward, MARGIN + TRACK * (outward - 1))
        self.width = max(self.width, x + TRACK * len(legs))
        self.height = bottom + (items.port * len(legs) + BETWEEN if legs else 0)

    def layout(self) -> Layout:
        items = self.items
        columns = [(_tenth(left), _tenth(left + wide)) for left, wide in zip(self.left, self.breadths)]
        corners = []
        for item, (wide, high) in enumerate(items.sizes[: items.cards]):
            column = items.column(item)
            aside = (self.breadths[column] - wide) / 2
            corners.append((_tenth(self.left[column] + aside), _tenth(self.middle[item] - high / 2)))
        routes, spots, leg = [], [], 0
        for chain in items.chains:
            points, spot = self._route(chain, leg, columns)
            leg += len(chain) - 1
            start = _tenth(corners[chain[0]][0] + items.sizes[chain[0]][0])
            routes.append(_straightened([(start, points[0][1]), *points, (corners[chain[-1]][0], points[-1][1])]))
            spots.append(spot)
        size = round(self.width + MARGIN), round(self.height + MARGIN)
        return Layout(tuple(corners), tuple(routes), tuple(spots), *size)

    def _route(self, chain: list[int], leg: int, columns: list[Point]) -> tuple[list[Point], tuple[Point, Point]]:
        """The points of a link from its source's column to its target's, and where its label goes.

        `columns` has the left and the right end of each column.
        """
        items, points = self.items, []
        level = run_back = None
        for leg, (source, target) in enumerate(zip(chain, chain[1:]), start=leg):
            y = _tenth(self.middle[source] + items.leaves_at[leg])
            to = _tenth(self.middle[target] + items.arrives_at[leg])
            end = columns[items.column(source)][1]
            points.append((end, y))
            if leg in self.rails:
                turn, channel, back = map(_tenth, self.rails[leg])
                points += [(turn, y), (turn, channel), (back, channel), (back, to)]
                run_back = run_back or (points[-3], points[-2])
            else:
                points.append((_tenth(end + self.lead), y))
                level = level or (points[-2], points[-1])
            points.append((columns[items.column(target)][0], to))
        return points, level or run_back


def _tenth(length: float) -> float:
    """To a tenth of a pixel."""
    return round(length, 1)


def _straightened(points: Sequence[Point]) -> tuple[Point, ...]:
    """Without points that are there twice, or in the middle of a level line."""
    kept = [points[0]]
    for point in points[1:]:
        if point == kept[-1]:
            continue
        if len(kept) > 1 and kept[-2][1] == kept[-1][1] == point[1]:
            kept.pop()
        kept.append(point)
    return tuple(kept)
