"""ObjectLab's formulas by hand; tests of label_errors hold them against cleanlab."""

from __future__ import annotations

import numpy as np
import pytest

from qm_cli.kernels.object_lab import pooled, similarity, softmin


def test_similarity_falls_with_the_distance_of_the_centres() -> None:
    labels = np.array([[0.0, 0, 10, 10], [0, 0, 10, 10]])
    predictions = np.array([[10.0, 0, 10, 10], [1000, 0, 10, 10]])
    assert similarity(np.zeros(2), labels, predictions).tolist() == pytest.approx([0.1 * np.exp(-1), 0.0])


def test_soft_minimum_of_runs() -> None:
    found = softmin(np.array([0.5, np.nan, 0.1, 0.1, np.nan]), np.array([0, 2, 4, 4, 5]))
    assert found.tolist() == pytest.approx([0.5, 0.1, 1.0, 1.0])


def test_geometric_mean() -> None:
    assert pooled(np.array([0.001]), np.ones(1), np.ones(1)).tolist() == pytest.approx([0.1])
