"""How much each metric tells about whether a label is found, for verify.py."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from matching import Row
from numpy.typing import NDArray

Array = NDArray[Any]
BINS, PER_BIN, PERMUTATIONS = 32, 20, 60


def entropy(counts: Array) -> float:
    """Entropy in bits of a table of counts."""
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log2(share)).sum())


def information(codes: Array, outcome: Array) -> float:
    """Mutual information in bits of integer codes and a yes/no outcome."""
    table = np.zeros((codes.max() + 1, 2))
    np.add.at(table, (codes, outcome.astype(int)), 1)
    return entropy(table.sum(axis=1)) + entropy(table.sum(axis=0)) - entropy(table)


def coded(values: Array) -> Array:
    """Quantile bins of numbers, or a code for each word."""
    if values.dtype.kind in "US":
        return np.unique(values, return_inverse=True)[1]
    count = min(BINS, len(values) // PER_BIN)
    edges = np.unique(np.quantile(values, np.linspace(0, 1, count + 1)[1:-1]))
    return np.searchsorted(edges, values, side="right")


def importance(values: Array, outcome: Array, images: Array, of_image: bool, rng: np.random.Generator) -> float:
    """Information above that of permuted values, as a share of what there is to know."""
    codes = coded(values)
    first, row_image = np.unique(images, return_index=True, return_inverse=True)[1:]
    by_chance = []
    for _ in range(PERMUTATIONS):
        if of_image:
            permuted = codes[first][rng.permutation(len(first))][row_image]
        else:
            permuted = np.empty_like(codes)
            permuted[np.argsort(row_image, kind="stable")] = codes[np.lexsort((rng.random(len(codes)), row_image))]
        by_chance.append(information(permuted, outcome))
    least = float(np.mean(by_chance))
    whole = entropy(np.bincount(outcome.astype(int), minlength=2))
    return max(0.0, (information(codes, outcome) - least) / (whole - least))


def label_values(row: Row, image: Array) -> dict[str, float | str]:
    """Metrics of one label: geometry, and the pixels in its box or outline."""
    height, width = image.shape[:2]
    x, y, w, h = row["bbox"]
    mask = np.zeros((height, width), np.uint8)
    if "segmentation" in row:
        cv2.fillPoly(mask, [np.floor(np.reshape(row["segmentation"][0], (-1, 2))).astype(np.int32)], 1)
    else:
        mask[int(max(y, 0)) : round(y + h), int(max(x, 0)) : round(x + w)] = 1
    inside = mask > 0
    own = image[inside] if inside.any() else np.full((1, 3), 128)
    edges = cv2.Laplacian(image, cv2.CV_64F, ksize=1)[inside] if inside.any() else np.zeros((1, 3))
    hue, saturation, value = cv2.cvtColor(own.reshape(-1, 1, 3).astype(np.uint8), cv2.COLOR_RGB2HSV)[:, 0].T
    strong = (saturation >= 50) & (value >= 40)
    return {
        "label.area_relative": inside.sum() / (width * height),
        "label.width": w,
        "label.height": h,
        "label.aspect_ratio": w / h,
        "label.x": (x + w / 2) / width,
        "label.y": (y + h / 2) / height,
        "label.border_closeness": min(max(1 - x / width, 1 - y / height, (x + w) / width, (y + h) / height), 1.0),
        "label.brightness": own.mean() / 255,
        "label.contrast": own.std() / 255,
        "label.sharpness": float(np.sqrt(edges.var()) / 1020),
        "label.red": float(np.mean(strong & ((hue <= 10) | (hue >= 170)))),
        "label.green": float(np.mean(strong & (hue >= 35) & (hue <= 75))),
        "label.blue": float(np.mean(strong & (hue >= 90) & (hue <= 130))),
        "label.category": str(row["category_id"]),
        "label.annotator": row["annotator"],
    }


def importances(
    images: list[Row], labels: list[Row], found: Array, pixels: dict[int, Array], by_image: dict[int, dict[str, float]]
) -> list[tuple[str, float]]:
    """All metrics by falling importance for whether a label is found."""
    of_label = [label_values(row, pixels[row["image_id"]]) for row in labels]
    place = np.array([row["image_id"] for row in labels])
    facts = {row["id"]: {f"image.{key}": row[key] for key in ("weather", "site", "split")} for row in images}
    counts = dict(zip(*np.unique(place, return_counts=True), strict=True))
    of_image = [{**by_image[key], **facts[key], "image.object_count": counts[key]} for key in place.tolist()]
    rng = np.random.default_rng(0)
    result = [
        (name, importance(np.array([row[name] for row in rows]), found, place, rows is of_image, rng))
        for rows in (of_label, of_image)
        for name in rows[0]
    ]
    return sorted(result, key=lambda pair: -pair[1])
