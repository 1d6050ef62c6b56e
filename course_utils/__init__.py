"""See gradients: plots, the autograd graph with its numbers, sliders and exercises that answer back.

Each name below is imported when it is first used, so `import course_utils` costs almost nothing.
In a notebook it folds the tracebacks; `full_tracebacks()` undoes that.
"""

from .core.lazy import lazy_names
from .core.tracebacks import fold_tracebacks

_HOMES = {
    "Picture": ".core.picture",
    "plot_derivative": ".plots.curves",
    "plot_tangent": ".plots.curves",
    "plot_curves": ".plots.curves",
    "plot_contour": ".plots.surfaces",
    "plot_newton": ".plots.descent",
    "plot_difference_error": ".plots.differences",
    "plot_matrix": ".plots.matrices",
    "plot_memory": ".plots.costs",
    "plot_times": ".plots.costs",
    "plot_losses": ".plots.training",
    "plot_fit": ".plots.fits",
    "gradient_flow": ".plots.flow",
    "training_monitor": ".monitor",
    "trace": ".graph.show",
    "draw_graph": ".graph.show",
    "step_backward": ".graph.show",
    "explore_graph": ".graph.show",
    "draw_with_torchviz": ".graph.torchviz",
    "explore": ".sliders",
    "play": ".sliders",
    "explore_tangent": ".plots.curves",
    "explore_secant": ".plots.differences",
    "explore_derivatives": ".plots.taylor",
    "explore_taylor": ".plots.taylor",
    "explore_partials": ".plots.surfaces",
    "explore_direction": ".plots.surfaces",
    "explore_descent": ".plots.descent",
    "explore_newton": ".plots.descent",
    "explore_vjp": ".plots.matrices",
    "explore_microbatches": ".plots.training",
    "explore_accumulation": ".plots.training",
    "explore_line": ".plots.fits",
    "explore_training": ".plots.fits",
    "explore_gradient_flow": ".plots.flow",
    "explore_paths": ".plots.descent",
    "explore_boundary": ".plots.boundaries",
    "watch": ".sliders.live",
    "table": ".core.tables",
    "show_tensors": ".core.tables",
    "explore_rounding": ".plots.rounding",
    "explore_memory": ".plots.costs",
    "count_numbers": ".measuring",
    "count_operations": ".measuring",
    "count_multiplications": ".measuring",
    "memory_profile": ".measuring",
    "run_in_processes": ".processes",
    "check_setup": "classroom.checkup",
    "Exercise": ".exercises.exercise",
    "progress": ".exercises.progress",
    "recap": ".exercises.recap",
    "full_tracebacks": ".core.tracebacks",
}

fold_tracebacks()
__all__, __getattr__, __dir__ = lazy_names(__name__, _HOMES)
