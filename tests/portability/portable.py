"""Runs the course under other conditions, in fresh clones of the committed state, and prints a table.

    python tests/portability/portable.py                       all conditions that install nothing
    python tests/portability/portable.py rounding-1 no-dot     these
    python tests/portability/portable.py --write               stores the rows in docs/machines.md, too
    python tests/portability/portable.py --list                the names

Exit code 1 if a row is red. A row that cannot be had here says why, and is neither green nor red.
"""

from __future__ import annotations

import argparse
import datetime
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from conditions import NOBODY, ROOT, Condition, conditions
from environments import bring_environment, clone
from hiding import path_without
from machines_page import PAGE, Row, table, with_rows

LOGS = Path(tempfile.gettempdir(), "see-gradients-portable")
VERSIONS = """
import platform, torch
from pathlib import Path
info = Path("/proc/cpuinfo")
lines = info.read_text().splitlines() if info.exists() else []
names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")] or [platform.processor()]
ability = torch.backends.cpu.get_cpu_capability()
print(f"Python {platform.python_version()}, torch {torch.__version__}, {platform.system()}, {names[0]} ({ability})")
"""
Bring = Callable[[Path, Condition, Path], Path]


def surroundings_of(condition: Condition, place: Path) -> dict[str, str]:
    """Environment variables of the row; makes the home and the other folders that they name."""
    home = place / "home"
    environment = {**os.environ, "HOME": str(home), "TMPDIR": str(place / "tmp"), "OMP_NUM_THREADS": "1"}
    environment |= {name: value.replace("{place}", str(place)) for name, value in condition.environment.items()}
    for folder in (home, Path(environment["TMPDIR"]), place / "links"):
        folder.mkdir(parents=True, exist_ok=True)
    for name, text in condition.home.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text, encoding="utf-8")
    if condition.hidden:
        environment["PATH"] = path_without(list(condition.hidden), place / "links", environment["PATH"])
    if condition.user:
        for path in (home, place / "tmp"):
            os.chown(path, NOBODY, NOBODY)
    return environment


def read(output: str, code: int) -> tuple[str, str]:
    """pytest's result in words ("green: 560 passed"), and what was red."""
    (counts,) = re.findall(r"(?m)^=* ?(\d.*) in [\d.]+s(?: \(.*\))? ?=*$", output)[-1:] or ["nothing ran"]
    red = re.findall(r"(?m)^(?:FAILED|ERROR) (.+?)(?: - .*)?$", output)
    counts = re.sub(r", \d+ warnings?", "", counts)
    if code == 0:
        return f"green: {counts}", ""
    return f"red: {counts}", ", ".join(sorted(set(red))) or f"pytest ended with code {code}"


def try_condition(
    condition: Condition, tests: list[str], *, workers: int = 2, source: Path = ROOT, bring: Bring = bring_environment
) -> Row:
    """Runs the tests under the condition; never raises for what goes wrong in the row.

    Args:
        tests: files and folders of the course, for pytest.
        source: the repository that is cloned.
        bring: makes the clone's environment and returns its Python.
    """
    day = datetime.date.today().isoformat()
    if reason := condition.missing():
        return Row(condition.name, condition.says, f"not had: {reason}", "", day, "")
    with tempfile.TemporaryDirectory(prefix="portable-", ignore_cleanup_errors=True) as temporary:
        place = Path(temporary).resolve()
        place.chmod(0o755)
        try:
            folder = clone(condition, source, place)
            python = bring(folder, condition, place)
        except (RuntimeError, OSError) as error:
            return Row(condition.name, condition.says, "red: it could not be set up", str(error), day, "")
        how = {"cwd": folder, "env": surroundings_of(condition, place), "text": True, "encoding": "utf-8"}
        how |= {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        if condition.user:
            how |= {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        spread = ["-n", workers, "--dist", "loadfile"] if workers > 1 else []
        command = [python, "-m", "pytest", "-q", "--color=no", *spread, *tests]
        done = subprocess.run(list(map(str, command)), **how)
        versions = subprocess.run([str(python), "-c", VERSIONS], **how).stdout.strip().splitlines()[-1]
    LOGS.mkdir(exist_ok=True)
    (LOGS / f"{condition.name}.log").write_text(done.stdout, encoding="utf-8")
    return Row(condition.name, condition.says, *read(done.stdout, done.returncode), day, versions)


def chosen(names: list[str], every: dict[str, Condition]) -> list[Condition]:
    """The conditions of these names; of no name, all that install nothing.

    Raises:
        SystemExit: there is no condition of such a name.
    """
    for name in names:
        if name not in every:
            raise SystemExit(f"WHAT={name}: no such condition; expected some of {', '.join(every)}")
    return [every[name] for name in names] or [each for each in every.values() if not each.large]


def main(arguments: list[str] | None = None) -> int:
    """Runs what the command line names; returns 1 if a row is red."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("conditions", nargs="*", metavar="CONDITION")
    parser.add_argument("--list", action="store_true", help="show the names of the conditions")
    parser.add_argument("--write", action="store_true", help=f"store the rows in {PAGE.relative_to(ROOT)}")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--tests", nargs="+", default=[], help="for pytest, in place of the condition's own")
    given, every = parser.parse_args(arguments), conditions()
    if given.tests and given.write:
        parser.error("--write stores what the condition's own tests say; expected no --tests")
    if given.list:
        print("\n".join(f"{each.name:18} {each.says}" for each in every.values()))
        return 0
    if subprocess.check_output(["git", "status", "--porcelain"], cwd=ROOT):
        print("What is not committed is not tried: each row is a clone of the last commit.", file=sys.stderr)
    rows = []
    for condition in chosen(given.conditions, every):
        row = try_condition(condition, given.tests or list(condition.tests), workers=given.workers)
        rows.append(row)
        print(f"{row.name:18} {row.result}  {row.red}", flush=True)
        if given.write:
            PAGE.write_text(with_rows(PAGE.read_text(encoding="utf-8"), [row]), encoding="utf-8")
    print(f"\n{table(rows)}\npytest's words are in {LOGS}")
    return int(any(row.is_red for row in rows))


if __name__ == "__main__":
    sys.exit(main())
