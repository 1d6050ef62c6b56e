import gc
import subprocess
import sys
import weakref

import pytest
import torch
from torch.utils.checkpoint import checkpoint

from course_utils import count_multiplications, count_numbers, count_operations, memory_profile

SIZE = 4000  # bytes of the tensors below


def in_tensors(profile):
    return [round(held / SIZE, 2) for held in profile]


def test_what_is_held_is_counted_until_it_is_let_go():
    def adds_up(x):
        y = x + 1
        y = y + 1
        y.view(10, 100)
        return y.sum()

    assert in_tensors(memory_profile(adds_up, torch.zeros(1000))) == [1, 2, 1]


def test_a_view_keeps_its_storage_and_an_operation_in_place_makes_none():
    def in_place(x):
        part = (x + 1)[:2]
        part.mul_(2)
        return part + 1

    assert in_tensors(memory_profile(in_place, torch.zeros(1000))) == [1, 1, 1]


def test_the_graph_holds_what_it_saved_until_backward_walks_it():
    def there_and_back(x, layers=4):
        for _ in range(layers):
            x = torch.sin(x)
        return torch.autograd.grad(x.sum(), leaf)

    leaf = torch.zeros(1000, requires_grad=True)
    profile = in_tensors(memory_profile(there_and_back, leaf))
    assert profile[:4] == [1, 2, 3, 4] and profile[-1] < max(profile)
    assert len(profile) == count_operations(there_and_back, leaf)


def test_checkpointing_lowers_the_peak_and_adds_operations():
    def part(x):
        for _ in range(4):
            x = torch.sin(x)
        return x

    def run(is_checkpointed):
        x = torch.zeros(1000, requires_grad=True)
        y = x
        for _ in range(4):
            y = checkpoint(part, y, use_reentrant=False) if is_checkpointed else part(y)
        torch.autograd.grad(y.sum(), x)

    plain, cut = memory_profile(run, False), memory_profile(run, True)
    assert max(cut) < 0.6 * max(plain) and len(cut) > len(plain)


def test_the_result_is_kept_by_nobody():
    made = []

    def makes():
        tensor = torch.zeros(1000)
        made.append(weakref.ref(tensor))
        return tensor

    memory_profile(makes)
    gc.collect()
    assert made[0]() is None


def test_an_error_passes_through():
    with pytest.raises(RuntimeError, match="must match"):
        memory_profile(lambda: torch.ones(2) + torch.ones(3))


def test_counts_forward_and_backward_operations_and_no_views():
    x = torch.tensor([2.0, 3.0])
    assert count_operations(lambda: x * x + 1) == 2
    assert count_operations(lambda: x.view(1, 2).T) == 0


def test_forward_mode_grows_with_the_inputs_and_reverse_mode_does_not():
    def f(x):
        return (x.sin() * x).sum()

    def reverse(x):
        return torch.func.grad(f)(x)

    def forward(x):
        return [torch.func.jvp(f, (x,), (direction,))[1] for direction in torch.eye(len(x))]

    few, many = torch.ones(2), torch.ones(20)
    assert count_operations(reverse, few) == count_operations(reverse, many)
    assert count_operations(forward, many) > 9 * count_operations(forward, few)


def test_counts_the_multiplications_of_matrix_products():
    weights, x = torch.ones(3, 4), torch.ones(4)
    assert count_multiplications(torch.matmul, weights, weights.T) == 3 * 4 * 3
    assert count_multiplications(torch.func.jacrev(lambda x: weights @ x), x) == 3 * 12
    assert count_multiplications(torch.sin, x) == 0


def test_a_torch_for_gpus_without_triton_says_nothing():
    program = """
import logging, sys, torch
torch.version.cuda, sys.modules["triton"] = "13.0", None
from course_utils import count_multiplications
print(count_multiplications(torch.mm, torch.ones(2, 3), torch.ones(3, 2)), "torch.utils.flop_counter" in sys.modules)
logging.getLogger("torch.utils.flop_counter").warning("heard again")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8")
    assert done.stdout == "12 True\n"
    assert "heard again" in done.stderr and "triton" not in done.stderr


@pytest.mark.parametrize("measure", [memory_profile, count_numbers, count_operations, count_multiplications])
def test_needs_a_function(measure):
    with pytest.raises(TypeError, match="function is a float32 tensor with one value; expected a function"):
        measure(torch.tensor(1.0))


def test_numbers_show_that_forward_mode_costs_the_square_of_the_inputs() -> None:
    def f(x: torch.Tensor) -> torch.Tensor:
        return (x * torch.sin(x)).sum()

    points = [torch.linspace(0, 1, n) for n in (1, 10, 100, 1000)]
    assert [count_numbers(torch.func.grad(f), x) for x in points] == [9, 72, 702, 7_002]
    assert [count_numbers(torch.func.jacfwd(f), x) for x in points] == [11, 551, 50_501, 5_005_001]
