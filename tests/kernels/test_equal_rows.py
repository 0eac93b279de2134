from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qm_cli.kernels import equal_rows
from qm_cli.kernels.equal_rows import distinct


def plain(vectors: np.ndarray, rows: list[int]) -> tuple[list[int], list[int]]:
    """The first row of each vector, and which of them each row is, one after the other."""
    first: dict[tuple[float, ...], int] = {}
    for row in rows:
        first.setdefault(tuple(vectors[row].tolist()), row)
    places = {row: place for place, row in enumerate(first.values())}
    return list(first.values()), [places[first[tuple(vectors[row].tolist())]] for row in rows]


numbers = st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, 1e-40, 3e38])


@given(st.lists(st.tuples(numbers, numbers), max_size=30), st.data())
def test_as_one_after_the_other(values: list[tuple[float, float]], data: st.DataObject) -> None:
    vectors = np.array(values, np.float32).reshape(-1, 2)
    there = data.draw(st.lists(st.booleans(), min_size=len(vectors), max_size=len(vectors)))
    rows = np.flatnonzero(np.array(there, bool))
    first, group = distinct(vectors, rows)
    assert (first.tolist(), group.tolist()) == plain(vectors, rows.tolist())


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = np.random.default_rng(0).integers(-1, 2, (500, 3)).astype(np.float32)
    whole = distinct(vectors, np.arange(500))
    monkeypatch.setattr(equal_rows, "VALUES_AT_ONCE", 20)
    assert all(np.array_equal(one, other) for one, other in zip(whole, distinct(vectors, np.arange(500)), strict=True))


def test_a_shared_hash_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first hash is the same for all rows, the second tells them apart."""
    hashes = equal_rows._hashes
    monkeypatch.setattr(
        equal_rows, "_hashes", lambda vectors, rows, seed: hashes(vectors, rows, seed) * np.uint64(seed > 0)
    )
    first, group = distinct(np.array([[2], [1], [2]], np.float32), np.arange(3))
    assert (first.tolist(), group.tolist()) == ([0, 1], [0, 1, 0])


def test_signs_alone_tell_rows_apart() -> None:
    bits = (np.arange(4096)[:, None] >> np.arange(12)) & 1
    first, _ = distinct((2.0 * bits - 1).astype(np.float32), np.arange(4096))
    assert len(first) == 4096


def test_nothing() -> None:
    assert [len(one) for one in distinct(np.zeros((0, 3), np.float32), np.arange(0))] == [0, 0]
