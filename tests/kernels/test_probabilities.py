from __future__ import annotations

import numpy as np
import pytest

from qm_cli.errors import UsageError
from qm_cli.kernels import probabilities as kernel


def test_softmax_and_sigmoid_far_from_zero() -> None:
    logits = np.array([[1000.0, 0.0], [-1000.0, -1000.0]])
    assert kernel.softmax(logits).tolist() == [[1, 0], [0.5, 0.5]]
    assert kernel.sigmoid(logits).tolist() == [[1, 0.5], [0, 0]]


def test_measures_work_on_the_last_axis() -> None:
    rows = np.array([[[0.5, 0.5], [1.0, 0.0]]])
    assert kernel.entropy_of(rows).tolist() == [[1, 0]]
    assert kernel.least_confidence_of(rows).tolist() == [[0.5, 0]]
    assert kernel.margin_of(rows).tolist() == [[0, 1]]
    assert kernel.variance_of(rows).tolist() == [[0, 0.25]]
    assert kernel.binary(np.array([0.25])).tolist() == [[0.25, 0.75]]


def test_certainty_is_zero_and_not_minus_zero() -> None:
    assert not np.signbit(kernel.entropy_of(np.array([[1.0, 0.0]]))).any()


def test_normalised_entropy_of_a_single_class_is_undefined() -> None:
    assert np.isnan(kernel.entropy_of(np.array([[1.0]]), normalise=True)).all()


@pytest.mark.parametrize(
    ("how", "expected"), [("mean", [2.5, -1, 7]), ("max", [4, -1, 7]), ("sum", [10, -1, 7]), ("top3", [3, -1, 7])]
)
def test_aggregate_runs(how: str, expected: list[float]) -> None:
    values = np.array([2.0, 4.0, 1.0, 3.0, 7.0])
    found = kernel.aggregate_runs(values, np.array([0, 4, 4, 5]), how, empty=-1.0)
    assert found.tolist() == expected


def test_an_unknown_aggregate_is_named() -> None:
    with pytest.raises(UsageError, match="'top4' is not one of mean, max, sum, top3"):
        kernel.aggregate_runs(np.ones(1), np.array([0, 1]), "top4")
