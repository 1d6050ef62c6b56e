"""What an answer may not do to the session while it is tried: run for ever, print without end, replace PyTorch."""

from __future__ import annotations

import builtins
import ctypes
import io
import math
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TextIO

import torch

PATIENCE = 20.0  # seconds that one check may take
WAYS = 1_000  # steps of Python's after which an error for this thread has come
PRINTED = 2_000  # characters that are shown of what an answer prints
_KEPT: list[Any] = [torch, torch.Tensor, torch.autograd, torch.autograd.Function, torch.func, torch.nn, torch.nn.Module]
_KEPT += [torch.nn.functional, torch.optim, torch.optim.Optimizer, math, builtins]


class TooLong(BaseException):
    """The answer was still running after `PATIENCE`. No `except Exception` of the learner's catches it."""


@contextmanager
def patience() -> Iterator[None]:
    """Raises `TooLong` inside when `PATIENCE` is over, and again if the code inside catches it.

    Python delivers it between two of its own steps; a single operation of PyTorch's is not cut short.
    """
    thread, over, lock = threading.get_ident(), threading.Event(), threading.Lock()

    def watch() -> None:
        wait = PATIENCE
        while not over.wait(wait):
            wait = 0.1
            with lock:
                if not over.is_set():
                    kind = ctypes.py_object(TooLong)
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), kind)

    watcher = threading.Thread(target=watch, daemon=True)
    try:
        watcher.start()
    except RuntimeError:  # the learner's code has taken every thread there is
        over.set()
    try:
        yield
    finally:
        while True:
            try:
                over.set()
                with lock:  # from here on nothing more is delivered
                    pass
                # What is still on its way comes now. It must not be called back: Python 3.11 then waits for it for ever
                # as soon as a profiler or a debugger is on.
                for _ in range(WAYS):
                    pass
                break
            except TooLong:
                continue


class _Brief(io.TextIOBase):
    """Hands on the first `PRINTED` characters that are written to it."""

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.left = stream, PRINTED

    def write(self, text: str) -> int:
        if self.left > 0:
            self.stream.write(text[: self.left])
            if len(text) > self.left:
                self.stream.write("\n… (the rest of what your code prints is left out)\n")
        self.left -= len(text)
        return len(text)

    def flush(self) -> None:
        self.stream.flush()


@contextmanager
def brief() -> Iterator[None]:
    """Inside, only the beginning of what is printed is shown."""
    with redirect_stdout(_Brief(sys.stdout)), redirect_stderr(_Brief(sys.stderr)):
        yield


@contextmanager
def parts_as_they_were(replaced: list[str]) -> Iterator[None]:
    """Puts back what is replaced inside of PyTorch's and Python's own, and collects in `replaced` what it was."""
    before, loaded = [(owner, dict(vars(owner))) for owner in _KEPT], len(sys.modules)
    try:
        yield
    finally:
        for owner, parts in before:
            now = vars(owner)
            changed = [name for name, part in parts.items() if now.get(name, parts) is not part]
            for name in changed:
                if name in now and (name.startswith("_") or len(sys.modules) != loaded):
                    continue  # PyTorch's own doing: it replaces parts when it loads others for the first time
                setattr(owner, name, parts[name])
                replaced.append(f"{getattr(owner, '__module__', '')}.{owner.__name__}.{name}".lstrip("."))
