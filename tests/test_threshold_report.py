"""Thresholds as data: a choice per target and category, and what counts overall alone."""

from __future__ import annotations

import json

import numpy as np

from qm_cli.analysis.arrivals import Arrivals
from qm_cli.analysis.operating_points import parsed_target
from qm_cli.threshold_report import TAKEN_ACROSS, threshold_report


def test_categories_beyond_the_last_count_overall_alone() -> None:
    score, one = np.array([0.9, 0.8, 0.4]), np.ones(3, np.int64)
    arrivals = Arrivals(score, np.arange(3), np.array([0, 0, 1]), np.array([1, 0, 1]), one, np.arange(3), one - 1)
    target = parsed_target("precision=1")
    for convention, told in (("coco", None), ("labelbox", TAKEN_ACROSS)):
        found = threshold_report(arrivals, [{"id": 7, "name": "cat"}], 3, [target], 0, 0.5, convention)
        assert found.get("matching") == told
        assert json.loads(json.dumps(found, allow_nan=False)) == found
    [row] = found["targets"]
    assert [row["overall"]["confidence"], row["overall"]["true_positives"]] == [0.9, 1]
    [cat] = row["categories"]
    assert (cat["id"], cat["confidence"], cat["recall"], cat["false_negatives"]) == (7, 0.9, 1 / 3, 2)
    best = threshold_report(arrivals, [{"id": 7, "name": "cat"}], 3, [parsed_target("recall=0.6")], 0, None, "coco")
    assert best["targets"][0]["overall"]["confidence"] == 0.4
    assert best["targets"][0]["categories"][0]["confidence"] is None
