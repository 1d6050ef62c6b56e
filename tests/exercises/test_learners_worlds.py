"""Whatever seed and default dtype a learner's notebook has, every answer is judged as at home."""

import pytest
import torch

from course_utils.exercises import observe
from course_utils.exercises.compare import apart
from course_utils.exercises.exercise import Prediction
from every_answer import ALL, anew, assert_every_answer_is_known, over, printed, world

DTYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
SEEDS = range(20)
# Their answers are computed in the learner's own notebook; all others are probed with a seed of the course.
WITH_CODE = {name: it for name, it in ALL.items() if isinstance(it, Prediction) and callable(it._solution)}


@over(ALL)  # in single precision test_every_exercise.py asks the same
def test_every_answer_is_judged_the_same_in_double_precision(exercise):
    with world(seed=20, dtype=torch.float64):
        assert_every_answer_is_known(anew(exercise))


@over(WITH_CODE)
@DTYPES
def test_a_prediction_is_judged_the_same_with_every_seed(exercise, dtype):
    for seed in SEEDS:
        with world(seed=seed, dtype=dtype):
            assert_every_answer_is_known(anew(exercise))


@over({name: it for name, it in ALL.items() if name not in WITH_CODE})
def test_the_learners_seed_reaches_no_other_verdict(exercise):
    seen = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        seen.append(observe.observe(exercise.probe, printed(exercise)))
    assert apart(*seen, tolerance=exercise.tolerance) == 0
