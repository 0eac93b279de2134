"""Groups of near hashes, against comparing each with each."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli.kernels import hamming
from qm_cli.kernels.hamming import near_groups


def by_force(hashes: list[int], radius: int) -> list[int]:
    """The first of each one's component, by comparing all pairs until nothing changes."""
    group = list(range(len(hashes)))
    for _ in hashes:
        for i, one in enumerate(hashes):
            for j, other in enumerate(hashes):
                if (one ^ other).bit_count() <= radius:
                    group[i] = min(group[i], group[j])
    return group


@st.composite
def neighbourhoods(draw: st.DrawFn) -> list[int]:
    """Hashes around a few centres, some bits away; the centres themselves may be close."""
    centres = draw(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=3))
    flips = st.lists(st.integers(0, 63), max_size=10)
    hashes = []
    for centre in draw(st.lists(st.sampled_from(centres), max_size=14)):
        hashes.append(centre)
        for bit in draw(flips):
            hashes[-1] ^= 1 << bit
    return hashes


@settings(deadline=None)
@given(neighbourhoods(), st.integers(0, 9))
def test_equals_brute_force(hashes: list[int], radius: int) -> None:
    assert near_groups(np.array(hashes, np.uint64), radius).tolist() == by_force(hashes, radius)


@settings(deadline=None)
@given(neighbourhoods(), st.integers(0, 4))
def test_equals_brute_force_when_every_run_is_long(hashes: list[int], radius: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hamming, "LONG_RUN", 3)
        patch.setattr(hamming, "EDGES_AT_ONCE", 1)
        assert near_groups(np.array(hashes, np.uint64), radius).tolist() == by_force(hashes, radius)


def test_the_edges_of_radius() -> None:
    hashes = np.array([0, 2**64 - 1, 0], np.uint64)
    assert near_groups(hashes, 0).tolist() == [0, 1, 0]
    assert near_groups(hashes, 63).tolist() == [0, 1, 0]
    assert near_groups(hashes, 64).tolist() == near_groups(hashes, 1000).tolist() == [0, 0, 0]
    assert near_groups(hashes[:0], 4).tolist() == []


@pytest.mark.parametrize("kind", ["spread", "all the same", "one crowd"])
def test_many_hashes_take_no_time_for_all_pairs(kind: str) -> None:
    random = np.random.default_rng(2)
    count = 50_000
    hashes = random.integers(0, 2**64, count, np.uint64) if kind == "spread" else np.zeros(count, np.uint64)
    if kind == "one crowd":
        for _ in range(6):
            hashes ^= np.uint64(1) << random.integers(0, 64, count, np.uint64)
    hashes[count // 2 :: 500] = hashes[: count // 2 : 500] ^ np.uint64(0b1000_0001_0001_0001)
    start = time.process_time()
    group = near_groups(hashes, 4)
    assert time.process_time() - start < 10  # seconds; all pairs would be more than a billion
    assert len(np.unique(group)) == (count - 50 if kind == "spread" else 1)
    assert (group[count // 2 :: 500] == group[: count // 2 : 500]).all()
