"""What `course_utils/__init__.py` offers lazily, for editors and type checkers; a test holds the two together."""

from classroom.checkup import check_setup as check_setup

from .core.picture import Picture as Picture
from .core.tables import show_tensors as show_tensors
from .core.tables import table as table
from .core.tracebacks import full_tracebacks as full_tracebacks
from .exercises.exercise import Exercise as Exercise
from .exercises.progress import progress as progress
from .exercises.recap import recap as recap
from .graph.show import draw_graph as draw_graph
from .graph.show import explore_graph as explore_graph
from .graph.show import step_backward as step_backward
from .graph.show import trace as trace
from .graph.torchviz import draw_with_torchviz as draw_with_torchviz
from .measuring import count_multiplications as count_multiplications
from .measuring import count_numbers as count_numbers
from .measuring import count_operations as count_operations
from .measuring import memory_profile as memory_profile
from .monitor import training_monitor as training_monitor
from .plots.boundaries import explore_boundary as explore_boundary
from .plots.costs import explore_memory as explore_memory
from .plots.costs import plot_memory as plot_memory
from .plots.costs import plot_times as plot_times
from .plots.curves import explore_tangent as explore_tangent
from .plots.curves import plot_curves as plot_curves
from .plots.curves import plot_derivative as plot_derivative
from .plots.curves import plot_tangent as plot_tangent
from .plots.descent import explore_descent as explore_descent
from .plots.descent import explore_newton as explore_newton
from .plots.descent import explore_paths as explore_paths
from .plots.descent import plot_newton as plot_newton
from .plots.differences import explore_secant as explore_secant
from .plots.differences import plot_difference_error as plot_difference_error
from .plots.fits import explore_line as explore_line
from .plots.fits import explore_training as explore_training
from .plots.fits import plot_fit as plot_fit
from .plots.flow import explore_gradient_flow as explore_gradient_flow
from .plots.flow import gradient_flow as gradient_flow
from .plots.matrices import explore_vjp as explore_vjp
from .plots.matrices import plot_matrix as plot_matrix
from .plots.rounding import explore_rounding as explore_rounding
from .plots.surfaces import explore_direction as explore_direction
from .plots.surfaces import explore_partials as explore_partials
from .plots.surfaces import plot_contour as plot_contour
from .plots.taylor import explore_derivatives as explore_derivatives
from .plots.taylor import explore_taylor as explore_taylor
from .plots.training import explore_accumulation as explore_accumulation
from .plots.training import explore_microbatches as explore_microbatches
from .plots.training import plot_losses as plot_losses
from .processes import run_in_processes as run_in_processes
from .sliders import explore as explore
from .sliders import play as play
from .sliders.live import watch as watch

__all__: list[str]
