"""Rotated boxes, lines and points as areas, and the intersection over union of such."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Geometries = npt.NDArray[np.object_]
QUARTER_SEGMENTS = 16


def corners_of(boxes: FloatArray, angle: str) -> FloatArray:
    """[x1, y1, … x4, y4] of rotated boxes [cx, cy, width, height, angle]: float64[n, 8].

    angle: "degrees" are counter-clockwise as the image is seen, "radians" clockwise.

    >>> corners_of(np.array([[5.0, 5, 4, 2, 90]]), "degrees").round(9).tolist()
    [[4.0, 7.0, 4.0, 3.0, 6.0, 3.0, 6.0, 7.0]]
    """
    turn = boxes[:, 4] if angle == "radians" else -np.deg2rad(boxes[:, 4])
    cosine, sine = np.cos(turn)[:, None], np.sin(turn)[:, None]
    along = boxes[:, 2:3] / 2 * np.array([-1.0, 1.0, 1.0, -1.0])
    across = boxes[:, 3:4] / 2 * np.array([-1.0, -1.0, 1.0, 1.0])
    x = boxes[:, :1] + along * cosine - across * sine
    y = boxes[:, 1:2] + along * sine + across * cosine
    return np.stack([x, y], 2).reshape(len(boxes), 8)


def is_convex(corners: FloatArray) -> BoolArray:
    """Four corners that turn one way only, in order: bool[n]. One without area is convex."""
    points = corners.reshape(-1, 4, 2)
    edges = np.roll(points, -1, axis=1) - points
    following = np.roll(edges, -1, axis=1)
    turns = edges[..., 0] * following[..., 1] - edges[..., 1] * following[..., 0]
    slack = 1e-9 * np.abs(edges).max(axis=(1, 2), initial=0.0)[:, None] ** 2
    convex: BoolArray = (turns >= -slack).all(1) | (turns <= slack).all(1)
    return convex


def quadrilaterals(corners: FloatArray) -> Geometries:
    """Polygons of four corners each; one without area is an empty geometry."""
    import shapely

    polygons: Geometries = shapely.polygons(corners.reshape(-1, 4, 2))
    polygons[shapely.area(polygons) == 0] = shapely.Polygon()
    return polygons


def around(lines: Sequence[Sequence[Sequence[float]]], buffer: float) -> Geometries:
    """What lies within `buffer` of each polyline's parts [x1, y1, …]; a part of one point is a disc.

    Round caps and joins of 16 segments a quarter, shapely's and the labelbox package's own.
    """
    import shapely

    parts = [np.asarray(part, np.float64).reshape(-1, 2) for line in lines for part in line]
    if not parts:
        return np.zeros(0, object)
    doubled = [np.repeat(part, 2, axis=0) if len(part) == 1 else part for part in parts]
    numbers = np.repeat(np.arange(len(parts)), [len(part) for part in doubled])
    strings = shapely.linestrings(np.concatenate(doubled), indices=numbers)
    owner = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    shapes = shapely.multilinestrings(strings, indices=owner)
    buffered: Geometries = shapely.buffer(shapes, buffer, quad_segs=QUARTER_SEGMENTS)
    return buffered


def discs(points: FloatArray, buffer: float) -> Geometries:
    """What lies within `buffer` of each point [x, y], as a polygon of 64 corners."""
    import shapely

    buffered: Geometries = shapely.buffer(shapely.points(points), buffer, quad_segs=QUARTER_SEGMENTS)
    return buffered


def geometry_iou(
    labels: Geometries, predictions: Geometries, label: RowArray, prediction: RowArray, crowd: BoolArray
) -> FloatArray:
    """IoU of the areas of each label and the prediction in the same place: float64[n], 0..1.

    Where `crowd`, the intersection is divided by the prediction's area. 0 where nothing is shared.
    """
    import shapely

    iou = np.zeros(len(label))
    own, other = shapely.bounds(labels)[label], shapely.bounds(predictions)[prediction]
    near = np.flatnonzero(((own[:, :2] < other[:, 2:]) & (other[:, :2] < own[:, 2:])).all(1))
    left, right = labels[label[near]], predictions[prediction[near]]
    shared, area = shapely.area(shapely.intersection(left, right)), shapely.area(right)
    union = np.where(crowd[near], area, shapely.area(left) + area - shared)
    iou[near] = np.clip(shared / np.where(shared > 0, union, 1.0), 0.0, 1.0)
    return iou


def areas_of(geometries: Geometries) -> FloatArray:
    """Area of each geometry: float64[n]."""
    import shapely

    found: FloatArray = shapely.area(geometries)
    return found


def boxes_of(geometries: Geometries) -> FloatArray:
    """[x, y, width, height] around each geometry, NaN for an empty one: float64[n, 4]."""
    import shapely

    bounds = shapely.bounds(geometries)
    return np.concatenate([bounds[:, :2], bounds[:, 2:] - bounds[:, :2]], axis=1)
