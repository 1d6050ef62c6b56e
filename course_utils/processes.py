"""Running a cell's function in several real processes that talk to each other."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError

import torch

from .core.checks import check_number, check_whole, describe

MOST = 64  # processes
MAIN = """
import datetime, sys
import torch
import torch.distributed as dist

{source}

if __name__ == "__main__":
    rank, folder = int(sys.argv[1]), sys.argv[2]
    dist.init_process_group(
        "gloo", init_method="file:///" + folder.lstrip("/") + "/meeting", rank=rank, world_size={processes},
        timeout=datetime.timedelta(seconds={seconds}),
    )
    torch.save({name}(rank), folder + "/" + str(rank) + ".pt")
    dist.barrier()
    dist.destroy_process_group()
"""


def run_in_processes(worker: Callable[[int], object], *, processes: int = 2, seconds: float = 60) -> list[object]:
    """Calls `worker(rank)` in `processes` fresh Python processes joined by gloo, and returns what each returned.

    The function travels as its source, so it must stand on its own: names from other cells are unknown to it; `torch`
    and `torch.distributed as dist` are there. Every process has ended when this returns or raises.

    Args:
        worker: a function of one argument, the rank from 0; it returns tensors, numbers, strings, or lists and
            dictionaries of them.
        processes: how many, 1 to 64.
        seconds: how long they may take together, above 0.

    Raises:
        TypeError: `worker` has no source that can be read (a lambda, a built-in, a call's result) or returns something
            else; `processes` or `seconds` is not a number.
        ValueError: `processes` or `seconds` is out of range.
        RuntimeError: a process failed; the message holds its traceback.
        TimeoutError: they took longer than `seconds`.
    """
    processes = check_whole(processes, name="processes", low=1, high=MOST)
    if check_number(seconds, name="seconds") <= 0:
        raise ValueError(f"seconds is {seconds}; expected a number of seconds above 0")
    source = _source_of(worker)
    program = MAIN.format(source=source, processes=processes, seconds=seconds, name=worker.__name__)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "worker.py").write_text(program, encoding="utf-8")
        _run_to_end(folder, processes, seconds)
        return [_returned(folder, rank) for rank in range(processes)]


def _source_of(worker: object) -> str:
    try:
        if inspect.isfunction(worker) and worker.__name__ != "<lambda>":
            return textwrap.dedent(inspect.getsource(worker))
    except OSError:  # made by exec, or in a file that is gone
        pass
    raise TypeError(f"worker is {describe(worker)}; expected a function written with def, in a cell or a file")


def _returned(folder: Path, rank: int) -> object:
    try:
        return torch.load(folder / f"{rank}.pt", weights_only=True)
    except UnpicklingError as error:
        raise TypeError(
            f"worker returned in process {rank} what cannot be handed over; "
            "expected tensors, numbers, strings, or lists and dictionaries of them"
        ) from error


def _run_to_end(folder: Path, processes: int, seconds: float) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
    if sys.platform == "linux":
        environment.setdefault("GLOO_SOCKET_IFNAME", "lo")  # else gloo asks the network for this machine's name
    running = []
    try:
        for rank in range(processes):
            with (folder / f"{rank}.log").open("w", encoding="utf-8") as log:
                command = [sys.executable, str(folder / "worker.py"), str(rank), folder.as_posix()]
                running.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
        deadline = time.monotonic() + seconds
        while not _all_ended(running, folder):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the {processes} processes took longer than {seconds} seconds and were ended")
            time.sleep(0.05)
    finally:
        for process in running:
            process.kill()
            process.wait()


def _all_ended(running: list[subprocess.Popen], folder: Path) -> bool:
    """Whether every process has ended well; raises for the first that has not."""
    codes = [process.poll() for process in running]
    for rank, code in enumerate(codes):
        if code:
            log = (folder / f"{rank}.log").read_text(encoding="utf-8", errors="replace")
            raise RuntimeError(f"process {rank} of {len(running)} failed:\n{log.strip()}")
    return None not in codes
