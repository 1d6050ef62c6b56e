"""The live view of an `Explorer`: answers the page's messages with frames."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from .blit import Canvas

if TYPE_CHECKING:
    from .explorer import Explorer

HERE = Path(__file__).parent


class ExplorerWidget(anywidget.AnyWidget):
    """Controls, the first frame, and answers to moves.

    The page sends `{"view": id, "places": [place of each control] or None, "ratio": device pixels, "dark": theme}` and
    gets for each exactly one answer: `{"view", "places", "format", "width", "text", "alt"}` with the picture as a
    buffer, or `{"view", "places", "error", "traceback"}`. `{"asleep": true}` says that no page shows it any more.
    """

    _esm = HERE / "widget.js"
    _css = HERE / "widget.css"
    title = traitlets.Unicode().tag(sync=True)
    controls = traitlets.List().tag(sync=True)
    first = traitlets.Dict().tag(sync=True)

    def __init__(self, explorer: Explorer):
        self.explorer = explorer
        self.places = [each.start for each in explorer.controls.values()]
        self.live = _LiveFigure(explorer) if explorer.axes_names else None
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
            first=self._first(),
        )
        self.on_msg(self._answer)

    def _first(self) -> dict[str, Any]:
        """The first frame as text, so that it shows at once, and without a kernel."""
        picture, text = self.explorer.first.picture, self.explorer.first.text
        if picture is None:
            return {"text": text}
        return {"svg": picture.svg, "text": text, "width": picture.width, "alt": picture.description}

    def _answer(self, _: object, message: dict[str, Any], buffers: object) -> None:
        if message.get("asleep"):
            if self.live:
                self.live.canvas.sleep()
            return
        places = self.places if message["places"] is None else message["places"]
        answer, pixels = {"view": message["view"], "places": places}, []
        try:
            frame, pixels = self._frame(places, ratio=message["ratio"], dark=message["dark"])
            answer.update(frame)
            self.places = places
        except (Exception, KeyboardInterrupt) as error:
            answer.update(error=_in_a_line(error), traceback=_without_us(error))
        self.send(answer, pixels)

    def _frame(self, places: list[int], *, ratio: float, dark: bool) -> tuple[dict[str, Any], list[bytes]]:
        controls = self.explorer.controls.items()
        values = {name: each.values[place] for (name, each), place in zip(controls, places, strict=True)}
        if self.live:
            return self.live.frame(values, ratio=ratio, dark=dark)
        frame = self.explorer.call(values)
        if frame.picture is None:
            return {"format": "", "text": frame.text}, []
        told = {"format": "svg+xml", "text": frame.text, "alt": frame.picture.description, "width": frame.picture.width}
        return told, [frame.picture.svg.encode()]


class _LiveFigure:
    """The figure of a view with axes, made once and moved for as long as the widget lives."""

    def __init__(self, explorer: Explorer):
        self.explorer = explorer
        figure, self.update = explorer.new_figure()
        self.canvas = Canvas(figure)
        self.width = round(100 * figure.get_size_inches()[0])

    def frame(self, values: dict[str, Any], *, ratio: float, dark: bool) -> tuple[dict[str, Any], list[bytes]]:
        png, text = self.canvas.frame(lambda: self.explorer.move(self.update, values), ratio=ratio, dark=dark)
        told = {"format": "png", "text": text, "alt": self.explorer.describe(text), "width": self.width}
        return told, [png]


def _in_a_line(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted. The next move draws again."
    return "".join(traceback.format_exception_only(error)).strip()


def _without_us(error: BaseException) -> str:
    """The traceback from the learner's code on."""
    trace = error.__traceback__
    while trace and Path(trace.tb_frame.f_code.co_filename).parent == HERE and trace.tb_next:
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace))
