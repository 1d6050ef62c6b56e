import time

import pytest
import torch

from course_utils import run_in_processes


def sum_of_ranks(rank):
    total = torch.tensor([rank + 1.0])
    dist.all_reduce(total)  # noqa: F821 - given to every worker
    return {"total": total, "rank": rank}


def fails_in_one(rank):
    if rank == 1:
        raise ArithmeticError("wrong turn")
    dist.barrier()  # noqa: F821


def returns_a_module(rank):
    return torch.nn.Linear(1, 1)


def never_ends(rank):
    while True:
        pass


def test_processes_talk_to_each_other():
    first, second = run_in_processes(sum_of_ranks, processes=2)
    assert (first["rank"], second["rank"]) == (0, 1)
    assert first["total"].item() == second["total"].item() == 3


def test_a_failing_process_ends_all_and_tells_why():
    with pytest.raises(RuntimeError, match="(?s)process 1 of 2 failed.*ArithmeticError: wrong turn"):
        run_in_processes(fails_in_one, processes=2)


def test_processes_that_do_not_end_are_ended():
    begin = time.monotonic()
    with pytest.raises(TimeoutError, match="longer than 8 seconds"):
        run_in_processes(never_ends, processes=1, seconds=8)
    assert time.monotonic() - begin < 60


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="processes is 0; expected a whole number from 1"):
        run_in_processes(sum_of_ranks, processes=0)
    with pytest.raises(TypeError, match="processes is '2'"):
        run_in_processes(sum_of_ranks, processes="2")
    with pytest.raises(ValueError, match="seconds is 0; expected a number of seconds above 0"):
        run_in_processes(sum_of_ranks, seconds=0)
    with pytest.raises(TypeError, match="worker is the function <lambda>; expected a function written with def"):
        run_in_processes(lambda rank: rank)
    named = {}
    exec("def made_of_text(rank): return rank", named)
    with pytest.raises(TypeError, match="worker is the function made_of_text"):
        run_in_processes(named["made_of_text"])


def test_what_cannot_be_handed_over_is_said():
    with pytest.raises(TypeError, match="worker returned in process 0 what cannot be handed over; expected tensors"):
        run_in_processes(returns_a_module, processes=1)
