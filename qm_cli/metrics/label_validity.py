"""Whether a label can be right at all, and how sure its annotator was."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.boxes import clipped_corners, corner_areas
from qm_cli.kernels.polygons import areas, bounds, inside, shapes_of
from qm_cli.metric import metric

FloatArray = npt.NDArray[np.float64]
ObjectArray = npt.NDArray[np.object_]
SLACK = 0.02


@metric(level="label", kind="label", unit="code", better="neither")
def validity(
    bbox: FloatArray, image_width: FloatArray, image_height: FloatArray, segmentation: ObjectArray | None = None
) -> ObjectArray:
    """What is wrong with the shape, the gravest first; "ok" if nothing is.

    too_few_points: a polygon part has fewer than three corners, or one that is no finite number. zero_area: the box has
    no width or height, or the polygon no area. outside: nothing of the shape is in the image. self_crossing: a polygon
    part crosses itself. crossing_border: the shape reaches beyond the image by more than 0.02 px, since coordinates are
    often rounded to two decimals. The polygon is judged where there is one, else the box. Null without a shape.

    >>> validity(np.array([[0.0, 0, 9, 9], [0, 0, 9, 0], [90, 0, 20, 5]]), np.full(3, 100.0), np.full(3, 50.0)).tolist()
    ['ok', 'zero_area', 'crossing_border']
    """
    with np.errstate(invalid="ignore"):
        corners = np.concatenate([bbox[:, :2], bbox[:, :2] + bbox[:, 2:]], axis=1)
    area = np.where((bbox[:, 2] <= 0) | (bbox[:, 3] <= 0), 0.0, bbox[:, 2] * bbox[:, 3])
    within = corner_areas(clipped_corners(bbox, image_width, image_height))
    too_few, crossing = np.zeros(len(bbox), bool), np.zeros(len(bbox), bool)
    if segmentation is not None:
        shapes = shapes_of(segmentation)
        too_few, crossing, row = shapes.too_few, shapes.crossing, shapes.row
        corners[row] = bounds(shapes.geometry)
        area[row] = np.where(area[row] == 0, 0.0, areas(shapes.geometry))
        within[row] = areas(inside(shapes.geometry, image_width[row], image_height[row]))
    beyond = (corners[:, :2] < -SLACK).any(axis=1)
    beyond |= (corners[:, 2] > image_width + SLACK) | (corners[:, 3] > image_height + SLACK)
    code = np.full(len(bbox), "ok", object)
    code[np.isnan(area)] = None
    for word, fault in (
        ("crossing_border", beyond),
        ("self_crossing", crossing),
        ("outside", within == 0),
        ("zero_area", area == 0),
        ("too_few_points", too_few),
    ):
        code[fault] = word
    return code


@metric(level="label", kind="label", unit="share", range=(0, 1), better="higher")
def confidence(row_count: int, confidence: FloatArray | None = None) -> FloatArray:
    """The annotation's own confidence, 0..1; 1 where none is given, as for labels made by hand.

    >>> confidence(2, np.array([0.7, np.nan])).tolist()
    [0.7, 1.0]
    """
    return np.ones(row_count) if confidence is None else np.where(np.isnan(confidence), 1.0, confidence)
