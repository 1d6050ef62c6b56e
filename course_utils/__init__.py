"""See gradients: plots, the autograd graph with its numbers, sliders and exercises that answer back.

Each name below is imported when it is first used, so `import course_utils` costs almost nothing.
"""

from importlib import import_module

_HOMES = {
    "Picture": "picture",
    "plot_derivative": "plots.curves",
    "plot_tangent": "plots.curves",
    "plot_curves": "plots.measured",
    "trace": "graph",
    "draw_graph": "graph",
    "step_backward": "graph",
    "explore_graph": "graph",
    "draw_with_torchviz": "graph.torchviz",
    "explore": "sliders",
    "table": "tables",
    "show_tensors": "tables",
    "count_operations": "counting",
    "run_in_processes": "processes",
    "check_setup": "workshop.checkup",
    "Exercise": "exercises.exercise",
    "progress": "exercises.progress",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"course_utils has no {name!r}; it offers {', '.join(__all__)}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
