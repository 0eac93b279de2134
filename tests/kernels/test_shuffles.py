"""Random re-orderings: what must stay stays, and every arrangement is as likely as any other."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy import stats

from qm_cli.kernels.shuffles import resampled_weights, shuffled_clusters, shuffled_units, shuffled_within


def drawn(hits: np.ndarray, strata: np.ndarray, times: int, seed: int) -> np.ndarray:
    """The re-ordered hits by row: [rows, times]."""
    result = np.full((len(hits), times), 9, np.uint16)
    for rows, block in shuffled_within(hits, strata, times, np.random.default_rng(seed)):
        assert np.all(result[rows] == 9)
        result[rows] = block
    return result


@pytest.mark.parametrize("sizes", [[1, 1, 1], [3, 0, 5, 1], [700, 2, 256, 257, 1], [20_000], [40] * 900])
def test_each_stratum_keeps_its_hits(sizes: list[int]) -> None:
    rng = np.random.default_rng(3)
    strata = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    hits = rng.random(len(strata)) < rng.random(len(sizes))[strata]
    result = drawn(hits, strata, 7, 0)
    for stratum in range(len(sizes)):
        assert np.all(result[strata == stratum].sum(0) == hits[strata == stratum].sum())
    assert np.array_equal(result, drawn(hits, strata, 7, 0))


@pytest.mark.parametrize("seed", range(3))
def test_every_arrangement_is_equally_likely(seed: int) -> None:
    result = drawn(np.array([True, True, False, False, False]), np.zeros(5, np.int64), 20_000, seed)
    seen = Counter(map(tuple, result.T.tolist()))
    assert len(seen) == 10
    assert stats.chisquare(list(seen.values())).pvalue > 1e-4


def test_large_strata_are_uniform_across_their_pieces() -> None:
    hits = np.arange(1000) < 300
    result = drawn(hits, np.zeros(1000, np.int64), 4000, 5)
    assert np.all(np.abs(result.mean(1) - 0.3) < 5 * np.sqrt(0.21 / 4000))
    both = (result[0] & result[999]).mean()
    assert both == pytest.approx(0.3 * 299 / 999, abs=0.03)


def test_units_change_places() -> None:
    orders = shuffled_units(50, 3, np.random.default_rng(0))
    assert all(sorted(order) == list(range(50)) for order in orders.tolist())
    assert shuffled_units(5, 0, np.random.default_rng(0)).shape == (0, 5)


def test_whole_clusters_change_places() -> None:
    clusters = np.array([2, 0, 0, 1, 1, 1, 2])
    for donors in shuffled_clusters(clusters, 200, np.random.default_rng(1)):
        of = clusters[donors]
        for cluster in range(3):
            assert len(set(of[clusters == cluster].tolist())) == 1
        assert len(set(donors[clusters == 0].tolist())) == 2
        assert sorted({int(of[clusters == cluster][0]) for cluster in range(3)}) == [0, 1, 2]
    alone = shuffled_clusters(np.arange(6), 2, np.random.default_rng(1))
    assert all(sorted(donors) == list(range(6)) for donors in alone.tolist())


def test_resampled_weights_add_up() -> None:
    weights = resampled_weights(40, 300, np.random.default_rng(0))
    assert np.all(weights.sum(0) == 40)
    assert weights.var(0).mean() == pytest.approx(1 - 1 / 40, abs=0.05)
