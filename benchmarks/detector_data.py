"""Seeded detector-like data for the benchmarks: COCO labels and results, JSON and Parquet.

Per image about 7.3 labels of log-normal size over 80 long-tailed categories (1.2 % crowd) and 100 detections:
jittered copies of the labels, some with a confused category, and background boxes.

    python benchmarks/detector_data.py OUT --images 5000
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

Columns = dict[str, np.ndarray]

CATEGORY_COUNT = 80
DETECTIONS_PER_IMAGE = 100
LABELS_PER_IMAGE = 7.32
CROWD_SHARE = 0.012
WIDTH, HEIGHT = 640, 480


def label_columns(random: np.random.Generator, image_count: int) -> Columns:
    """Boxes (a row of x, y, width, height each; pixels, 2 decimals), image, category and crowd flag of every label."""
    per_image = random.poisson(LABELS_PER_IMAGE, image_count)
    image = np.repeat(np.arange(image_count), per_image)
    count = len(image)
    weights = 1.0 / np.arange(1, CATEGORY_COUNT + 1)
    category = random.choice(CATEGORY_COUNT, count, p=weights / weights.sum())
    side = np.exp(random.normal(4.0, 0.9, count)).clip(4, 450)
    ratio = np.exp(random.normal(0, 0.35, count))
    width, height = (side * ratio).clip(2, WIDTH - 2), (side / ratio).clip(2, HEIGHT - 2)
    left, top = random.random(count) * (WIDTH - width), random.random(count) * (HEIGHT - height)
    boxes = np.stack([left, top, width, height], 1).round(2)
    return {"image": image, "category": category, "boxes": boxes, "crowd": random.random(count) < CROWD_SHARE}


def detection_columns(
    random: np.random.Generator, labels: Columns, image_count: int, per_image: int = DETECTIONS_PER_IMAGE
) -> Columns:
    """Detections of each image: copies of its labels with growing jitter, then background; scores follow quality."""
    offsets = np.searchsorted(labels["image"], np.arange(image_count + 1))
    image = np.repeat(np.arange(image_count), per_image)
    count = len(image)
    owned = np.diff(offsets)[image]
    place = np.tile(np.arange(per_image), image_count)
    copied = (owned > 0) & (place < 4 * owned)
    source = offsets[image] + np.where(owned > 0, place % np.maximum(owned, 1), 0)
    source = source.clip(0, len(labels["image"]) - 1)
    spread = 0.04 + 0.12 * (place // np.maximum(owned, 1))
    noise = random.normal(0, 1, (count, 4)) * spread[:, None]
    base = labels["boxes"][source]
    jittered = base + noise * base[:, [2, 3, 2, 3]]
    side = np.exp(random.normal(3.8, 0.9, count))
    background = np.stack([random.random(count) * WIDTH, random.random(count) * HEIGHT, side, side], 1)
    boxes = np.where(copied[:, None], jittered, background)
    boxes[:, :2] = boxes[:, :2].clip(0, [WIDTH - 2, HEIGHT - 2])
    boxes[:, 2:] = np.minimum(boxes[:, 2:].clip(1, None), [WIDTH, HEIGHT] - boxes[:, :2])
    confused = random.random(count) < np.where(copied, 0.15, 1.0)
    category = np.where(confused, random.integers(0, CATEGORY_COUNT, count), labels["category"][source])
    quality = np.where(copied & ~confused, 1.2 - 2.0 * spread, -1.5)
    score = 1 / (1 + np.exp(-(quality + random.normal(0, 1.0, count)) * 1.5))
    found = {"image": image, "category": category, "boxes": boxes.round(2), "score": score.round(4)}
    return {**found, "source": np.where(copied, source, -1)}


def rows(columns: Columns, *names: str) -> Iterator[tuple[Any, ...]]:
    """The rows of some columns, as Python values."""
    return zip(*(columns[name].tolist() for name in names), strict=True)


def label_document(labels: Columns, image_count: int) -> dict[str, Any]:
    """The COCO label file; ids count from 1."""
    size = {"width": WIDTH, "height": HEIGHT}
    images = [{"id": i, "file_name": f"{i:012d}.jpg", **size} for i in range(1, image_count + 1)]
    annotations = [
        {
            "id": number,
            "image_id": image + 1,
            "category_id": category + 1,
            "bbox": box,
            "area": round(box[2] * box[3], 4),
            "iscrowd": int(crowd),
        }
        for number, (image, category, box, crowd) in enumerate(rows(labels, "image", "category", "boxes", "crowd"), 1)
    ]
    names = [(i, f"category_{i:02d}") for i in range(1, CATEGORY_COUNT + 1)]
    categories = [{"id": i, "name": name, "supercategory": "object"} for i, name in names]
    return {"images": images, "annotations": annotations, "categories": categories}


def write_detections(detections: Columns, path: Path) -> None:
    """The COCO results file, written row by row."""
    found = rows(detections, "image", "category", "boxes", "score")
    with path.open("w") as file:
        file.write("[")
        for number, (image, category, (x, y, w, h), score) in enumerate(found):
            ids = f'{", " if number else ""}{{"image_id": {image + 1}, "category_id": {category + 1}'
            file.write(f'{ids}, "bbox": [{x}, {y}, {w}, {h}], "score": {score}}}')
        file.write("]")


def write_parquet(detections: Columns, path: Path) -> None:
    """The same detections as Parquet, the box a list of four."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    offsets = np.arange(0, 4 * len(detections["score"]) + 1, 4, dtype=np.int32)
    boxes = pa.ListArray.from_arrays(offsets, detections["boxes"].ravel())
    ids = {"image_id": detections["image"] + 1, "category_id": detections["category"] + 1}
    pq.write_table(pa.table({**ids, "bbox": boxes, "score": detections["score"]}), path)


def main() -> None:
    """Write the data the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--parquet", action="store_true", help="also write predictions.parquet (needs pyarrow)")
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    labels = label_columns(random, options.images)
    (options.out / "labels.json").write_text(json.dumps(label_document(labels, options.images)))
    detections = detection_columns(random, labels, options.images)
    write_detections(detections, options.out / "predictions.json")
    if options.parquet:
        write_parquet(detections, options.out / "predictions.parquet")


if __name__ == "__main__":
    main()
