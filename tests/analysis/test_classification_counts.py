"""Counts of answers, their averages, and what is undefined."""

from __future__ import annotations

import numpy as np
import pytest

from qm_cli.analysis import classification_counts
from qm_cli.analysis.classification_counts import averages, mean, of_answers, of_ticks, wrong_ticks
from qm_cli.analysis.classification_outcome import Answered, Ticked

NONE = np.zeros(5, bool)
TRUE, PREDICTED = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, -1, 1])
ANSWERS = Answered(TRUE, PREDICTED, np.zeros(5), np.zeros(5, int), np.zeros(5), NONE, NONE)


@pytest.mark.parametrize("dense", [1 << 24, 0])
def test_counts_and_confusion_worked_by_hand(dense: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classification_counts, "DENSE_CELLS", dense)
    counts, cells = of_answers(ANSWERS, 3)
    assert counts.true_positives.tolist() == [1, 1, 0]
    assert counts.false_positives.tolist() == [0, 2, 0]
    assert counts.false_negatives.tolist() == [1, 1, 1]
    assert counts.true_negatives.tolist() == [3, 1, 4]
    assert counts.support.tolist() == [2, 2, 1]
    table = list(zip(cells.true.tolist(), cells.predicted.tolist(), cells.count.tolist(), strict=True))
    assert table == [(0, 0, 1), (0, 1, 1), (1, 1, 1), (1, 3, 1), (2, 1, 1)]


def test_averages_leave_out_what_is_undefined() -> None:
    counts, _ = of_answers(ANSWERS, 3)
    found = averages(counts)
    assert found["precision"] == 2 / 4
    assert found["recall"] == 2 / 5
    assert found["precision_macro"] == pytest.approx((1 + 1 / 3) / 2)
    assert found["recall_macro"] == pytest.approx((0.5 + 0.5 + 0) / 3)
    assert found["precision_weighted"] == pytest.approx((2 * 1 + 2 / 3) / 4)


def test_ticks() -> None:
    found = Ticked(np.array([0, 1, 4]), np.array([1, 2, 4, 5]), NONE, NONE, NONE)
    counts = of_ticks(found, 2, 3)
    assert counts.true_positives.tolist() == [0, 2, 0]
    assert counts.false_positives.tolist() == [0, 0, 2]
    assert counts.false_negatives.tolist() == [1, 0, 0]
    assert counts.true_negatives.tolist() == [1, 0, 0]
    assert wrong_ticks(found, 2, 3).tolist() == [2, 1]


def test_undefined_is_none() -> None:
    assert mean(np.array([np.nan])) is None
    assert mean(np.array([1.0]), np.array([0])) is None
