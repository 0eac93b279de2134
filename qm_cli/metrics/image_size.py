"""Size and shape of the image file, and a random number to compare every other metric with."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.hashing import uniform
from qm_cli.metric import metric

FloatArray = npt.NDArray[np.float64]


@metric(level="image", kind="data", unit="px²", range=(0, None), better="neither")
def area(
    width: FloatArray,
    height: FloatArray,
    file_width: FloatArray | None = None,
    file_height: FloatArray | None = None,
) -> FloatArray:
    """Width × height of the image, in pixels.

    Of the image file where there is one, whatever the label file says (a difference is a finding).

    >>> area(np.array([640.0]), np.array([480.0])).tolist()
    [307200.0]
    """
    width, height = _of_file(width, file_width), _of_file(height, file_height)
    return width * height


@metric(level="image", kind="data", unit="ratio", range=(0, None), better="neither")
def aspect_ratio(
    width: FloatArray,
    height: FloatArray,
    file_width: FloatArray | None = None,
    file_height: FloatArray | None = None,
) -> FloatArray:
    """Width / height of the image; above 1 = landscape.

    Of the image file where there is one, as `area`.

    >>> aspect_ratio(np.array([640.0]), np.array([320.0])).tolist()
    [2.0]
    """
    width, height = _of_file(width, file_width), _of_file(height, file_height)
    return width / np.where(height > 0, height, np.nan)


@metric(level="image", kind="data", unit="IQR", range=(0, None), better="lower")
def size_oddity(
    width: FloatArray,
    height: FloatArray,
    file_width: FloatArray | None = None,
    file_height: FloatArray | None = None,
) -> FloatArray:
    """How far the image's side √(width · height) lies outside the middle half of all images, in interquartile ranges.

    0 inside [Q1, Q3]; where Q1 = Q3, the distance from the median as a share of it. From cleanvision's "odd size",
    which flags 3. The quartiles are those of all images of the dataset. Width and height as `area` has
    them.

    >>> size_oddity(np.array([10.0, 20, 30, 40, 90]), np.array([10.0, 20, 30, 40, 90])).tolist()
    [0.5, 0.0, 0.0, 0.0, 2.5]
    """
    width, height = _of_file(width, file_width), _of_file(height, file_height)
    with np.errstate(invalid="ignore"):
        side = np.sqrt(width * height)
    known = side[np.isfinite(side)]
    if len(known) == 0:
        return np.full(len(side), np.nan)
    low, middle, high = np.quantile(known, [0.25, 0.5, 0.75])
    if high > low:
        distance = np.maximum(np.maximum(low - side, side - high), 0.0) / (high - low)
    else:
        distance = np.abs(side - middle) / (middle if middle > 0 else np.nan)
    return np.asarray(distance, np.float64)


@metric(level="image", kind="data", unit="", range=(0, 1), better="neither")
def random(id: npt.NDArray[Any], *, seed: int = 0) -> FloatArray:
    """A random number for each image, 0..1, from its id and the seed alone: what no real metric should fall behind.

    The control of every importance ranking: uniform, the same in every run, on every machine and in every shard.

    >>> random(np.array([1, 2])).round(4).tolist()
    [0.8242, 0.8305]
    """
    return uniform(id, seed)


def _of_file(given: FloatArray, of_file: FloatArray | None) -> FloatArray:
    """The file's own where it was read, else what the label file says."""
    return given if of_file is None else np.where(np.isnan(of_file), given, of_file)
