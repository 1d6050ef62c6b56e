"""Where every card of a graph goes: left to right, in rows like lines of text. Pure arithmetic, the same everywhere.

Layers by the longest path to the end, their order by a walk from the end and barycentres, heights by isotonic
regression (pool adjacent violators). Nothing recurses.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import lt

Point = tuple[int, int]
MARGIN, TRACK, BETWEEN, PASSING = 14, 14, 22, 6
# Pulls on an item: (item that pulls, how far below that one's middle it wants this one's to be, weight).
Pulls = list[tuple[int, float, int]]


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


class Layered:
    """Items in columns: first the cards, then the points where longer links pass through a layer.

    Attributes:
        sizes: width and height of each item.
        columns: items from left to right, each column from top to bottom.
        chains: for each link, the items that it runs through, from source to target.
        legs: (from, to) of each step of a link, from one column to the next, link by link.
        inputs, outputs: for each item, the legs that arrive and leave.
        leaves_at, arrives_at: for each leg, how far below the middle of the item.
        place: for each item, its index in its column.
        middle: the height of each item's middle, in one long row.
    """

    def __init__(self, sizes: Sequence[tuple[float, float]], links: Sequence[tuple[int, int]], *, port: float):
        self.sizes, self.port, self.cards = [*sizes], port, len(sizes)
        self.layer = _layers(self.cards, links)
        self.chains = [self._chain(source, target) for source, target in links]
        self.legs = [leg for chain in self.chains for leg in zip(chain, chain[1:])]
        self.inputs: list[list[int]] = [[] for _ in self.sizes]
        self.outputs: list[list[int]] = [[] for _ in self.sizes]
        for number, (source, target) in enumerate(self.legs):
            self.outputs[source].append(number)
            self.inputs[target].append(number)
        self.place = [0] * len(self.sizes)
        self.columns = self._order()
        self.leaves_at, self.arrives_at = self._ports()
        self.middle = self._heights(self.columns)

    def column(self, item: int) -> int:
        """The number of an item's column, from the left."""
        return len(self.columns) - 1 - self.layer[item]

    def arriving(self, column: int) -> list[int]:
        """The legs that arrive at a column, from top to bottom."""
        items = self.columns[column]
        return [leg for item in items for leg in sorted(self.inputs[item], key=self.arrives_at.__getitem__)]

    def _chain(self, source: int, target: int) -> list[int]:
        passed = range(self.layer[source] - 1, self.layer[target], -1)
        first = len(self.sizes)
        self.sizes += [(0.0, self.port)] * len(passed)
        self.layer += passed
        return [source, *range(first, len(self.sizes)), target]

    def _order(self) -> list[list[int]]:
        """Columns from left to right, each from top to bottom, with few crossings."""
        before = [[self.legs[leg][0] for leg in inputs] for inputs in self.inputs]
        after = [[self.legs[leg][1] for leg in outputs] for outputs in self.outputs]
        columns: list[list[int]] = [[] for _ in range(max(self.layer, default=-1) + 1)]
        seen = [False] * len(self.sizes)
        waiting = [item for item in reversed(range(self.cards)) if not after[item]]
        while waiting:
            item = waiting.pop()
            if not seen[item]:
                seen[item] = True
                columns[self.layer[item]].append(item)
                waiting += reversed(before[item])
        columns.reverse()
        self._put(columns)
        best, fewest, last = columns, self._crossings(columns, after), []
        for sweep in range(6):
            if not fewest or columns == last:
                break
            last = columns if sweep % 2 else last
            swept = self._swept(columns, before) if sweep % 2 else self._swept(columns[::-1], after)[::-1]
            if swept != columns:
                columns = swept
                crossings = self._crossings(columns, after)
                if crossings < fewest:
                    best, fewest = columns, crossings
        self._put(best)
        return best

    def _put(self, columns: Sequence[list[int]]) -> None:
        for column in columns:
            for at, item in enumerate(column):
                self.place[item] = at

    def _swept(self, columns: Sequence[list[int]], neighbours: Sequence[list[int]]) -> list[list[int]]:
        """Each column after the first in the order of where its items' neighbours before it stand on average."""
        place, swept = self.place, []
        for column in columns:
            if len(column) > 1:
                aim = {}
                for item in column:
                    near = neighbours[item]
                    aim[item] = sum([place[other] for other in near]) / len(near) if near else place[item]
                column = sorted(column, key=aim.__getitem__)
                for at, item in enumerate(column):
                    place[item] = at
            swept.append(column)
        return swept

    def _crossings(self, columns: Sequence[list[int]], after: Sequence[list[int]]) -> int:
        place, count = self.place, 0
        for column, following in zip(columns, columns[1:]):
            if len(column) < 2 or len(following) < 2:
                continue
            ends: list[int] = []
            for item in column:
                for end in sorted([place[other] for other in after[item]]):
                    above = bisect(ends, end)
                    count += len(ends) - above
                    ends.insert(above, end)
        return count

    def _ports(self) -> tuple[list[float], list[float]]:
        """For each leg, how far below the card's middle it leaves, and arrives."""
        below = [0.0] * len(self.legs), [0.0] * len(self.legs)
        for legs_of, end, found in ((self.outputs, 1, below[0]), (self.inputs, 0, below[1])):
            for legs, (_, high) in zip(legs_of[: self.cards], self.sizes):
                if len(legs) > 1:
                    legs = sorted(legs, key=lambda leg: (self.place[self.legs[leg][end]], leg))
                    step = min(self.port, (high - 14) / (len(legs) - 1))
                    for at, leg in enumerate(legs):
                        found[leg] = step * (at - (len(legs) - 1) / 2)
        return below

    def _heights(self, columns: list[list[int]]) -> list[float]:
        """The middle of each item, level with its neighbours where there is room."""
        middle = [0.0] * len(self.sizes)
        before, after = self._pulls()
        both = [[*right, *left] for left, right in zip(before, after)]
        rows = [(column, self._floors(column)) for column in columns]
        for column, floors in rows:
            for item, floor in zip(column, floors):
                middle[item] = floor
        # Level with both sides first, then with the left, then with the right; more sweeps than these change little.
        for column, floors in reversed(rows):
            _settle(column, floors, middle, both)
        for column, floors in rows:
            _settle(column, floors, middle, before)
        for column, floors in reversed(rows):
            _settle(column, floors, middle, after)
        return middle

    def _pulls(self) -> tuple[list[Pulls], list[Pulls]]:
        """How each item is pulled by its neighbours on the left, and by those on the right."""
        before: list[Pulls] = [[] for _ in self.sizes]
        after: list[Pulls] = [[] for _ in self.sizes]
        for (source, target), leaves, arrives in zip(self.legs, self.leaves_at, self.arrives_at):
            weight = 4 if source >= self.cards and target >= self.cards else 1
            after[source].append((target, arrives - leaves, weight))
            before[target].append((source, leaves - arrives, weight))
        return before, after

    def _floors(self, column: list[int]) -> list[float]:
        """The highest places that the items of a column can take: one below the other."""
        floors, at, above = [0.0], 0.0, column[0]
        for item in column[1:]:
            free = BETWEEN if item < self.cards and above < self.cards else PASSING
            at += (self.sizes[above][1] + self.sizes[item][1]) / 2 + free
            floors.append(at)
            above = item
        return floors


