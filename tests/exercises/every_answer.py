"""All exercises of the course, all answers that they know, and the worlds and the watchers to try them under."""

from __future__ import annotations

import copy
import itertools
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy
import pytest
import torch

from course_utils.exercises import compare, find_exercises, observe
from course_utils.exercises.exercise import Exercise, Prediction, Verdict

ALL = {f"{lesson}.{name}": it for lesson, its in find_exercises().items() for name, it in its.items()}
FACTOR = 20  # what is equal differs by at most a 20th of the tolerance, what is different by at least 20 of them


def over(exercises: Mapping[str, Exercise]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("exercise", [pytest.param(it, id=name) for name, it in exercises.items()])


def anew(exercise: Exercise) -> Exercise:
    """The exercise, with nothing kept of what it has observed before."""
    fresh = copy.copy(exercise)
    for kept in ("answer", "_expected"):
        vars(fresh).pop(kept, None)
    fresh._seen_in_mistakes = {}
    return fresh


def printed(exercise: Exercise) -> object:
    """The answer that the printed solution makes, in the world that the learner is in."""
    cell = {"torch": torch}
    exec(compile(exercise.cell("answer"), "cell", "exec"), cell)
    return cell["answer"] if "answer" in cell else cell[exercise.answer.__name__]


def assert_every_answer_is_known(exercise: Exercise) -> None:
    """Right answers are right, the printed solution too, and each mistake gets its own message."""
    for answer in (exercise.answer, printed(exercise), *exercise.also_right):
        assert exercise.grade(answer) == Verdict("right"), answer
    for number, (wrong, message) in enumerate(exercise.mistakes, 1):
        assert exercise.grade(wrong) == Verdict("wrong", message, mistake=number)


@contextmanager
def world(*, seed: int, dtype: torch.dtype) -> Iterator[None]:
    """A learner's notebook with this default dtype, and random numbers from this seed; the probes' own have it too."""
    before, observe.SEED = (torch.get_default_dtype(), observe.SEED), seed
    torch.manual_seed(seed)
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before[0])
        observe.SEED = before[1]


@contextmanager
def watched() -> Iterator[list[float]]:
    """How far apart, in tolerances, all was that is decided inside: by the course, or by PyTorch's own closeness."""
    distances: list[float] = []
    decide, isclose, allclose = compare.decide, torch.isclose, torch.allclose

    def note(distance: float) -> bool:
        distances.append(distance)
        return decide(distance)

    def note_each(one, other, rtol=1e-5, atol=1e-8, equal_nan=False):
        alike = isclose(one, other, rtol=0, atol=0, equal_nan=equal_nan)
        each = torch.where(alike, 0.0, (one - other).abs() / (atol + rtol * other.abs()))
        distances.extend(each.nan_to_num(torch.inf, posinf=torch.inf).flatten().tolist())
        return isclose(one, other, rtol, atol, equal_nan)

    def note_largest(one, other, rtol=1e-5, atol=1e-8, equal_nan=False):
        with watched() as each:
            torch.isclose(one, other, rtol, atol, equal_nan)
        distances.append(max(each, default=0.0))
        return allclose(one, other, rtol, atol, equal_nan)

    compare.decide, torch.isclose, torch.allclose = note, note_each, note_largest
    try:
        yield distances
    finally:
        compare.decide, torch.isclose, torch.allclose = decide, isclose, allclose


def is_near_an_edge(distance: float) -> bool:
    return 1 / FACTOR < distance < FACTOR


def random_states() -> tuple[object, ...]:
    return torch.get_rng_state().numpy().tobytes(), random.getstate(), numpy.random.get_state()[1].tobytes()


def watch_draws(probe: observe.Probe, drawn: list[bool]) -> dict[str, Callable[[object], object]]:
    """The same probe, which also notes in `drawn` whether random numbers were drawn."""

    def noting(look):
        def noted(answer):
            before = random_states()
            try:
                return look(answer)
            finally:
                drawn.append(random_states() != before)

        return noted

    cases = probe if isinstance(probe, Mapping) else {"": probe}
    return {case: noting(look) for case, look in cases.items()}


def thin_margins(exercise: Exercise, *, seed: int = 0, dtype: torch.dtype = torch.float64) -> tuple[list[str], bool]:
    """All that is decided too near an edge while the exercise's own answers are judged; and whether chance has a part.

    Each answer is compared with the solution and with every mistake, whichever the verdict would need.
    """
    exercise, drawn = anew(exercise), []
    probe = watch_draws(exercise.probe, drawn)
    with world(seed=seed, dtype=dtype), watched() as inside:
        before = random_states()
        answers = {"the solution": exercise.answer}
        if isinstance(exercise, Prediction):
            answers["the printed solution"] = printed(exercise)
            drawn.append(callable(exercise._solution) and random_states() != before)
        answers |= {f"right answer {number}": right for number, right in enumerate(exercise.also_right, 1)}
        right = set(answers)
        answers |= {f"mistake {number}": wrong for number, (wrong, _) in enumerate(exercise.mistakes, 1)}
        seen = {name: observe.observe(probe, answer) for name, answer in answers.items()}
    found = [f"a comparison inside: {distance:.3g}" for distance in inside if is_near_an_edge(distance)]
    for (name, one), (other_name, other) in itertools.permutations(seen.items(), 2):
        if other_name in right and other_name != "the solution":
            continue
        distance = compare.apart(one, other, tolerance=exercise.tolerance)
        if distance > 1 / FACTOR if {name, other_name} <= right else distance < FACTOR:
            found.append(f"{name} and {other_name}: {distance:.3g}")
    return found, any(drawn)
