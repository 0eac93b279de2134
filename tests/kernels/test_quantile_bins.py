"""Bins of about equal count: equal values together, few values few bins, what is missing apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qm_cli.kernels.quantile_bins import code_bins, equal_width_bins, quantile_bins

VALUES = st.lists(st.sampled_from([float("nan"), float("inf"), -np.inf, 0.0, -0.0, *range(12)]), max_size=200)


@given(VALUES, st.integers(1, 32), st.integers(1, 25))
def test_bins_hold_enough_and_never_split_equal_values(values: list[float], most: int, least: int) -> None:
    column = np.array(values, np.float64)
    bins = quantile_bins(column, most, least)
    finite = np.isfinite(column)
    assert bins.present <= most
    assert bins.count == bins.present + (not finite.all())
    sizes = np.bincount(bins.codes[finite], minlength=bins.present)
    assert np.all(sizes >= min(least, finite.sum()))
    for value in set(column[finite].tolist()):
        assert len(set(bins.codes[column == value].tolist())) == 1
    order = np.argsort(column[finite], kind="stable")
    assert np.all(np.diff(bins.codes[finite][order].astype(int)) >= 0)
    assert np.all(bins.codes[~finite] == bins.present)
    assert len(bins.edges) == (bins.present + 1 if bins.present else 0)


def test_different_values_fill_all_bins() -> None:
    values = np.random.default_rng(1).permutation(10_000.0 * np.arange(3200))
    assert np.bincount(quantile_bins(values).codes).tolist() == [100] * 32
    assert quantile_bins(np.arange(639.0)).present == 31
    assert quantile_bins(np.arange(39.0)).present == 1


@given(VALUES, st.integers(1, 32), st.integers(1, 25))
def test_the_ascending_values_may_be_given(values: list[float], most: int, least: int) -> None:
    column = np.array(values, np.float64)
    own, told = quantile_bins(column, most, least), quantile_bins(column, most, least, np.sort(column))
    assert own.codes.tolist() == told.codes.tolist()
    assert own.edges.tolist() == told.edges.tolist()
    assert (own.present, own.count) == (told.present, told.count)


def test_a_few_ones_among_zeros_are_no_bin() -> None:
    values = np.zeros(1000)
    values[:19] = 1
    assert quantile_bins(values).present == 1
    values[19] = 1
    assert quantile_bins(values).present == 2


def test_equal_width() -> None:
    bins = equal_width_bins(np.array([0.0, 10.0, 4.9, 5.0, np.nan, np.inf]), 2)
    assert bins.codes.tolist() == [0, 1, 0, 1, 2, 2]
    assert bins.edges.tolist() == [0, 5, 10]
    assert equal_width_bins(np.array([3.0, 3]), 5).present == 1
    assert equal_width_bins(np.full(3, np.nan), 5).count == 1


@pytest.mark.parametrize(("least", "kept"), [(1, (0, 2, 1)), (2, (0, 2)), (9, ())])
def test_codes_keep_a_bin_where_they_are_common(least: int, kept: tuple[int, ...]) -> None:
    bins = code_bins(np.array([0.0, 0, 0, 2, 2, 1]), least)
    assert bins.kept == kept
    assert bins.present == len(kept) + (len(kept) < 3)


def test_many_codes_share_the_last_bin() -> None:
    bins = code_bins(np.arange(100.0).repeat(30))
    assert bins.present == 32
    assert np.bincount(bins.codes)[-1] == 69 * 30
