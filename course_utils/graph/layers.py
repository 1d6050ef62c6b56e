"""Layers of a graph's cards, their order from top to bottom, and their heights. Nothing recurses.

Layers by the longest path to the end, order by a walk from the end and barycentres, heights by isotonic regression
(pool adjacent violators).
"""

from __future__ import annotations

from bisect import bisect, insort
from collections.abc import Sequence

BETWEEN, PASSING, SWEEPS = 22, 6, 7


class Layered:
    """Items in columns: first the cards, then the points where longer links pass through a layer.

    Attributes:
        sizes: width and height of each item.
        columns: items from left to right, each column from top to bottom.
        chains: for each link, the items that it runs through, from source to target.
        legs: (from, to) of each step of a link, from one column to the next, link by link.
        inputs, outputs: for each item, the legs that arrive and leave.
        leaves_at, arrives_at: for each leg, how far below the middle of the item.
        middle: the height of each item's middle, in one long row.
    """

    def __init__(self, sizes: Sequence[tuple[float, float]], links: Sequence[tuple[int, int]], *, port: float):
        self.sizes, self.port, self.cards = [*sizes], port, len(sizes)
        self.layer = _layers(self.cards, links)
        self.chains = [self._chain(source, target) for source, target in links]
        self.inputs: list[list[int]] = [[] for _ in self.sizes]
        self.outputs: list[list[int]] = [[] for _ in self.sizes]
        self.legs: list[tuple[int, int]] = []
        for chain in self.chains:
            for source, target in zip(chain, chain[1:]):
                self.outputs[source].append(len(self.legs))
                self.inputs[target].append(len(self.legs))
                self.legs.append((source, target))
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

    def _ports(self) -> tuple[list[float], list[float]]:
        """For each leg, how far below the card's middle it leaves, and arrives."""
        place = {item: at for column in self.columns for at, item in enumerate(column)}
        below = [0.0] * len(self.legs), [0.0] * len(self.legs)
        for legs_of, end, found in ((self.outputs, 1, below[0]), (self.inputs, 0, below[1])):
            for item in range(self.cards):
                legs = sorted(legs_of[item], key=lambda leg: (place[self.legs[leg][end]], leg))
                step = min(self.port, (self.sizes[item][1] - 14) / max(1, len(legs) - 1))
                for at, leg in enumerate(legs):
                    found[leg] = step * (at - (len(legs) - 1) / 2)
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
                free = BETWEEN if item < self.cards and above < self.cards else PASSING
                at += (self.sizes[above][1] + self.sizes[item][1]) / 2 + free
            floors.append(at)
        return floors


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
