"""What a model says of an object → the shape that a labelling tool draws, inside the image."""

from __future__ import annotations

from typing import Any

import numpy as np

from qm_cli.kernels.mask_codes import decoded_mask, tight_window

SHAPE_COLUMNS = ("mask_counts", "mask_size", "keypoints", "corners", "polyline", "point")
RIGHT_ANGLE = 1e-3
"""How far the corners of a rectangle may be off, as a share of its sides."""
Point = list[float]


def drawn(one: dict[str, Any], width: float | None, height: float | None) -> list[dict[str, Any]]:
    """The shapes of a prediction, a dict with its kind each; none where nothing of it lies in the image.

    whole: a class of the image · box · rotated: center, size, angle in degrees clockwise, points · mask: bool[height,
    width] of the window [left, top, width, height] of a whole (height, width) · polygon, line, keypoints, point:
    points [x, y], keypoints in their order. There is always the bbox, clipped to the image, except for whole. Without
    width and height nothing is clipped.
    """
    if one["bbox"] is None:
        return [{"kind": "whole"}]
    size = (width, height) if width and height else None
    bbox = _clipped(one["bbox"], size)
    if bbox is None:
        return []
    shapes = _shapes(one, size)
    return [{**shape, "bbox": bbox} for shape in shapes]


def _shapes(one: dict[str, Any], size: tuple[float, float] | None) -> list[dict[str, Any]]:
    if one.get("mask_counts") is not None:
        return _mask(one["mask_counts"], one["mask_size"])
    if one.get("corners") is not None:
        return [_rotated(_pairs(one["corners"]))]
    if one.get("polyline") is not None:
        return [{"kind": "line", "points": _inside(_pairs(part), size)} for part in one["polyline"]]
    if one.get("keypoints") is not None:
        named = np.array(one["keypoints"]).reshape(-1, 3)[:, :2].tolist()
        return [{"kind": "keypoints", "points": _inside(named, size)}]
    if one.get("point") is not None:
        return [{"kind": "point", "points": _inside(_pairs(one["point"]), size)}]
    return [{"kind": "box"}]


def _mask(counts: str, size: list[float]) -> list[dict[str, Any]]:
    whole = decoded_mask(counts, size)
    if not whole.any():
        return []
    left, top, width, height = window = tight_window(whole)
    mask = whole[top : top + height, left : left + width].copy()
    return [{"kind": "mask", "mask": mask, "window": window, "whole": whole.shape}]


def _pairs(flat: list[float]) -> list[Point]:
    points: list[Point] = np.array(flat, np.float64).reshape(-1, 2).tolist()
    return points


def _inside(points: list[Point], size: tuple[float, float] | None) -> list[Point]:
    """Points outside the image at its border, since tools refuse them."""
    if size is None:
        return points
    moved: list[Point] = np.clip(np.array(points), 0.0, np.array(size)).tolist()
    return moved


def _clipped(bbox: list[float], size: tuple[float, float] | None) -> list[float] | None:
    """The part of a box inside the image; None where there is none."""
    if size is None:
        return bbox
    x, y = max(bbox[0], 0.0), max(bbox[1], 0.0)
    width, height = min(bbox[0] + bbox[2], size[0]) - x, min(bbox[1] + bbox[3], size[1]) - y
    return [x, y, width, height] if width > 0 and height > 0 else None


def _rotated(corners: list[Point]) -> dict[str, Any]:
    """A rectangle by its centre, sides and angle; four corners that are none stay a polygon."""
    points = np.array(corners)
    first, second = points[1] - points[0], points[2] - points[1]
    sides = np.hypot(*first), np.hypot(*second)
    skew = abs(points[0] + points[2] - points[1] - points[3]).max()
    if abs(first @ second) > RIGHT_ANGLE * sides[0] * sides[1] or skew > RIGHT_ANGLE * max(sides):
        return {"kind": "polygon", "points": corners}
    angle = float(np.degrees(np.arctan2(first[1], first[0]))) % 360
    center = points.mean(axis=0).tolist()
    return {"kind": "rotated", "points": corners, "center": center, "size": [float(s) for s in sides], "angle": angle}
