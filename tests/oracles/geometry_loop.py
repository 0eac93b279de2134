"""Label and image geometry in plain loops: boxes ``[x, y, w, h]`` and polygons as lists of (x, y).

Undefined is None: a share of an image without area, the aspect ratio of a box without height.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from tests.oracles.coco_loop import box_iou

Box = Sequence[float]
Point = tuple[float, float]
Row = dict[str, Any]


def object_count(labels: Sequence[Row]) -> int:
    """Labels that are not crowd regions."""
    return sum(1 for label in labels if not label.get("iscrowd", 0))


def crowd_count(labels: Sequence[Row]) -> int:
    """Crowd regions."""
    return sum(1 for label in labels if label.get("iscrowd", 0))


def category_count(labels: Sequence[Row]) -> int:
    """Distinct categories of the labels that are not crowd regions."""
    return len({label["category_id"] for label in labels if not label.get("iscrowd", 0)})


def clip_box(box: Box, width: float, height: float) -> tuple[float, float, float, float]:
    """Corners (x0, y0, x1, y1) of the part inside the image; x0 = x1 or y0 = y1 if nothing is."""
    x0, x1 = min(max(box[0], 0), width), min(max(box[0] + box[2], 0), width)
    y0, y1 = min(max(box[1], 0), height), min(max(box[1] + box[3], 0), height)
    return x0, y0, max(x0, x1), max(y0, y1)


def union_area(boxes: Sequence[Box], width: float, height: float) -> float:
    """Area of the union of the boxes inside the image, by cutting it at every edge; pixels."""
    clipped = [clip_box(box, width, height) for box in boxes]
    xs = sorted({x for box in clipped for x in (box[0], box[2])})
    ys = sorted({y for box in clipped for y in (box[1], box[3])})
    area = 0.0
    for left, right in pairwise(xs):
        for top, bottom in pairwise(ys):
            for x0, y0, x1, y1 in clipped:
                if x0 <= left and right <= x1 and y0 <= top and bottom <= y1:
                    area += (right - left) * (bottom - top)
                    break
    return area


def object_density(boxes: Sequence[Box], width: float, height: float) -> float | None:
    """Share of the image under the union of the boxes; 0..1."""
    return union_area(boxes, width, height) / (width * height) if width > 0 and height > 0 else None


def polygon_area(points: Sequence[Point]) -> float:
    """Unsigned shoelace area of a simple polygon."""
    twice = 0.0
    for (xa, ya), (xb, yb) in zip(points, [*points[1:], *points[:1]], strict=True):
        twice += xa * yb - xb * ya
    return abs(twice) / 2


def clip_polygon(points: Sequence[Point], width: float, height: float) -> list[Point]:
    """The part of a simple polygon inside the image (Sutherland–Hodgman).

    A concave polygon may come back with pieces joined along the border; the area is right all the same.
    """
    kept = list(points)
    for axis, bound, keeps_above in ((0, 0.0, True), (0, width, False), (1, 0.0, True), (1, height, False)):
        source, kept = kept, []
        for i, end in enumerate(source):
            start = source[i - 1]
            start_in = start[axis] >= bound if keeps_above else start[axis] <= bound
            end_in = end[axis] >= bound if keeps_above else end[axis] <= bound
            if start_in != end_in:
                kept.append(_cross(start, end, axis, bound))
            if end_in:
                kept.append(end)
    return kept


def _cross(start: Point, end: Point, axis: int, bound: float) -> Point:
    """Where the edge meets the line on which the coordinate ``axis`` is ``bound``."""
    share = (bound - start[axis]) / (end[axis] - start[axis])
    other = start[1 - axis] + share * (end[1 - axis] - start[1 - axis])
    return (bound, other) if axis == 0 else (other, bound)


def box_area_absolute(box: Box, width: float, height: float) -> float:
    """Pixels of the box inside the image."""
    x0, y0, x1, y1 = clip_box(box, width, height)
    return (x1 - x0) * (y1 - y0)


def polygon_area_absolute(points: Sequence[Point], width: float, height: float) -> float:
    """Pixels of the simple polygon inside the image."""
    return polygon_area(clip_polygon(points, width, height))


def area_relative(area_absolute: float, width: float, height: float) -> float | None:
    """Share of the image; 0..1."""
    return area_absolute / (width * height) if width > 0 and height > 0 else None


def aspect_ratio(box: Box) -> float | None:
    """w / h of the box as it stands, unclipped; None without height."""
    return box[2] / box[3] if box[3] > 0 else None


def border_closeness(box: Box, width: float, height: float) -> float | None:
    """max(1 − x0/W, 1 − y0/H, x1/W, y1/H), at most 1; 1 = touches or crosses the border."""
    if width <= 0 or height <= 0:
        return None
    x1, y1 = box[0] + box[2], box[1] + box[3]
    return min(1.0, max(1 - box[0] / width, 1 - box[1] / height, x1 / width, y1 / height))


def duplicates(labels: Sequence[Row], same_category: bool = True) -> list[tuple[float, int | None]]:
    """(``duplicate_iou``, index of ``duplicate_of``) of each label of one image.

    The largest IoU with another label, the earlier one on a tie; (0, None) if none overlaps.
    """
    found: list[tuple[float, int | None]] = []
    for i, label in enumerate(labels):
        best, best_index = 0.0, None
        for j, other in enumerate(labels):
            if i == j or (same_category and label["category_id"] != other["category_id"]):
                continue
            iou = box_iou(label["bbox"], other["bbox"])
            if iou > best:
                best, best_index = iou, j
        found.append((best, best_index))
    return found


def label_metrics(label: Row, width: float, height: float) -> dict[str, float | None]:
    """area_absolute and area_relative (polygon before box), width, height, aspect_ratio, border_closeness of a label.

    ``segmentation`` may hold simple polygons that do not overlap; their areas add up.
    """
    parts = label.get("segmentation")
    if isinstance(parts, list) and parts:
        area = 0.0
        for part in parts:
            area += polygon_area_absolute(list(zip(part[0::2], part[1::2], strict=True)), width, height)
    else:
        area = box_area_absolute(label["bbox"], width, height)
    return {
        "area_absolute": area,
        "area_relative": area_relative(area, width, height),
        "width": label["bbox"][2],
        "height": label["bbox"][3],
        "aspect_ratio": aspect_ratio(label["bbox"]),
        "border_closeness": border_closeness(label["bbox"], width, height),
    }
