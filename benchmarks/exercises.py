"""What an answer costs: every check of every exercise, telling the board, and reading it for two hundred learners.

python benchmarks/exercises.py              measures, prints, and writes benchmarks/README.md
python benchmarks/exercises.py --print      only prints
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import torch

from classroom import read_board
from course_utils.exercises import find_exercises
from course_utils.exercises.exercise import Exercise
from course_utils.exercises.observe import observe
from course_utils.exercises.report import BOARD_VARIABLE, report
from table import machine, markdown, write_section

ROUNDS, LEARNERS, CHECKS = 7, 200, 100
BUDGET = 0.05  # seconds


def seconds(work: Callable[[], object], *, rounds: int = ROUNDS) -> float:
    """The median of the processor time of several calls, after a first one."""
    work()
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def slowest_answer(exercise: Exercise) -> tuple[float, float]:
    """Of the solution and each mistake the one that takes longest to check: that time, and of its probe alone."""
    answers = [exercise.answer, *(wrong for wrong, _ in exercise.mistakes)]
    found = [(seconds(lambda: exercise.grade(answer), rounds=3), answer) for answer in answers]
    slowest, answer = max(found, key=lambda pair: pair[0])
    return slowest, seconds(lambda: observe(exercise.probe, answer))


def measure_checks() -> str:
    exercises = {f"{lesson}.{name}": it for lesson, its in find_exercises().items() for name, it in its.items()}
    found = {name: slowest_answer(it) for name, it in exercises.items()}
    ranked = sorted(found, key=lambda name: found[name][0], reverse=True)
    rows = [[f"`{name}`", *_row(*found[name])] for name in ranked[:5]]
    rows.append([f"median of all {len(ranked)}", *_row(*found[ranked[len(ranked) // 2]])])
    slow = sum(check > BUDGET for check, _ in found.values())
    return (
        f"The exercises whose checks take longest, with their slowest foreseen answer. Over {BUDGET * 1e3:.0f} ms: "
        f"{slow} of {len(ranked)}.\n\n" + markdown(["exercise", "check", "its probe alone", "check to probe"], rows)
    )


def _row(check: float, probe: float) -> list[str]:
    return [f"{check * 1e3:.1f} ms", f"{probe * 1e3:.1f} ms", f"{check / probe:.2f} ×"]


def measure_board(folder: Path) -> str:
    """Telling and reading, beside the least that each can cost: one write to disk; parsing the same lines."""
    names = [f"{lesson}.{name}" for lesson, its in find_exercises().items() for name in its]
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    for number in range(LEARNERS):
        checks = [names[(number + place) % len(names)] for place in range(CHECKS)]
        lines = [json.dumps({"exercise": name, "verdict": "wrong", "mistake": 1, "time": now}) for name in checks]
        (folder / f"learner-{number}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    reading = seconds(lambda: read_board(folder))
    parsing = seconds(lambda: [json.loads(line) for path in folder.iterdir() for line in path.open(encoding="utf-8")])
    with tempfile.TemporaryDirectory() as own:
        os.environ[BOARD_VARIABLE] = own
        telling = wall(lambda: report(names[0], "wrong", 1))
        writing = wall(lambda: write_through(Path(own) / "floor"))
    rows = [
        [
            f"reading {LEARNERS} learners × {CHECKS} lines",
            f"{reading * 1e3:.0f} ms",
            "parsing the lines",
            f"{reading / parsing:.2f} ×",
        ],
        ["telling of one check", f"{telling * 1e3:.1f} ms", "one line written to disk", f"{telling / writing:.2f} ×"],
    ]
    return markdown(["the board", "time", "floor", "to the floor"], rows)


def wall(work: Callable[[], object]) -> float:
    """The median of the wall time of many calls: they wait for the disk."""
    taken = []
    for _ in range(50):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def write_through(path: Path) -> None:
    with path.open("ab", buffering=0) as file:
        file.write(b"{}\n")
        os.fsync(file.fileno())


if __name__ == "__main__":
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as kept, tempfile.TemporaryDirectory() as shared:
        os.environ["COURSE_UTILS_DATA"] = kept
        text = f"{measure_checks()}\n\n{measure_board(Path(shared))}\n\nMeasured with {machine('torch')}, one thread."
    print(text)
    if "--print" not in sys.argv:
        write_section("exercises", text)
