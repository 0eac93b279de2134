"""Counted hues against OpenCV's HSV, for every colour there is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from qm_cli.kernels.hues import HueCounts, hue_counts


def plain(rgb: np.ndarray) -> tuple[int, int, int]:
    hue, saturation, value = np.moveaxis(cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV).astype(int), 2, 0)
    clear = (saturation >= 50) & (value >= 40)
    red = (hue <= 10) | (hue >= 170)
    green, blue = ((hue >= low) & (hue <= high) for low, high in ((35, 75), (90, 130)))
    return int((clear & red).sum()), int((clear & green).sum()), int((clear & blue).sum())


@pytest.mark.parametrize("red", range(0, 256, 15))
def test_every_green_and_blue_beside_some_reds(red: int) -> None:
    green, blue = np.indices((256, 256)).astype(np.uint8)
    rgb = np.dstack([np.full_like(green, red), green, blue])
    assert hue_counts(rgb) == plain(rgb)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (700, 701), (3, 140_000)])
def test_images_and_windows_of_many_sizes(size: tuple[int, int]) -> None:
    rgb = np.random.default_rng(size).integers(0, 256, (*size, 3)).astype(np.uint8)
    assert hue_counts(rgb) == plain(rgb)
    window = rgb[: size[0] // 2 + 1, size[1] // 3 :]
    assert hue_counts(window) == plain(window)


def test_black_has_no_hue() -> None:
    assert hue_counts(np.zeros((4, 5, 3), np.uint8)) == HueCounts(0, 0, 0)
