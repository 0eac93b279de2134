"""Lanes against the plain loop at each of their cells."""

from __future__ import annotations

import numpy as np
import pytest

from qm_cli.analysis.overlap_lanes import overlap_lanes
from qm_cli.settings import GRID_STEPS, settings_at
from tests.conventions.comparing import loaded
from tests.oracles import labelbox_loop
from tests.oracles.random_sets import random_set


def test_a_lane_holds_every_threshold() -> None:
    """All 121 cells of the grid from 11 lanes, each as it is evaluated alone."""
    labels, predictions = random_set(3)
    tables = loaded(labels, predictions, "labelbox")
    matching = overlap_lanes(tables, settings_at("labelbox"), GRID_STEPS, GRID_STEPS)
    for lane in matching.lanes:
        assert (np.diff(lane.iou) <= 0).all()
        for iou in GRID_STEPS:
            found, prediction_rows, _ = matching.at(lane, iou)
            expected = labelbox_loop.labelbox(labels, predictions, iou, lane.confidence)
            diagonal = sum(count for (true, predicted), count in expected.items() if true == predicted)
            across = sum(count for cell, count in expected.items() if None not in cell) - diagonal
            assert (found.true_positive.sum(), len(prediction_rows)) == (diagonal, across)
            assert found.false_positive.sum() == sum(n for (t, p), n in expected.items() if p not in (None, t))
            assert found.false_negative.sum() == sum(n for (t, p), n in expected.items() if t not in (None, p))


def test_a_lane_is_found_by_its_confidence() -> None:
    tables = loaded(*random_set(3), "labelbox")
    matching = overlap_lanes(tables, settings_at("labelbox"), (0.9, 0.2), (0.5,))
    assert matching.lane(0.2) is matching.lanes[1]
    with pytest.raises(KeyError):
        matching.lane(0.3)
