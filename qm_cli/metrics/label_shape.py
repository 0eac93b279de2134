"""Whether a label has a shape unlike the others of its category."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.moments import log_hu, shape_moments
from qm_cli.kernels.polygons import shapes_of
from qm_cli.kernels.segments import starts_of
from qm_cli.metric import metric

FloatArray = npt.NDArray[np.float64]
ObjectArray = npt.NDArray[np.object_]

MAD_TO_DEVIATION = 1.4826
LEAST_DEVIATION = 0.05


@metric(level="label", kind="label", unit="deviation", range=(0, None), better="lower")
def shape_anomaly(
    bbox: FloatArray,
    category_row: npt.NDArray[np.integer],
    segmentation: ObjectArray | None = None,
    *,
    min_labels: int = 5,
) -> FloatArray:
    """How far the shape is from the usual one of its category, in robust standard deviations; 0 = the usual one.

    Hu's seven moments on a logarithmic scale, of the polygon where there is one, else of the box; each less its median
    over the category's polygons (boxes), by 1.4826 × the median absolute deviation (at least 0.05); the length of the
    seven. Neither place, size, turn nor mirroring counts. Null without area, and where the category has fewer than
    `min_labels` such shapes.

    >>> boxes = np.array([[0, 0, 8, 4]] * 5 + [[0, 0, 4, 4.0]])
    >>> shape_anomaly(boxes, np.zeros(6, int)).round(2).tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0, 83.9]
    """
    group = category_row.astype(np.int64) * 2
    moments = log_hu(_box_moments(bbox[:, 2], bbox[:, 3]))
    if segmentation is not None:
        shapes = shapes_of(segmentation)
        moments[shapes.row] = log_hu(shape_moments(shapes.geometry))
        group[shapes.row] += 1
    return _robust_distance(moments, group, min_labels)


def _box_moments(width: FloatArray, height: FloatArray) -> FloatArray:
    """Moments of boxes about their centres, in the order of `ring_moments`: float64[10, n]."""
    area, none = width * height, np.zeros(len(width))
    return np.stack([area, none, none, area * width**2 / 12, none, area * height**2 / 12, none, none, none, none])


def _robust_distance(values: FloatArray, group: npt.NDArray[np.int64], least: int) -> FloatArray:
    """Length of (value − median) / robust deviation within each row's group: float64[n]."""
    distance = np.full(len(values), np.nan)
    known = np.flatnonzero(~np.isnan(values).any(axis=1))
    known = known[np.argsort(group[known], kind="stable")]
    for rows in np.split(known, starts_of(group[known])[1:]):
        if len(rows) < max(least, 1):
            continue
        away = np.abs(values[rows] - np.median(values[rows], axis=0))
        deviation = np.maximum(MAD_TO_DEVIATION * np.median(away, axis=0), LEAST_DEVIATION)
        distance[rows] = np.sqrt(((away / deviation) ** 2).sum(axis=1))
    return distance
