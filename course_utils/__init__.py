"""See gradients: plots, the autograd graph with its numbers, sliders and exercises that answer back.

Each name below is imported when it is first used, so `import course_utils` costs almost nothing.
"""

from importlib import import_module

_HOMES = {
    "Picture": "picture",
    "plot_derivative": "plots.curves",
    "plot_tangent": "plots.curves",
    "plot_curves": "plots.measured",
    "plot_contour": "plots.surfaces",
    "plot_slices": "plots.surfaces",
    "plot_partials": "plots.surfaces",
    "plot_direction": "plots.surfaces",
    "plot_descent": "plots.descent",
    "plot_paths": "plots.descent",
    "plot_newton": "plots.descent",
    "plot_taylor": "plots.taylor",
    "plot_nth_derivative": "plots.taylor",
    "plot_secant": "plots.differences",
    "plot_difference_error": "plots.differences",
    "plot_matrix": "plots.matrices",
    "plot_vjp": "plots.matrices",
    "plot_microbatches": "plots.training",
    "plot_accumulation": "plots.training",
    "plot_memory": "plots.costs",
    "plot_times": "plots.costs",
    "plot_losses": "plots.training",
    "plot_fit": "plots.fits",
    "trace": "graph",
    "draw_graph": "graph",
    "step_backward": "graph",
    "explore_graph": "graph",
    "draw_with_torchviz": "graph.torchviz",
    "explore": "sliders",
    "play": "sliders",
    "explore_tangent": "explorers",
    "explore_secant": "explorers",
    "explore_derivatives": "explorers",
    "explore_taylor": "explorers",
    "explore_partials": "explorers",
    "explore_direction": "explorers",
    "explore_descent": "explorers",
    "explore_newton": "explorers",
    "explore_vjp": "explorers",
    "explore_microbatches": "explorers",
    "explore_accumulation": "explorers",
    "explore_line": "explorers",
    "explore_training": "explorers",
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
