"""Size and place of labels and predictions: of the polygon where there is one, else of the box."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.boxes import clipped_corners, corner_areas
from qm_cli.kernels.polygons import areas, inside, shapes_of
from qm_cli.metric import metric

FloatArray = npt.NDArray[np.float64]
ObjectArray = npt.NDArray[np.object_]
SHAPED = ("label", "prediction")


@metric(level=SHAPED, kind="label", unit="px²", range=(0, None), better="neither")
def area_absolute(
    bbox: FloatArray, image_width: FloatArray, image_height: FloatArray, segmentation: ObjectArray | None = None
) -> FloatArray:
    """Area of the part of the shape that lies inside the image, in pixels.

    Overlapping parts of a polygon count once. Null where the image's size is not known.

    >>> area_absolute(np.array([[90.0, 0, 20, 5]]), np.array([100.0]), np.array([50.0])).tolist()
    [50.0]
    """
    found = corner_areas(clipped_corners(bbox, image_width, image_height))
    if segmentation is not None:
        shapes = shapes_of(segmentation)
        width, height = image_width[shapes.row], image_height[shapes.row]
        found[shapes.row] = np.where(np.isnan(width + height), np.nan, areas(inside(shapes.geometry, width, height)))
    return found


@metric(level=SHAPED, kind="label", unit="share", range=(0, 1), better="neither")
def area_relative(area_absolute: FloatArray, image_width: FloatArray, image_height: FloatArray) -> FloatArray:
    """Share of the image that the shape covers, 0..1.

    >>> area_relative(np.array([50.0, 1.0]), np.array([100.0, 0.0]), np.array([50.0, 50.0])).tolist()
    [0.01, nan]
    """
    whole = image_width * image_height
    return np.minimum(area_absolute / np.where(whole > 0, whole, np.nan), 1.0)


@metric(level=SHAPED, kind="label", unit="px", range=(0, None), better="neither")
def width(bbox: FloatArray) -> FloatArray:
    """Width of the box as given, in pixels.

    >>> width(np.array([[90.0, 0, 20, 5]])).tolist()
    [20.0]
    """
    return bbox[:, 2].copy()


@metric(level=SHAPED, kind="label", unit="px", range=(0, None), better="neither")
def height(bbox: FloatArray) -> FloatArray:
    """Height of the box as given, in pixels.

    >>> height(np.array([[90.0, 0, 20, 5]])).tolist()
    [5.0]
    """
    return bbox[:, 3].copy()


@metric(level=SHAPED, kind="label", unit="ratio", range=(0, None), better="neither")
def aspect_ratio(bbox: FloatArray) -> FloatArray:
    """Width / height of the box as given; null without height.

    >>> aspect_ratio(np.array([[90.0, 0, 20, 5], [0, 0, 4, 0]])).tolist()
    [4.0, nan]
    """
    return bbox[:, 2] / np.where(bbox[:, 3] > 0, bbox[:, 3], np.nan)


@metric(level=SHAPED, kind="label", unit="share", range=(0.5, 1), better="lower")
def border_closeness(bbox: FloatArray, image_width: FloatArray, image_height: FloatArray) -> FloatArray:
    """How near the box comes to the image's border, 0.5..1; 1 = touches or crosses it.

    max(1 − x₀/W, 1 − y₀/H, x₁/W, y₁/H), at most 1 (as in Encord Active). Whether it crosses is told by `validity`.

    >>> border_closeness(np.array([[10.0, 20, 30, 10], [90, 0, 20, 5]]), np.full(2, 100.0), np.full(2, 50.0)).tolist()
    [0.9, 1.0]
    """
    across = np.where(image_width > 0, image_width, np.nan)
    down = np.where(image_height > 0, image_height, np.nan)
    x0, y0 = bbox[:, 0], bbox[:, 1]
    before = np.maximum(1 - x0 / across, 1 - y0 / down)
    after = np.maximum((x0 + bbox[:, 2]) / across, (y0 + bbox[:, 3]) / down)
    return np.minimum(np.maximum(before, after), 1.0)
