"""Every point against counting at that confidence, and against scikit-learn's curve of one category."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli.analysis.pr_curve import OVERALL, CurvePoints, counted_rows, precision_recall_points
from qm_cli.matching import match_tables
from qm_cli.settings import Settings
from qm_cli.tables import Tables
from tests import builders
from tests.input_files import document, label, prediction
from tests.oracles import counts_loop
from tests.simulated_sets import simulated_sets
from tests.strategies import DetectionSet, detection_sets


def curve(tables: Tables, **how: Any) -> CurvePoints:
    chosen = Settings()
    return precision_recall_points(tables, match_tables(tables, chosen), chosen, **how)


@given(detection_sets())
@settings(max_examples=40, deadline=None)
def test_every_point_equals_the_counts_there(data: DetectionSet) -> None:
    points = curve(builders.tables(*data))
    judged, _ = counts_loop.judge(*data, confidence=0.0)
    ids = [category["id"] for category in data[0]["categories"]]
    expected = []
    for row, own in [*enumerate([{one} for one in ids]), (OVERALL, set(ids))]:
        found = [
            (one["score"], verdict["outcome"])
            for one, verdict in zip(data[1], judged, strict=True)
            if one["category_id"] in own and verdict["outcome"] in ("TP", "FP")
        ]
        for score in sorted({score for score, _ in found}, reverse=True):
            kept = [outcome for other, outcome in found if other >= score]
            expected.append((row, score, kept.count("TP"), kept.count("FP")))
    columns = (points.category, points.confidence, points.true_positives, points.false_positives)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == expected
    counts = points.true_positives + points.false_positives
    assert points.precision.tolist() == (points.true_positives / np.maximum(counts, 1)).tolist()


def test_one_category_equals_scikit_learn() -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    [tables] = simulated_sets(np.random.default_rng(1), 80, 1, [1.0])
    chosen = Settings()
    matches = match_tables(tables, chosen)
    rows, true = counted_rows(tables, matches, chosen)
    precision, recall, confidence = sklearn.precision_recall_curve(true, tables.values("prediction", "score")[rows])
    points = curve(tables)
    own = points.category == 0
    assert points.confidence[own][::-1].tolist() == confidence.tolist()
    assert points.precision[own][::-1] == pytest.approx(precision[:-1], abs=1e-12)
    of_found = points.true_positives[own] / true.sum()
    assert of_found[::-1] == pytest.approx(recall[:-1], abs=1e-12)
    assert points.recall[own].tolist() == (points.true_positives[own] / tables.count("label")).tolist()
    assert points.true_positives[~own].tolist() == points.true_positives[own].tolist()


@given(detection_sets(), st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_where_there_are_too_many_the_steps_are_kept(data: DetectionSet, most: int) -> None:
    tables = builders.tables(*data)
    whole, cut = curve(tables), curve(tables, most=most)
    points = list(zip(whole.category.tolist(), whole.confidence.tolist(), whole.true_positives.tolist(), strict=True))
    expected = []
    for place, (category, confidence, found) in enumerate(points):
        before = points[place - 1][2] if place and points[place - 1][0] == category else 0
        ends = place + 1 == len(points) or points[place + 1][0] != category
        if len(points) <= most or found > before or ends:
            expected.append((category, confidence))
    assert list(zip(cut.category.tolist(), cut.confidence.tolist(), strict=True)) == expected


def test_recall_is_undefined_without_labels() -> None:
    points = curve(builders.tables(document(labels=[label(1)]), [prediction(category_id=7)]))
    assert np.isnan(points.recall[points.category == 1]).all()
    assert points.recall[points.category == OVERALL].tolist() == [0.0]
    assert len(curve(builders.tables(document(), [])).category) == 0
