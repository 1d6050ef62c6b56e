"""`Canvas`: a matplotlib figure that is drawn once, after which only what moved is drawn again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.legend import Legend
from matplotlib.text import Annotation, Text

from ..core import palette
from .dark import renderer_for

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.figure import Figure

T = TypeVar("T")
Region = tuple[slice, slice]


@dataclass(frozen=True)
class Frame(Generic[T]):
    """The picture after a move.

    Args:
        pixels: the whole picture, shape (height, width, 4), uint8; valid until the next move.
        still: the picture without the changing artists, in the same shape.
        number: of `still`; another number is another picture.
        changed: the part of `pixels` that differs from `still`; None where nothing does.
        result: what the move returned.
    """

    pixels: numpy.ndarray
    still: numpy.ndarray
    number: int
    changed: Region | None
    result: T


class Canvas:
    """Keeps the picture of a figure up to date at the least cost.

    The background holds everything below the lowest artist that has ever changed. A frame is the background with the
    rest drawn over it, in order, so it equals a full draw in every pixel. What changed is read from matplotlib's own
    `stale` flags; where that is more than artists inside axes (limits, ticks, titles, the set of artists), the
    background is drawn anew.

    Args:
        figure: drawn by this canvas alone from now on.
    """

    def __init__(self, figure: Figure):
        self.figure = figure
        self.full_draws = self.fast_draws = 0
        self._background = self._still = numpy.empty(0)
        self._numbers = count(1)
        self._number = 0  # of the still picture; 0 while there is none
        self._changing: set[Artist] = set()
        self._over: list[_Layer] = []
        self._paper: _Paper | None = None
        with palette.style():
            figure.draw_without_rendering()

    def frame(self, move: Callable[[], T], *, ratio: float = 1, dark: bool = False) -> Frame[T]:
        """Calls `move`, which changes artists of the figure in place, and brings the picture up to date.

        Args:
            move: called once; what it returns is passed on.
            ratio: device pixels for each pixel of the page.
            dark: True for the palette's dark tones.
        """
        with palette.style():
            paper = self._prepare(ratio, dark)
            result = move()
            if not self._number or self._more_than_artists():
                self._draw_background(paper)
            else:
                self.fast_draws += 1
            paper.pixels[:] = self._background
            for layer in self._over:
                layer.draw(paper)
            self.figure.stale = False
        pixels, still = paper.pixels, self._still
        return Frame(
            pixels, still, self._number, region_of(pixels.view(numpy.uint32) != still.view(numpy.uint32)), result
        )

    def sleep(self) -> None:
        """Gives the memory of the pixels back; the next frame is a full draw."""
        self._paper, self._over, self._number = None, [], 0
        self._background = self._still = numpy.empty(0)

    def _prepare(self, ratio: float, dark: bool) -> _Paper:
        if self._paper is None or (self._paper.ratio, self._paper.dark) != (ratio, dark):
            self.figure.set_dpi(100 * ratio)
            self._paper, self._number = _Paper(self.figure, ratio, dark), 0
        if not self._number:
            for artist in self.figure.findobj():
                artist.stale = False
        return self._paper

    def _more_than_artists(self) -> bool:
        return self.figure.stale or any(layer.artist.stale for layer in self._over if layer.is_layout)

    def _draw_background(self, paper: _Paper) -> None:
        self._number = 0  # until this has gone well
        self._over = [layer for axes in self.figure.axes for layer in self._from_lowest_changing(axes)]
        over = {layer.artist for layer in self._over}
        for artist in self.figure.findobj():
            artist.set_animated(artist in over)
        paper.draw()
        self._background = paper.pixels.copy()
        for layer in self._over:
            if not layer.changing:
                layer.draw(paper)
        self._still, self._number = paper.pixels.copy(), next(self._numbers)
        self.full_draws += 1

    def _from_lowest_changing(self, axes: Axes) -> list[_Layer]:
        """The artists of `axes` that are drawn over the background, in drawing order."""
        others = (other for other in self.figure.axes if other is not axes)
        if hasattr(axes, "get_zlim") or any(axes.bbox.overlaps(other.bbox) for other in others):
            return []
        order = sorted(_drawn(axes), key=attrgetter("zorder"))
        self._changing.update(artist for artist in order if not _is_layout(artist, axes) and _may_change(artist))
        lowest = next((place for place, artist in enumerate(order) if artist in self._changing), len(order))
        return [_Layer(artist, artist in self._changing, _is_layout(artist, axes)) for artist in order[lowest:]]


class _Layer:
    """An artist over the background; one that does not change is drawn afresh only where what lies under it changed."""

    def __init__(self, artist: Artist, changing: bool, is_layout: bool):
        self.artist, self.changing, self.is_layout = artist, changing, is_layout
        self.region: Region | None = None
        self.place: Any = None
        self.under = self.drawn = numpy.empty(0)

    def draw(self, paper: _Paper) -> None:
        if self.changing or self.artist.stale:
            self.artist.draw(paper.renderer)
            self.artist.stale, self.place = False, None
            return
        # A legend in the "best" place moves with the lines that it avoids.
        place = self.artist.get_window_extent(paper.renderer).bounds if isinstance(self.artist, Legend) else True
        if place != self.place:
            self.place, self.region, self.under = place, paper.reach(self.artist), numpy.empty(0)
        if self.region is None:
            return
        here = paper.pixels[self.region]
        if numpy.array_equal(here, self.under):
            here[:] = self.drawn
        else:
            under = here.copy()
            self.artist.draw(paper.renderer)
            self.under, self.drawn = under, here.copy()


class _Paper(FigureCanvasAgg):
    """The pixels of a figure, at a density and in a theme."""

    def __init__(self, figure: Figure, ratio: float, dark: bool):
        super().__init__(figure)
        self.ratio, self.dark = ratio, dark
        self.renderer = renderer_for(figure, dark=dark)
        self.pixels = numpy.asarray(self.renderer.buffer_rgba())

    def get_renderer(self) -> RendererAgg:
        return self.renderer

    def reach(self, artist: Artist) -> Region | None:
        """Where `artist` leaves a trace: the pixels that it covers, if only in part, on empty paper."""
        empty = renderer_for(self.figure, dark=self.dark)
        artist.draw(empty)
        return region_of(numpy.asarray(empty.buffer_rgba())[..., 3:] > 0)


def region_of(marked: numpy.ndarray) -> Region | None:
    """The smallest rectangle around all marked pixels of `marked`, shape (height, width, 1); None if there are none."""
    rows, columns = (numpy.flatnonzero(marked.any(axis)) for axis in ((1, 2), (0, 2)))
    return (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)) if len(rows) else None


def _drawn(axes: Axes) -> list[Artist]:
    """The children that `axes` draws, as matplotlib chooses them."""
    hidden: set[Any] = {axes.patch}
    if not axes.axison:
        hidden.update((axes.xaxis, axes.yaxis))
    if not (axes.axison and axes.get_frame_on()):
        hidden.update(axes.spines.values())
    return [artist for artist in axes.get_children() if artist not in hidden] if axes.get_visible() else []


def _is_layout(artist: Artist, axes: Axes) -> bool:
    """True for an axis or a title, whose change moves other things."""
    return isinstance(artist, Axis) or (isinstance(artist, Text) and artist not in axes.texts)


def _may_change(artist: Artist) -> bool:
    """True where the artist or a part of it changed; annotations count always, for `note.xy = …` leaves no trace."""
    return isinstance(artist, Annotation) or any(part.stale for part in artist.findobj())
