"""What an image holds: how many labels, of how many categories, and how much of it they cover."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.boxes import clipped_corners, union_areas
from qm_cli.kernels.polygons import areas, from_corners, inside, shapes_of, united
from qm_cli.metric import metric

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
RowArray = npt.NDArray[np.int64]


@metric(level="image", kind="label", unit="count", range=(0, None), better="neither")
def object_count(label_iscrowd: BoolArray, label_parent_row: RowArray, row_count: int) -> RowArray:
    """Labels in the image, crowd regions left out.

    >>> object_count(np.array([False, True, False]), np.array([0, 0, 0]), 2).tolist()
    [2, 0]
    """
    return np.bincount(label_parent_row[~label_iscrowd], minlength=row_count)


@metric(level="image", kind="label", unit="count", range=(0, None), better="neither")
def crowd_count(label_iscrowd: BoolArray, label_parent_row: RowArray, row_count: int) -> RowArray:
    """Crowd regions in the image.

    >>> crowd_count(np.array([False, True, False]), np.array([0, 0, 0]), 2).tolist()
    [1, 0]
    """
    return np.bincount(label_parent_row[label_iscrowd], minlength=row_count)


@metric(level="image", kind="label", unit="count", range=(0, None), better="neither")
def category_count(
    label_category_row: npt.NDArray[np.integer], label_iscrowd: BoolArray, label_parent_row: RowArray, row_count: int
) -> RowArray:
    """Different categories among the image's labels, crowd regions left out.

    >>> category_count(np.array([4, 4, 2]), np.array([False, False, False]), np.array([0, 0, 0]), 2).tolist()
    [2, 0]
    """
    pairs = np.stack([label_parent_row, label_category_row])[:, ~label_iscrowd]
    return np.bincount(np.unique(pairs, axis=1)[0].astype(np.int64), minlength=row_count)


@metric(level="image", kind="label", unit="share", range=(0, 1), better="neither")
def object_density(
    width: FloatArray,
    height: FloatArray,
    label_bbox: FloatArray,
    label_offsets: RowArray,
    label_segmentation: npt.NDArray[np.object_] | None = None,
) -> FloatArray:
    """Share of the image that its labels cover together, 0..1; what several cover counts once.

    Area of the union of all labels, crowd regions too, inside the image / width · height: of the polygon where there is
    one, else of the box. Null where the image's size is not known, and where no label of the image has a shape.

    >>> boxes = np.array([[0.0, 0, 10, 10], [5, 0, 10, 10]])
    >>> object_density(np.array([100.0]), np.array([10.0]), boxes, np.array([0, 2])).tolist()
    [0.15]
    """
    image = np.repeat(np.arange(len(width)), np.diff(label_offsets))
    corners = clipped_corners(label_bbox, width[image], height[image])
    covered = union_areas(corners, label_offsets)
    shaped = np.bincount(image[~np.isnan(label_bbox).any(axis=1)], minlength=len(width))
    if label_segmentation is not None:
        shapes = shapes_of(label_segmentation)
        owner = image[shapes.row]
        shaped += np.bincount(owner, minlength=len(width))
        boxed = np.isin(image, owner) & ~np.isnan(corners).any(axis=1)
        boxed[shapes.row] = False
        geometry = [inside(shapes.geometry, width[owner], height[owner]), from_corners(corners[boxed])]
        owners = np.concatenate([owner, image[boxed]])
        order = np.argsort(owners, kind="stable")
        rows, unions = united(np.concatenate(geometry)[order], owners[order])
        covered[rows] = areas(unions)
    whole = width * height
    known = (whole > 0) & ((shaped > 0) | (np.diff(label_offsets) == 0))
    return np.where(known, np.minimum(covered / np.where(known, whole, 1.0), 1.0), np.nan)


@metric(level="image", kind="model", unit="count", range=(0, None), better="neither")
def prediction_count(prediction_parent_row: RowArray, row_count: int) -> RowArray:
    """Predictions in the image, whatever their score.

    >>> prediction_count(np.array([0, 0, 1]), 3).tolist()
    [2, 1, 0]
    """
    return np.bincount(prediction_parent_row, minlength=row_count)
