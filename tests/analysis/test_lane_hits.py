"""Lanes that share their ranked predictions: the hits of each alone, of all images and of some."""

from __future__ import annotations

import numpy as np
import pytest

from qm_cli.analysis.lane_hits import lane_hits
from qm_cli.analysis.ranked_hits import ranked_hits
from qm_cli.conventions.ultralytics import trapezoid
from qm_cli.matching import score_order
from qm_cli.settings import RECALL_GRID
from tests import builders
from tests.oracles.random_sets import random_set


@pytest.mark.parametrize("seed", range(6))
def test_equals_each_lane_alone(seed: int) -> None:
    """What is taken is drawn at random, so that lanes ignore different predictions."""
    tables = builders.tables(*random_set(seed))
    random, order = np.random.default_rng(seed), score_order(tables)
    labels, predictions = tables.count("label"), tables.count("prediction")
    counts = random.random(labels) < 0.7
    category = tables.values("label", "category_row")
    matched = []
    for _ in range(3):
        taken = np.full(predictions, -1, np.int64)
        for row in random.permutation(predictions):
            free = np.flatnonzero(category == tables.values("prediction", "category_row")[row])
            free = free[~np.isin(free, taken)]
            if len(free) and random.random() < 0.6:
                taken[row] = random.choice(free)
        matched.append(taken)
    found = lane_hits(tables, order, matched, counts)
    for kept in (np.ones(tables.count("image"), bool), random.random(tables.count("image")) < 0.5):
        areas = found.areas(kept, RECALL_GRID)
        for lane, taken in enumerate(matched):
            alone = ranked_hits(tables, order, taken, counts).of_images(kept)
            for row in range(tables.count("category")):
                hit, _, positives = alone.of(row)
                expected = trapezoid(hit, positives) if positives else np.nan
                np.testing.assert_equal(areas[lane, row], expected)
