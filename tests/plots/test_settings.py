"""A learner's own settings of matplotlib stay theirs, and reach no picture of the course."""

import matplotlib
import torch
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont
from matplotlib.image import imread

from course_utils import plot_contour, plot_tangent
from course_utils.core.palette import STYLE


def test_no_matplotlibrc_reaches_a_saved_file(tmp_path, hostile_settings):
    usual, picture = (plot_contour(lambda x, y: x**2 + y, at=(1, 1)) for _ in range(2))
    usual.save(tmp_path / "usual.png")
    with hostile_settings():
        picture.save(tmp_path / "hostile.png")
    one, other = (imread(tmp_path / f"{name}.png") for name in ("usual", "hostile"))
    assert one.shape == other.shape and abs(one - other).mean() < 1e-3


def test_the_learners_own_figures_keep_their_settings(hostile_settings):
    with hostile_settings():
        before = dict(matplotlib.rcParams)
        plot_tangent(torch.sin, at=0.0)
        assert dict(matplotlib.rcParams) == before
        assert Figure().dpi == before["figure.dpi"] == 333


def test_the_font_is_the_one_that_comes_with_matplotlib():
    assert findfont(STYLE["font.family"]).startswith(matplotlib.get_data_path())
