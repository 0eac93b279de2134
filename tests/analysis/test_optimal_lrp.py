"""Optimal LRP against a plain loop over all confidences, and cases worked by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from qm_cli.analysis.optimal_lrp import lrp_report, optimal_lrp, optimum
from qm_cli.evaluation import evaluate_tables
from qm_cli.settings import Settings
from tests import builders
from tests.oracles import counts_loop
from tests.oracles.error_sets import detection_set

NAN = float("nan")


def loop(labels: dict[str, Any], predictions: list[dict[str, Any]], category: int, threshold: float) -> tuple[Any, ...]:
    """The least LRP over every confidence, each matched anew, and its parts."""
    total = sum(row["category_id"] == category and not row["iscrowd"] for row in labels["annotations"])
    if not total:
        return (None,) * 5
    best: tuple[Any, ...] = (1.0, None, None, 1.0, None)
    for confidence in sorted({row["score"] for row in predictions if row["category_id"] == category}, reverse=True):
        verdicts, _ = counts_loop.judge(labels, predictions, threshold, confidence)
        own = [v for row, v in zip(predictions, verdicts, strict=True) if row["category_id"] == category]
        off = [1 - v["iou"] for v in own if v["outcome"] == "TP"]
        hits, false = len(off), sum(v["outcome"] == "FP" for v in own)
        missed = total - hits
        error = (sum(off) / (1 - threshold) + false + missed) / (hits + false + missed)
        if error < best[0] - 1e-12:
            best = (error, sum(off) / hits, false / (hits + false), missed / total, confidence)
    return best


@pytest.mark.parametrize("seed", range(15))
def test_equal_to_the_loop(seed: int) -> None:
    labels, predictions = detection_set(seed)
    threshold = (0.5, 0.75, 0.3)[seed % 3]
    chosen = Settings(iou=threshold)
    evaluation = evaluate_tables(builders.tables(labels, predictions), chosen)
    tables, order, every = evaluation.tables, evaluation.matches.order, evaluation.every_outcome
    found = lrp_report(tables, optimal_lrp(tables, order, every, evaluation.every_iou, threshold), chosen)
    columns = ("oLRP", "localisation", "false_positives", "false_negatives", "confidence")
    for row in found["categories"]:
        expected = loop(labels, predictions, row["id"], threshold)
        assert [row[name] for name in columns] == [None if v is None else pytest.approx(v, abs=1e-12) for v in expected]
    defined = [row["oLRP"] for row in found["categories"] if row["oLRP"] is not None]
    assert found["oLRP"] == (pytest.approx(np.mean(defined)) if defined else None)


def test_nothing_worth_keeping() -> None:
    found = optimum(np.array([0.9]), np.array([False]), np.array([NAN]), 3, 0.5)
    assert found == pytest.approx((1.0, NAN, NAN, 1.0, NAN), nan_ok=True)
    assert optimum(np.zeros(0), np.zeros(0, bool), np.zeros(0), 3, 0.5)[0] == 1.0


def test_equal_scores_are_kept_together() -> None:
    """The false positive at .8 cannot be left out without the true one."""
    found = optimum(np.array([0.8, 0.8]), np.array([True, False]), np.array([1.0, NAN]), 1, 0.5)
    assert found == (0.5, 0.0, 0.5, 0.0, 0.8)


def test_at_iou_one() -> None:
    assert optimum(np.array([0.8]), np.array([True]), np.array([1.0]), 1, 1.0) == (0.0, 0.0, 0.0, 0.0, 0.8)
