"""What is kept of tensors: the same one by one and many at a time."""

import math

import pytest
import torch

from course_utils.graph.read.summary import Summaries, summarise

SPECIAL = [math.nan, math.inf, -math.inf, 3e38, 0.0]


def alike(one, other):
    same_norm = one.norm == pytest.approx(other.norm, rel=1e-5, nan_ok=True)
    numbers = [repr(number) for number in one.numbers] == [repr(number) for number in other.numbers]
    return (one.shape, one.trouble) == (other.shape, other.trouble) and same_norm and numbers


@pytest.mark.parametrize("shape", [(), (1,), (3,), (4, 4), (17,), (5, 7), (40, 40), (0, 3)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.complex64])
def test_many_at_a_time_as_one_by_one(shape, dtype):
    torch.manual_seed(0)
    tensors = [torch.randn(shape).to(dtype) for _ in range(300)]
    for at, special in enumerate(SPECIAL):
        if tensors[at].numel() and dtype is not torch.float16:
            tensors[at * 7].view(-1)[-1] = special
    summaries = Summaries(shape)
    places = [summaries.add(tensor) for tensor in tensors]
    summaries.read()
    assert all(alike(summaries[at], summarise(tensor)) for at, tensor in zip(places, tensors))


def test_the_same_entries_in_another_shape_are_read_once():
    first, second, third = Summaries((6, 5)), Summaries((5, 6)), Summaries((30,))
    at = first.add(torch.ones(6, 5))
    again = second.add_same(first, at)
    once_more = third.add_same(second, again)
    first.read()
    assert second[again] == summarise(torch.ones(5, 6)) and third[once_more].shape == (30,)
    assert third[once_more].norm == pytest.approx(30**0.5)


def test_what_cannot_be_stacked_is_read_one_by_one():
    summaries = Summaries((3,))
    dense, sparse = torch.tensor([1.0, 2.0, 2.0]), torch.tensor([0.0, 4.0, 3.0]).to_sparse()
    places = [summaries.add(dense), summaries.add(sparse)]
    summaries.read()
    assert [summaries[at].norm for at in places] == [3.0, 5.0]


@pytest.mark.parametrize(
    ("tensor", "numbers", "norm", "trouble"),
    [
        (torch.tensor(-3), (-3,), 3.0, None),
        (torch.tensor([True, False]), (True, False), 1.0, None),
        (torch.tensor(3 + 4j), (3 + 4j,), 5.0, None),
        (torch.tensor([math.nan, math.inf]), (math.nan, math.inf), math.nan, "nan"),
        (torch.tensor([1.0, -math.inf]), (1.0, -math.inf), math.inf, "inf"),
        (torch.ones(100, dtype=torch.int64), (), 10.0, None),
        (torch.full((100,), 1e30), (), 1e31, None),
        (torch.full((100,), 300.0, dtype=torch.float16), (), 3000.0, None),
        (torch.empty(2, device="meta"), (), None, None),
    ],
)
def test_one_tensor(tensor, numbers, norm, trouble):
    summary = summarise(tensor)
    assert repr(summary.numbers) == repr(numbers) and summary.trouble == trouble
    assert summary.norm == (None if norm is None else pytest.approx(norm, nan_ok=True))
