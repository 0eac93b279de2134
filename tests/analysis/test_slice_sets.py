"""Numbers of sets: those of their images alone, on the halves of all; all of them differ from all in nothing."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from qm_cli.analysis.bootstrap import Numbers
from qm_cli.analysis.intervals import difference_interval, difference_p, share_interval
from qm_cli.analysis.slice_sets import numbers_of_sets
from qm_cli.kernels.weighted import half_weights

COUNT, RESAMPLES, SEED = 60, 40, 7
VALUES = np.random.default_rng(2).random(COUNT)


def mean(weights: npt.NDArray[np.int32]) -> Numbers:
    total = weights.sum()
    return Numbers(np.array([weights @ VALUES / total if total else np.nan]), np.zeros((1, 0)))


@pytest.mark.parametrize("unit", [np.arange(COUNT), np.arange(COUNT) // 3])
def test_by_hand(unit: npt.NDArray[np.int64]) -> None:
    member = np.arange(COUNT) % 3 != 0
    whole, same, found = numbers_of_sets([np.ones(COUNT, bool), member], mean, unit, RESAMPLES, SEED)
    halves = [half for cut in range(RESAMPLES // 2) for half in half_weights(SEED, cut, unit, int(unit.max()) + 1)]
    every = np.array([[np.average(VALUES, weights=half)] for half in halves])
    own = np.array([[np.average(VALUES[member], weights=half[member])] for half in halves])
    assert found.units == len({int(one) for one in unit[member]})
    assert found.values[0] == pytest.approx(VALUES[member].mean(), abs=1e-15)
    interval = share_interval(np.array([VALUES[member].mean()]), own, found.units)
    assert found.interval.low == pytest.approx(interval.low, abs=1e-12)
    assert found.interval.high == pytest.approx(interval.high, abs=1e-12)
    difference = np.array([VALUES[member].mean() - VALUES.mean()])
    around = difference_interval(difference, own - every, found.units)
    assert found.difference == pytest.approx(difference, abs=1e-15)
    assert found.difference_interval.low == pytest.approx(around.low, abs=1e-12)
    assert found.p == pytest.approx(difference_p(difference, around.error, found.units), abs=1e-12)
    assert (whole.values, whole.units) == (same.values, same.units)
    assert same.difference == 0
    assert same.p == 1


def test_a_set_without_images_is_undefined() -> None:
    _, nothing = numbers_of_sets([np.zeros(COUNT, bool)], mean, np.arange(COUNT), RESAMPLES, SEED)
    assert nothing.units == 0
    for values in (nothing.values, nothing.interval.low, nothing.difference, nothing.p):
        assert np.isnan(values).all()
