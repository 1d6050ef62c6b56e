"""The workflow for other machines runs what the README says, on each Python that the course supports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

import course

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8")
JOBS = yaml.safe_load(TEXT)["jobs"]
PYTHONS = [f"3.{minor}" for minor in course.supported_minors()]


def commands_told() -> set[str]:
    """Every line of every block of commands in README.md and CONTRIBUTING.md."""
    pages = "".join((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md"))
    blocks = re.findall(r"(?ms)^```(\w*)\n(.*?)^```$", pages)
    return {line.strip() for language, block in blocks if not language for line in block.splitlines()}


def steps(job: str) -> Iterator[str]:
    """The commands of a job, with the names that the pages use: `python3`, which Windows has not, and one Python."""
    for step in JOBS[job]["steps"]:
        if "run" in step:
            command = re.sub(r"^python (?=tools/course)", "python3 ", step["run"])
            yield re.sub(r"^uv venv --python 3\.\d+$", "uv venv --python 3.12", command)


def test_every_command_stands_in_the_readme_or_in_contributing() -> None:
    told = commands_told()
    assert [command for job in JOBS for command in steps(job) if command not in told] == []


def test_each_system_runs_all_tests_on_each_python() -> None:
    matrix = JOBS["tested-versions"]["strategy"]["matrix"]
    assert matrix["python"] == PYTHONS
    assert [system.partition("-")[0] for system in matrix["system"]] == ["ubuntu", "macos", "windows"]
    assert list(steps("tested-versions")) == ["make test", "python3 tools/course.py --with=test -m pytest"]
    conditions = [step["if"] for step in JOBS["tested-versions"]["steps"] if "run" in step]
    assert conditions == ["runner.os != 'Windows'", "runner.os == 'Windows'"]


def test_the_newest_and_the_lowest_are_tried_at_the_ends_of_the_range() -> None:
    for job, python in {"newest-versions": PYTHONS[-1], "lowest-versions": PYTHONS[0]}.items():
        (version,) = [step["with"]["python-version"] for step in JOBS[job]["steps"] if "setup-python" in str(step)]
        (made,) = [step["run"] for step in JOBS[job]["steps"] if "uv venv" in str(step)]
        assert (version, made) == (python, f"uv venv --python {python}")
        assert "constraints.txt" not in str(JOBS[job])
    assert JOBS["newest-versions"]["continue-on-error"] is True
    assert "schedule" in TEXT


def test_actions_are_pinned_to_commits_and_say_which_version_that_is() -> None:
    used = re.findall(r"uses: (.+)", TEXT)
    assert (
        used and [line for line in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []
    )
    assert len(set(used)) == 2


def test_no_job_may_write_or_wait_for_ever() -> None:
    assert yaml.safe_load(TEXT)["permissions"] == {"contents": "read"}
    assert all(job["timeout-minutes"] for job in JOBS.values())
