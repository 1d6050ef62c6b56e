import math
import threading

import pytest
import torch
from torch import nn

from course_utils import explore_gradient_flow, gradient_flow
from course_utils.core.randomness import OwnRandomness
from course_utils.gradients import fold, layers_of, lengths, listed, shorten, typical


@pytest.fixture(autouse=True)
def seeded():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def net(depth=2, width=4):
    layers = [part for _ in range(depth) for part in (nn.Linear(width, width), nn.Tanh())]
    return nn.Sequential(*layers, nn.Linear(width, 1))


def backward(model, width=4):
    x = torch.linspace(-1, 1, 8 * width).reshape(8, width)
    model(x).square().mean().backward()
    return model


def set_grads(model, *values):
    """Every gradient entry of the n-th layer is the n-th value; None for no gradient."""
    for layer, value in zip(layers_of(model), values, strict=True):
        for parameter in layer.parameters:
            parameter.grad = None if value is None else torch.full_like(parameter, value)
    return model


def test_size_is_the_root_mean_square_of_all_entries():
    model = backward(nn.Sequential(nn.Linear(4, 1)))
    entries = torch.cat([parameter.grad.flatten() for parameter in model.parameters()])
    assert f"{entries.square().mean().sqrt():.3f}" in gradient_flow(model).description


def test_few_layers_are_all_named():
    model = set_grads(net(), 0.5, -0.25, 2.0)
    assert gradient_flow(model).description == "gradient flow, 3 layers: 0 Linear 0.50, 2 Linear 0.25, 4 Linear 2.00"


def test_bars_reach_their_sizes():
    axes = gradient_flow(set_grads(net(), 0.5, 0.25, 2.0)).figure.axes[0]
    ends = [segment[1] for segment in axes.collections[0].get_segments()]
    assert [end.tolist() for end in ends] == [[0.5, pytest.approx(1 / 6)], [0.25, 0.5], [2.0, pytest.approx(5 / 6)]]


def test_every_trouble_has_its_name():
    model = set_grads(net(6), math.nan, math.inf, 0.0, 1e-6, 1e6, None, 1.0)
    model[10].requires_grad_(False)
    told = gradient_flow(model).description
    for words in (
        "nan: 0 Linear",
        "infinite: 2 Linear",
        "all zero: 4 Linear",
        "layer's): 6 Linear",
        "frozen: 10 Linear",
    ):
        assert words in told
    assert "exploded (over 10000 times the last layer's): 8 Linear" in told
    shown = {text.get_text() for text in gradient_flow(model).figure.axes[0].texts}
    assert {"nan", "inf", "all zero", "1.00e−6 vanished", "1.00e6 exploded", "frozen", "1.00"} <= shown


def test_no_gradient_is_not_zero():
    assert gradient_flow(net()).description == "gradient flow, 3 layers: no gradient yet, call loss.backward() first"
    assert gradient_flow(set_grads(net(), None, 1.0, 1.0)).description.endswith("no gradient: 0 Linear")
    assert gradient_flow(set_grads(net(), 0.0, 1.0, 1.0)).description.endswith("all zero: 0 Linear")
    frozen = net().requires_grad_(False)
    assert gradient_flow(frozen).description.endswith("all layers are frozen")


def test_a_thousandth_has_not_vanished():
    assert "vanished" not in gradient_flow(set_grads(net(), 1e-3, 1.0, 1.0)).description


def test_what_just_fits_is_neither_folded_nor_cut():
    names = [f"part.{index} Linear" for index in range(6)]
    assert [row.name for row in fold(names, 6)] == names
    assert len(fold(names, 5)) < 6
    assert (shorten("part.0", 6), shorten("part.0", 5)) == ("part.0", "…0")
    every_other = [index % 2 == 0 for index in range(18)]
    assert listed([str(index) for index in range(16)], every_other[:16]).endswith(", 12, 14")
    assert listed([str(index) for index in range(18)], every_other).endswith(", 12, 14 and 1 more")


def test_long_models_are_folded_and_say_so():
    picture = gradient_flow(backward(net(60)))
    shown = [text.get_text() for text in picture.figure.axes[0].texts if text.get_visible()]
    assert "61 layers in 21 rows. Backward walks upwards, from the output to the input." in shown
    assert "0 to 4" in shown
    assert picture.description.startswith("gradient flow, 61 layers: first 0 Linear")


def test_a_folded_row_tells_how_many_of_its_layers_are_in_trouble():
    model = set_grads(net(60), *[0.0 if at == 4 else 1.0 for at in range(61)])
    shown = [text.get_text() for text in gradient_flow(model).figure.axes[0].texts]
    assert "0.8165 (1 all zero)" in shown


def test_folding_follows_the_modules():
    parts = ("norm", "attention.query", "linear")
    names = ["stem", *(f"blocks.{block}.{part}" for block in range(12) for part in parts), "head"]
    rows = fold(names, 24)
    assert [row.name for row in rows] == ["stem", *(f"blocks.{block}" for block in range(12)), "head"]
    assert [len(row.members) for row in rows] == [1, *[3] * 12, 1]
    assert [at for row in rows for at in row.members] == list(range(38))


