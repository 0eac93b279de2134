"""Record what lvis-api and the labelbox package say about random sets; run where both are installed.

    PYTHONHASHSEED=0 python -m tests.parity.make_conventions

lvis 0.5.3 asks for a name that NumPy has dropped, labelbox 7.17.0 for packages of maps, which box metrics do not use:
both are given here.
"""

from __future__ import annotations

import importlib
import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import numpy as np

from tests.oracles.random_sets import Row, random_set, with_masks, without_flags

FOLDER = Path(__file__).parent
SEEDS = range(8)
UNUSED = ("pyproj", "pygeotile", "pygeotile.point", "pygeotile.tile")


def lvis_numbers(labels: Row, predictions: list[Row]) -> Row:
    """lvis-api's results and arrays; −1 becomes None."""
    setattr(np, "float", float)  # noqa: B010
    logging.disable(logging.WARNING)
    from lvis import LVIS, LVISEval, LVISResults

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "labels.json"
        file.write_text(json.dumps(labels))
        truth = LVIS(str(file))
    evaluation = LVISEval(truth, LVISResults(truth, [dict(row) for row in predictions]), "bbox")
    evaluation.run()
    results = {name: None if value == -1 else float(value) for name, value in evaluation.get_results().items()}
    means = [_mean(evaluation.eval["precision"][:, :, k, 0]) for k in range(len(labels["categories"]))]
    return {"results": results, "AP": means}


def _mean(values: Any) -> float | None:
    defined = values[values > -1]
    return float(np.mean(defined)) if len(defined) else None


def labelbox_numbers(labels: Row, predictions: list[Row], iou: float) -> Row:
    """(TP, FP, TN, FN) and IoU of each category of each image, and the IoU of each image: of masks where there are."""
    for name in UNUSED:
        try:
            importlib.import_module(name)
        except ImportError:
            sys.modules[name] = MagicMock()
    from labelbox.data.annotation_types import Mask, MaskData, ObjectAnnotation, Point, Rectangle
    from labelbox.data.metrics import feature_confusion_matrix_metric, feature_miou_metric, miou_metric

    def value(row: Row) -> Any:
        if "segmentation" in row:
            size, counts = row["segmentation"]["size"], row["segmentation"]["counts"]
            flat = np.repeat(np.arange(len(counts)) % 2, counts).astype(np.uint8)
            return Mask(mask=MaskData.from_2D_arr(flat.reshape(size[::-1]).T), color=1)
        x, y, width, height = row["bbox"]
        return Rectangle(start=Point(x=x, y=y), end=Point(x=x + width, y=y + height))

    def annotations(rows: list[Row], image: Any) -> list[Any]:
        here = [row for row in rows if row["image_id"] == image]
        return [ObjectAnnotation(name=str(row["category_id"]), value=value(row)) for row in here]

    features, images = [], []
    for image in (one["id"] for one in labels["images"]):
        truth, guess = annotations(labels["annotations"], image), annotations(predictions, image)
        overlaps = {one.feature_name: one.value for one in feature_miou_metric(truth, guess, include_subclasses=False)}
        for one in feature_confusion_matrix_metric(truth, guess, iou=iou):
            counts = [int(value) for value in one.value]
            name = one.feature_name
            features.append({"image": image, "category": int(name), "counts": counts, "iou": float(overlaps[name])})
        images += [{"image": image, "iou": float(one.value)} for one in miou_metric(truth, guess)]
    features.sort(key=lambda one: (one["image"], one["category"]))
    return {"features": features, "images": images}


def record_labelbox() -> None:
    """Boxes, and the same objects as masks."""
    for name, made in (("labelbox_sdk", lambda *parts: parts), ("labelbox_sdk_masks", with_masks)):
        sets = [(seed, made(*random_set(seed))) for seed in SEEDS]
        cases = [
            {"seed": seed, "iou": iou, **labelbox_numbers(without_flags(labels), predictions, iou)}
            for seed, (labels, predictions) in sets
            for iou in (0.5, 0.3)
        ]
        (FOLDER / f"{name}.json").write_text(json.dumps(cases) + "\n")


def main() -> None:
    rows = [{"seed": seed, **lvis_numbers(*random_set(seed, images=30))} for seed in SEEDS]
    crowded = random_set(100, images=3, objects=400)
    rows.append({"seed": 100, "images": 3, "objects": 400, **lvis_numbers(*crowded)})
    (FOLDER / "lvis.json").write_text(json.dumps(rows, indent=1) + "\n")
    record_labelbox()


if __name__ == "__main__":
    main()
