"""Exact stable orders by radix passes: NumPy sorts 16-bit keys in linear time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

RowArray = npt.NDArray[np.int64]
DIGIT_BITS = 16
SCORE_STEPS = 2.0**32 - 1
LEAST_SPREAD = 1e-290
LARGEST, SMALLEST = np.int32(2**31 - 1), np.int32(-(2**31))


def stable_order(keys: npt.NDArray[np.integer], bound: int) -> RowArray:
    """Row numbers sorted by key, equal keys in row order: int64[n]. Keys lie in 0 … bound − 1.

    >>> stable_order(np.array([3, 1, 3, 0]), 4).tolist()
    [3, 1, 0, 2]
    """
    order = np.argsort(keys.astype(np.uint16), kind="stable")
    for shift in range(DIGIT_BITS, max(int(bound - 1).bit_length(), 1), DIGIT_BITS):
        digits = (keys >> shift).astype(np.uint16)
        order = order.take(np.argsort(digits.take(order), kind="stable"))
    return order


def order_by_value(values: npt.NDArray[np.float64]) -> RowArray:
    """Row numbers sorted by value, equal values in row order, NaN last: int64[n]. −0 is 0.

    Bits of single precision, those of a negative number turned over, are ordered as the numbers are; numbers that
    share them are put right afterwards.

    >>> order_by_value(np.array([2.0, np.nan, -1.0, 0.5])).tolist()
    [2, 3, 0, 1]
    """
    with np.errstate(over="ignore"):
        bits = (values.astype(np.float32) + np.float32(0)).view(np.int32)
    bits[np.isnan(values)] = LARGEST
    steps = (bits ^ ((bits >> 31) & LARGEST) ^ SMALLEST).view(np.uint32)
    order = stable_order(steps, 1 << 32)
    _sort_shared_steps(order, steps.take(order), np.zeros(len(order), np.int8), -values)
    return order


def order_by_score(group: npt.NDArray[np.integer], group_count: int, score: npt.NDArray[np.float64]) -> RowArray:
    """Row numbers sorted by (group, −score, row), exactly as a stable sort gives them: int64[n]. Scores are finite.

    Scores are first laid on a linear scale of 32 bits; those that fall on one step of it are put right afterwards, so
    the order is exact whatever the scores.
    """
    if len(score) == 0:
        return np.zeros(0, np.int64)
    top, bottom = score.max(), score.min()
    scale = SCORE_STEPS / (top - bottom) if top - bottom > LEAST_SPREAD else 0.0
    steps = np.minimum((top - score) * scale, SCORE_STEPS).astype(np.uint32)
    order = stable_order(steps, 1 << 32)
    order = order.take(stable_order(group.take(order), group_count))
    _sort_shared_steps(order, steps.take(order), group.take(order), score)
    return order


def _sort_shared_steps(
    order: RowArray, steps: npt.NDArray[np.uint32], group: npt.NDArray[np.integer], score: npt.NDArray[np.float64]
) -> None:
    """Sort by (−score, row), in place, the runs of one group and step that hold different scores in the wrong order."""
    ordered = score.take(order)
    same_step = (steps[1:] == steps[:-1]) & (group[1:] == group[:-1])
    wrong = np.flatnonzero((ordered[1:] > ordered[:-1]) & same_step)
    if len(wrong) == 0:
        return
    run = np.cumsum(np.append(True, ~same_step))
    places = np.flatnonzero(np.isin(run, run[wrong]))
    shared = order[places]
    order[places] = shared[np.lexsort((shared, -score[shared], run[places]))]
