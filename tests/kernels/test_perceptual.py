"""The perceptual hash: recorded values, the transform by another way, and what it is near to."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from qm_cli.kernels.perceptual import bits_of, perceptual_bits

RAMP = np.tile(np.arange(32, dtype=np.uint8) * 8, (32, 1))
RINGS = ((np.add.outer(np.arange(32) ** 2, np.arange(32) ** 2) // 5) % 256).astype(np.uint8)
RECORDED = [
    (np.zeros((32, 32), np.uint8), "0000000000000000"),
    (np.full((32, 32), 255, np.uint8), "8000000000000000"),
    (RAMP, "8000000000000000"),
    (RAMP[:, ::-1], "d500000000000000"),
    (RAMP.T, "8000000000000000"),
    (RINGS, "9d2a4a95e992659a"),
]


@pytest.mark.parametrize(("small", "expected"), RECORDED)
def test_recorded(small: np.ndarray, expected: str) -> None:
    assert f"{perceptual_bits(small):016x}" == expected


@pytest.mark.parametrize("seed", range(20))
def test_equals_opencvs_transform(seed: int) -> None:
    random = np.random.default_rng(seed)
    small = cv2.GaussianBlur(random.integers(0, 256, (32, 32)).astype(np.uint8), (0, 0), 1 + seed / 10)
    low = cv2.dct(small.astype(np.float64))[:8, :8].ravel()
    expected = "".join("1" if value > np.median(low[1:]) else "0" for value in low)
    assert f"{perceptual_bits(small):064b}" == expected


def test_light_and_contrast_change_nothing() -> None:
    half = RINGS // 2
    assert perceptual_bits(half) == perceptual_bits(half + 100) == perceptual_bits(half * 2)


def test_bits_of_texts_are_their_numbers() -> None:
    texts = [text for _, text in RECORDED] + ["f", "0f0", "ffffffffffffffff"]
    found = bits_of(texts)
    assert found.dtype == np.uint64
    assert found.tolist() == [int(text, 16) for text in texts]
    assert bits_of([]).shape == (0,)
