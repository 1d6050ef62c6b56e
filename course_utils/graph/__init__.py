"""Read any autograd graph, put the numbers on it, walk it backwards."""

from ..lazy import lazy_names

_HOMES = {
    "trace": "trace",
    "draw_graph": "draw",
    "step_backward": "step",
    "explore_graph": "step",
}

__all__, __getattr__, __dir__ = lazy_names(__name__, _HOMES)
