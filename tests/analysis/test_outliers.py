"""Fences by hand, sides by the better end, few values undefined."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qm_cli.analysis.outliers import fences, furthest, odd_in_many, outliers
from qm_cli.analysis.samples import Measure

VALUES = np.concatenate([np.linspace(0, 1, 21), [3.0, -1.2, np.nan, 2.1]])


def test_fences_of_a_worked_example() -> None:
    own = fences(np.arange(21.0), "neither")
    assert own is not None
    assert own.as_dict() == {
        "q1": 5, "q3": 15, "iqr": 10, "moderate_low": -10, "moderate_high": 30, "severe_low": -20, "severe_high": 40,
    }  # fmt: skip
    assert own.degrees(np.array([-10, -10.1, -20.1, 30, 31, 41, np.nan])).tolist() == [0, 1, 2, 0, 1, 2, 0]


@pytest.mark.parametrize(("better", "degrees"), [("higher", [0, 2, 0]), ("lower", [2, 0, 0]), ("neither", [2, 2, 0])])
def test_only_the_worse_side_is_odd(better: str, degrees: list[int]) -> None:
    own = fences(np.arange(21.0), better)
    assert own is not None
    assert own.degrees(np.array([90.0, -90, 5])).tolist() == degrees


def test_too_few_values_say_how_many_are_needed() -> None:
    assert fences(np.arange(19.0), "neither") is None
    [row], degrees = outliers([Measure("image", "m", np.arange(19.0))], {"all": np.arange(19)}, 19)
    assert row["groups"][0]["reason"] == "20 values are needed, there are 19"
    assert (row["moderate"], row["severe"]) == (None, None)
    assert not degrees.any()


def test_constant_and_empty_columns_have_none() -> None:
    rows = {"all": np.arange(30)}
    found, degrees = outliers([Measure("i", "c", np.ones(30)), Measure("i", "e", np.full(30, np.nan))], rows, 30)
    assert (found[0]["moderate"], found[0]["severe"]) == (0, 0)
    assert found[1]["moderate"] is None
    assert not degrees.any()


def test_by_group_each_has_its_own_fences() -> None:
    values = np.concatenate([np.linspace(0, 1, 30), np.linspace(100, 101, 30)])
    values[0] = 100.5
    groups = {"low": np.arange(30), "high": np.arange(30, 60)}
    [row], degrees = outliers([Measure("label", "m", values)], groups, 60)
    assert np.flatnonzero(degrees[0]).tolist() == [0]
    assert [part["severe"] for part in row["groups"]] == [1, 0]


def test_the_furthest_comes_first() -> None:
    measure = Measure("image", "m", VALUES)
    [row], degrees = outliers([measure], {"all": np.arange(25)}, 25)
    assert furthest(measure, degrees[0], row["groups"][0], np.arange(25)).tolist() == [21, 22, 24]


def test_odd_in_many() -> None:
    degrees = np.array([[0, 1, 2, 1], [0, 1, 1, 0], [1, 1, 2, 0]], np.int8)
    assert odd_in_many(degrees).tolist() == [2, 1]


@given(st.lists(st.floats(-1e6, 1e6), min_size=20, max_size=60))
def test_severe_is_rarer_than_moderate_and_beyond_it(values: list[float]) -> None:
    column = np.array(values)
    own = fences(column, "neither")
    assert own is not None
    degrees = own.degrees(column)
    assert not degrees[(column >= own.q1) & (column <= own.q3)].any()
    iqr = own.q3 - own.q1
    outside = (column < own.q1 - 1.5 * iqr) | (column > own.q3 + 1.5 * iqr)
    assert np.array_equal(degrees > 0, outside)
