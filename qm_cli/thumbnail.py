"""A small picture of an image, for reports: WebP, at most 160 pixels wide or high."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qm_cli.decode import opencv
from qm_cli.metric import described, metric
from qm_cli.pixels import Pixels

SIDE = 160
QUALITY = 75


@metric(level="image", kind="data", unit="bytes")
def thumbnail(pixels: Pixels) -> bytes:
    """The image as WebP of quality 75, its longer side at most 160 pixels; each pixel the mean of those it stands for.

    Smaller images keep their size. The same versions of OpenCV and libwebp give the same bytes. Null for an image that
    cannot be read.

    >>> thumbnail(Pixels(np.zeros((300, 400, 3), np.uint8)))[8:12]
    b'WEBP'
    """
    bgr = opencv().cvtColor(small(pixels.rgb), opencv().COLOR_RGB2BGR)
    _, content = opencv().imencode(".webp", bgr, [opencv().IMWRITE_WEBP_QUALITY, QUALITY])
    return bytes(content)


def small(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """uint8[height, width, 3] with the longer side at most 160, area-averaged; no side below 1."""
    height, width = rgb.shape[:2]
    longer = max(height, width)
    if longer <= SIDE:
        return rgb
    size = [max(1, (side * SIDE * 2 + longer) // (2 * longer)) for side in (width, height)]
    shrunk: npt.NDArray[np.uint8] = opencv().resize(rgb, size, interpolation=opencv().INTER_AREA)
    return shrunk


THUMBNAIL = described(thumbnail, "image")
"""Not among the metrics: `--thumbnails` asks for it."""
