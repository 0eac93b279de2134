"""Objects that are labelled, or predicted, twice."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.boxes import largest_overlaps
from qm_cli.metric import metric


class Duplicates(NamedTuple):
    """duplicate_iou: float64[n]; duplicate_of: object[n], an id or None."""

    duplicate_iou: npt.NDArray[np.float64]
    duplicate_of: npt.NDArray[np.object_]


@metric(level=("label", "prediction"), kind="label", unit="IoU", range=(0, 1), better="lower")
def duplicate_iou(
    id: npt.NDArray[Any],
    bbox: npt.NDArray[np.float64],
    image_row: npt.NDArray[np.integer],
    category_row: npt.NDArray[np.integer],
    *,
    threshold: float = 0.6,
    any_category: bool = False,
) -> Duplicates:
    """Largest IoU of the box with another one of the same image and category, 0..1; 1 = the same box twice.

    As Encord Active's "Annotation Duplicates". `duplicate_of` is the other one's id if the IoU reaches `threshold`, the
    earlier of two equally near. any_category: other categories count too. Null without a box.

    >>> boxes = np.array([[0.0, 0, 10, 10], [0, 0, 10, 8], [50, 50, 10, 10]])
    >>> found = duplicate_iou(np.array([7, 8, 9]), boxes, np.zeros(3, int), np.zeros(3, int))
    >>> found.duplicate_iou.tolist(), found.duplicate_of.tolist()
    ([0.8, 0.8, 0.0], [8, 7, None])
    """
    group = image_row.astype(np.int64)
    if not any_category and len(group):
        group = group * (int(category_row.max()) + 1) + category_row
    overlap, partner = largest_overlaps(bbox, group)
    flagged = (overlap >= threshold) & (partner >= 0)
    duplicate_of = np.full(len(group), None, object)
    duplicate_of[flagged] = id[partner[flagged]]
    return Duplicates(overlap, duplicate_of)
