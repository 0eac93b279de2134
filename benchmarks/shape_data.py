"""Seeded masks or keypoints for the benchmarks: COCO labels and results as JSON, on the boxes of `detector_data`.

Masks are irregular blobs as compressed run-length encoding, labels and results alike; keypoints are 17 joints of one
category. About 7.3 labels and 30 detections an image.

    python benchmarks/shape_data.py OUT --task segm --images 5000
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from detector_data import HEIGHT, WIDTH, Columns, detection_columns, label_columns, label_document, rows

DETECTIONS_PER_IMAGE = 30
CORNERS = 48
WAVES = 5
JOINTS = 17
VISIBLE_SHARE = 0.7
WITHOUT_SHARE = 0.1


def outlines(random: np.random.Generator, boxes: np.ndarray, source: np.ndarray | None = None) -> np.ndarray:
    """A closed wavy outline inside each box, x and y in turn: float64[n, 2 × corners]. `source` names a row's shape."""
    count = len(boxes)
    angle = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    shapes = np.random.default_rng(1).normal(0, 1, (count if source is None else int(source.max()) + 2, 2, WAVES))
    own = shapes[np.arange(count) if source is None else source]
    own = own + (0.0 if source is None else random.normal(0, 0.3, own.shape))
    number = np.arange(1, WAVES + 1)
    waves = own[:, 0] @ np.cos(number[:, None] * angle) + own[:, 1] @ np.sin(number[:, None] * angle)
    radius = 0.5 * (1 + 0.12 * waves / np.sqrt(WAVES)).clip(0.3, 1.0)
    x = boxes[:, :1] + boxes[:, 2:3] * (0.5 + radius * np.cos(angle))
    y = boxes[:, 1:2] + boxes[:, 3:4] * (0.5 + radius * np.sin(angle))
    return np.stack([x, y], 2).reshape(count, -1)


def masks(outline: np.ndarray) -> list[dict[str, Any]]:
    """Compressed run-length masks of the outlines."""
    from pycocotools import mask

    encoded = mask.frPyObjects(outline.tolist(), HEIGHT, WIDTH)
    return [{"size": [HEIGHT, WIDTH], "counts": one["counts"].decode()} for one in encoded]


def joints(random: np.random.Generator, boxes: np.ndarray, source: np.ndarray | None = None) -> np.ndarray:
    """17 points in each box as x, y in turn: float64[n, 34]. `source` names the pose that a row copies."""
    count = len(boxes)
    poses = np.random.default_rng(2).random((count if source is None else int(source.max()) + 2, JOINTS, 2))
    own = poses[np.arange(count) if source is None else source]
    own = own + (0.0 if source is None else random.normal(0, 0.05, own.shape))
    return (boxes[:, None, :2] + own * boxes[:, None, 2:]).round(1).reshape(count, -1)


def with_flags(points: np.ndarray, flags: np.ndarray) -> np.ndarray:
    """x, y, flag of each joint in one row: float64[n, 51]."""
    return np.concatenate([points.reshape(len(points), JOINTS, 2), flags[..., None]], 2).reshape(len(points), -1)


def label_rows(random: np.random.Generator, task: str, labels: Columns) -> Iterator[dict[str, Any]]:
    """What each label has beside its box."""
    if task == "segm":
        from pycocotools import mask

        encoded = masks(outlines(random, labels["boxes"]))
        areas = [int(mask.area(one)) for one in encoded]
        yield from ({"segmentation": shape, "area": area} for shape, area in zip(encoded, areas, strict=True))
        return
    flags = np.where(random.random((len(labels["boxes"]), JOINTS)) < VISIBLE_SHARE, 2.0, 0.0)
    flags[random.random(len(flags)) < WITHOUT_SHARE] = 0.0
    points = with_flags(joints(random, labels["boxes"]), flags).tolist()
    yield from (
        {"keypoints": row, "num_keypoints": int(count)} for row, count in zip(points, (flags > 0).sum(1), strict=True)
    )


def detection_rows(random: np.random.Generator, task: str, detections: Columns) -> Iterator[dict[str, Any]]:
    """The rows of the results list; no box, as results of these tasks have none."""
    boxes, source = detections["boxes"], detections["source"]
    if task == "segm":
        shapes: list[Any] = masks(outlines(random, boxes, source))
        name = "segmentation"
    else:
        shapes = with_flags(joints(random, boxes, source), np.ones((len(boxes), JOINTS))).tolist()
        name = "keypoints"
    found = zip(rows(detections, "image", "category", "score"), shapes, strict=True)
    for (image, category, score), shape in found:
        yield {"image_id": image + 1, "category_id": category + 1, name: shape, "score": score}


def main() -> None:
    """Write the data the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--task", choices=["segm", "keypoints"], required=True)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    labels = label_columns(random, options.images)
    detections = detection_columns(random, labels, options.images, DETECTIONS_PER_IMAGE)
    if options.task == "keypoints":
        for columns in (labels, detections):
            columns["category"] = np.zeros_like(columns["category"])
    document = label_document(labels, options.images)
    for row, more in zip(document["annotations"], label_rows(random, options.task, labels), strict=True):
        row.update(more)
    if options.task == "keypoints":
        names = [f"joint_{number}" for number in range(JOINTS)]
        document["categories"] = [{**document["categories"][0], "keypoints": names, "skeleton": []}]
    (options.out / "labels.json").write_text(json.dumps(document))
    found = list(detection_rows(random, options.task, detections))
    (options.out / "predictions.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
