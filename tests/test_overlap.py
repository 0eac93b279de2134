"""The overlap of labels and predictions by row."""

from pathlib import Path
from typing import Any

import numpy as np

from qm_cli.load import load_tables
from qm_cli.overlap import overlap, overlap_again, remember
from tests import builders

LABELS = {
    "images": [{"id": 1, "width": 100, "height": 100}],
    "categories": [{"id": 1, "name": "cat"}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 10, 10], "area": 100, "iscrowd": 0},
        {"id": 2, "image_id": 1, "category_id": 1, "bbox": [0, 0, 40, 10], "area": 400, "iscrowd": 1},
    ],
}
PREDICTIONS = [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 10, 20], "score": 0.5}]


def test_boxes() -> None:
    tables = builders.tables(LABELS, PREDICTIONS)
    rows = np.array([0, 1]), np.array([0, 0])
    assert overlap(tables, "bbox", *rows).tolist() == [100 / 200, 100 / 500]
    assert overlap(tables, "bbox", *rows, tables.values("label", "iscrowd")).tolist() == [100 / 200, 100 / 200]


def test_what_was_compared_is_not_compared_again(tmp_path: Path) -> None:
    annotations: Any = LABELS["annotations"]
    shape = {"segmentation": [[0.0, 0.0, 10.0, 0.0, 10.0, 10.0, 0.0, 10.0]]}
    labels = {**LABELS, "annotations": [{**row, **shape, "iscrowd": 0} for row in annotations]}
    rows = [{**PREDICTIONS[0], **shape}] * 2
    tables = load_tables(*builders.write(tmp_path, labels, rows), task="segm")
    label, prediction = np.array([1, 0, 1]), np.array([1, 0, 0])
    assert overlap_again(tables, "segm", label, prediction).tolist() == [1.0, 1.0, 1.0]
    remember(tables, "segm", label[:1], prediction[:1], np.array([0.25]))
    remember(tables, "segm", label[1:2], prediction[1:2], np.array([0.75]))
    assert overlap_again(tables, "segm", label, prediction).tolist() == [0.25, 0.75, 1.0]
    assert overlap(tables, "segm", label, prediction).tolist() == [1.0, 1.0, 1.0]
