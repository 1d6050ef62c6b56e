import gc
import math
import weakref

import pytest
import torch
from torch import nn
from torch.optim import optimizer as optimisers

from course_utils import training_monitor
from course_utils.monitor import FIRST, MOST

X, Y = torch.linspace(-1, 1, 32).reshape(8, 4), torch.linspace(0, 1, 8)[:, None]


@pytest.fixture(autouse=True)
def learners_world():
    """Nothing random is drawn, and no hook is left behind."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        before = dict(optimisers._global_optimizer_post_hooks)
        yield
        assert dict(optimisers._global_optimizer_post_hooks) == before


def net(*widths):
    widths = widths or (4, 8, 1)
    pairs = zip(widths, widths[1:], strict=False)
    return nn.Sequential(*[part for one, two in pairs for part in (nn.Linear(one, two), nn.Tanh())][:-1])


def hooks_of(model):
    tables = [parameter._post_accumulate_grad_hooks for parameter in model.parameters()]
    tables += [part._forward_hooks for part in model.modules()] + [part._backward_hooks for part in model.modules()]
    return [hook for table in tables if table for hook in table.values()]


def loss_of(model):
    return nn.functional.mse_loss(model(X), Y)


def train(model, steps, *, kind=torch.optim.SGD, lr=0.1, each=None):
    optimiser = kind(model.parameters(), lr=lr)
    for step in range(1, steps + 1):
        optimiser.zero_grad()
        loss_of(model).backward()
        if each is not None:
            each(step)
        optimiser.step()


def sizes(model):
    grads = [torch.cat([p.grad.flatten() for p in part.parameters()]) for part in model if isinstance(part, nn.Linear)]
    return torch.stack([grad.double().square().mean().sqrt() for grad in grads])


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adam, torch.optim.RMSprop, torch.optim.AdamW])
def test_sizes_are_those_that_the_step_used(kind):
    model, noted = net(), {}
    with training_monitor(model, every=15) as monitor:
        train(model, 30, kind=kind, lr=0.01, each=lambda step: noted.update({step: sizes(model)}))
    assert monitor.layers == ["0 Linear", "2 Linear"]
    assert monitor.steps == [*range(1, 11), 15, 30]
    assert torch.allclose(monitor.sizes, torch.stack([noted[step] for step in monitor.steps]), rtol=1e-6)
    assert repr(monitor) == "2 layers, 12 of 30 steps read; no trouble seen"
    assert monitor._repr_mimebundle_()["text/plain"] == repr(monitor)
    assert hooks_of(model) == []


def test_training_itself_is_the_same_with_and_without():
    one, two = net(), net()
    two.load_state_dict(one.state_dict())
    state = torch.get_rng_state()
    with training_monitor(one):
        train(one, 40)
    train(two, 40)
    assert torch.equal(torch.get_rng_state(), state)
    for mine, other in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(mine, other)
        assert torch.equal(mine.grad, other.grad)


def test_accumulated_gradients_count_once_a_step():
    model = net()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    with training_monitor(model) as monitor:
        for _ in range(2):
            for part in range(4):
                nn.functional.mse_loss(model(X[2 * part :][:2]), Y[2 * part :][:2]).backward()
            before = sizes(model)
            optimiser.step()
            optimiser.zero_grad()
    assert monitor.total == 2
    assert torch.allclose(monitor.sizes[-1], before)


def test_a_loop_by_hand_counts_backward_passes():
    model, noted = net(), []
    with training_monitor(model, every=1) as monitor:
        for _ in range(8):
            loss_of(model).backward()
            noted.append(sizes(model))
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter -= 0.1 * parameter.grad
                    parameter.grad = None
    assert torch.allclose(monitor.sizes, torch.stack(noted), rtol=1e-6)
    assert repr(monitor) == "2 layers, 8 of 8 backward passes read; no trouble seen"
    loss_of(model).backward()
    assert monitor.total == 8
    assert hooks_of(model) == []


def test_closures_that_run_backward_inside_the_step():
    model = net()
    optimiser = torch.optim.LBFGS(model.parameters(), max_iter=3)

    def closure():
        optimiser.zero_grad()
        loss = loss_of(model)
        loss.backward()
        return loss

    with training_monitor(model) as monitor:
        for _ in range(3):
            optimiser.step(closure)
    assert monitor.steps == [1, 2, 3]
    assert torch.allclose(monitor.sizes[-1], sizes(model))


def test_two_optimisers_share_their_steps_and_one_after_another_goes_on_counting():
    model = net()
    parts = [torch.optim.SGD(model[at].parameters(), lr=0.1) for at in (0, 2)]
    with training_monitor(model) as monitor:
        for _ in range(3):
            model.zero_grad()
            loss_of(model).backward()
            for optimiser in parts:
                optimiser.step()
    assert monitor.steps == [1, 2, 3]
    assert monitor.sizes.isfinite().all()
    with training_monitor(model, every=1) as monitor:
        train(model, 10)
        train(model, 10)
    assert monitor.total in (19, 20)


def test_other_models_and_their_optimisers_are_not_counted():
    model, other = net(), net()
    with training_monitor(model) as monitor:
        train(other, 3)
        train(model, 2)
    assert monitor.total == 2


def test_frozen_forgotten_and_unreached_layers_are_told_apart():
    model = net(4, 4, 4, 4, 1)
    model[0].requires_grad_(False)
    optimiser = torch.optim.SGD([*model[0].parameters(), *model[4].parameters(), *model[6].parameters()], lr=0.1)
    with training_monitor(model) as monitor:
        for _ in range(2):
            optimiser.zero_grad()
            nn.functional.mse_loss(model[6](model[:4](X)), Y).backward()
            optimiser.step()
    assert repr(monitor).endswith("no gradient at any: 4 Linear; in no optimiser: 2 Linear; frozen: 0 Linear")
    assert monitor.sizes.isnan().all(0).tolist() == [True, True, True, False]


def test_gradients_that_were_zeroed_too_early():
    model = net()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    with training_monitor(model) as monitor:
        for _ in range(3):
            loss_of(model).backward()
            optimiser.zero_grad()
            optimiser.step()
    assert repr(monitor) == "2 layers, 3 of 3 steps read; no gradient at any: 0 Linear to 2 Linear (2 layers)"


def test_nothing_happened():
    with training_monitor(net()) as monitor:
        pass
    assert repr(monitor).startswith("2 layers watched: no optimiser that holds their parameters stepped")
    assert monitor.sizes.shape == (0, 2)


def test_modules_called_several_times_and_shared_parameters():
    model = net(4, 4, 4, 1)
    model[2] = model[0]
    with training_monitor(model) as monitor:
        train(model, 2)
    assert monitor.layers == ["0 Linear", "4 Linear"]
    assert monitor.total == 2
    with training_monitor(model, every=1) as monitor:
        for _ in range(3):
            (loss_of(model) + loss_of(model)).backward()
    assert monitor.total == 3


def test_explosion_and_nan_are_named_with_their_first_step():
    model = net()

    def spoil(step):
        for parameter in model[0].parameters():
            parameter.grad.fill_(1e9 if step == 3 else math.nan if step >= 4 else 1.0)

    with training_monitor(model) as monitor:
        train(model, 6, lr=0.0, each=spoil)
    assert [(event.kind, event.first, event.last, event.layers) for event in monitor.events] == [
        ("exploded", 3, 3, (0,)),
        ("nan", 4, None, (0,)),
        ("nan", 5, None, (1,)),
    ]
    assert "exploded at step 3: 0 Linear; nan from step 4 on: 0 Linear" in repr(monitor)


def test_an_exploding_whole_and_a_vanished_part():
    model = net()

    def spoil(step):
        for part, size in ((model[0], 1e-7 if step == 2 else 1.0), (model[2], 1.0)):
            for parameter in part.parameters():
                parameter.grad.fill_(size * (1e5 if step == 4 else 1))

    with training_monitor(model) as monitor:
        train(model, 5, lr=0.0, each=spoil)
    assert [(event.kind, event.first, event.layers) for event in monitor.events] == [
        ("vanished", 2, (0,)),
        ("exploded", 4, (0, 1)),
    ]


def test_long_training_keeps_a_bounded_number_of_readings():
    model = net(4, 1)
    with training_monitor(model, every=1) as monitor:
        train(model, 3 * MOST)
    assert len(monitor.steps) <= MOST
    assert monitor.steps[:FIRST] == list(range(1, FIRST + 1))
    assert set(torch.tensor(monitor.steps[-9:]).diff().tolist()) == {4}
    assert "720 steps read" in repr(monitor)


def test_an_exception_leaves_no_hook():
    model = net()
    with pytest.raises(ZeroDivisionError), training_monitor(model) as monitor:
        train(model, 3, each=lambda step: 1 / (step - 2))
    assert monitor.total == 1
    assert hooks_of(model) == []


def test_model_and_optimiser_can_go():
    model = net()
    optimiser = torch.optim.Adam(model.parameters())
    with training_monitor(model) as monitor:
        loss_of(model).backward()
        optimiser.step()
    gone = [weakref.ref(model), weakref.ref(optimiser), weakref.ref(model[0].weight), weakref.ref(model[0].weight.grad)]
    del model, optimiser
    gc.collect()
    assert [reference() for reference in gone] == [None] * 4
    assert monitor.sizes.shape == (1, 2)


def test_unfreezing_on_the_way():
    model = net()
    model[0].requires_grad_(False)
    optimiser = torch.optim.SGD(model[2].parameters(), lr=0.1)
    with training_monitor(model) as monitor:
        for step in range(4):
            if step == 2:
                optimiser.add_param_group({"params": model[0].requires_grad_(True).parameters()})
            optimiser.zero_grad()
            loss_of(model).backward()
            optimiser.step()
    assert monitor.sizes.isnan().tolist() == [[True, False], [True, False], [False, False], [False, False]]


def test_a_second_use_is_refused():
    monitor = training_monitor(net())
    with monitor, pytest.raises(RuntimeError, match="this monitor has been used"):
        monitor.__enter__()
    with pytest.raises(RuntimeError, match="this monitor has been used"):
        monitor.__enter__()


def test_bad_input_is_told():
    with pytest.raises(TypeError, match="model is 3; expected an nn.Module"):
        training_monitor(3)
    with pytest.raises(ValueError, match="model is a ReLU without parameters"):
        training_monitor(nn.ReLU())
    with pytest.raises(ValueError, match="model has lazy layers without a shape; call it on a batch first"):
        training_monitor(nn.Sequential(nn.Linear(2, 2), nn.LazyLinear(1)))
    with pytest.raises(ValueError, match="every is 0; expected a whole number"):
        training_monitor(net(), every=0)
