"""Against a plain comparison of each with each."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qm_cli.kernels.hamming_across import nearest_across

HASHES = st.lists(st.integers(0, 2**64 - 1) | st.sampled_from([0, 1, 3, 7, 2**63, 2**64 - 1]), max_size=12)


@given(HASHES, HASHES, st.integers(0, 12) | st.sampled_from([63, 64, 99]))
def test_each_with_each(one: list[int], other: list[int], radius: int) -> None:
    rows, distances = nearest_across(np.array(one, np.uint64), np.array(other, np.uint64), radius)
    for place, value in enumerate(one):
        bits = [(value ^ candidate).bit_count() for candidate in other]
        expected = bits.index(min(bits)) if bits and min(bits) <= radius else -1
        assert rows[place] == expected
        assert distances[place] == (bits[expected] if expected >= 0 else -1)


def test_pairs_are_compared_a_bounded_number_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = np.arange(50, dtype=np.uint64)
    others = hashes[::5] ^ np.uint64(1 << 40)
    whole = [rows.tolist() for rows in nearest_across(hashes, others, 3)]
    monkeypatch.setattr("qm_cli.kernels.hamming_across.PAIRS_AT_ONCE", 7)
    assert [rows.tolist() for rows in nearest_across(hashes, others, 3)] == whole


def test_many_equal_hashes_are_compared_once() -> None:
    """100,000 black images against 100,000 of one colour would be 10,000,000,000 pairs."""
    rows, bits = nearest_across(np.zeros(100_000, np.uint64), np.full(100_000, 7, np.uint64), 4)
    assert (rows == 0).all()
    assert (bits == 3).all()
