import warnings

import matplotlib
import numpy
import pytest
import torch
from matplotlib import _pylab_helpers


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
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
    after = world()
    assert [name for name in before if before[name] != after[name]] == []
