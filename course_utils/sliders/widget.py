"""The live view of an `Explorer`: answers the page's messages with frames."""

from __future__ import annotations

import struct
import traceback
import zlib
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import anywidget
import numpy
import traitlets
from IPython import get_ipython

from .blit import Canvas

if TYPE_CHECKING:
    from .explorer import Explorer, Shown

HERE = Path(__file__).parent
PNG = b"\x89PNG\r\n\x1a\n"


class ExplorerWidget(anywidget.AnyWidget):
    """Controls, the first frame, and answers to moves.

    The page sends `{"view": its id, "places": [place of each control] or None, "ratio": device pixels, "dark": theme,
    "still": number of the one it holds}` and gets for each exactly one answer with "view", "places" and "moved": "text"
    and perhaps "svg" or "png" with the picture in buffers, or "error" and "traceback". `{"asleep": true}` says that the
    page shows it no more.
    """

    _esm = HERE / "widget.js"
    _css = HERE / "widget.css"
    name = traitlets.Unicode().tag(sync=True)  # by which the page finds the model of this very widget
    title = traitlets.Unicode().tag(sync=True)
    controls = traitlets.List().tag(sync=True)
    first = traitlets.Dict().tag(sync=True)

    def __init__(self, explorer: Explorer):
        self.explorer = explorer
        self.places = [each.start for each in explorer.controls.values()]
        self.live: _LiveFigure | None = None
        self.lock = RLock()  # the first messages come in the main thread, later ones in a thread for widgets
        super().__init__(
            title=explorer.title,
            controls=[
                {
                    "name": each.name,
                    "kind": each.kind,
                    "labels": list(each.labels),
                    "start": each.start,
                    "seconds": each.seconds,
                    "repeat": each.repeat,
                }
                for each in explorer.controls.values()
            ],
            first=_told(explorer.first),
        )
        self.name = self.model_id
        self.on_msg(self._answer)

    def _answer(self, _: object, message: dict[str, Any], buffers: object) -> None:
        with self.lock:
            if not message.get("asleep"):
                self._draw(message)
            elif self.live:
                self.live.canvas.sleep()

    def _draw(self, message: dict[str, Any]) -> None:
        places = self.places if message["places"] is None else message["places"]
        answer = {"view": message["view"], "places": places, "moved": message["places"] is not None}
        pixels: list[bytes] = []
        try:
            told, pixels = self._frame(places, message)
            answer.update(told)
            self.places = places
        except (Exception, KeyboardInterrupt) as error:
            answer.update(error=_in_a_line(error), traceback=_without_us(error))
        self.send(answer, pixels)

    def _frame(self, places: list[int], page: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        controls = self.explorer.controls.items()
        values = {name: each.values[place] for (name, each), place in zip(controls, places, strict=True)}
        if not self.explorer.axes_names:
            return _told(self.explorer.call(values)), []
        if self.live is None:
            self.live = _LiveFigure(self.explorer)
        return self.live.frame(values, page)


class _LiveFigure:
    """The figure of a view with axes, made once and moved for as long as the widget lives."""

    def __init__(self, explorer: Explorer):
        self.explorer = explorer
        figure, self.update = explorer.new_figure()
        self.canvas = Canvas(figure)
        self.width = round(100 * figure.get_size_inches()[0])

    def frame(self, values: dict[str, Any], page: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        """What to show: the still picture, unless the page holds it, and over it the rectangle that changed."""
        frame = self.canvas.frame(
            lambda: self.explorer.move(self.update, values), ratio=page["ratio"], dark=page["dark"]
        )
        height, width, _ = frame.pixels.shape
        png = {"still": frame.number, "size": [width, height], "at": None}
        pixels = [] if page["still"] == frame.number else [encode(frame.still)]
        if frame.changed:
            rows, columns = frame.changed
            png["at"] = [int(columns.start), int(rows.start)]
            pixels.append(encode(frame.pixels[frame.changed]))
        text = frame.result
        return {"png": png, "text": text, "alt": self.explorer.describe(text), "width": self.width}, pixels


def encode(pixels: numpy.ndarray) -> bytes:
    """`pixels`, of shape (height, width, 4) and type uint8 (red, green, blue, alpha), as a PNG file.

    Without filters and with the lightest compression: such a picture lives for a moment, and is made in a third of the
    usual time.
    """
    height, width, _ = pixels.shape
    rows = numpy.zeros((height, 1 + 4 * width), numpy.uint8)  # each row starts with its filter: 0, none
    rows[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return PNG + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows, 1)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _told(shown: Shown) -> dict[str, Any]:
    picture = shown.picture
    if picture is None:
        return {"text": shown.text}
    told = {"svg": picture.svg, "text": shown.text, "alt": picture.description, "width": picture.width}
    return {**told, "spoken": shown.is_spoken}


def _in_a_line(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted. The next move draws again."
    return "".join(traceback.format_exception_only(error)).strip()


def _without_us(error: BaseException) -> str:
    """Where the error came from, in the learner's code and what it called, cells named as notebooks name them."""
    shell = get_ipython()
    name_cell = shell.compile.format_code_name if shell else lambda file: None
    lines = []
    for frame in traceback.extract_tb(error.__traceback__):
        if Path(frame.filename).parent != HERE:
            place = " ".join(name_cell(frame.filename) or [frame.filename])
            lines.append(f"{place}, line {frame.lineno}, in {frame.name}\n    {frame.line}")
    return "\n".join([*lines, _in_a_line(error)])
