"""The perceptual hash: 64 bits that stay nearly the same when an image is scaled, compressed again or made lighter."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
import numpy.typing as npt

SIDE, KEPT = 32, 8
DIGITS = 16
SCALE = 1 << 14


@cache
def _waves() -> npt.NDArray[np.float64]:
    """The eight slowest cosines of the orthonormal DCT over 32 places, × 2¹⁶, rounded: whole float64[8, 32].

    Products with them are exact, and the rounding keeps each wave but the first summing to 0.
    """
    place, wave = np.arange(SIDE), np.arange(KEPT)[:, None]
    height = np.where(wave > 0, SCALE, SCALE / np.sqrt(2))
    return np.asarray(np.rint(height * np.cos((2 * place + 1) * wave * np.pi / (2 * SIDE))), np.float64)


def perceptual_bits(small: npt.NDArray[np.uint8]) -> int:
    """The hash of a grey image of 32 × 32.

    The 8 × 8 slowest waves of its two-dimensional DCT (type II), row by row, each above the median of the 63 that
    are not the mean: 1, else 0; the first is the highest bit. Whole numbers throughout, so every machine agrees.

    >>> ramp = np.tile(np.arange(32, dtype=np.uint8), (32, 1))
    >>> f"{perceptual_bits(ramp):016x}"
    '8000000000000000'
    >>> f"{perceptual_bits(255 - ramp):016x}"
    'd500000000000000'
    """
    waves = _waves()
    low = (waves @ small.astype(np.float64) @ waves.T).ravel()
    return int.from_bytes(np.packbits(low > np.partition(low[1:], 31)[31]).tobytes(), "big")


def bits_of(texts: Iterable[str]) -> npt.NDArray[np.uint64]:
    """Hashes from their hexadecimal digits, at most 16 of them: uint64[n].

    >>> bits_of(["8000000000000000", "f0"]).tolist()
    [9223372036854775808, 240]
    """
    digits = "".join([text.zfill(DIGITS) for text in texts])
    return np.frombuffer(bytes.fromhex(digits), ">u8").astype(np.uint64)
