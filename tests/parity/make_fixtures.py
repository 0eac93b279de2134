"""Writes the parity fixtures; needs pycocotools. From the repository root: ``python -m tests.parity.make_fixtures``.

Each folder holds ``labels.json``, ``predictions.json``, ``expected.json`` (how it was recorded, and the twelve stats,
null where pycocotools says −1) and ``arrays.npz``: ``precision`` [T,R,K,A] at 100 detections and ``recall`` [T,K,A,M],
−1 where undefined, K by ascending category id. Floats are written so that they read back to the last bit.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from tests.oracles.pycocotools_reference import STAT_NAMES, is_comparable, with_pycocotools

Row = dict[str, Any]
FixtureSet = tuple[dict[str, Any], list[Row]]
HERE = Path(__file__).parent


def build_set(
    images: list[int], categories: list[int], labels: list[tuple[Any, ...]], predictions: list[tuple[Any, ...]]
) -> FixtureSet:
    """A set from rows: labels (image, category, box[, extra fields]), predictions (image, category, box, score)."""
    annotations = []
    for number, (image, category, box, *extra) in enumerate(labels):
        row = {"id": 10 + number, "image_id": image, "category_id": category, "bbox": list(box)}
        row |= {"area": box[2] * box[3], "iscrowd": 0, **(extra[0] if extra else {})}
        annotations.append(row)
    rows = [{"image_id": i, "category_id": c, "bbox": list(box), "score": s} for i, c, box, s in predictions]
    return {
        "images": [{"id": i, "width": 128, "height": 96, "file_name": f"{i}.jpg"} for i in images],
        "categories": [{"id": c, "name": f"category_{c}"} for c in categories],
        "annotations": annotations,
    }, rows


def _spread(images: list[int], scores: list[float], seed: int, categories: tuple[int, ...] = (1,)) -> FixtureSet:
    """Random boxes with predictions moved a little, scores from a few values, predictions in shuffled order."""
    random = Random(seed)
    labels: list[tuple[Any, ...]] = []
    predictions: list[tuple[Any, ...]] = []
    for image in images:
        for _ in range(random.randint(1, 5)):
            category = random.choice(categories)
            side = random.choice([12, 25, 40, 70, 100])
            box = (random.randint(0, 40), random.randint(0, 30), side, random.randint(side // 2, side))
            labels.append((image, category, box))
            for _ in range(random.choice([0, 1, 1, 2])):
                x, y, w, h = box
                near = (x + random.randint(-2, 2), y + random.randint(-2, 2), w + random.randint(-3, 3), h)
                predictions.append((image, category, near, random.choice(scores)))
        if random.random() < 0.5:
            far = (random.randint(0, 90), random.randint(0, 60), 20, 20)
            predictions.append((image, random.choice(categories), far, random.choice(scores)))
    random.shuffle(predictions)
    return build_set(images, sorted(categories, reverse=True), labels, predictions)


def tied_scores() -> FixtureSet:
    """Two score values only: the order comes from image id and input order."""
    return _spread([3, 1, 2, 9, 10], [0.5, 0.9], 1, (1, 2))


def tied_ious() -> FixtureSet:
    """One detection, several labels of equal IoU: the later label wins, and the next detection feels it."""
    labels: list[tuple[Any, ...]] = [
        (1, 1, (0, 0, 20, 20)),
        (1, 1, (20, 0, 20, 20)),
        (1, 1, (10, 10, 20, 20)),
        (2, 1, (0, 0, 10, 10)),
    ]
    labels += [(2, 1, (0, 0, 10, 10)), (2, 1, (0, 0, 10, 10), {"area": 2000})]
    predictions = [(1, 1, (0, 0, 40, 20), 0.9), (1, 1, (20, 0, 20, 20), 0.8), (1, 1, (10, 10, 20, 20), 0.8)]
    predictions += [(2, 1, (0, 0, 10, 10), 0.7), (2, 1, (0, 0, 10, 10), 0.7), (2, 1, (0, 0, 10, 9), 0.6)]
    return build_set([1, 2], [1], labels, predictions)


def crowd() -> FixtureSet:
    """Crowd labels swallow many detections; a real match is preferred; ``ignore`` is overwritten by ``iscrowd``."""
    labels: list[tuple[Any, ...]] = [(1, 1, (0, 0, 60, 60), {"iscrowd": 1}), (1, 1, (10, 10, 20, 20))]
    labels += [(1, 1, (0, 0, 30, 30), {"iscrowd": 1}), (2, 1, (5, 5, 40, 40), {"ignore": 1}), (2, 2, (0, 0, 9, 9))]
    labels += [(3, 2, (0, 0, 90, 90), {"iscrowd": 1})]
    predictions = [(1, 1, (10, 10, 20, 20), 0.5), (1, 1, (0, 0, 20, 20), 0.9), (1, 1, (40, 40, 20, 20), 0.8)]
    predictions += [(1, 1, (50, 50, 20, 20), 0.7), (1, 1, (11, 10, 20, 20), 0.6), (2, 1, (5, 5, 40, 38), 0.4)]
    predictions += [
        (1, 1, (100, 80, 10, 10), 0.55),
        (3, 2, (10, 10, 10, 10), 0.9),
        (3, 2, (20, 20, 10, 10), 0.9),
        (2, 2, (0, 0, 9, 8), 0.3),
    ]
    return build_set([1, 2, 3], [1, 2], labels, predictions)


def zero_area() -> FixtureSet:
    """Labels and detections without area or of one pixel."""
    labels = [(1, 1, (5, 5, 0, 10)), (1, 1, (5, 5, 0, 0)), (1, 1, (20, 20, 1, 1)), (1, 1, (40, 40, 10, 10))]
    predictions = [(1, 1, (5, 5, 0, 10), 0.9), (1, 1, (5, 5, 0, 0), 0.8), (1, 1, (20, 20, 1, 1), 0.7)]
    predictions += [(1, 1, (40, 40, 10, 10), 0.6), (1, 1, (40, 40, 10, 0), 0.65)]
    return build_set([1], [1], labels, predictions)


def area_boundaries() -> FixtureSet:
    """Areas of exactly 32² and 96², given by the box or by an ``area`` field that differs from it."""
    labels: list[tuple[Any, ...]] = [(1, 1, (0, 0, 32, 32)), (1, 1, (0, 0, 96, 96)), (2, 1, (0, 0, 16, 64))]
    labels += [(2, 1, (40, 0, 40, 40), {"area": 1024}), (3, 1, (0, 0, 40, 40), {"area": 9216})]
    labels += [(3, 1, (60, 0, 20, 20), {"area": 9216.5}), (3, 1, (60, 50, 40, 40), {"area": 1023.5})]
    predictions = [(1, 1, (0, 0, 32, 32), 0.9), (1, 1, (0, 0, 96, 96), 0.8), (1, 1, (64, 0, 32, 32), 0.95)]
    predictions += [(2, 1, (0, 0, 16, 60), 0.7), (2, 1, (40, 0, 40, 38), 0.6), (2, 1, (0, 0, 96, 96), 0.85)]
    predictions += [(3, 1, (0, 0, 40, 40), 0.5), (3, 1, (60, 0, 20, 18), 0.4), (3, 1, (60, 50, 39, 40), 0.3)]
    return build_set([1, 2, 3], [1], labels, predictions)


def image_order() -> FixtureSet:
    """Images descending in the file, all scores equal: ties go by ascending image id, not by file order."""
    return _spread([30, 20, 9, 7, 2], [0.5], 4)


def more_than_100() -> FixtureSet:
    """130 detections of one cell with tied scores; a right one stands at places 1, 12, 99, 100, 101 and 130."""
    labels = [(1, 1, (i * 20, 0, 15, 15)) for i in range(6)] + [(2, 1, (0, 0, 15, 15))]
    places = dict(zip((1, 12, 99, 100, 101, 130), range(6), strict=True))
    predictions = []
    for place in range(1, 131):
        box = (places[place] * 20, 0, 15, 15) if place in places else (100, 60, 20, 20)
        predictions.append((1, 1, box, 0.9 if place <= 40 else 0.5))
    return build_set([1, 2], [1], labels, [*predictions, (2, 1, (0, 0, 15, 14), 0.7)])


def category_without_labels() -> FixtureSet:
    """A category with neither labels nor detections, one with detections only, one with crowd labels only."""
    labels: list[tuple[Any, ...]] = [(1, 1, (0, 0, 20, 20)), (2, 4, (0, 0, 30, 30), {"iscrowd": 1})]
    predictions = [(1, 1, (0, 0, 20, 18), 0.9), (1, 3, (0, 0, 20, 20), 0.8), (2, 4, (0, 0, 30, 30), 0.7)]
    return build_set([1, 2], [1, 2, 3, 4], labels, predictions)


def only_false_positives() -> FixtureSet:
    """Every detection misses."""
    labels = [(1, 1, (0, 0, 20, 20)), (2, 2, (0, 0, 50, 50))]
    predictions = [(1, 1, (60, 60, 20, 20), 0.9), (1, 2, (0, 0, 20, 20), 0.8), (2, 1, (0, 0, 50, 50), 0.7)]
    return build_set([1, 2], [1, 2], labels, predictions)


def outside_image() -> FixtureSet:
    """Boxes partly or wholly outside the image are not clipped."""
    labels = [(1, 1, (-10, -10, 20, 20)), (1, 1, (300, 300, 20, 20)), (1, 1, (110, 80, 40, 40))]
    predictions = [(1, 1, (-10, -10, 20, 20), 0.9), (1, 1, (0, 0, 10, 10), 0.95), (1, 1, (300, 300, 20, 19), 0.8)]
    return build_set([1], [1], labels, [*predictions, (1, 1, (110, 80, 18, 16), 0.7)])


def exact_thresholds() -> FixtureSet:
    """One label an image and a detection whose IoU with it is .50, .55 … .95 exactly, or halfway between two."""
    images = list(range(1, 21))
    heights = [10 + 0.5 * (image - 1) for image in images]
    labels = [(image, 1, (0, 0, 20, 20)) for image in images]
    predictions = [(i, 1, (0, 0, 20, h), round(1 - i / 40, 3)) for i, h in zip(images, heights, strict=True)]
    return build_set(images, [1], labels, predictions)


def noncontiguous_ids() -> FixtureSet:
    """Unsorted ids with gaps, image and category 0 among them."""
    labels, predictions = _spread([7000, 0, 42, 5], [0.3, 0.6, 0.9], 5, (0, 90, 17))
    Random(6).shuffle(labels["annotations"])
    for place, row in enumerate(labels["annotations"]):
        row["id"] = (place * 7919) % 1009 + 1
    return labels, predictions


def no_predictions() -> FixtureSet:
    """Labels and an empty prediction list."""
    return build_set([1, 2], [1, 2], [(1, 1, (0, 0, 20, 20)), (2, 1, (0, 0, 50, 50))], [])


def mixed_1() -> FixtureSet:
    """About 40 images and 6 categories: misses, duplicates, crowds, stray boxes, scores that follow quality."""
    random = Random(2024)
    labels: list[tuple[Any, ...]] = []
    predictions: list[tuple[Any, ...]] = []
    images = random.sample(range(1, 500), 40)
    for image in images:
        for _ in range(random.randint(0, 9)):
            category = random.choice([1, 1, 1, 2, 2, 3, 4, 5])
            w, h = (round(4 * 2 ** random.uniform(0, 5), 2) for _ in range(2))
            box = (round(random.uniform(0, 100), 2), round(random.uniform(0, 80), 2), w, h)
            crowded = int(random.random() < 0.05)
            labels.append(
                (image, category, box, {"area": round(w * h * random.uniform(0.6, 1), 2), "iscrowd": crowded})
            )
            for _ in range(random.choice([0, 1, 1, 1, 1, 2, 4 * crowded])):
                noise = random.choice([0.01, 0.03, 0.08, 0.2])
                moved = [v + random.gauss(0, noise) * side for v, side in zip(box, (w, h, w, h), strict=True)]
                score = round(min(1, max(0, 0.95 - 2 * noise + random.gauss(0, 0.15))), 2)
                said = category if random.random() < 0.93 else random.choice([1, 2, 3, 4, 5, 6])
                predictions.append((image, said, tuple(round(v, 2) for v in moved), score))
        for _ in range(random.randint(0, 3)):
            box = (random.randint(0, 100), random.randint(0, 70), random.randint(3, 60), random.randint(3, 60))
            predictions.append((image, random.randint(1, 6), box, round(random.betavariate(1, 3), 2)))
    random.shuffle(predictions)
    return build_set(images, [4, 2, 6, 1, 3, 5], labels, predictions)


FIXTURES: list[Callable[[], FixtureSet]] = [
    *(tied_scores, tied_ious, crowd, zero_area, area_boundaries, image_order, more_than_100),
    *(category_without_labels, only_false_positives, outside_image, exact_thresholds, noncontiguous_ids),
    *(no_predictions, mixed_1),
]


def write_fixture(name: str, what: str, labels: dict[str, Any], predictions: list[Row]) -> None:
    """Writes one folder."""
    if not is_comparable(labels, predictions):
        raise ValueError(f"{name}: pycocotools is no reference for this set")
    reference = with_pycocotools(labels, predictions)
    recorded = f"pycocotools {version('pycocotools')}, COCOeval bbox"
    if not predictions:
        recorded += "; loadRes takes no empty list, so COCOeval was given a result set without annotations"
    expected = {"what": what, "recorded": recorded, "stats": {key: reference[key] for key in STAT_NAMES}}
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    (folder / "labels.json").write_text(_lines(labels), encoding="utf-8")
    (folder / "predictions.json").write_text(_lines(predictions), encoding="utf-8")
    (folder / "expected.json").write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    np.savez_compressed(
        folder / "arrays.npz", precision=reference["precision"][..., -1], recall=reference["recall"], allow_pickle=False
    )


def _lines(content: Any) -> str:
    """JSON with one row per line."""
    if isinstance(content, dict):
        return (
            "{\n" + ",\n".join(f"{json.dumps(key)}: {_lines(rows).strip()}" for key, rows in content.items()) + "\n}\n"
        )
    return "[\n" + ",\n".join(json.dumps(row) for row in content) + "\n]\n" if content else "[]\n"


def main() -> None:
    """Writes all fixtures."""
    for make in FIXTURES:
        write_fixture(make.__name__, (make.__doc__ or "").strip(), *make())


if __name__ == "__main__":
    main()
