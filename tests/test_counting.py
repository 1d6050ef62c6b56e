import pytest
import torch

from course_utils import count_operations


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


def test_needs_a_function():
    with pytest.raises(TypeError, match="function is a float32 tensor with one value; expected a function"):
        count_operations(torch.tensor(1.0))
