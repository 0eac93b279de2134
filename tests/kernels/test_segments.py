"""Runs against plain loops: offsets, places, expansion, reduction of empty and sharded runs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli.kernels.segments import expand, numbered, offsets_of, place_in_run, reduce_runs, starts_of

KEYS = st.lists(st.integers(0, 6), max_size=30).map(sorted)
VALUE = st.one_of(st.sampled_from([0.0, -0.0, 1e-300, 0.1, 1e16, -1e16]), st.floats(-1e6, 1e6))
RUNS = st.lists(st.lists(VALUE, max_size=5), max_size=8)


def flat(runs: list[list[float]]) -> tuple[np.ndarray, np.ndarray]:
    """The values of all runs, and their offsets."""
    return np.array([value for run in runs for value in run], float), np.cumsum([0, *map(len, runs)])


@given(KEYS, st.integers(0, 3))
@settings(deadline=None)
def test_offsets_are_where_each_parent_begins(keys: list[int], empty: int) -> None:
    count = max(keys, default=-1) + 1 + empty
    found = offsets_of(np.array(keys, np.int32), count)
    assert found.dtype == np.int64
    assert found.tolist() == [sum(key < parent for key in keys) for parent in range(count + 1)]


@given(KEYS)
@settings(deadline=None)
def test_starts_and_places_of_runs(keys: list[int]) -> None:
    starts = [place for place, key in enumerate(keys) if place == 0 or key != keys[place - 1]]
    assert starts_of(np.array(keys, int)).tolist() == starts
    assert place_in_run(np.array(keys, int)).tolist() == [place - keys.index(key) for place, key in enumerate(keys)]


@given(st.lists(st.integers(0, 40), max_size=20))
@settings(deadline=None)
def test_numbered(values: list[int]) -> None:
    distinct, place = numbered(np.array(values, int))
    assert distinct.tolist() == sorted(set(values))
    assert place.tolist() == [sorted(set(values)).index(value) for value in values]


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 4)), max_size=10))
@settings(deadline=None)
def test_expand(runs: list[tuple[int, int]]) -> None:
    starts, counts = (np.array([run[side] for run in runs], np.int32) for side in (0, 1))
    found = expand(starts, counts)
    assert found.dtype == np.int64
    assert found.tolist() == [start + step for start, count in runs for step in range(count)]


def test_expand_beyond_32_bits() -> None:
    assert expand(np.array([2**40, 7]), np.array([2, 1])).tolist() == [2**40, 2**40 + 1, 7]


@given(RUNS, st.sampled_from([0.0, -1.0, float("nan")]))
@settings(deadline=None)
def test_reduce_runs(runs: list[list[float]], empty: float) -> None:
    values, offsets = flat(runs)
    for ufunc, plain in ((np.maximum, max), (np.minimum, min)):
        found = reduce_runs(ufunc, values, offsets, empty)
        np.testing.assert_array_equal(found, [plain(run) if run else empty for run in runs])
    sums = reduce_runs(np.add, values, offsets, empty)
    for found_sum, run in zip(sums, runs, strict=True):
        size = math.fsum(abs(value) for value in run)
        np.testing.assert_allclose(found_sum, math.fsum(run) if run else empty, rtol=0, atol=1e-15 * size)


@given(RUNS, st.integers(0, 8))
@settings(deadline=None)
def test_a_sum_does_not_depend_on_the_shard(runs: list[list[float]], cut: int) -> None:
    whole = reduce_runs(np.add, *flat(runs), 0.0)
    parts = [reduce_runs(np.add, *flat(part), 0.0) for part in (runs[:cut], runs[cut:])]
    assert np.concatenate(parts).tobytes() == whole.tobytes()


def test_a_long_sum_does_not_depend_on_the_shard() -> None:
    values = np.random.default_rng(0).normal(0, 1e8, 50_000)
    alone = reduce_runs(np.add, values[101:], np.array([0, len(values) - 101]), 0.0)
    assert reduce_runs(np.add, values, np.array([0, 0, 101, len(values)]), 0.0)[2:].tobytes() == alone.tobytes()


@pytest.mark.parametrize("offsets", [[0], [0, 0], [0, 0, 0]])
def test_reduce_nothing_but_empty_runs(offsets: list[int]) -> None:
    found = reduce_runs(np.add, np.zeros(0), np.array(offsets), -1.0)
    assert found.tolist() == [-1.0] * (len(offsets) - 1)


def test_truths_are_counted() -> None:
    assert reduce_runs(np.add, np.array([True, True, False, True]), np.array([0, 3, 3, 4]), 0.0).tolist() == [2, 0, 1]
