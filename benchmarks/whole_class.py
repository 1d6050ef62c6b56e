"""A class on one machine: up to thirty learners at once on the real hub, each running lesson 02 in an own kernel.

Every output is compared with the stored one. Then kernels, the hub, and at last everything are killed while cells run,
and it is counted who comes back to what.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil
from nbformat import NotebookNode

from table import machine, markdown, write_section

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / folder) for folder in ("tests/deploy", "deploy/jupyterhub", "tools")]
from hub import Hub, Kernel, Visitor, environment, why_no_hub  # noqa: E402
from lesson import code_cells, wrong_cells  # noqa: E402

LESSON = ROOT / "notebooks/02_backward.ipynb"
COPY = f"see-gradients/{LESSON.name}"
CELLS = code_cells(LESSON)
CLASSES = (1, 10, 20, 30)
OWN_THREADS = os.cpu_count()  # what PyTorch takes where nobody tells it
HEAVY = "a = torch.randn(1000, 1000)\nfor _ in range(30):\n    a = torch.tanh(a @ a)"  # work that threads can share
ANSWER = "exercises.first_slope.check(18.0)"
PASSED = "from course_utils.exercises.records import passed; print(*passed())"
T = TypeVar("T")


@dataclass
class Lesson:
    """What one learner's run of the lesson took and gave."""

    seconds: float
    outputs: list[list[NotebookNode]]


@dataclass
class Class:
    """One class: seconds until all servers were up, each learner's runs, and megabytes (PSS) by learner."""

    threads: int
    start: float
    lessons: list[Lesson]
    heavy: list[float]
    servers: list[float]
    kernels: list[float]


def at_once(task: Callable[..., T], people: Iterable[object]) -> list[T]:
    """The results of a task done for all people at the same time."""
    people = list(people)
    with ThreadPoolExecutor(max_workers=len(people)) as pool:
        return list(pool.map(task, people))


def names(count: int) -> list[str]:
    return [f"learner{number:02}" for number in range(1, count + 1)]


def come_in(visitor: Visitor) -> Visitor:
    """Logs in and waits until the learner's page is there."""
    visitor.log_in()
    visitor.start_server(seconds=1800)
    return visitor


def work(visitor: Visitor) -> Lesson:
    """Opens the lesson and runs it from top to bottom."""
    begin = time.perf_counter()
    kernel = visitor.open(COPY)
    outputs = [kernel.run(cell.source) for cell in CELLS]
    kernel.close()
    return Lesson(time.perf_counter() - begin, outputs)


def work_hard(visitor: Visitor) -> float:
    """Runs the heavy cell where the lesson ran; returns its seconds."""
    kernel = visitor.open(COPY)
    begin = time.perf_counter()
    kernel.run(HEAVY)
    return time.perf_counter() - begin


def processes_by_learner(hub: Hub) -> dict[str, list[psutil.Process]]:
    """Every learner's server and kernels."""
    found = defaultdict(list)
    for process in psutil.process_iter():
        home = Path(environment(process).get("HOME", "/"))
        if home.parent == hub.folder / "homes":
            found[home.name].append(process)
    return found


def is_kernel(process: psutil.Process) -> bool:
    return "ipykernel_launcher" in process.cmdline()


def megabytes(processes: Iterable[psutil.Process]) -> float:
    """What these processes take: proportional set size, in which shared pages are shared out among those who share."""
    return sum(process.memory_full_info().pss for process in processes) / 1e6


def teach(hub: Hub, *, threads: int) -> Class:
    """Has all learners of the hub come in at once, then run the lesson at once, then the heavy cell."""
    begin = time.perf_counter()
    visitors = at_once(come_in, map(hub.visitor, hub.names))
    start = time.perf_counter() - begin
    lessons = at_once(work, visitors)
    mine = processes_by_learner(hub).values()
    kernels = [megabytes(filter(is_kernel, processes)) for processes in mine]
    servers = [megabytes(processes) - kernel for processes, kernel in zip(mine, kernels, strict=True)]
    return Class(threads, start, lessons, at_once(work_hard, visitors), servers, kernels)


