"""`python -m course_utils doctor`: every check of `check_setup`, and those that take seconds or look at the machine."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict

from . import checkup, frontend, machine
from .checkup import Check, Checkup, run

SIGNS = {"fine": "✓", "note": "•", "problem": "✗"}
CHECKS: list[checkup.Checks] = [
    checkup.check_python, checkup.check_packages, machine.check_pins, machine.check_wording, checkup.check_gradient,
    frontend.check_kernel, checkup.check_widgets, frontend.check_enabled, machine.check_font, machine.check_disk,
    machine.check_memory, machine.check_threads, machine.check_progress, machine.check_board,
]  # fmt: skip


def examine() -> Iterator[Check]:
    """All checks one by one, the slow ones included; a check that fails is a problem, never an exception."""
    return run(CHECKS)


def show(checks: Iterable[Check], *, as_json: bool = False) -> int:
    """Prints each check as it comes, then the verdict; returns 0 if the lessons will run, else 1."""
    seen = []
    for check in checks:
        seen.append(check)
        if not as_json:
            print("\n".join(_lines(check)), flush=True)
    is_ready = Checkup(seen).is_ready
    if as_json:
        rows = [{"status": check.status, **asdict(check)} for check in seen]
        print(json.dumps({"ready": is_ready, "checks": rows}, indent=2))
    else:
        problems = sum(check.status == "problem" for check in seen)
        print("\nReady: the lessons will run." if is_ready else f"\nNot ready: {problems} to fix, see each → above.")
    return 0 if is_ready else 1


def _lines(check: Check) -> Iterator[str]:
    yield f"{SIGNS[check.status]} {check.name}: {check.problem or check.note or check.found or 'fine'}"
    if check.fix:
        yield f"  → {check.fix}"
