"""How many pixels are clearly red, green or blue."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
PIXELS_AT_ONCE = 1 << 17
PALEST, DARKEST = 50, 40
RED_TO, RED_FROM = 10, 170
GREEN, BLUE = (35, 75), (90, 130)
UNCLEAR = 255


class HueCounts(NamedTuple):
    """Pixels with S ≥ 50, V ≥ 40 and a hue in 0–10 or 170–179, in 35–75, in 90–130."""

    red: int
    green: int
    blue: int


def hue_counts(rgb: Bytes) -> HueCounts:
    """Count the pixels of uint8[height, width, 3] by their colour: OpenCV's HSV, hue 0..179.

    A few rows at a time, in planes that stay in the cache and are used again.

    >>> hue_counts(np.array([[[200, 0, 0], [0, 200, 0], [9, 200, 0], [90, 99, 99]]], np.uint8))
    HueCounts(red=1, green=2, blue=0)
    """
    import cv2

    height, width = rgb.shape[:2]
    rows = min(max(PIXELS_AT_ONCE // max(width, 1), 1), height)
    hsv, planes = np.empty((rows, width, 3), np.uint8), np.empty((3, rows, width), np.uint8)
    counts = [0, 0, 0]
    for first in range(0, height, rows):
        part = rgb[first : first + rows]
        hue, unclear, spare = planes[:, : len(part)]
        cv2.split(cv2.cvtColor(part, cv2.COLOR_RGB2HSV, dst=hsv[: len(part)]), (hue, unclear, spare))
        cv2.threshold(unclear, PALEST - 1, UNCLEAR, cv2.THRESH_BINARY_INV, dst=unclear)
        cv2.threshold(spare, DARKEST - 1, UNCLEAR, cv2.THRESH_BINARY_INV, dst=spare)
        cv2.bitwise_or(unclear, spare, dst=unclear)
        cv2.bitwise_or(hue, unclear, dst=hue)
        counts[0] += _beyond(hue, RED_TO + 1, RED_FROM - RED_TO - 2, spare) - cv2.countNonZero(unclear)
        for number, (low, high) in enumerate((GREEN, BLUE), 1):
            counts[number] += hue.size - _beyond(hue, low, high - low, spare)
    return HueCounts(*counts)


def _beyond(hue: Bytes, start: int, length: int, spare: Bytes) -> int:
    """How many hues lie outside of start … start + length, on a circle of 256; `spare` is written over."""
    import cv2

    np.subtract(hue, start, out=spare)
    cv2.threshold(spare, length, 1, cv2.THRESH_BINARY, dst=spare)
    return int(cv2.countNonZero(spare))
