"""Hashes of the image: of its file, of its pixels, and of what it looks like."""

from __future__ import annotations

import hashlib
from typing import Protocol

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.perceptual import SIDE, perceptual_bits
from qm_cli.metric import metric


class Sample(Protocol):
    """What these metrics read of an image."""

    @property
    def content(self) -> bytes: ...
    @property
    def rgb(self) -> npt.NDArray[np.uint8]: ...
    @property
    def gray(self) -> npt.NDArray[np.uint8]: ...


@metric(level="image", kind="data", unit="", better="neither")
def file_hash(pixels: Sample) -> str:
    """SHA-256 of the file's bytes; equal for copies of the file.

    >>> from qm_cli.pixels import Pixels
    >>> file_hash(Pixels(np.zeros((1, 1, 3), np.uint8), content=b"abc"))[:16]
    'ba7816bf8f01cfea'
    """
    return hashlib.sha256(pixels.content).hexdigest()


@metric(level="image", kind="data", unit="", better="neither")
def pixel_hash(pixels: Sample) -> str:
    """SHA-256 of size and decoded pixels; equal for images that show the same, whatever the file format.

    Of the text `height×width` in ASCII with an x, a zero byte and the 8-bit RGB values row by row.

    >>> from qm_cli.pixels import Pixels
    >>> pixel_hash(Pixels(np.zeros((1, 2, 3), np.uint8))) == hashlib.sha256(b"1x2" + bytes(1 + 6)).hexdigest()
    True
    """
    height, width = pixels.rgb.shape[:2]
    digest = hashlib.sha256(f"{height}x{width}\0".encode())
    digest.update(np.ascontiguousarray(pixels.rgb).data)
    return digest.hexdigest()


@metric(level="image", kind="data", unit="", better="neither")
def perceptual_hash(pixels: Sample) -> str:
    """64 bits of what the image looks like, in 16 hexadecimal digits; few differ between versions of one picture.

    Grey, scaled to 32 × 32 (OpenCV's INTER_AREA), two-dimensional DCT, the 8 × 8 slowest waves: 1 above the median of
    all but the mean, 0 below.

    >>> from qm_cli.pixels import Pixels
    >>> perceptual_hash(Pixels(np.full((40, 60, 3), 9, np.uint8)))  # one flat tone has nothing but its mean
    '8000000000000000'
    """
    import cv2

    small = cv2.resize(pixels.gray, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return f"{perceptual_bits(np.asarray(small, np.uint8)):016x}"
