"""`Canvas`: a matplotlib figure that is drawn once, after which only what moved is drawn again."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

import numpy
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Annotation, Text

from .. import palette
from .dark import renderer_for
from .png import encode

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.figure import Figure

T = TypeVar("T")


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
        self._changing: set[Artist] = set()
        self._over: list[tuple[Axes, list[Artist]]] = []
        self._paper: _Paper | None = None
        self._background: object = None
        with palette.style():
            figure.draw_without_rendering()

    def frame(self, move: Callable[[], T], *, ratio: float = 1, dark: bool = False) -> tuple[bytes, T]:
        """The picture as PNG after `move`, and what `move` returned.

        Args:
            move: changes artists of the figure in place.
            ratio: device pixels for each pixel of the page.
            dark: True for the palette's dark tones.
        """
        with palette.style():
            self._prepare(ratio, dark)
            result = move()
            if self._background is None or self._more_than_artists():
                self._draw_background()
            else:
                self._paper.restore_region(self._background)
                self.fast_draws += 1
            self._draw_over()
        return self._paper.png(), result

    def sleep(self) -> None:
        """Gives the memory of the pixels back; the next frame is a full draw."""
        self._paper, self._background = None, None

    def _prepare(self, ratio: float, dark: bool) -> None:
        if self._paper is None or (self._paper.ratio, self._paper.dark) != (ratio, dark):
            self.figure.set_dpi(100 * ratio)
            self._paper, self._background = _Paper(self.figure, ratio, dark), None
        if self._background is None:
            for artist in self.figure.findobj():
                artist.stale = False

    def _more_than_artists(self) -> bool:
        layout = (artist for axes, artists in self._over for artist in artists if _is_layout(artist, axes))
        return self.figure.stale or any(artist.stale for artist in layout)

    def _draw_background(self) -> None:
        self._background = None
        self._over = [(axes, self._from_lowest_changing(axes)) for axes in self.figure.axes]
        over = {artist for _, artists in self._over for artist in artists}
        for artist in self.figure.findobj():
            artist.set_animated(artist in over)
        self._paper.draw()
        self._background = self._paper.copy_from_bbox(self.figure.bbox)
        self.full_draws += 1

    def _from_lowest_changing(self, axes: Axes) -> list[Artist]:
        """The artists of `axes` that are drawn over the background, in drawing order."""
        others = (other for other in self.figure.axes if other is not axes)
        if hasattr(axes, "get_zlim") or any(axes.bbox.overlaps(other.bbox) for other in others):
            return []
        order = sorted(_drawn(axes), key=attrgetter("zorder"))
        self._changing.update(artist for artist in order if not _is_layout(artist, axes) and _may_change(artist))
        lowest = next((place for place, artist in enumerate(order) if artist in self._changing), len(order))
        return order[lowest:]

    def _draw_over(self) -> None:
        renderer = self._paper.get_renderer()
        for _, artists in self._over:
            for artist in artists:
                artist.draw(renderer)
                artist.stale = False
        self.figure.stale = False


class _Paper(FigureCanvasAgg):
    """The pixels of a figure, at a density and in a theme."""

    def __init__(self, figure: Figure, ratio: float, dark: bool):
        super().__init__(figure)
        self.ratio, self.dark = ratio, dark
        self.renderer = renderer_for(figure, dark=dark)

    def get_renderer(self) -> RendererAgg:
        return self.renderer

    def png(self) -> bytes:
        return encode(numpy.asarray(self.buffer_rgba()))


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
