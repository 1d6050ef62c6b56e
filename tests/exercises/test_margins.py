"""No verdict hangs on rounding: whatever is compared is equal within a 20th of the tolerance, or 20 of them apart."""

import ast
from functools import cache
from pathlib import Path

import pytest
import torch

from course_utils import exercises
from course_utils.exercises import lesson_06
from course_utils.exercises.compare import apart, is_small, reaches, same
from course_utils.exercises.exercise import Exercise, prediction
from course_utils.exercises.observe import canonical
from every_answer import ALL, over, printed, thin_margins, watched, world

SEEDS = range(1, 9)  # besides 0, which is the learner's
margins_for_learners = cache(thin_margins)


@over(ALL)
def test_nothing_is_decided_near_an_edge(exercise):
    assert not margins_for_learners(exercise)[0]


@pytest.mark.slow
@over(ALL)
def test_nor_with_other_random_numbers(exercise):
    _, by_chance = margins_for_learners(exercise)
    assert not [f"seed {seed}, {it}" for seed in SEEDS if by_chance for it in thin_margins(exercise, seed=seed)[0]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_the_layers_of_lesson_06_are_told_apart_in_any_notebook(dtype):
    for seed in range(50):
        with world(seed=seed, dtype=dtype):
            assert lesson_06.accumulation_layers.grade(printed(lesson_06.accumulation_layers)).status == "right"


def ask(solution, **parts):
    return Exercise("How much?", solution, hints=["look", "look closer"], **parts)


@prediction("Equal?", hints=["look", "look closer"])
def in_single_precision():
    return torch.allclose(torch.tensor(1.0), torch.tensor(1.0 + 2e-6), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("thin", "says"),
    [
        (ask(1.0, also_right=[1.000003]), "right answer 1 and the solution: 0.297"),
        (ask(1.0, mistakes=[(1.0001, "")]), "mistake 1 and the solution: 9.9"),
        (ask(1.0, mistakes=[(2.0, ""), (2.0001, "")]), "mistake 2 and mistake 1: 4.98"),
        (ask([1.0, 5.0], mistakes=[([1.0001, 5.0], "")]), "mistake 1 and the solution: 9.9"),
        (ask(1.0, mistakes=[(2.0, "")], probe=lambda it: same(canonical(it), canonical(1.9999), tolerance=1e-5)),
         "a comparison inside: 4.98"),
        (ask(0.97, mistakes=[(0.2, "")], probe=lambda it: reaches(it, 0.95, leeway=0.05)),
         "a comparison inside: 0.302"),
        (ask(0.1, mistakes=[(7.0, "")], probe=lambda it: is_small(it, 0.5)), "a comparison inside: 0.2"),
        (ask(1.0, mistakes=[(2.0, "")], probe=lambda it: torch.allclose(torch.tensor(it), torch.tensor(1.0001))),
         "a comparison inside: 9.99"),
        (in_single_precision, "a comparison inside: 2"),
    ],
)  # fmt: skip
def test_a_thin_margin_is_found(thin, says):
    assert says in " ".join(thin_margins(thin)[0])


def test_a_wide_margin_is_not():
    wide = ask(1.0, also_right=[1.0 + 1e-12], mistakes=[(1.001, ""), (2.0, "")])
    assert thin_margins(wide) == ([], False)


def test_chance_is_noticed():
    assert thin_margins(ask(1.0, probe=lambda it: it + torch.rand(())))[1]


@pytest.mark.parametrize(
    ("one", "other", "tolerances"),
    [
        (1.0, 1.0, 0), (torch.nan, torch.nan, 0), (torch.inf, torch.inf, 0), (1 + 1e-5, 1.0, 1), (1e-7, 0.0, 1),
        ([1.0, 1 + 3e-5], [1.0, 1.0], 3), ([[1.0], [2.0, 2.0]], [[1.0], [2.0, 2.00004]], 2),
        ({"a": 0.0}, {"a": 5e-7}, 5),
        (torch.nan, 1.0, torch.inf), (1.0, torch.nan, torch.inf), (1.0, torch.inf, torch.inf), ([], [1.0], torch.inf),
        (-torch.inf, torch.inf, torch.inf), ("a", "a", 0), ("a", "b", torch.inf), ({"a": 1.0}, {"b": 1.0}, torch.inf),
        (True, True, 0), (True, False, 1e7), (None, 0.0, torch.inf), ([], [], 0), (torch.ones(0), torch.ones(0), 0),
    ],
)  # fmt: skip
def test_how_far_apart(one, other, tolerances):
    found = apart(canonical(one), canonical(other), tolerance=1e-5)
    assert found == pytest.approx(tolerances, rel=0.02)


@pytest.mark.parametrize(
    ("value", "reached"), [(0.95, True), (0.9499, False), (0.99, True), (0.9, False), (1e9, True), (-1e9, False)]
)
def test_what_reaches_a_limit(value, reached):
    with watched() as distances:
        assert reaches(value, 0.95, leeway=0.04) is reached
    assert (0.05 < distances[0] < 20) == (0.91 < value < 0.99)


def limits_in(source):
    """Comparisons with a broken number, `<`, `>=` and so on, in Python source."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Lt | ast.LtE | ast.Gt | ast.GtE):
            numbers = [side.value for side in (node.left, *node.comparators) if isinstance(side, ast.Constant)]
            if any(isinstance(number, float) and number % 1 for number in numbers):
                yield ast.unparse(node)


def test_limits_are_where_the_watcher_sees_them():
    assert list(limits_in("a < 3\nb >= 0.95\nc = (0.5 > d) + (e < 2.0)")) == ["b >= 0.95", "0.5 > d"]
    sources = [path for path in Path(exercises.__file__).parent.glob("*.py") if path.name != "diagnosis.py"]
    assert {"lesson_07.py", "repairs.py", "probes.py"} <= {path.name for path in sources}
    found = {limit for path in sources for limit in limits_in(path.read_text(encoding="utf-8"))}
    # A line of a learner's task, and a choice of points that decides nothing.
    assert found == {"w > 0.5", "beyond.abs() > 0.25"}, "use compare.reaches or compare.is_small"
