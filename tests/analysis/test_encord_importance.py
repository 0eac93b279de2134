"""Encord's importance is scikit-learn's, on at most 60,000 rows, missing values as zeros."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_selection import mutual_info_regression

from qm_cli.analysis import encord_importance
from qm_cli.analysis.encord_importance import encord_importances
from tests.analysis.simulated import judged_rows

RNG = np.random.default_rng(0)
X = RNG.normal(size=300)
TARGET = np.clip(X, 0, 1) * (RNG.random(300) < 0.8)
JUDGED = judged_rows(TARGET > 0, np.arange(300) // 3, x=np.where(X < -1, np.nan, X), noise=RNG.normal(size=300))


def test_equals_the_call() -> None:
    x = np.where(X < -1, 0, X)
    expected = mutual_info_regression(x[:, None], TARGET, random_state=42)[0]
    found = encord_importances(JUDGED, TARGET, JUDGED.measures)
    assert found[0] == expected
    assert found[0] > found[1]


def test_many_rows_are_sampled_the_same_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encord_importance, "MOST_ROWS", 100)
    first = encord_importances(JUDGED, TARGET, JUDGED.measures)
    assert first == encord_importances(JUDGED, TARGET, JUDGED.measures)


def test_too_few_rows_are_undefined() -> None:
    judged = judged_rows(np.array([True] * 3), np.arange(3), x=np.arange(3.0))
    assert encord_importances(judged, np.ones(3), judged.measures) == [None]
