"""How often each grey level, and each level of perceived brightness, occurs in an image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_] | None
GRAYS, TONES = 256, 1024
CACHED, COUNTED = 1 << 16, 1 << 20
"""Pixels whose planes stay in the cache; pixels counted in one call, few enough for OpenCV's single precision."""


def gray_counts(gray: Bytes, mask: Mask = None) -> Counts:
    """Pixels of uint8[height, width] inside the mask at each level: int64[256].

    >>> gray_counts(np.array([[0, 255, 255]], np.uint8))[[0, 254, 255]].tolist()
    [1, 0, 2]
    """
    counts = np.zeros(GRAYS, np.int64)
    height, width = gray.shape
    for rows in _stretches(height, width, COUNTED):
        counts += _histogram(gray[rows], mask, rows, GRAYS)
    return counts


def tone_counts(channels: Sequence[Bytes], mask: Mask = None) -> Counts:
    """Pixels inside the mask at each level of √(.241 R² + .691 G² + .068 B²), 255 at the last: int64[1024].

    channels: red, green and blue, uint8[height, width] each. In single precision, the levels rounded half up.

    >>> np.flatnonzero(tone_counts([np.array([[0, 255, 10]], np.uint8)] * 3)).tolist()
    [0, 40, 1023]
    """

    height, width = channels[0].shape
    counts = np.zeros(TONES, np.int64)
    for rows in _stretches(height, width, COUNTED):
        counts += _histogram(_tones([channel[rows] for channel in channels]), mask, rows, TONES)
    return counts


def _tones(channels: Sequence[Bytes]) -> npt.NDArray[np.uint16]:
    """The level of each pixel: uint16[height, width]; a few rows at a time, in planes that stay in the cache."""
    import cv2

    height, width = channels[0].shape
    levels = np.empty((height, width), np.uint16)
    tones, shares = np.empty((2, min(_step(width, CACHED), height), width), np.float32)
    for rows in _stretches(height, width, CACHED):
        level = levels[rows]
        tone, share = tones[: len(level)], shares[: len(level)]
        for number, (channel, weights) in enumerate(zip(channels, _tone_weights(), strict=True)):
            cv2.LUT(channel[rows], weights, dst=share if number else tone)
            if number:
                cv2.add(tone, share, dst=tone)
        np.add(cv2.sqrt(tone, dst=tone), np.float32(0.5), out=tone)
        np.copyto(level, tone, casting="unsafe")
    return levels


def _step(width: int, pixels: int) -> int:
    return max(pixels // max(width, 1), 1)


def _stretches(height: int, width: int, pixels: int) -> Iterator[slice]:
    """Runs of rows of about so many pixels."""
    step = _step(width, pixels)
    return (slice(first, first + step) for first in range(0, height, step))


def _histogram(values: npt.NDArray[Any], mask: Mask, rows: slice, bins: int) -> Counts:
    """How often each whole number below `bins` occurs inside the mask in these rows: int64[bins]."""
    import cv2

    inside = None if mask is None else mask[rows].view(np.uint8)
    return np.asarray(cv2.calcHist([values], [0], inside, [bins], (0, bins)).ravel(), np.int64)


@cache
def _tone_weights() -> list[npt.NDArray[np.float32]]:
    """For red, green and blue: the share of each level 0..255 in the square of the tone 0..TONES − 1."""
    squares = (np.arange(256) / 255 * (TONES - 1)) ** 2
    return [(weight * squares).astype(np.float32) for weight in (0.241, 0.691, 0.068)]
