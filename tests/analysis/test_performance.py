"""Rates along a metric: counted by hand, intervals as published."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from qm_cli.analysis.performance import performance, rate, wilson
from qm_cli.analysis.samples import Judged, Measure
from tests.analysis.simulated import judged_rows


@pytest.mark.parametrize(("hits", "total"), [(0, 1), (1, 1), (3, 10), (10, 10), (0, 50), (999, 1000)])
def test_wilson_equals_scipys(hits: int, total: int) -> None:
    interval = stats.binomtest(hits, total).proportion_ci(0.95, "wilson")
    assert wilson(hits, total) == pytest.approx((interval.low, interval.high), abs=1e-12)


def test_a_share_of_nothing_is_undefined() -> None:
    assert rate(0, 0) == {"rate": None, "low": None, "high": None, "count": 0}


def one_side(values: list[float], hit: list[bool], count: int, equal_width: bool) -> dict[str, object]:
    judged = judged_rows(np.array(hit), np.zeros(len(hit), np.int64), m=np.array(values))
    return performance({"rate": (judged, judged.measures[0])}, count, equal_width)


def test_bins_of_equal_count() -> None:
    report = one_side([1.0, 2, 3, 4, np.nan], [True, False, True, True, False], 2, False)
    bins = [(b["low_edge"], b["high_edge"], b["rate"]["rate"], b["rate"]["count"]) for b in report["bins"]]
    assert bins == [(1, 3, 0.5, 2), (3, 4, 1, 2), (None, None, 0, 1)]
    assert [b["missing"] for b in report["bins"]] == [False, False, True]
    assert report["overall"]["rate"]["rate"] == 0.6


def test_bins_of_equal_width() -> None:
    report = one_side([0.0, 1, 2, 10], [True, True, False, True], 2, True)
    assert [(b["low_edge"], b["high_edge"], b["rate"]["count"]) for b in report["bins"]] == [(0, 5, 3), (5, 10, 1)]


def test_two_sides_share_their_bins() -> None:
    left = judged_rows(np.array([True, False]), np.zeros(2, np.int64), m=np.array([0.0, 1]))
    right = judged_rows(np.array([True, True]), np.zeros(2, np.int64), m=np.array([8.0, 10]))
    report = performance({"a": (left, left.measures[0]), "b": (right, right.measures[0])}, 2, True)
    assert [b["a"]["count"] for b in report["bins"]] == [2, 0]
    assert [b["b"]["count"] for b in report["bins"]] == [0, 2]
    assert report["bins"][0]["b"]["rate"] is None


def test_codes_have_a_bin_each() -> None:
    codes = np.array([0.0, 1, 1, np.nan])
    judged = Judged(
        "image", "correct", np.arange(4), np.arange(4), np.array([True, True, False, True]),
        [Measure("image", "weather", codes, names=("fog", "sun"))],
    )  # fmt: skip
    report = performance({"rate": (judged, judged.measures[0])}, 10, False)
    assert {b["value"]: b["rate"]["rate"] for b in report["bins"]} == {"sun": 0.5, "fog": 1.0, None: 1.0}
