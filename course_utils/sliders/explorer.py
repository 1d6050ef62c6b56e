"""`explore`: put sliders on a view, a function that draws."""

from __future__ import annotations

import contextlib
import html
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

import torch

from ..core import palette
from ..core.checks import check_numbers
from ..core.picture import Picture
from ..core.randomness import random_state_kept
from .controls import Control, control

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOVE_ME = "Run this cell to move it"


@dataclass(frozen=True)
class Shown:
    """What a view shows at one position: a picture or none, and the readout."""

    picture: Picture | None
    text: str

    @property
    def is_spoken(self) -> bool:
        """True where the readout's words are on the drawing itself, so that it is for screen readers alone."""
        return self.picture is not None and self.picture.exact and self.text == self.picture.description


class Explorer:
    """A view with sliders; the last line of a cell shows it. `explore` makes it.

    Call it with values to get the still picture there: `tangent(x0=1.5)`. What is not named stands at its start.
    Stored outputs keep the still picture alone: drop `application/vnd.jupyter.widget-view+json` from the output and
    `widgets` from the notebook's metadata; what stays is the same in every run, and says that running moves it.
    """

    def __init__(self, view: Callable[..., Any], controls: Mapping[str, Control], *, figure_size: tuple | None):
        self.view, self.controls, self.figure_size = view, dict(controls), figure_size
        self.name = getattr(view, "__name__", type(view).__name__)
        self.title = ((inspect.getdoc(view) or "") if inspect.isroutine(view) else "").partition("\n")[0].rstrip(".")
        self.axes_names = _axes_names(view, self.controls, self.name)
        self.__doc__ = getattr(view, "__doc__", None)

    @property
    def start(self) -> dict[str, Any]:
        """The values at which the sliders start, by name."""
        return {name: each.values[each.start] for name, each in self.controls.items()}

    @cached_property
    def first(self) -> Shown:
        """What is shown at the start."""
        return self.still(self.start)

    @property
    def picture(self) -> Picture | str:
        """The still picture at the start; for a view that shows text alone, the text."""
        return self.first.text if self.first.picture is None else self.first.picture

    def __call__(self, **values: Any) -> Picture | str:
        """The still picture at `values`, or the text where the view draws nothing.

        Raises:
            TypeError: a name that is no slider of this view, or a view that returns the wrong thing.
            ValueError: a value outside its slider's range or choices.
        """
        shown = self.still({**self.start, **self.checked(values)})
        return shown.text if shown.picture is None else shown.picture

    def checked(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """`values` as the view is to receive them; errors as in a call."""
        unknown = [name for name in values if name not in self.controls]
        if unknown:
            raise TypeError(f"{self.name} has no slider {unknown[0]!r}; it has {', '.join(self.controls)}")
        return {name: self.controls[name].check(value) for name, value in values.items()}

    def still(self, values: Mapping[str, Any]) -> Shown:
        """What is shown at `values`, drawn from nothing; the live figure stays as it is."""
        if not self.axes_names:
            return self.call(values)
        figure, update = self.new_figure()
        text = self.move(update, values)
        return Shown(Picture.from_figure(figure, description=self.describe(text)), text)

    def describe(self, text: str) -> str:
        """What the picture shows: the view's title and the readout."""
        return f"{self.title}: {text}" if self.title else text

    def call(self, values: Mapping[str, Any]) -> Shown:
        """What a view that makes its own picture shows."""
        with self._world():
            shown = self.view(**values)
        if isinstance(shown, Picture):
            return Shown(shown, shown.description)
        if isinstance(shown, str):
            return Shown(None, shown)
        if isinstance(shown, tuple) and [type(part) for part in shown] == [Picture, str]:
            return Shown(*shown)
        raise TypeError(f"{self.name} returned {shown!r}; expected a Picture, a text, or a pair (Picture, text)")

    def new_figure(self) -> tuple[Figure, Callable[..., Any]]:
        """A figure with the view's fixed parts drawn on its axes, and the view's `update`."""
        count = len(self.axes_names)
        width, height = self.figure_size or (6.4 if count == 1 else min(4.6 * count, 10.2), 3.8)
        with self._world(), palette.style():
            if self.axes_names == ["figure"]:
                from matplotlib.figure import Figure

                figure = Figure(figsize=(width, height))
                update = self.view(figure)
            else:
                figure, axes = palette.new_figure(width=width, height=height, columns=count)
                update = self.view(*([axes] if count == 1 else axes))
        self._check_update(update)
        return figure, update

    def _check_update(self, update: Any) -> None:
        expected = f"update({', '.join(self.controls)})"
        if not callable(update):
            given = ", ".join(self.axes_names)
            raise TypeError(
                f"{self.name} was given axes as {given} and returned {update!r}; expected the function {expected}"
            )
        try:
            inspect.signature(update).bind(**self.start)
        except TypeError as error:
            found = f"update{inspect.signature(update)}"
            raise TypeError(f"{self.name} returned {found}; its sliders need {expected}: {error}") from None

    def move(self, update: Callable[..., Any], values: Mapping[str, Any]) -> str:
        """Calls the view's `update` and returns its readout."""
        with self._world(), palette.style():
            text = update(**values)
        if not isinstance(text, str) or not text.strip():
            raise TypeError(
                f"update of {self.name} returned {text!r}; expected the readout, a text with the numbers shown"
            )
        return text

    @contextlib.contextmanager
    def _world(self) -> Iterator[None]:
        """Leaves torch's gradient mode and random state as the learner has them, whatever a view does."""
        with random_state_kept(), torch.set_grad_enabled(torch.is_grad_enabled()):
            yield

    def __repr__(self) -> str:
        return f"{self.name}, with sliders: {self._sliders()}"

    def _sliders(self) -> str:
        return "; ".join(each.describe() for each in self.controls.values())

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        from .widget import ExplorerWidget

        bundle, _ = ExplorerWidget(self)._repr_mimebundle_()
        return {**bundle, **self.stored()}

    def stored(self) -> dict[str, str]:
        """The outputs that a stored notebook keeps: the still picture and the text."""
        note = f"{MOVE_ME}: {self._sliders()}."
        picture, text = self.first.picture, self.first.text
        bundle = picture._repr_mimebundle_() if picture else {}
        readout = "" if self.first.is_spoken else f"<p>{html.escape(text)}</p>"
        page = f"{bundle.get('text/html', '')}{readout}<p><em>▸ {html.escape(note)}</em></p>"
        return {**bundle, "text/plain": f"{self.picture!s}\n{note}", "text/html": page}


@overload
def explore(
    view: Callable[..., Any], /, *, figure_size: tuple[float, float] | None = None, **sliders: Any
) -> Explorer: ...


@overload
def explore(
    view: None = None, /, *, figure_size: tuple[float, float] | None = None, **sliders: Any
) -> Callable[[Callable[..., Any]], Explorer]: ...


def explore(
    view: Callable[..., Any] | None = None, /, *, figure_size: tuple[float, float] | None = None, **sliders: Any
) -> Explorer | Callable[[Callable[..., Any]], Explorer]:
    """Puts sliders on `view`: `explore(view, x0=(-2, 2, 0.05))`, or `@explore(x0=(-2, 2, 0.05))` above its `def`.

    A view is one of two kinds. Where all its parameters are sliders it is called on every move, and returns a Picture
    (whose description is the readout), a text, or both as a pair. Where it has further parameters first, these are
    matplotlib axes, side by side (or, named `figure`, the whole figure): it is called once, draws what stays, and
    returns `update(**values)`, which moves artists in place and returns the readout as text.

    Args:
        view: the function that draws; the first line of its docstring is the title.
        figure_size: width and height of the figure in inches, of 100 pixels each; for views with axes.
        sliders: one for each remaining parameter: `(low, high)`, `(low, high, step)` or `(low, high, step, start)`
            (whole numbers where all are whole), a `range`, a list of choices (of rising numbers: a slider over them),
            a dict of labels and values, True or False for a checkbox, or `play(…)` around one of them. Ranges of
            numbers start in the middle, all others with what comes first.

    Returns:
        An `Explorer`; without `view`, a decorator that makes one.

    Raises:
        TypeError: a slider that the view has no parameter for, a parameter without a slider, or a form not named above.
        ValueError: an empty range, a minimum above the maximum, a step that is not above zero, a start outside; a size
            that is not above zero.
    """
    if figure_size is not None and min(check_numbers(figure_size, name="figure_size", count=2)) <= 0:
        raise ValueError(f"figure_size = {figure_size!r}; expected a width and a height above zero, in inches")
    controls = {name: control(name, given) for name, given in sliders.items()}
    if not controls:
        raise TypeError("explore needs at least one slider, such as x0=(-2, 2, 0.05)")

    def decorate(function: Callable[..., Any]) -> Explorer:
        return Explorer(function, controls, figure_size=figure_size)

    return decorate if view is None else decorate(view)


def _axes_names(view: Callable[..., Any], controls: Mapping[str, Control], name: str) -> list[str]:
    """The leading parameters of `view` that are not sliders, checked against the sliders."""
    if not callable(view):
        raise TypeError(f"view = {view!r}; expected a function that draws")
    parameters = inspect.signature(view).parameters.values()
    positional = [
        each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD and each.default is each.empty
    ]
    leading = [each for each in positional if each not in controls]
    known = [each.name for each in parameters]
    takes_any = any(each.kind is each.VAR_KEYWORD for each in parameters)
    if not leading and not takes_any:
        for slider in controls:
            if slider not in known:
                raise TypeError(f"{name} has no parameter {slider!r} for this slider; it has {', '.join(known)}")
    if leading and positional != leading:
        mixed = next(each for each in positional if each in controls)
        raise TypeError(
            f"{name} takes axes ({', '.join(leading)}) and the slider {mixed!r}; expected axes alone, with the slider "
            f"as a parameter of the `update` it returns, or a slider for {leading[0]!r}"
        )
    return leading
