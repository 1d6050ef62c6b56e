"""A function that raised half way: the graph so far, and where it stopped."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterable
from types import FrameType, TracebackType

import torch

from ..graph import Graph
from .record import is_learners
from .walk import Key, is_tracked, key_of, walk


def add_graph(error: Exception, made: Iterable[torch.Tensor], read: Callable[[dict[Key, torch.Tensor]], Graph]) -> None:
    """Puts the graph so far on an error as `error.graph`, and adds to its message where the function stopped.

    Args:
        error: what the function raised.
        made: tensors that it made last.
        read: gives the graph behind its outputs, by key.
    """
    frames = list(_frames(error.__traceback__))
    local = [one for frame, _ in frames for one in frame.f_locals.values() if isinstance(one, torch.Tensor)]
    tracked = {key_of(one): one for one in (*local, *made) if is_tracked(one) and one.grad_fn is not None}
    if not tracked or not frames:
        return
    found = walk(list(tracked), limit=10 * len(tracked) + 4500)
    used = {source for sources in found.sources for source in sources}
    tips = {key: one for at, (key, one) in enumerate(tracked.items()) if at not in used}
    error.graph = read(tips)
    frame, number = frames[-1]
    line = linecache.getline(frame.f_code.co_filename, number).strip()
    if hasattr(error, "add_note"):  # from Python 3.11 on
        at = f" at `{line}`" if line else ""
        error.add_note(
            f"The function stopped{at}. Its graph so far: draw_graph(error.graph), with `except … as error`."
        )


def _frames(traceback: TracebackType | None) -> Iterable[tuple[FrameType, int]]:
    """The learner's own frames, the innermost last, with the line at which each stopped."""
    while traceback is not None:
        if is_learners(traceback.tb_frame.f_code):
            yield traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next
