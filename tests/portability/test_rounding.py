"""The emulated machine errs where machines do, and some lessons hold on it on every run of the tests."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conditions import ROOT, SITE

pytestmark = pytest.mark.slow  # many a Python starts
SEEDS = (1, 2, 3)  # as in docs/machines.md, where each has been over all lessons
EACH_RUN = 2
PROBE = """
import json, math, torch
t = torch.tensor
x = torch.arange(1, 51) / torch.tensor(17, dtype=torch.float64)
print(json.dumps({
    "exp": torch.exp(x).tolist(), "float32": torch.exp(x.float()).tolist(), "in place": x.clone().exp_().tolist(),
    "product": (x.view(5, 10) @ x.view(10, 5)).flatten().tolist(),
    "math": [math.exp(each / 10) for each in range(1, 20)],
    "exact add": (x + 1).tolist(), "exact sum": t([1.0, 2.0, 3.5]).sum().item(), "exact exp": torch.exp(t(0.0)).item(),
    "exact product": (torch.arange(6.0).view(2, 3) @ torch.arange(6.0).view(3, 2)).tolist(), "exact math": math.exp(0),
    "exact square": (t(3.0) ** 2).item(), "odd": (torch.sin(x) + torch.sin(-x)).abs().max().item(),
    "in a graph": (t(2.0, requires_grad=True) * 3).grad_fn._saved_other.item(),
    "version": x.clone().exp_()._version, "onednn": torch.backends.mkldnn.enabled,
}))
"""


def probe(**environment: str) -> dict:
    """What a Python computes that starts with these variables."""
    inherited = {name: value for name, value in os.environ.items() if name != "ROUNDING_SEED"}
    command = [sys.executable, "-c", PROBE]
    said = subprocess.check_output(command, env=inherited | {"PYTHONPATH": SITE} | environment, encoding="utf-8")
    return json.loads(said)


@pytest.fixture(scope="module")
def here() -> dict:
    return probe()


@pytest.fixture(scope="module")
def there() -> dict:
    return probe(ROUNDING_SEED="1")


def test_inexact_results_move_by_a_unit_in_the_last_place(here: dict, there: dict) -> None:
    for name in ("exp", "in place", "product", "math"):
        moved = [a != b for a, b in zip(here[name], there[name])]
        assert 0.2 < sum(moved) / len(moved) < 0.9, name
        assert there[name] == pytest.approx(here[name], rel=4.5e-16, abs=0), name
    assert here["float32"] != there["float32"] == pytest.approx(here["float32"], rel=1.3e-7, abs=0)


def test_what_every_machine_computes_alike_stays(here: dict, there: dict) -> None:
    same = [name for name in here if name.startswith("exact")]
    assert len(same) == 6
    assert {name: here[name] for name in same} == {name: there[name] for name in same}
    assert there["version"] == here["version"]  # nobody sees that a result was written twice
    assert there["in a graph"] == here["in a graph"]  # and numbers that stand in a graph can be read


def test_a_machine_errs_alike_each_time_and_another_seed_is_another_machine(there: dict) -> None:
    assert probe(ROUNDING_SEED="1") == there
    assert probe(ROUNDING_SEED="2")["exp"] != there["exp"]
    assert there["exp"] == there["in place"]
    assert there["odd"] == 0


def test_onednn_can_be_switched_off(here: dict) -> None:
    assert here["onednn"] is True
    assert probe(WITHOUT_ONEDNN="1")["onednn"] is False


def todays() -> tuple[int, list[Path]]:
    """The seed and the lessons of this state of the course: another change tries others, the same state the same."""
    lessons = sorted(ROOT.glob("notebooks/*.ipynb"))
    digest = hashlib.sha256()
    for path in [*lessons, *sorted((ROOT / "course_utils").rglob("*.py"))]:
        digest.update(path.read_bytes())
    drawn = int(digest.hexdigest(), 16)
    return SEEDS[drawn % len(SEEDS)], [lessons[(drawn + at) % len(lessons)] for at in range(EACH_RUN)]


def test_lessons_come_out_the_same_on_a_machine_that_rounds_otherwise() -> None:
    seed, lessons = todays()
    command = [sys.executable, "-m", "pytest", "-q", "--color=no", "-p", "no:cacheprovider", *map(str, lessons)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": SITE, "ROUNDING_SEED": str(seed)},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, f"with ROUNDING_SEED={seed}:\n{done.stdout[-8000:]}{done.stderr}"
    assert " passed" in done.stdout