@pytest.mark.parametrize("count", [1, 24, 25, 61, 500])
def test_folding_keeps_every_layer_once_in_order(count):
    rows = fold([f"{at} Linear" for at in range(count)], 24)
    assert len(rows) <= 24
    assert [at for row in rows for at in row.members] == list(range(count))


def test_shared_parameters_count_once():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[1].weight = model[0].weight
    first, second = layers_of(model)
    assert [len(first.parameters), len(second.parameters)] == [2, 1]


def test_names():
    assert shorten("encoder.layers.11.self_attn.out_proj", 22) == "…11.self_attn.out_proj"
    assert shorten("a" * 40, 10) == "…" + "a" * 9
    assert shorten("head", 10) == "head"
    assert listed(list("abcde"), [True, True, False, False, True]) == "a to b (2 layers), e"
    assert [layer.name for layer in layers_of(nn.Linear(2, 1))] == ["Linear"]


def test_lengths_where_squares_leave_the_dtype():
    tiny, huge = torch.full((4,), 1e-30), torch.full((4,), 1e30)
    sparse = torch.sparse_coo_tensor([[0, 2]], [3.0, 4.0], (5,), check_invariants=True)
    other = [torch.tensor([3 + 4j]), torch.tensor([3.0, 4.0], dtype=torch.float16), torch.zeros(3)]
    found = lengths([tiny, huge, sparse, *other, torch.tensor([1.0, math.nan])])
    assert found[:6] == pytest.approx([2e-30, 2e30, 5.0, 5.0, 5.0, 0.0])
    assert math.isnan(found[6])
    assert typical([(3.0, 1), (4.0, 1)]) == pytest.approx(5 / math.sqrt(2))
    assert typical([]) is None
    assert math.isnan(typical([(math.nan, 1), (math.inf, 1)]))


def test_bad_input_is_told():
    with pytest.raises(TypeError, match=r"model is the function net; expected an nn.Module"):
        gradient_flow(net)
    with pytest.raises(ValueError, match="model is a ReLU without parameters"):
        gradient_flow(nn.ReLU())


def network(depth, gain):
    layers = []
    for _ in range(depth):
        linear = nn.Linear(8, 8)
        nn.init.xavier_normal_(linear.weight, gain=gain)
        layers += [linear, nn.Tanh()]
    return nn.Sequential(*layers, nn.Linear(8, 1))


X, Y = torch.linspace(-1, 1, 32).reshape(4, 8), torch.ones(4, 1)
SLIDERS = {"depth": (1, 30, 1, 5), "gain": (0.1, 3.0, 0.1, 1.0)}


def test_explorer_is_the_same_each_time_and_agrees_with_the_plot():
    explorer = explore_gradient_flow(network, inputs=X, targets=Y, **SLIDERS)
    state = torch.get_rng_state()
    assert explorer(depth=3).description == explorer(depth=3).description
    assert torch.equal(torch.get_rng_state(), state)
    with OwnRandomness():
        model = network(3, 1.0)
    nn.functional.mse_loss(model(X), Y).backward()
    assert explorer(depth=3).description == gradient_flow(model).description


def test_explorer_takes_a_loss_and_writes_no_grad():
    mine = nn.Linear(8, 1)
    explorer = explore_gradient_flow(lambda scale: (mine, (scale * mine(X)).mean()), scale=(1, 3))
    assert explorer(scale=1).description.startswith("gradient flow, 1 layer: Linear 0.")
    assert mine.weight.grad is None
    deep = explore_gradient_flow(network, inputs=X, loss=lambda output: output.mean(), **SLIDERS)
    assert "vanished" in deep(depth=20, gain=0.2).description


def test_explorer_tells_what_build_should_return():
    with pytest.raises(TypeError, match="inputs is None; expected a batch"):
        explore_gradient_flow(network, **SLIDERS).picture  # noqa: B018
    with pytest.raises(TypeError, match="what build returned is 3; expected an nn.Module"):
        explore_gradient_flow(lambda depth: 3, depth=(1, 2)).picture  # noqa: B018
    with pytest.raises(ValueError, match="loss is a float32 tensor of shape .4, 1.; expected one value"):
        explore_gradient_flow(network, inputs=X, loss=lambda output: output, **SLIDERS).picture  # noqa: B018
    with pytest.raises(ValueError, match="reaches down to -1"):
        explore_gradient_flow(network, inputs=X, sizes=(-1, 1), **SLIDERS)


def test_own_randomness_leaves_other_threads_alone():
    expected = torch.rand(3, generator=torch.Generator().manual_seed(torch.initial_seed()))
    drawn = []

    def beside():
        with OwnRandomness(7):
            drawn.extend([torch.randn(2), nn.functional.dropout(torch.ones(9)), torch.randperm(4), torch.rand_like(X)])

    thread = threading.Thread(target=beside)
    thread.start()
    thread.join()
    assert len(drawn) == 4
    assert torch.equal(torch.rand(3), expected)
    with OwnRandomness(7):
        assert torch.equal(torch.randn(2), drawn[0])
