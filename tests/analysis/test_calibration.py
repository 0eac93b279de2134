"""Calibration against a plain loop and scikit-learn, and cases worked by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.calibration import calibration_curve

from qm_cli.analysis.calibration import bin_edges, calibration_report, reliability
from qm_cli.evaluation import evaluate_tables
from qm_cli.settings import Settings
from tests import builders
from tests.boxes import document, label, prediction
from tests.oracles import counts_loop
from tests.oracles.error_sets import detection_set


def loop(confidence: list[float], right: list[bool], edges: list[float]) -> tuple[Any, Any, list[int]]:
    """ECE, MCE and counts, a prediction at a time."""
    last = len(edges) - 2
    bins: list[list[int]] = [[] for _ in range(last + 1)]
    for number, value in enumerate(confidence):
        place = next(b for b in range(last + 1) if edges[b] <= value and (value < edges[b + 1] or b == last))
        bins[place].append(number)
    gaps = [
        (abs(sum(right[i] for i in own) - sum(confidence[i] for i in own)) / len(own), len(own)) for own in bins if own
    ]
    if not gaps:
        return None, None, [0] * (last + 1)
    return sum(gap * n for gap, n in gaps) / len(confidence), max(gap for gap, _ in gaps), [len(own) for own in bins]


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.15, 0.3, 0.5, 0.99, 1.0]), st.booleans())), st.integers(1, 12))
@settings(max_examples=60)
def test_equal_to_the_loop(rows: list[tuple[float, bool]], bins: int) -> None:
    confidence, right = [row[0] for row in rows], [row[1] for row in rows]
    edges = bin_edges(np.array(confidence), bins, quantile=False)
    found = reliability(np.array(confidence), np.array(right, bool), edges)
    expected_error, largest, counts = loop(confidence, right, edges.tolist())
    assert found.count[0].tolist() == counts
    if rows:
        assert found.expected_error[0] == pytest.approx(expected_error, abs=1e-12)
        assert found.largest_error[0] == pytest.approx(largest, abs=1e-12)
    else:
        assert np.isnan(found.expected_error[0])
        assert np.isnan(found.largest_error[0])


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_bins_are_scikit_learns(strategy: Any) -> None:
    random = np.random.default_rng(1)
    confidence = random.random(2000) ** 2
    right = random.random(2000) < confidence
    found = reliability(confidence, right, bin_edges(confidence, 12, strategy == "quantile"))
    share, mean = calibration_curve(right, confidence, n_bins=12, strategy=strategy)
    np.testing.assert_allclose(found.accuracy[0], share, atol=1e-12)
    np.testing.assert_allclose(found.confidence[0], mean, atol=1e-12)


@pytest.mark.parametrize("seed", range(12))
def test_report_of_detections_is_that_of_the_loop(seed: int) -> None:
    labels, predictions = detection_set(seed)
    chosen = Settings(calibration_bins=5)
    evaluation = evaluate_tables(builders.tables(labels, predictions), chosen)
    found = calibration_report(evaluation.tables, evaluation.every_outcome, chosen)
    verdicts, _ = counts_loop.judge(labels, predictions, 0.5, 0.0)
    kept = [
        (row, verdict) for row, verdict in zip(predictions, verdicts, strict=True) if verdict["outcome"] != "ignored"
    ]

    def hold(part: dict[str, Any], rows: list[Any]) -> None:
        scores, right = [row["score"] for row, _ in rows], [verdict["outcome"] == "TP" for _, verdict in rows]
        expected_error, largest, counts = loop(scores, right, np.linspace(0, 1, 6).tolist())
        assert part["ECE"] == (None if expected_error is None else pytest.approx(expected_error, abs=1e-12))
        assert part["MCE"] == (None if largest is None else pytest.approx(largest, abs=1e-12))
        assert [one["count"] for one in part["bins"]] == counts

    hold(found, kept)
    for part in found["categories"]:
        hold(part, [(row, verdict) for row, verdict in kept if row["category_id"] == part["id"]])
    for part, (low, high) in zip(found["sizes"], [(0, 1024), (1024, 9216), (9216, 1e10)], strict=True):
        hold(part, [(row, verdict) for row, verdict in kept if low <= size(row, verdict, labels) <= high])


def size(row: dict[str, Any], verdict: dict[str, Any], labels: dict[str, Any]) -> float:
    if verdict["label"] is not None:
        return float(labels["annotations"][verdict["label"]]["area"])
    return float(row["bbox"][2] * row["bbox"][3])


def test_a_bin_has_wilsons_interval_and_an_empty_one_nothing() -> None:
    tables = builders.tables(
        document([label(1, 1, 1, [0, 0, 10, 10])]),
        [prediction(1, 1, [0, 0, 10, 10], 0.95), prediction(1, 1, [60, 60, 9, 9], 1.0)],
    )
    evaluation = evaluate_tables(tables, Settings(calibration_bins=2))
    empty, full = calibration_report(tables, evaluation.every_outcome, evaluation.settings)["bins"]
    interval = stats.binomtest(1, 2).proportion_ci(0.95, "wilson")
    assert (full["low"], full["high"]) == pytest.approx((interval.low, interval.high))
    assert (full["accuracy"], full["confidence"], full["count"]) == (0.5, 0.975, 2)
    assert [empty[name] for name in ("accuracy", "confidence", "low", "high")] == [None] * 4
    assert empty["count"] == 0


def test_scores_that_are_no_confidences_are_told() -> None:
    tables = builders.tables(document([]), [prediction(1, 1, [0, 0, 10, 10], 7.0)])
    evaluation = evaluate_tables(tables, Settings())
    found = calibration_report(tables, evaluation.every_outcome, Settings(calibration_quantiles=True))
    assert found["ECE"] is None
    assert "1 scores lie outside 0..1" in found["notes"][0]
