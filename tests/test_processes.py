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
    with pytest.raises(ValueError, match="processes = 0"):
        run_in_processes(sum_of_ranks, processes=0)
    with pytest.raises(TypeError, match="worker is"):
        run_in_processes(lambda rank: rank)
