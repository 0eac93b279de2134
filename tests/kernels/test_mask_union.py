"""Overlap of unions of masks against bitmaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli.kernels import mask_union
from qm_cli.kernels.mask_union import union_iou
from tests.kernels.test_runs import runs_of
from tests.shape_sets import bitmap, compressed


def expected(sides: list[list[np.ndarray]], groups: list[np.ndarray], count: int) -> list[float]:
    found = []
    for group in range(count):
        own = [
            [pixels for pixels, number in zip(side, numbers, strict=True) if number == group]
            for side, numbers in zip(sides, groups, strict=True)
        ]
        unions = [np.max(side, axis=0) if side else np.zeros((1, 1), np.uint8) for side in own]
        either = np.sum(unions[0] | unions[1])
        found.append(float(np.sum(unions[0] & unions[1]) / either) if either else 0.0)
    return found


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1 << 20, 9]))
def test_equals_bitmaps(seed: int, at_once: int) -> None:
    """Also where a stretch holds one group."""
    random = np.random.default_rng(seed)
    sides = [[bitmap(random) for _ in range(count)] for count in (6, 9)]
    groups = [random.integers(0, 4, len(side)) for side in sides]
    groups[0][0] = 3
    masks = [runs_of([compressed(one) for one in side]) for side in sides]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mask_union, "RUNS_AT_ONCE", at_once)
        found = union_iou(*masks, *groups)
    assert found.tolist() == expected(sides, groups, 4)


def test_two_halves_are_the_whole() -> None:
    whole, left, right = (np.zeros((4, 6), np.uint8) for _ in range(3))
    whole[:], left[:, :3], right[:, 3:] = 1, 1, 1
    halves, one = runs_of([compressed(left), compressed(right)]), runs_of([compressed(whole)])
    assert union_iou(halves, one, np.array([0, 0]), np.array([0])).tolist() == [1.0]


def test_masks_of_other_heights_share_nothing() -> None:
    one, other = (runs_of([compressed(np.ones(shape, np.uint8))]) for shape in ((4, 5), (5, 4)))
    assert union_iou(one, other, np.array([0]), np.array([0])).tolist() == [0.0]


def test_no_masks() -> None:
    none = runs_of([compressed(np.ones((4, 5), np.uint8))]).take(np.zeros(0, np.int64))
    assert union_iou(none, none, np.zeros(0, np.int64), np.zeros(0, np.int64)).tolist() == []
