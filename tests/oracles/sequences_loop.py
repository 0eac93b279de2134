"""Metrics of labels along a video, in plain loops over images and labels.

An image is {"video_id", "frame"}; a label {"image": index of its image, "bbox", "category_id", "track_id"}, boxes
alone. Undefined is None.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tests.oracles.coco_loop import box_iou

Row = dict[str, Any]


def is_number(frame: Any) -> bool:
    return isinstance(frame, int | float) and not isinstance(frame, bool) and math.isfinite(frame)


def frames_of(images: Sequence[Row]) -> dict[Any, list[int]]:
    """Video → its images by frame number, less those without one and those that share theirs."""
    usable: dict[Any, list[int]] = {}
    for row, image in enumerate(images):
        if image["video_id"] is not None and is_number(image["frame"]):
            usable.setdefault(image["video_id"], []).append(row)
    for video, rows in usable.items():
        frames = [images[row]["frame"] for row in rows]
        usable[video] = sorted(
            (row for row in rows if frames.count(images[row]["frame"]) == 1), key=lambda row: images[row]["frame"]
        )
    return usable


def neighbour(images: Sequence[Row], image: int, distance: int, max_step: float) -> int | None:
    """The image `distance` frames further in the unbroken run, None where there is none."""
    step = 1 if distance > 0 else -1
    for _ in range(abs(distance)):
        rows = frames_of(images).get(images[image]["video_id"], [])
        if image not in rows or not 0 <= rows.index(image) + step < len(rows):
            return None
        after = rows[rows.index(image) + step]
        if abs(images[after]["frame"] - images[image]["frame"]) > max_step:
            return None
        image = after
    return image


def in_video(images: Sequence[Row], image: int) -> bool:
    return any(image in rows for rows in frames_of(images).values())


def best(labels: Sequence[Row], label: Row, image: int, same_category: bool) -> tuple[float, Row | None]:
    """The label of an image with the largest IoU, the earlier on a tie; (0, None) when none overlaps."""
    top, found = 0.0, None
    for other in labels:
        if other["image"] != image or (same_category and other["category_id"] != label["category_id"]):
            continue
        iou = box_iou(other["bbox"], label["bbox"])
        if iou > top:
            top, found = iou, other
    return top, found


def other_track(label: Row, other: Row) -> bool:
    return None not in (label["track_id"], other["track_id"]) and label["track_id"] != other["track_id"]


def track_consistency(
    images: Sequence[Row], labels: Sequence[Row], max_step: float = 1, threshold: float = 0.8
) -> list[float | None]:
    values: list[float | None] = []
    for label in labels:
        before = neighbour(images, label["image"], -1, max_step)
        if before is None:
            values.append(None)
            continue
        iou, other = best(labels, label, before, same_category=False)
        wrong = other is not None and (other["category_id"] != label["category_id"] or other_track(label, other))
        values.append(1 - iou if iou > threshold and wrong else 1.0)
    return values


def missing_next(
    images: Sequence[Row], labels: Sequence[Row], max_step: float = 1, gap: int = 2, threshold: float = 0.5
) -> list[float | None]:
    values: list[float | None] = []
    for label in labels:
        if not in_video(images, label["image"]):
            values.append(None)
            continue
        value = 1.0
        end = neighbour(images, label["image"], gap, max_step)
        iou, last = (0.0, None) if end is None else best(labels, label, end, same_category=True)
        if last is not None and iou >= threshold / 2:
            between = [neighbour(images, label["image"], step, max_step) for step in range(1, gap)]
            matches = [best(labels, label, image, same_category=True) for image in between if image is not None]
            if any(match <= threshold for match, _ in matches):
                value = 0.0
            elif any(other_track(label, other) for _, other in [*matches, (iou, last)] if other is not None):
                value = 0.5
        values.append(value)
    return values


def tracks(images: Sequence[Row], labels: Sequence[Row]) -> dict[tuple[Any, Any], list[int]]:
    """(video, track) → its labels by frame, those of one frame in their order."""
    found: dict[tuple[Any, Any], list[int]] = {}
    for video, rows in frames_of(images).items():
        for image in rows:
            for number, label in enumerate(labels):
                if label["image"] == image and label["track_id"] is not None:
                    found.setdefault((video, label["track_id"]), []).append(number)
    return found


def scaled(values: Sequence[float]) -> list[float]:
    low, high = min(values), max(values)
    return [(value - low) / (high - low) if high > low else 0.0 for value in values]


def occlusion(images: Sequence[Row], labels: Sequence[Row], threshold: float = 0.3) -> list[float | None]:
    values: list[float | None] = [None] * len(labels)
    for numbers in tracks(images, labels).values():
        solid = [number for number in numbers if labels[number]["bbox"][3] > 0]
        if len({labels[number]["image"] for number in solid}) < 5:
            continue
        boxes = [labels[number]["bbox"] for number in solid]
        area = [box[2] * box[3] for box in boxes]
        areas, ratios = scaled(area), scaled([box[2] / box[3] for box in boxes])
        mean_area, mean_ratio = sum(areas) / len(areas), sum(ratios) / len(ratios)
        for number, one_area, x, y in zip(solid, area, areas, ratios, strict=True):
            distance = math.hypot(x - mean_area, y - mean_ratio)
            smaller = one_area * len(area) < sum(area)
            values[number] = distance if smaller and distance > threshold else 0.0
    return values


def log_hu_of_box(box: Sequence[float]) -> list[float] | None:
    """Of a rectangle only the first two of Hu's moments are not 0."""
    width, height = box[2], box[3]
    if width * height <= 0:
        return None
    n20, n02 = width / height / 12, height / width / 12
    return [math.log10(1 + h / 1e-6) for h in (n20 + n02, (n20 - n02) ** 2)]


def shape_similarity(images: Sequence[Row], labels: Sequence[Row], decay: float = 0.5) -> list[float | None]:
    values: list[float | None] = [None] * len(labels)
    for numbers in tracks(images, labels).values():
        mean: list[float] | None = None
        for number in numbers:
            moments = log_hu_of_box(labels[number]["bbox"])
            if moments is None:
                continue
            if mean is None:
                mean = moments
                continue
            dot = mean[0] * moments[0] + mean[1] * moments[1]
            values[number] = dot / (math.hypot(*mean) * math.hypot(*moments))
            mean = [decay * m + (1 - decay) * h for m, h in zip(mean, moments, strict=True)]
    return values
