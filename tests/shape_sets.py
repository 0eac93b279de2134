"""Random sets of masks and keypoints made to hit the corners, from a seeded generator."""

from __future__ import annotations

from typing import Any

import numpy as np

HEIGHT, WIDTH = 40, 50
DetectionSet = tuple[dict[str, Any], list[dict[str, Any]]]


def bitmap(random: np.random.Generator) -> np.ndarray:
    """A mask of a few rectangles, at times noise, all or nothing: uint8[HEIGHT, WIDTH]."""
    kind = random.integers(0, 10)
    found = np.zeros((HEIGHT, WIDTH), np.uint8)
    if kind == 0:
        return (random.random((HEIGHT, WIDTH)) < 0.4).astype(np.uint8)
    if kind == 1:
        return found + np.uint8(random.integers(0, 2))
    for _ in range(random.integers(1, 4)):
        left, top = 5 * random.integers(0, 9), 5 * random.integers(0, 7)
        found[top : top + 5 * random.integers(1, 8), left : left + 5 * random.integers(1, 10)] = 1
    return found


def compressed(pixels: np.ndarray) -> dict[str, Any]:
    from pycocotools import mask

    encoded = mask.encode(np.asfortranarray(pixels))
    return {"size": list(encoded["size"]), "counts": encoded["counts"].decode()}


def uncompressed(pixels: np.ndarray) -> dict[str, Any]:
    flat = pixels.T.ravel()
    ends = [*(np.flatnonzero(np.diff(flat)) + 1).tolist(), len(flat)]
    counts = np.diff([0, *ends]).tolist()
    return {"size": list(pixels.shape), "counts": [0, *counts] if flat[0] else counts}


def polygons(random: np.random.Generator) -> list[list[float]]:
    """One to three parts that may overlap, cross themselves and leave the image."""
    return [(random.uniform(-8, 55, 2 * random.integers(3, 7))).round(2).tolist() for _ in range(random.integers(1, 4))]


def _frame(random: np.random.Generator) -> tuple[dict[str, Any], list[int]]:
    images = random.permutation([1, 2, 3, 10])[: random.integers(1, 5)].tolist()
    categories = [{"id": number, "name": f"c{number}"} for number in (5, 2)]
    listed = [{"id": number, "height": HEIGHT, "width": WIDTH} for number in images]
    return {"images": listed, "categories": categories, "annotations": []}, images


def mask_set(random: np.random.Generator) -> DetectionSet:
    """Labels as polygons and both kinds of run lengths, crowd among them; predictions near them and anywhere."""
    labels, images = _frame(random)
    pixels = [bitmap(random) for _ in range(random.integers(1, 9))]
    for number, one in enumerate(pixels, 1):
        shapes: list[Any] = [compressed(one), uncompressed(one), polygons(random)]
        row = {"id": number, "image_id": int(random.choice(images)), "category_id": int(random.choice([2, 5]))}
        shape = shapes[random.integers(0, 3)]
        crowd = int(random.random() < 0.2)
        row |= {"segmentation": shape, "iscrowd": crowd, "bbox": [0, 0, 9, 9], "area": float(one.sum())}
        labels["annotations"].append(row)
    predictions = []
    for _ in range(random.integers(1, 14)):
        one = pixels[random.integers(0, len(pixels))].copy() if random.random() < 0.8 else bitmap(random)
        one[:, : random.integers(0, 4)] = 0
        place = {"image_id": int(random.choice(images)), "category_id": int(random.choice([2, 5]))}
        score = float(random.choice([0.1, 0.5, 0.5, 0.9]))
        predictions.append({**place, "segmentation": compressed(one), "score": score})
    return labels, predictions


def keypoint_set(random: np.random.Generator) -> DetectionSet:
    """Labels with all, some and no visible keypoints; predictions near them and anywhere, more than 20 at times."""
    labels, images = _frame(random)
    for number in range(1, random.integers(2, 9)):
        points = np.concatenate([random.integers(0, 40, (17, 2)), random.choice([0, 1, 2], (17, 1))], 1).astype(float)
        points[:, 2] *= random.choice([0, 1, 1, 1])
        visible = int((points[:, 2] > 0).sum())
        row = {"id": number, "image_id": int(random.choice(images)), "category_id": int(random.choice([2, 5]))}
        row |= {"keypoints": points.ravel().tolist(), "num_keypoints": visible, "bbox": [3, 4, 20, 25]}
        row |= {"area": float(random.choice([300, 1024, 2000, 9216, 1e4])), "iscrowd": int(random.random() < 0.1)}
        labels["annotations"].append(row)
    predictions = []
    for _ in range(random.choice([1, 5, 30])):
        source = labels["annotations"][random.integers(0, len(labels["annotations"]))]
        points = np.array(source["keypoints"]).reshape(17, 3)
        points[:, :2] += random.normal(0, random.choice([0, 1, 3, 10]), (17, 2))
        place = {"image_id": source["image_id"], "category_id": source["category_id"]}
        score = float(random.choice([0.1, 0.5, 0.9]))
        predictions.append({**place, "keypoints": points.ravel().tolist(), "score": score})
    return labels, predictions