def _settle(column: list[int], floors: list[float], middle: list[float], pulls: list[Pulls]) -> None:
    """Moves the items of a column as near to level with what pulls them as their `floors` let them."""
    aims: list[float] = []
    weights: list[float] = []
    for item, floor in zip(column, floors):
        total, weight = 0.0, 0
        for other, below, pull in pulls[item]:
            total += pull * (middle[other] + below)
            weight += pull
        aims.append((total / weight if weight else middle[item]) - floor)
        weights.append(weight or 0.1)
    if len(aims) > 1:
        aims = _isotonic(aims, weights)
    for item, place, floor in zip(column, aims, floors):
        middle[item] = place + floor


def _layers(cards: int, links: Sequence[tuple[int, int]]) -> list[int]:
    """For each card, the length of the longest path from it to the end."""
    layer = [0] * cards
    for source, target in sorted(links, reverse=True):
        layer[source] = max(layer[source], layer[target] + 1)
    return layer


def _isotonic(aims: list[float], weights: list[float]) -> list[float]:
    """The rising numbers nearest to `aims`, by pooling neighbours that are out of order."""
    if all(map(lt, aims, aims[1:])):
        return aims
    pools: list[tuple[float, float, int]] = []
    for aim, weight in zip(aims, weights):
        count = 1
        while pools and pools[-1][0] >= aim:
            above, heavy, many = pools.pop()
            aim = (above * heavy + aim * weight) / (heavy + weight)
            weight, count = heavy + weight, count + many
        pools.append((aim, weight, count))
    return [aim for aim, _, count in pools for _ in range(count)]
