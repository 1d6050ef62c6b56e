import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_utils import explore_microbatches, plot_fit, plot_losses
from course_utils.plots.drawing import still
from course_utils.plots.training import accumulation_view, microbatch_view, split_evenly

SAMPLES = [1.0, 2.0, 3.0, 10.0]


def microbatches_still(samples, *, sizes):
    return still(microbatch_view(samples), sizes=sizes)


def accumulation_still(grads, *, zeroed=()):
    reach = [min(0.0, *grads), max(0.0, *grads)]
    return still(accumulation_view(calls=len(grads), reach=reach), grads=grads, zeroed=zeroed)


def test_uneven_micro_batches_and_the_mean_of_their_means():
    assert microbatches_still(SAMPLES, sizes=[3, 1]).description == (
        "4 samples in micro-batches of 3 and 1: all samples 4.00, weighted mean 4.00, mean of means 6.00, off by 2.00"
    )


def test_even_micro_batches_are_right_either_way():
    assert microbatches_still(SAMPLES, sizes=[2, 2]).description.endswith("mean of means 4.00, off by 0.00")


def test_bars_are_as_wide_as_their_samples_and_as_high_as_their_mean():
    axes = microbatches_still(SAMPLES, sizes=[3, 1]).figure.axes[0]
    bars = [bar.get_bbox().bounds for bar in axes.patches if bar.get_visible()]
    assert bars == [(0, 0, 3, 2.0), (3, 0, 1, 10.0)]


@given(st.integers(1, 50), st.integers(1, 50))
def test_a_split_takes_every_sample_once(count, size):
    sizes = split_evenly(count, size)
    assert sum(sizes) == count
    assert set(sizes[:-1]) <= {size}
    assert 1 <= sizes[-1] <= size


def test_accumulation_of_the_lesson():
    picture = accumulation_still([4.0, 8.0, 4.0], zeroed=[3])
    assert picture.description == "x.grad after 3 calls of backward: 4.00, 8.00, 4.00; zeroed before call 3"
    kept, added = (
        [bar.get_bbox().y0, bar.get_bbox().y1] for bar in (picture.figure.axes[0].patches[n] for n in (1, 4))
    )
    assert (kept, added) == ([0, 4], [4, 8])


def test_a_single_call_and_a_tensor_of_gradients():
    assert accumulation_still(torch.tensor([-2.0])).description == "x.grad after 1 call of backward: −2.00"


def test_losses_by_name():
    assert plot_losses({"SGD": [3.0, 1.0, 2.0], "Adam": torch.tensor([3.0, 0.5])}, step="epoch").description == (
        "SGD goes from 3.00 to 2.00 in 3 epochs, lowest 1.00; Adam goes from 3.00 to 0.50 in 2 epochs, lowest 0.50"
    )


def test_losses_that_break_and_a_logarithmic_axis():
    assert plot_losses([1.0, float("nan"), 2.0]).description == "loss is not finite from step 1 on"
    assert plot_losses([1.0, 0.1, 0.01], log=True).figure.axes[0].get_yscale() == "log"


def test_fit_says_how_far_apart():
    picture = plot_fit([1.0, 2.0, 3.0], [2.0, 4.0, 5.0], model=lambda x: 2 * x)
    assert picture.description == "3 samples and the model's curve, 0.3333 apart on average, 1.00 at most"


def test_fit_of_a_module_with_its_losses():
    with torch.random.fork_rng(devices=[]):
        net = torch.nn.Linear(1, 1)
    net.load_state_dict({"weight": torch.tensor([[2.0]]), "bias": torch.tensor([0.0])})
    x = torch.tensor([[1.0], [2.0]])
    picture = plot_fit(x, 2 * x, model=net, losses=[4.0, 0.0])
    assert picture.description == (
        "2 samples and the model's curve, 0.00 apart on average, 0.00 at most; loss 0.00 after 2 steps"
    )


@pytest.mark.parametrize("lost", [torch.nan, torch.inf])
def test_training_that_diverges_can_still_be_drawn(lost):
    losses = [2.0, 4.0, lost]
    picture = plot_fit([1.0, 2.0], [1.0, 2.0], model=torch.sin, losses=losses)
    assert picture.description.endswith(f"loss {lost} after 3 steps")
    assert picture.figure.axes[1].get_ylim() == (0.0, 4.2)
    assert "loss nan after 1 steps" in plot_fit([1.0, 2.0], [1.0, 2.0], model=torch.sin, losses=[torch.nan]).description


def test_a_fit_of_many_samples_stays_small():
    x = torch.linspace(0, 1, 500)
    assert len(plot_fit(x, x, model=lambda x: x).svg) < 120_000


@pytest.mark.parametrize(
    ("plot", "kind", "message"),
    [
        (lambda: explore_microbatches([1.0]), ValueError, "the number of samples is 1"),
        (lambda: plot_losses({}), ValueError, "losses has 0 runs; expected one to four"),
        (lambda: plot_losses([1.0, 0.0], log=True), ValueError, "losses has a value of 0 or below"),
        (lambda: plot_losses({"a": []}), ValueError, r"losses\['a'\] is empty"),
        (lambda: plot_fit([1.0], [1.0], model=torch.sin), ValueError, "x has 1 samples and y 1; .* at least 2"),
        (lambda: plot_fit([1.0, 2.0], [1.0, 2.0], model=3), TypeError, "model is 3; expected a function"),
    ],
)
def test_bad_arguments(plot, kind, message):
    with pytest.raises(kind, match=message):
        plot()
