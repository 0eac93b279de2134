"""Quartiles, histograms and codes, as numpy has them."""

from __future__ import annotations

import numpy as np
import pytest

from qm_cli.analysis.distribution import distributions, histogram, histogram_edges, quartiles
from qm_cli.analysis.samples import Measure

NAN = float("nan")


def test_quartiles_equal_numpys() -> None:
    values = np.random.default_rng(0).normal(size=101)
    facts = quartiles(np.append(values, NAN))
    assert [facts[key] for key in ("min", "q1", "median", "q3", "max")] == np.percentile(
        values, [0, 25, 50, 75, 100]
    ).tolist()
    assert (facts["mean"], facts["std"]) == pytest.approx((values.mean(), values.std()))
    assert set(quartiles(np.full(3, NAN)).values()) == {None}
    assert quartiles(np.full(3, 1e308))["mean"] == pytest.approx(1e308)


def test_a_far_value_does_not_flatten_the_histogram() -> None:
    values = np.append(np.linspace(0, 1, 100), 1e6)
    edges = histogram_edges(values)
    assert edges[-1] < 3
    counts = histogram(values, edges)
    assert sum(counts) == 101
    assert counts[-1] == 1


def test_constant_and_empty_columns() -> None:
    assert histogram(np.ones(5), histogram_edges(np.ones(5))) == [5]
    assert histogram(np.full(2, NAN), histogram_edges(np.full(2, NAN))) == []


def test_groups_stand_side_by_side_on_the_same_bars() -> None:
    measure = Measure("image", "b", np.array([0.0, 1, 2, NAN]))
    [row] = distributions([measure], {"x": np.array([0, 1]), "y": np.array([2, 3])})
    assert [(one["group"], one["rows"], one["nulls"], one["median"]) for one in row["groups"]] == [
        ("x", 2, 0, 0.5),
        ("y", 2, 1, 2.0),
    ]
    assert row["edges"][0] == 0
    assert row["edges"][-1] == 2
    assert [sum(one["histogram"]) for one in row["groups"]] == [2, 1]


def test_codes_are_counted() -> None:
    measure = Measure("image", "w", np.array([0.0, 1, 1, NAN]), names=("fog", "sun"))
    [row] = distributions([measure], {"all": np.arange(4)})
    assert row["groups"] == [{"group": "all", "rows": 4, "nulls": 1, "values": {"sun": 2, "fog": 1}}]
