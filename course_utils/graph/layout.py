"""Where every card of a graph goes: left to right, in rows like lines of text. Pure arithmetic, the same everywhere.

Layers by the longest path to the end, order by a walk from the end and barycentres, heights by isotonic regression
(pool adjacent violators), and rows that break where the fewest links cross. Nothing recurses.
"""

from __future__ import annotations

from bisect import bisect, insort
from collections.abc import Sequence
from dataclasses import dataclass

Point = tuple[float, float]
MARGIN, BETWEEN, TRACK, SWEEPS = 14, 22, 14, 7


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
    return _Drawing(sizes, links, gap, lead, port, width).finish() if sizes else Layout((), (), (), 2 * MARGIN, 2 * MARGIN)


class _Drawing:
    """The work of `lay_out`. Items are the cards, then the points where longer links pass through a layer."""

    def __init__(
        self, sizes: Sequence[Point], links: Sequence[tuple[int, int]], gap: float, lead: float, port: float, width: float
    ):
        self.sizes, self.gap, self.lead, self.port, self.width = [*sizes], gap, lead, port, width
        self.cards = len(sizes)
        self.layer = _layers(self.cards, links)
        self.chains = [self._chain(source, target) for source, target in links]
        self.inputs: list[list[int]] = [[] for _ in self.sizes]
        self.outputs: list[list[int]] = [[] for _ in self.sizes]
        # A leg is one step of a link, from a layer to the next; it is known by its number.
        self.legs: list[tuple[int, int]] = []
        for chain in self.chains:
            for source, target in zip(chain, chain[1:]):
                self.outputs[source].append(len(self.legs))
                self.inputs[target].append(len(self.legs))
                self.legs.append((source, target))

    def _chain(self, source: int, target: int) -> list[int]:
        passed = range(self.layer[source] - 1, self.layer[target], -1)
        first = len(self.sizes)
        self.sizes += [(0.0, self.port)] * len(passed)
        self.layer += passed
        return [source, *range(first, len(self.sizes)), target]

    def finish(self) -> Layout:
        columns = self._order()
        self.position = {item: place for column in columns for place, item in enumerate(column)}
        self.leaves_at, self.arrives_at = self._ports(self.outputs, 1), self._ports(self.inputs, 0)
        centres = self._heights(columns)
        return self._rows(columns, centres)

    def _order(self) -> list[list[int]]:
        """Columns from left to right, each from top to bottom, with few crossings."""
        columns: list[list[int]] = [[] for _ in range(max(self.layer, default=-1) + 1)]
        seen = [False] * len(self.sizes)
        waiting = [item for item in reversed(range(self.cards)) if not self.outputs[item]]
        while waiting:
            item = waiting.pop()
            if not seen[item]:
                seen[item] = True
                columns[self.layer[item]].append(item)
                waiting += [self.legs[leg][0] for leg in reversed(self.inputs[item])]
        columns.reverse()
        best, fewest = columns, self._crossings(columns)
        for sweep in range(6):
            if not fewest:
                break
            columns = self._sweep(columns, leftwards=sweep % 2 == 0)
            crossings = self._crossings(columns)
            if crossings < fewest:
                best, fewest = columns, crossings
        return best

    def _sweep(self, columns: list[list[int]], *, leftwards: bool) -> list[list[int]]:
        end, legs_of = (1, self.outputs) if leftwards else (0, self.inputs)
        place: dict[int, float] = {}
        swept = []
        for column in reversed(columns) if leftwards else columns:
            aim = {}
            for at, item in enumerate(column):
                near = [place[self.legs[leg][end]] for leg in legs_of[item]]
                aim[item] = sum(near) / len(near) if near else float(at)
            swept.append(sorted(column, key=aim.__getitem__))
            place = {item: float(at) for at, item in enumerate(swept[-1])}
        return swept[::-1] if leftwards else swept

    def _crossings(self, columns: list[list[int]]) -> int:
        place = {item: at for column in columns for at, item in enumerate(column)}
        count = 0
        for column in columns:
            ends: list[int] = []
            for item in column:
                targets = [place[self.legs[leg][1]] for leg in self.outputs[item]]
                count += sum(len(ends) - bisect(ends, target) for target in targets)
                for target in targets:
                    insort(ends, target)
        return count

    def _ports(self, legs_of: list[list[int]], end: int) -> list[float]:
        """For each leg, how far below the card's middle it leaves or arrives."""
        below = [0.0] * len(self.legs)
        for item in range(self.cards):
            legs = legs_of[item]
            if len(legs) > 1:
                legs = sorted(legs, key=lambda leg: (self.position[self.legs[leg][end]], leg))
                step = min(self.port, (self.sizes[item][1] - 14) / (len(legs) - 1))
                for at, leg in enumerate(legs):
                    below[leg] = step * (at - (len(legs) - 1) / 2)
        return below

    def _heights(self, columns: list[list[int]]) -> list[float]:
        """The middle of each item, level with its neighbours where there is room."""
        middle = [0.0] * len(self.sizes)
        for column in columns:
            for item, floor in zip(column, self._floors(column), strict=True):
                middle[item] = floor
        for sweep in range(SWEEPS):
            for column in columns[::-1] if sweep % 2 == 0 else columns:
                self._settle(column, middle, from_left=sweep % 2 == 1 or sweep == 4, from_right=sweep % 2 == 0)
        return middle

    def _settle(self, column: list[int], middle: list[float], *, from_left: bool, from_right: bool) -> None:
        aims, weights = [], []
        for item in column:
            total = weight = 0.0
            for leg in self.outputs[item] if from_right else ():
                other = self.legs[leg][1]
                pull = 1 + 3 * (item >= self.cards) * (other >= self.cards)
                total += pull * (middle[other] + self.arrives_at[leg] - self.leaves_at[leg])
                weight += pull
            for leg in self.inputs[item] if from_left else ():
                other = self.legs[leg][0]
                pull = 1 + 3 * (item >= self.cards) * (other >= self.cards)
                total += pull * (middle[other] + self.leaves_at[leg] - self.arrives_at[leg])
                weight += pull
            aims.append(total / weight if weight else middle[item])
            weights.append(weight or 0.1)
        if len(column) == 1:
            middle[column[0]] = aims[0]
            return
        floors = self._floors(column)
        fitted = _isotonic([aim - floor for aim, floor in zip(aims, floors, strict=True)], weights)
        for item, place, floor in zip(column, fitted, floors, strict=True):
            middle[item] = place + floor

    def _floors(self, column: list[int]) -> list[float]:
        """The highest places that the items of a column can take: one below the other."""
        floors, at = [], 0.0
        for above, item in zip([column[0], *column], column):
            if item != above:
                free = BETWEEN if item < self.cards and above < self.cards else 6
                at += (self.sizes[above][1] + self.sizes[item][1]) / 2 + free
            floors.append(at)
        return floors

    def _rows(self, columns: list[list[int]], middle: list[float]) -> Layout:
        breadths = [max(self.sizes[item][0] for item in column) for column in columns]
        starts = self._breaks(columns, breadths)
        left: list[float] = []
        top, right = float(MARGIN), 0.0
        rails: dict[int, tuple[float, float, float]] = {}
        for start, stop in zip(starts, [*starts[1:], len(columns)], strict=True):
            x = self._inset(columns, start)
            for at in range(start, stop):
                left.append(x)
                x += breadths[at] + self.gap
            x -= self.gap
            items = [item for column in columns[start:stop] for item in column]
            highest = min(middle[item] - self.sizes[item][1] / 2 for item in items)
            for item in items:
                middle[item] += top - highest
            top = max(middle[item] + self.sizes[item][1] / 2 for item in items)
            legs = self._arriving(columns[stop]) if stop < len(columns) else []
            # Nested turns: the upper a link leaves, the farther out it turns, the lower it runs back, the upper it arrives.
            for outward, leg in enumerate(reversed(legs), start=1):
                rails[leg] = (x + TRACK * outward, top + self.port * outward, MARGIN + TRACK * (outward - 1))
            right = max(right, x + TRACK * len(legs))
            top += (self.port * len(legs) + BETWEEN) * bool(legs)
        return self._finished(left, breadths, middle, rails, right + MARGIN, top + MARGIN)

    def _inset(self, columns: list[list[int]], start: int) -> float:
        """Where a row begins: to the right of the links that come back to it."""
        return MARGIN + (TRACK * len(self._arriving(columns[start])) + 8 if start else 0)

    def _arriving(self, column: list[int]) -> list[int]:
        """The legs that arrive at a column, from top to bottom."""
        return [leg for item in column for leg in sorted(self.inputs[item], key=self.arrives_at.__getitem__)]

    def _breaks(self, columns: list[list[int]], breadths: list[float]) -> list[int]:
        """The columns at which a row starts: as few rows as fit, broken where the fewest links cross."""
        crossing = [sum(len(self.inputs[item]) for item in column) for column in columns] + [0]
        starts, start = [], 0
        while start < len(columns):
            starts.append(start)
            used, fits = self._inset(columns, start) + MARGIN, [start + 1]
            for stop in range(start + 1, len(columns) + 1):
                used += breadths[stop - 1]
                if used + TRACK * crossing[stop] <= self.width:
                    fits.append(stop)
                used += self.gap
                if used > self.width:
                    break
            fits = [stop for stop in fits if stop - start > (fits[-1] - start) // 2]
            start = min(fits, key=lambda stop: (crossing[stop], -stop))
        return starts

    def _finished(
        self,
        left: list[float],
        breadths: list[float],
        middle: list[float],
        rails: dict[int, tuple[float, float, float]],
        width: float,
        height: float,
    ) -> Layout:
        last = len(breadths) - 1
        start = [left[last - layer] for layer in self.layer]
        end = [left[last - layer] + breadths[last - layer] for layer in self.layer]
        corners = [
            (start[item] + (end[item] - start[item] - wide) / 2, middle[item] - high / 2)
            for item, (wide, high) in enumerate(self.sizes[: self.cards])
        ]
        routes, spots, leg = [], [], 0
        for chain in self.chains:
            source, target = chain[0], chain[-1]
            points = [(corners[source][0] + self.sizes[source][0], middle[source] + self.leaves_at[leg])]
            level, run_back = None, None
            for at, item in zip(chain, chain[1:]):
                y, to = middle[at] + self.leaves_at[leg], middle[item] + self.arrives_at[leg]
                points.append((end[at], y))
                if leg in rails:
                    turn, channel, back = rails[leg]
                    points += [(turn, y), (turn, channel), (back, channel), (back, to)]
                    run_back = points[-3], points[-2]
                else:
                    points.append((end[at] + self.lead, y))
                    level = level or (points[-2], points[-1])
                points.append((start[item], to))
                leg += 1
            points.append((corners[target][0], points[-1][1]))
            routes.append(_rounded(points))
            spots.append(_rounded(level or run_back))
        return Layout(_rounded(corners), tuple(routes), tuple(spots), round(width), round(height))


def _rounded(points: Sequence[Point]) -> tuple[Point, ...]:
    """To a tenth of a pixel, each point once."""
    return tuple(dict.fromkeys((round(x, 1), round(y, 1)) for x, y in points))


def _layers(cards: int, links: Sequence[tuple[int, int]]) -> list[int]:
    """For each card, the length of the longest path from it to the end."""
    layer = [0] * cards
    for source, target in sorted(links, reverse=True):
        layer[source] = max(layer[source], layer[target] + 1)
    return layer


def _isotonic(aims: list[float], weights: list[float]) -> list[float]:
    """The rising numbers nearest to `aims`, by pooling neighbours that are out of order."""
    pools: list[tuple[float, float, int]] = []
    for aim, weight in zip(aims, weights, strict=True):
        count = 1
        while pools and pools[-1][0] >= aim:
            above, heavy, many = pools.pop()
            aim = (above * heavy + aim * weight) / (heavy + weight)
            weight, count = heavy + weight, count + many
        pools.append((aim, weight, count))
    return [aim for aim, _, count in pools for _ in range(count)]
