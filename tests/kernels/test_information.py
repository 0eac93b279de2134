"""Entropy and mutual information, against scikit-learn's plug-in estimates."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from qm_cli.kernels.information import entropy, mutual_information


@pytest.mark.parametrize("seed", range(20))
def test_equals_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    number, bins = int(rng.integers(1, 3000)), int(rng.integers(1, 33))
    codes = rng.integers(0, bins, number)
    outcome = rng.random(number) < rng.random(bins)[codes]
    hits, totals = np.bincount(codes[outcome], minlength=bins), np.bincount(codes, minlength=bins)
    assert float(mutual_information(hits, totals)) == pytest.approx(mutual_info_score(codes, outcome), abs=1e-12)
    both = np.array([outcome.sum(), (~outcome).sum()])
    assert float(entropy(both)) == pytest.approx(mutual_info_score(outcome, outcome), abs=1e-12)


def test_many_tables_at_once_and_empty_ones() -> None:
    found = mutual_information(np.array([[2, 0], [1, 1], [0, 0]]), np.array([[2, 2], [2, 2], [0, 0]]))
    assert found.tolist() == pytest.approx([np.log(2), 0, 0])
    assert entropy(np.array([0, 0])) == 0
