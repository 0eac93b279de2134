"""Average precision under weights, by hand; tests/analysis/test_bootstrap.py holds it against repeated images."""

from __future__ import annotations

import numpy as np
import pytest

from qm_cli.kernels.weighted import Runs
from qm_cli.kernels.weighted_precision import RankedLane, ranked_totals, weighted_average_precision

ROWS = np.array([0, 1, 2], np.intp)
NONE = Runs(np.zeros(0, np.intp), np.array([0, 0]))


def lane(shift: Runs = NONE, sign: tuple[int, ...] = (), shifted: tuple[int, int] = (0, 0)) -> RankedLane:
    """Three ranked detections of images 0, 1 and 2; the first and the last are right."""
    hits = Runs(ROWS[[0, 2]], np.array([0, 2]))
    return RankedLane(hits, np.array([1, 3]), shift, np.array(sign, np.int8), np.array(shifted))


@pytest.mark.parametrize(
    ("weights", "positives", "area"),
    [
        ([1, 1, 1], 2, (51 * 1 + 50 * 2 / 3) / 101),
        ([1, 0, 1], 2, 1),
        ([1, 3, 1], 2, (51 * 1 + 50 * 2 / 5) / 101),
        ([0, 1, 2], 4, 51 * 2 / 3 / 101),
        ([0, 1, 0], 1, 0),
    ],
)
def test_by_hand(weights: list[int], positives: int, area: float) -> None:
    drawn, ranked = np.array(weights, np.int32), Runs(ROWS, np.array([0, 3]))
    found = weighted_average_precision(drawn, lane(), ranked, ranked_totals(drawn, ranked), np.array([positives]))
    assert found[0].tolist() == pytest.approx([area], abs=1e-12)
    assert found[1].tolist() == [weights[0] + weights[2]]


def test_a_detection_that_is_ignored_in_the_lane_does_not_rank() -> None:
    drawn, ranked = np.array([1, 3, 1], np.int32), Runs(ROWS, np.array([0, 3]))
    ignoring = lane(Runs(ROWS[[1]], np.array([0, 1])), (-1,), (0, 1))
    found = weighted_average_precision(drawn, ignoring, ranked, ranked_totals(drawn, ranked), np.array([2]))
    assert found[0].tolist() == pytest.approx([1.0], abs=1e-12)


def test_without_labels_undefined_and_without_hits_zero() -> None:
    drawn, ranked = np.ones(3, np.int32), Runs(ROWS, np.array([0, 3, 3]))
    empty = RankedLane(
        Runs(ROWS[:0], np.zeros(3, np.int64)), np.zeros(0, np.int64), NONE, np.zeros(0, np.int8), np.zeros(0, np.int64)
    )
    found, _ = weighted_average_precision(drawn, empty, ranked, ranked_totals(drawn, ranked), np.array([4, 0]))
    assert found[0] == 0
    assert np.isnan(found[1])
