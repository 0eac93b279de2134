"""Intersection over union of axis-aligned boxes [x, y, width, height] in pixels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def box_iou(labels: FloatArray, predictions: FloatArray, crowd: npt.NDArray[np.bool_]) -> FloatArray:
    """IoU of each label box with the prediction box in the same row: float64[n], 0..1.

    Where `crowd`, the intersection is divided by the prediction's area (pycocotools `iscrowd`). Touching boxes and
    boxes whose union is 0 give 0. The operations and their order are those of pycocotools 2.0.11 `bbIou`, so the
    values are equal to the last bit.
    """
    label_x, label_y, label_width, label_height = labels.T
    x, y, width, height = predictions.T
    overlap_width = np.minimum(x + width, label_x + label_width) - np.maximum(x, label_x)
    overlap_height = np.minimum(y + height, label_y + label_height) - np.maximum(y, label_y)
    apart = (overlap_width <= 0) | (overlap_height <= 0)
    intersection = overlap_width * overlap_height
    area = width * height
    union = np.where(crowd, area, area + label_width * label_height - intersection)
    apart |= union <= 0
    union[apart] = 1.0
    intersection[apart] = 0.0
    iou: FloatArray = intersection / union
    return iou
