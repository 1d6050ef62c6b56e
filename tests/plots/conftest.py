import functools

import matplotlib
import numpy
import pytest
import torch
from matplotlib import _pylab_helpers

import own_warnings

# What a learner's matplotlibrc could say.
HOSTILE = {
    "text.usetex": True,
    "font.family": ["serif"],
    "font.serif": ["No Such Font"],
    "font.size": 30,
    "mathtext.fontset": "stix",
    "axes.grid": False,
    "axes.facecolor": "pink",
    "axes.formatter.limits": [0, 0],
    "axes.unicode_minus": False,
    "axes.xmargin": 0.4,
    "figure.dpi": 333,
    "figure.subplot.left": 0.4,
    "image.cmap": "gray",
    "legend.loc": "lower left",
    "lines.marker": "o",
    "path.simplify": False,
    "path.sketch": (5, 100, 2),
    "savefig.bbox": "tight",
    "savefig.dpi": 17,
    "savefig.transparent": True,
    "svg.fonttype": "none",
    "xtick.direction": "in",
    "xtick.minor.visible": True,
}


@pytest.fixture
def hostile_settings():
    """A context manager under which matplotlib has the settings of a learner who likes others."""
    return functools.partial(matplotlib.rc_context, HOSTILE)


@pytest.fixture(autouse=True)
def learners_world():
    """Every test of a plot also checks that the learner's world stays as it was, and that nothing warns."""

    def world():
        return {
            "torch random": torch.get_rng_state().tolist(),
            "numpy random": str(numpy.random.get_state()),
            "rcParams": dict(matplotlib.rcParams),
            "dtype": torch.get_default_dtype(),
            "grad mode": torch.is_grad_enabled(),
            "pyplot figures": len(_pylab_helpers.Gcf.figs),
        }

    before = world()
    with own_warnings.are_errors():
        yield
    after = world()
    assert [name for name in before if before[name] != after[name]] == []
