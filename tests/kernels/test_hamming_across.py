"""Against a plain comparison of each with each."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qm_cli.kernels.hamming_across import nearest_across

HASHES = st.lists(st.integers(0, 2**64 - 1) | st.sampled_from([0, 1, 3, 7, 2**63, 2**64 - 1]), max_size=12)


@given(HASHES, HASHES, st.integers(0, 12))
def test_each_with_each(one: list[int], other: list[int], radius: int) -> None:
    rows, distances = nearest_across(np.array(one, np.uint64), np.array(other, np.uint64), radius)
    for place, value in enumerate(one):
        bits = [(value ^ candidate).bit_count() for candidate in other]
        expected = bits.index(min(bits)) if bits and min(bits) <= radius else -1
        assert rows[place] == expected
        assert distances[place] == (bits[expected] if expected >= 0 else -1)
