"""What an instructor runs: the doctor, the board and its folder; `from classroom import read_board, plot_board`."""

from course_utils.core.lazy import lazy_names

_HOMES = {"read_board": ".board", "plot_board": ".picture"}

__all__, __getattr__, __dir__ = lazy_names(__name__, _HOMES)
