"""Means against SciPy's, and what is left out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from qm_cli.kernels.aggregation import AGGREGATIONS, aggregated, rates

POSITIVE = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=20)


@given(POSITIVE)
def test_scipys(values: list[float]) -> None:
    numbers = np.array([*values, np.nan])
    expected = {
        "arithmetic_mean": np.mean(values),
        "geometric_mean": stats.gmean(values),
        "harmonic_mean": stats.hmean(values),
        "sum": np.sum(values),
    }
    assert expected.keys() == AGGREGATIONS.keys()
    for how, value in expected.items():
        assert aggregated(numbers, how) == pytest.approx(value, rel=1e-12)


def test_nothing_is_none() -> None:
    assert aggregated(np.array([np.nan]), "sum") is None


def test_the_smallest_numbers_there_are_give_no_warning() -> None:
    assert aggregated(np.array([5e-324, 2.0]), "harmonic_mean") == pytest.approx(0, abs=1e-300)


def test_rates() -> None:
    found = rates(np.array([6.0, 2, 5, 3]))
    assert (found["precision"], found["recall"], found["f1"]) == (6 / 8, 6 / 9, 12 / 17)
    assert found["true_negatives"] == 5
