"""A matplotlib renderer that draws the palette's light tones as their dark twins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.colors import to_rgb

from ..core import palette

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LIGHT = numpy.array([to_rgb(light) for light in palette.TONES])
DARK = numpy.array([to_rgb(dark) for _, dark in palette.TONES.values()])


def renderer_for(figure: Figure, *, dark: bool) -> RendererAgg:
    """A renderer of the figure's size in pixels, for the light or the dark theme."""
    width, height = figure.bbox.size
    return (_DarkRenderer if dark else RendererAgg)(width, height, figure.dpi)


def dark_twins(colours: numpy.ndarray) -> numpy.ndarray:
    """`colours`, rows of red, green, blue and perhaps alpha from 0 to 1, with each palette tone as its dark twin."""
    twins = numpy.array(colours, dtype=float)
    if twins.size:
        row, tone = numpy.nonzero((abs(twins[:, None, :3] - LIGHT) < 1 / 510).all(-1))
        twins[row, :3] = DARK[tone]
    return twins


def _dark(colour: Sequence[float]) -> tuple[float, ...]:
    return tuple(dark_twins(numpy.array([colour]))[0])


class _DarkContext(GraphicsContextBase):
    _rgb: Any

    def set_foreground(self, fg: Any, isRGBA: bool = False) -> None:
        super().set_foreground(fg, isRGBA)
        self._rgb = _dark(self._rgb)

    def set_hatch_color(self, hatch_color: Any) -> None:
        super().set_hatch_color(_dark(to_rgb(hatch_color)))


class _DarkRenderer(RendererAgg):
    draw_markers: Any
    draw_path_collection: Any

    def new_gc(self) -> GraphicsContextBase:
        return _DarkContext()

    def draw_path(self, gc: Any, path: Any, transform: Any, rgbFace: Any = None) -> None:
        super().draw_path(gc, path, transform, None if rgbFace is None else _dark(rgbFace))

    def _update_methods(self) -> None:
        # matplotlib binds these methods here, past any override in the class.
        super()._update_methods()
        markers, collection = self.draw_markers, self.draw_path_collection

        def draw_markers(gc, marker_path, marker_trans, path, trans, rgbFace=None):
            markers(gc, marker_path, marker_trans, path, trans, None if rgbFace is None else _dark(rgbFace))

        def draw_path_collection(gc, transform, paths, transforms, offsets, offset_trans, faces, edges, *rest, **more):
            faces, edges = dark_twins(faces), dark_twins(edges)
            collection(gc, transform, paths, transforms, offsets, offset_trans, faces, edges, *rest, **more)

        self.draw_markers, self.draw_path_collection = draw_markers, draw_path_collection
