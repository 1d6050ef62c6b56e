"""Read any autograd graph, put the numbers on it, walk it backwards."""

from importlib import import_module

_HOMES = {
    "trace": "trace",
    "draw_graph": "draw",
    "step_backward": "step",
    "explore_graph": "step",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"course_utils.graph has no {name!r}; it offers {', '.join(__all__)}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
