"""ROC-AUC, average precision and precision at recall against plain counting, ties included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qm_cli.analysis import classification_curves
from qm_cli.analysis.classification_curves import curves
from qm_cli.settings import RECALL_GRID

LEVELS = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])


@given(st.lists(st.tuples(LEVELS, st.booleans()), min_size=1, max_size=30))
def test_one_category_is_what_counting_says(rows: list[tuple[float, bool]]) -> None:
    scores, true = [score for score, _ in rows], [positive for _, positive in rows]
    found = curves(
        np.array(scores)[:, None], np.arange(len(rows)), np.array([0]), lambda _: np.flatnonzero(np.array(true))
    )
    labels = [score for score, positive in rows if positive]
    others = [score for score, positive in rows if not positive]
    if not labels:
        assert np.isnan(found.average_precision[0])
        assert np.isnan(found.precision).all()
        return
    steps = []
    for threshold in sorted(set(scores), reverse=True):
        hits = sum(score >= threshold for score in labels)
        steps.append((hits / len(labels), hits / sum(score >= threshold for score in scores), threshold))
    previous, area = 0.0, 0.0
    for recall, precision, _ in steps:
        area += (recall - previous) * precision
        previous = recall
    assert found.average_precision[0] == pytest.approx(area, abs=1e-12)
    for point, precision, confidence in zip(RECALL_GRID, found.precision[0], found.confidence[0], strict=True):
        own = [step for step in steps if step[0] >= point and (step[0] > 0)]
        assert (precision, confidence) == own[0][1:]
    if others:
        wins = sum((one > other) + (one == other) / 2 for one in labels for other in others)
        assert found.roc_auc[0] == pytest.approx(wins / len(labels) / len(others), abs=1e-12)
    else:
        assert np.isnan(found.roc_auc[0])


def test_stripes_rows_and_columns_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    values = random.random((50, 7)).astype(np.float32)
    rows, columns = random.permutation(50)[:40], random.permutation(7)
    true = random.integers(0, 7, 40)
    whole = curves(values, rows, columns, lambda one: np.flatnonzero(true == one))
    plain = curves(
        values[rows][:, columns].copy(), np.arange(40), np.arange(7), lambda one: np.flatnonzero(true == one)
    )
    monkeypatch.setattr(classification_curves, "BLOCK_VALUES", 80)
    striped = curves(values, rows, columns, lambda one: np.flatnonzero(true == one))
    for other in (plain, striped):
        assert (whole.roc_auc == other.roc_auc).all()
        assert (whole.precision == other.precision).all()
