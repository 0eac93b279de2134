"""Sums of rows by code, against a loop."""

from __future__ import annotations

import numpy as np
import pytest

from qm_cli.kernels.code_sums import BLOCK, blocks, small_enough, sums_by_code


@pytest.mark.parametrize("seed", range(5))
def test_equals_a_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(0, 200))
    codes = rng.integers(0, 7, count).astype(np.uint8)
    weights = rng.integers(0, 4, (count, 5)).astype(np.uint16)
    expected = np.zeros((9, 5), np.uint16)
    for code, row in zip(codes, weights, strict=True):
        expected[code] += row
    assert np.array_equal(sums_by_code(codes, weights, 9), expected)


def test_blocks_cover_everything() -> None:
    parts = list(blocks(2 * BLOCK + 1))
    assert [part.stop - part.start for part in parts] == [BLOCK, BLOCK, 1]
    assert not list(blocks(0))


def test_the_type_holds_the_sum_of_a_block() -> None:
    assert small_enough(1) is np.uint16
    assert small_enough(8) is np.uint32
    assert small_enough(2**20) is np.uint64
