"""Pearson and Spearman equal scipy's; their intervals are those of a plain bootstrap of images, and cover."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from qm_cli.analysis.correlation import Interval, correlations
from qm_cli.analysis.importance import all_binned
from qm_cli.analysis.samples import Judged, Measure
from tests.analysis.simulated import judged_images, judged_rows, no_effect


def found(judged: Judged, samples: int = 200, seed: int = 0) -> list[tuple[Interval, Interval]]:
    return correlations(judged, all_binned(judged, judged.measures), samples, seed)


@pytest.mark.parametrize("seed", range(15))
def test_equal_scipys(seed: int) -> None:
    rng = np.random.default_rng(seed)
    number = int(rng.integers(5, 800))
    values = rng.normal(size=number) * 10.0 ** rng.integers(-200, 150)
    if seed % 2:
        values = rng.integers(0, 6, number).astype(float)
    values[rng.random(number) < 0.2] = np.nan
    hit = rng.random(number) < 0.4
    hit[:2], values[:2] = (True, False), (1.0, 2.0)
    judged = judged_rows(hit, rng.integers(0, 40, number), m=values)
    judged_by_image = no_effect(seed)
    for one in (judged, judged_by_image):
        for measure, (pearson, spearman) in zip(one.measures, found(one, 5), strict=True):
            column = one.row_values(measure)
            there = np.isfinite(column)
            x, y = column[there], one.hit[there]
            assert pearson.value == pytest.approx(stats.pearsonr(x / np.abs(x).max(), y).statistic, abs=1e-9)
            assert spearman.value == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-9)


@pytest.mark.parametrize("tied", [False, True])
def test_intervals_are_those_of_a_plain_bootstrap(tied: bool) -> None:
    rng = np.random.default_rng(11)
    image_row = np.repeat(np.arange(150), 4)
    level = rng.normal(size=150)[image_row]
    values = level + rng.normal(size=600)
    if tied:
        values = np.round(values)
    hit = rng.random(600) < 1 / (1 + np.exp(-2 * values - level))
    ((pearson, spearman),) = found(judged_rows(hit, image_row, m=values), 2000)
    plain = []
    for _ in range(1000):
        rows = (rng.integers(0, 150, 150)[:, None] * 4 + np.arange(4)).ravel()
        plain.append((stats.pearsonr(values[rows], hit[rows])[0], stats.spearmanr(values[rows], hit[rows])[0]))
    low, high = np.quantile(plain, [0.025, 0.975], axis=0)
    assert (pearson.low, pearson.high) == pytest.approx((low[0], high[0]), abs=0.012)
    assert (spearman.low, spearman.high) == pytest.approx((low[1], high[1]), abs=0.012)


def test_intervals_cover() -> None:
    covered, number = np.zeros(2), 0
    for seed in range(15):
        for pair in found(no_effect(seed, images=200, metrics=10), 200, seed):
            covered += [one.low <= 0 <= one.high for one in pair]
            number += 1
    assert np.all((covered / number > 0.91) & (covered / number < 0.98))


def test_very_many_images_are_drawn_in_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    judged = no_effect(2, images=4000, metrics=2, most=3)
    whole = found(judged, 600)
    monkeypatch.setattr("qm_cli.analysis.correlation.MOST_DRAWN", 800)
    for exact, grouped in zip(whole, found(judged, 600), strict=True):
        for one, other in zip(exact, grouped, strict=True):
            assert other.value == pytest.approx(one.value)
            assert other.high - other.low == pytest.approx(one.high - one.low, rel=0.15)


def test_clusters_are_drawn_whole() -> None:
    judged = no_effect(1, images=200, metrics=3, most=1, cluster_size=10)
    alone = Judged("prediction", "TP", judged.rows, judged.image_row, judged.hit, judged.measures[:3])
    for (with_clusters, _), (without, _) in zip(found(judged)[:3], found(alone), strict=True):
        assert with_clusters.high - with_clusters.low > 1.3 * (without.high - without.low)


def test_undefined_is_none() -> None:
    half = np.arange(50) % 2 == 0
    empty = np.full(50, np.nan)
    nothing = (Interval(), Interval())
    assert found(judged_images(half, same=np.ones(50), empty=empty)) == [nothing, nothing]
    assert found(judged_images(np.ones(50), a=np.arange(50.0))) == [nothing]
    assert found(judged_images(np.ones(0), a=np.ones(0))) == [nothing]
    coded = Measure("image", "w", np.zeros(50), names=("fog",))
    assert found(Judged("image", "correct", np.arange(50), np.arange(50), half, [coded])) == [nothing]
    one_image = judged_rows(half, np.zeros(50, np.int64), a=np.arange(50.0))
    assert found(one_image)[0][0].low is None
    assert found(one_image)[0][0].value is not None
