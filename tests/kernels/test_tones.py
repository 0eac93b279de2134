"""Counted levels against plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from qm_cli.kernels.tones import gray_counts, tone_counts

SIZES = [(1, 1), (1, 9), (9, 1), (300, 700), (2, 70_000), (1100, 1000)]


@pytest.mark.parametrize("size", SIZES)
def test_gray(size: tuple[int, int]) -> None:
    random = np.random.default_rng(size)
    gray, mask = random.integers(0, 256, size).astype(np.uint8), random.random(size) < 0.4
    np.testing.assert_array_equal(gray_counts(gray), np.bincount(gray.ravel(), minlength=256))
    np.testing.assert_array_equal(gray_counts(gray, mask), np.bincount(gray[mask], minlength=256))


@pytest.mark.parametrize("size", SIZES)
def test_tones(size: tuple[int, int]) -> None:
    random = np.random.default_rng(size)
    channels, mask = random.integers(0, 256, (3, *size)).astype(np.uint8), random.random(size) < 0.4
    red, green, blue = channels.astype(np.float64) / 255
    levels = np.sqrt(0.241 * red**2 + 0.691 * green**2 + 0.068 * blue**2) * 1023
    certain = np.abs(levels % 1 - 0.5) > 1e-4  # single precision may round the others the other way
    expected = np.bincount(np.rint(levels[certain]).astype(int), minlength=1024)
    found = tone_counts(channels)
    assert found.sum() == levels.size
    assert (found >= expected).all()
    np.testing.assert_array_equal(
        tone_counts(channels, mask & certain), np.bincount(np.rint(levels[mask & certain]).astype(int), minlength=1024)
    )


def test_the_ends() -> None:
    found = tone_counts([np.array([[0, 255]], np.uint8)] * 3)
    assert np.flatnonzero(found).tolist() == [0, 1023]
