"""Whether two observations agree, or a number lies on one side of a limit.

Whatever decides a verdict by a tolerance is decided by `decide`. So one test can watch all of it, and see that nothing
falls near an edge where the rounding of another machine would push it over.
"""

from __future__ import annotations

import math

import torch

FLOOR = 1e-7  # numbers that are apart by less are the same, however small they are


def decide(distance: float) -> bool:
    """Whether what lies `distance` tolerances apart counts as equal."""
    return distance <= 1


def same(one: object, other: object, *, tolerance: float) -> bool:
    """Whether two observations agree; numbers to the relative `tolerance`, nan with nan."""
    return decide(apart(one, other, tolerance=tolerance))


def apart(one: object, other: object, *, tolerance: float) -> float:
    """How far apart two observations lie, counted in tolerances: 0 for equal ones, inf where no number tells."""
    if isinstance(one, bool | torch.Tensor) and isinstance(other, bool | torch.Tensor):
        one, other = (it if isinstance(it, torch.Tensor) else torch.tensor(float(it)).double() for it in (one, other))
        return _apart_in_numbers(one, other, tolerance)
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return max((apart(a, b, tolerance=tolerance) for a, b in zip(one, other, strict=True)), default=0.0)
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return max((apart(one[key], other[key], tolerance=tolerance) for key in other), default=0.0)
    return 0.0 if type(one) is type(other) and one == other else math.inf


def _apart_in_numbers(one: torch.Tensor, other: torch.Tensor, tolerance: float) -> float:
    if one.shape != other.shape or one.dtype != other.dtype:
        return math.inf
    alike = (one == other) | (one.isnan() & other.isnan())
    if alike.all():
        return 0.0
    distances = (one - other).abs() / (FLOOR + tolerance * other.abs())
    return distances[~alike].nan_to_num(math.inf, posinf=math.inf).max().item()


def reaches(value: float, limit: float, *, leeway: float) -> bool:
    """Whether `value` is `limit` or more, where chance and rounding move it by less than `leeway`.

    As a distance, a value that is off the limit by its leeway is 20 tolerances, or a twentieth of one, away.
    """
    return decide(20 ** max(-100.0, min((limit - value) / leeway, 100.0)))


def is_small(size: float, limit: float) -> bool:
    """Whether a `size`, 0 or more, is at most `limit`; what is meant to be small, or not, is so by a factor of 20."""
    return decide(size / limit)
