"""`watch`: a loop that shows how far it is, and a picture of what it has done so far."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from IPython.display import display

from ..core.checks import check_function, describe
from ..core.picture import Picture

HERE = Path(__file__).parent
FRAMES = 20  # pictures of a long loop


class LiveView(anywidget.AnyWidget):
    """A progress bar and the newest picture; what a stored notebook keeps is a line that says what was to be seen."""

    _esm = HERE / "live.js"
    _css = ".jupyter-widgets-disconnected:has(.cu-watch)::before { content: none; }"
    total = traitlets.Int().tag(sync=True)
    done = traitlets.Int().tag(sync=True)
    name = traitlets.Unicode().tag(sync=True)
    picture = traitlets.Dict().tag(sync=True)

    def show(self, done: int, picture: Picture) -> None:
        """Moves the bar to `done` and shows `picture`."""
        with self.hold_sync():
            self.done = done
            self.picture = {"svg": picture.svg, "alt": picture.description, "width": picture.width}

    def __repr__(self) -> str:
        steps = f"{self.total} {self.name}s" if self.total > 1 else f"1 {self.name}"
        return f"{steps}, with a picture that moves while they run. Run this cell to watch them."

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        bundle, metadata = super()._repr_mimebundle_(**options)
        return {**bundle, "text/plain": repr(self), "text/html": f"<p><em>▸ {self!r}</em></p>"}, metadata


def watch(steps: Sequence[Any], draw: Callable[[], Picture], *, name: str = "epoch") -> Iterator[Any]:
    """Goes through `steps` in a `for` loop, under a progress bar and a picture that moves.

    Args:
        steps: anything with a length, such as `range(100)`.
        draw: draws what has been reached; called after every step of a short loop, 20 to 40 times in a long one.
        name: what a step is called.

    Raises:
        TypeError: `steps` has no length, `draw` is not a function or does not return a Picture.
        ValueError: no steps.

    Example:
        >>> for epoch in watch(range(100), lambda: plot_fit(x, y, model=net)):
        ...     train_step(net, optimizer, loss_fn, x, y)
    """
    if not hasattr(steps, "__len__"):
        raise TypeError(f"steps is {describe(steps)}; expected something with a length, such as range(100)")
    if not len(steps):
        raise ValueError("steps is empty; expected at least one step")
    return _watched(steps, check_function(draw, name="draw"), name)


def _watched(steps: Sequence[Any], draw: Callable[[], Picture], name: str) -> Iterator[Any]:
    view = LiveView(total=len(steps), name=name)
    display(view)
    between = max(1, len(steps) // FRAMES)
    for done, step in enumerate(steps, start=1):
        yield step
        if done == 1 or done % between == 0 or done == len(steps):
            view.show(done, _drawn(draw))


def _drawn(draw: Callable[[], Picture]) -> Picture:
    picture = draw()
    if not isinstance(picture, Picture):
        raise TypeError(f"draw returned {describe(picture)}; expected a Picture, such as plot_fit gives")
    return picture
