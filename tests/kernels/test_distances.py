"""Distances of two samples against scipy's, and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from qm_cli.kernels.distances import (
    apart,
    bin_count,
    kolmogorov_smirnov,
    kolmogorov_smirnov_p,
    pooled,
    stability_bins,
    stability_edges,
    stability_index,
    total_variation,
    wasserstein,
)


@pytest.mark.parametrize("seed", range(60))
def test_equal_to_scipy(seed: int) -> None:
    random = np.random.default_rng(seed)
    sizes = random.integers(1, 300, 2)
    first, second = random.normal(size=sizes[0]), random.normal(0.2 * (seed % 3), 1 + seed % 2, sizes[1])
    if seed % 4 == 0:
        first, second = first.round(1), second.round(1)
    pool = pooled(np.concatenate([first, second]))
    shares = apart(pool, np.arange(sizes.sum()) < sizes[0])
    reference = stats.ks_2samp(first, second, method="exact")
    assert kolmogorov_smirnov(shares) == pytest.approx(reference.statistic, abs=1e-15)
    assert kolmogorov_smirnov_p(kolmogorov_smirnov(shares), *sizes) == pytest.approx(reference.pvalue, abs=1e-12)
    assert wasserstein(pool, shares) == pytest.approx(stats.wasserstein_distance(first, second), abs=1e-12)


@pytest.mark.parametrize("sizes", [(9000, 3000), (10_000, 9999), (20_000, 30_000), (15_000, 15_001)])
def test_p_of_large_samples(sizes: tuple[int, int]) -> None:
    random = np.random.default_rng(1)
    reference = stats.ks_2samp(random.normal(size=sizes[0]), random.normal(0.01, 1, sizes[1]))
    exact = max(sizes) <= 10_000
    expected = pytest.approx(reference.pvalue, abs=1e-12) if exact else pytest.approx(reference.pvalue, rel=1e-3)
    assert kolmogorov_smirnov_p(reference.statistic, *sizes) == expected


def test_p_of_the_same_and_of_nothing_in_common() -> None:
    assert kolmogorov_smirnov_p(0.0, 50, 60) == 1
    assert kolmogorov_smirnov_p(1.0, 500, 600) < 1e-100


def test_stability_index_by_hand() -> None:
    expected = (0.2 - 0.5) * math.log(0.2 / 0.5) + (0.8 - 0.5) * math.log(0.8 / 0.5)
    assert stability_index(np.array([2, 8]), np.array([5, 5])) == pytest.approx(expected)
    assert stability_index(np.array([3, 7, 0]), np.array([30, 70, 0])) == 0
    vanished = (0.5 - 1e-4) * math.log(0.5 / 1e-4) + (0.5 - 1) * math.log(0.5 / 1)
    assert stability_index(np.array([5, 5]), np.array([0, 9])) == pytest.approx(vanished)
    assert total_variation(np.array([1, 1]), np.array([0, 9])) == 0.5


def test_bins_are_deciles_or_single_values_and_one_for_missing() -> None:
    many = np.arange(1000.0)
    edges, single = stability_edges(many)
    assert not single
    assert np.bincount(stability_bins(many, edges, single), minlength=bin_count(edges, single)).tolist() == [
        100
    ] * 10 + [0]
    few = np.array([1.0, 1, 1, 4])
    edges, single = stability_edges(few)
    assert single
    assert stability_bins(np.array([0.0, 1, 2, 4, 9, np.nan]), edges, single).tolist() == [0, 1, 2, 3, 4, 5]
    edges, single = stability_edges(np.zeros(0))
    assert stability_bins(np.array([1.0, np.nan]), edges, single).tolist() == [0, 1]
