"""A small dataset folder with real image files: seven pictures, the fifth a copy of the first, the sixth nearly so."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

IDS = [10, 11, 12, 13, 14, 15, 16]
COPY, NEARLY = 4, 5


def pictures() -> list[np.ndarray]:
    random = np.random.default_rng(3)
    found = []
    for _ in IDS:
        small = random.integers(0, 255, (5, 6, 3)).astype(np.uint8)
        found.append(cv2.resize(small, (180, 150), interpolation=cv2.INTER_CUBIC))
    found[COPY] = found[0].copy()
    found[NEARLY] = np.clip(found[0].astype(np.int64) + 4, 0, 255).astype(np.uint8)
    return found


def write_pictures(folder: Path, predictions: bool = False) -> Path:
    """images/ and labels.json: two boxes in each picture but the last, in turn of two categories."""
    (folder / "images").mkdir(parents=True)
    for one, image in zip(IDS, pictures(), strict=True):
        cv2.imwrite(str(folder / "images" / f"{one}.png"), image)
    images = [{"id": one, "file_name": f"{one}.png", "width": 180, "height": 150} for one in IDS]
    annotations = [
        {"id": 2 * row + n, "image_id": one, "category_id": 1 + n, "bbox": [10 + 80 * n, 20, 60, 90 - 5 * row]}
        for row, one in enumerate(IDS[:-1])
        for n in range(2)
    ]
    categories = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    document = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "labels.json").write_text(json.dumps(document))
    if predictions:
        found = [
            {"image_id": one["image_id"], "category_id": one["category_id"], "bbox": one["bbox"], "score": 0.3 + n / 20}
            for n, one in enumerate(annotations)
            if n % 4 != 1
        ]
        (folder / "predictions.json").write_text(json.dumps(found))
    return folder
