"""`Picture`: what every drawing of the course returns."""

from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from . import palette
from .checks import check_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Picture:
    """A drawing that describes itself; the last line of a cell shows it.

    It shows as an `<img>` with alternative text, follows the light or dark theme of the page, and needs neither a
    trusted notebook nor a network. The description is computed from the same data as the drawing, so it serves
    readers who do not see the picture, and the tests, which compare it.

    Args:
        svg: the drawing, one `<svg>` with `width` and `height` in pixels and the palette's light tones.
        description: what the drawing shows, with its key numbers; becomes the alternative text.
        details: more lines of text for `print` and for the tests (a graph's table of nodes), or ""; or a function
            that makes them when they are first asked for, which a slider's pictures never are.
        exact: True where the SVG is the same to the byte on every machine; it is then stored as text too, and compared.
        figure: the matplotlib figure behind the drawing, for those who want to go on with it.
    """

    def __init__(
        self,
        svg: str,
        *,
        description: str,
        details: str | Callable[[], str] = "",
        exact: bool = False,
        figure: Figure | None = None,
    ):
        check_text(svg, name="svg")
        check_text(description, name="description")
        if not description.strip():
            raise ValueError(
                "description is empty; give one sentence that says what the picture shows, with its numbers"
            )
        self.svg = palette.themed(svg)
        self.description, self.exact, self.figure = description, exact, figure
        self._details = details
        size = re.search(r'<svg\b[^>]*?\bwidth="([\d.]+)(?:px)?"', svg)
        if size is None:
            raise ValueError('svg has no width: its root must read <svg width="…" height="…">, in pixels')
        self.width = round(float(size.group(1)))

    @property
    def details(self) -> str:
        """More lines of text than the description."""
        if callable(self._details):
            self._details = self._details()
        return self._details

    @classmethod
    def from_figure(cls, figure: Figure, *, description: str) -> Picture:
        """The picture of a matplotlib figure (`palette.new_figure`), at 100 pixels an inch on screen."""
        buffer = io.StringIO()
        with palette.style():
            figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        svg = buffer.getvalue()
        svg = svg[svg.index("<svg") :]
        width, height = (round(inches * 100) for inches in figure.get_size_inches())
        svg = re.sub(r'width="[\d.]+pt" height="[\d.]+pt"|height="[\d.]+pt" width="[\d.]+pt"', "", svg, count=1)
        svg = svg.replace("<svg ", f'<svg width="{width}" height="{height}" ', 1)
        return cls(svg, description=description, figure=figure)

    def to_html(self) -> str:
        """An `<img>` with the SVG as a data URI and the description as its alternative text."""
        data = base64.b64encode(self.svg.encode()).decode()
        alt = html.escape(self.description, quote=True)
        return f'<img alt="{alt}" width="{self.width}" src="data:image/svg+xml;base64,{data}">'

    def save(self, path: str | Path) -> Path:
        """Writes the picture to `path` (.svg; or .png, .pdf where it was drawn with matplotlib) and returns the path.

        Raises:
            ValueError: the ending is not one that this picture can be written as.
        """
        path = Path(path)
        if path.suffix == ".svg":
            path.write_text(self.svg, encoding="utf-8", newline="\n")
        elif path.suffix in {".png", ".pdf"} and self.figure is not None:
            with palette.style():
                self.figure.savefig(path, dpi=200)
        else:
            known = ".svg, .png or .pdf" if self.figure is not None else ".svg"
            raise ValueError(f"path ends in {path.suffix!r}; this picture can be saved as {known}")
        return path

    def __repr__(self) -> str:
        return f"{self.description}\n{self.details}" if self.details else self.description

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        bundle = {"text/plain": repr(self), "text/html": self.to_html()}
        return {**bundle, "image/svg+xml": self.svg} if self.exact else bundle
