from __future__ import annotations

import numpy as np
import pytest

from qm_cli.kernels.disagreement import bald, binary_bald, binary_variation_ratio, variation_ratio


def entropy(values: np.ndarray) -> float:
    return -sum(float(p) * np.log2(p) for p in values if p > 0)


def test_as_in_plain_loops() -> None:
    random = np.random.default_rng(0)
    given = random.dirichlet(np.ones(4), (5, 20))
    yes = random.random((5, 20, 3))
    for row in range(20):
        members = given[:, row]
        expected = entropy(members.mean(axis=0)) - np.mean([entropy(one) for one in members])
        assert bald(given)[row] == pytest.approx(expected, abs=1e-12)
        votes = np.bincount(members.argmax(axis=1), minlength=4)
        assert variation_ratio(given)[row] == 1 - votes.max() / 5
        summed = 0.0
        for category in range(3):
            pairs = [np.array([p, 1 - p]) for p in yes[:, row, category]]
            summed += entropy(np.mean(pairs, axis=0)) - np.mean([entropy(pair) for pair in pairs])
        assert binary_bald(yes)[row] == pytest.approx(summed, abs=1e-12)
        shares = [(yes[:, row, category] >= 0.5).mean() for category in range(3)]
        assert binary_variation_ratio(yes)[row] == max(min(one, 1 - one) for one in shares)


def test_members_that_agree() -> None:
    same = np.repeat(np.random.default_rng(1).dirichlet(np.ones(3), (1, 9)), 4, axis=0)
    np.testing.assert_allclose(bald(same), 0, atol=1e-12)
    assert variation_ratio(same).tolist() == [0.0] * 9