def line(taught: Class, alone: Class) -> list[object]:
    """The table's row for a class beside the row for a learner alone."""
    seconds = [lesson.seconds for lesson in taught.lessons]
    wrong = sum(len(wrong_cells(CELLS, lesson.outputs)) for lesson in taught.lessons)
    median, slowest = statistics.median(seconds), max(seconds)
    return [
        f"{len(seconds)}, {taught.threads} thread{'s' * (taught.threads > 1)} each",
        f"{sum(len(lesson.outputs) == len(CELLS) for lesson in taught.lessons)} of {len(seconds)}",
        f"{wrong} of {len(seconds) * len(CELLS)}",
        f"{taught.start:.0f} s",
        f"{median:.1f} s",
        f"{slowest:.1f} s",
        f"{slowest / alone.lessons[0].seconds:.1f} ×",
        f"{max(taught.heavy):.1f} s",
        f"{max(taught.heavy) / alone.heavy[0]:.1f} ×",
        f"{statistics.median(taught.servers):.0f} MB",
        f"{statistics.median(taught.kernels):.0f} MB",
        f"{(sum(taught.servers) + sum(taught.kernels)) / 1e3:.1f} GB",
    ]


def leave_in_the_middle(visitor: Visitor) -> NotebookNode:
    """Half the lesson, an exercise passed, the notebook saved, and the other half running; returns what was saved."""
    kernel, notebook = visitor.open(COPY), visitor.read(COPY)
    half = len(CELLS) // 2
    kernel.run(CELLS[0].source)
    kernel.run(ANSWER)
    notebook.cells[0].source = f"{visitor.name} was here at {time.time()}."
    visitor.save(COPY, notebook)
    for cell in CELLS[half:]:
        kernel.send(cell.source)
    return notebook


def kill(processes: Iterable[psutil.Process]) -> None:
    """Kills at once, with no chance to save or say anything."""
    for process in processes:
        process.kill()


def strike(hub: Hub, saved: list[NotebookNode], victims: Callable[[], Iterable[psutil.Process]]) -> list[object]:
    """Kills the hub and `victims`, starts the hub again, and counts who comes back to what."""
    kill(victims())
    hub.kill()
    begin = time.perf_counter()
    hub.start()
    visitors = at_once(come_in, map(hub.visitor, hub.names))
    seconds = time.perf_counter() - begin
    notebooks = at_once(lambda visitor: visitor.read(COPY), visitors)
    progress = at_once(lambda visitor: Kernel.run(visitor.open(COPY), PASSED)[0].text, visitors)
    total = len(visitors)
    return [
        f"{sum(visitor.api('GET', 'status').ok for visitor in visitors)} of {total}",
        f"{sum(now.cells == then.cells for now, then in zip(notebooks, saved, strict=True))} of {total}",
        f"{sum('lesson_02.first_slope' in passed for passed in progress)} of {total}",
        f"{seconds:.0f} s",
    ]


def measure(count: int, *, threads: int) -> Class:
    """A class on a fresh hub."""
    with Hub(names(count), course=LESSON.parent, options=[f"--threads={threads}"]) as hub:
        return teach(hub, threads=threads)


def measure_loss(count: int) -> list[list[object]]:
    """The rows of the table on what is lost."""
    with Hub(names(count), course=LESSON.parent) as hub:
        visitors = at_once(come_in, map(hub.visitor, hub.names))
        saved = at_once(leave_in_the_middle, visitors)

        def kernels() -> list[psutil.Process]:
            return [each for own in processes_by_learner(hub).values() for each in own if is_kernel(each)]

        first = strike(hub, saved, kernels)
        print(*first, sep="  ", flush=True)
        saved = at_once(leave_in_the_middle, at_once(come_in, map(hub.visitor, hub.names)))
        return [["all kernels and the hub", *first], ["everything at once", *strike(hub, saved, hub.processes)]]


def report(classes: Iterable[int] = CLASSES) -> str:
    """Both tables; each row is printed as soon as it is known."""
    plan = [(count, 1) for count in classes] + [(count, OWN_THREADS) for count in (1, max(classes))]
    rows, alone = [], None
    for count, threads in plan:
        taught = measure(count, threads=threads)
        alone = alone or taught
        rows.append(line(taught, alone))
        print(*rows[-1], sep="  ", flush=True)
    header = [
        "learners at once", "finished", "wrong outputs", "all servers up", "lesson, median", "slowest", "to one",
        "30 big products, slowest", "to one", "server", "kernel", "all learners",
    ]  # fmt: skip
    speed = markdown(header, rows)
    header = ["killed while cells run", "back", "notebooks as saved", "progress there", "back after"]
    loss = markdown(header, measure_loss(max(classes)))
    about = machine("torch", "jupyterlab", "jupyterhub", "ipykernel")
    return f"{speed}\n\n{loss}\n\nMemory is PSS, medians over learners, after the lesson. {about}."


if __name__ == "__main__":
    if why_no_hub():
        sys.exit(f"{why_no_hub()}; its tables stay as they are")
    write_section("classroom", report(tuple(map(int, sys.argv[1:])) or CLASSES))
