"""In which field of a label or prediction each task's shape stands, and which task a prediction is for."""

from __future__ import annotations

from collections.abc import Mapping

SHAPE_FIELDS: dict[str, tuple[str, ...]] = {
    "bbox": (),
    "segm": ("segmentation",),
    "keypoints": ("keypoints",),
    "obb": ("rotated_box", "obb", "rbox", "poly", "segmentation", "bbox"),
    "polyline": ("polyline", "segmentation"),
    "point": ("point", "keypoints"),
}
OWN_FIELDS = {"rotated_box": "obb", "obb": "obb", "rbox": "obb", "polyline": "polyline", "point": "point"}


def found_task(first: Mapping[str, object]) -> tuple[str, str]:
    """The task of predictions, told from the first of them, and how: its fields, null ones not counted.

    Keypoints mean keypoints, unless there are boxes and not every label has keypoints. A box [x, y, width, height]
    means bbox, whatever else there is. A box of 5 numbers means obb. Without a box: `segmentation` means segm;
    `rotated_box`, `obb` or `rbox` obb; `polyline` polyline; `point` point. Anything else is bbox.
    """
    there = [name for name, value in first.items() if value is not None]
    if "keypoints" in there:
        return "keypoints", "the predictions have keypoints"
    box = first.get("bbox")
    if box:
        five = isinstance(box, list) and len(box) == 5
        return ("obb", "the predictions have boxes of 5 numbers") if five else ("bbox", "default")
    for name in there:
        if name in OWN_FIELDS:
            return OWN_FIELDS[name], f"the predictions have `{name}`"
    if "segmentation" in there:
        return "segm", "the predictions have a segmentation and no box"
    return "bbox", "default"
