"""Rows are put right one by one; what was done to them is logged."""

from __future__ import annotations

import math
from typing import Any

from qm_cli.analysis.mend_rows import Log, mend_annotations, mend_predictions
from tests.input_files import label, prediction, without

SIZES = {1: (100.0, 80.0), 2: (math.nan, math.nan)}


def test_annotations() -> None:
    log = Log("l.json")
    rows = [label(1), None, label(1, image_id=2, bbox=[500, 1, 5, 5]), label(3, image_id=9)]
    kept = mend_annotations(rows, SIZES, {1}, log)
    assert [row["id"] for row in kept] == [1, 4]
    assert [(one.code, one.how, one.examples) for one in log.mended()] == [
        ("label-empty", "removed", ("1",)),
        ("label-duplicate-id", "given a new id", ("1",)),
        ("label-unknown-image", "removed", ("3",)),
    ]


def test_predictions_keep_what_probabilities_tell() -> None:
    log = Log("p.json")
    rows: list[Any] = [
        without(prediction(probs=[1.0]), "category_id", "score"),
        prediction(probs=[1.0, None], logits=[1.0]),
        without(prediction(probs=["x"]), "score"),
    ]
    kept = mend_predictions(rows, SIZES, {1}, log)
    assert kept == [rows[0], without(rows[1], "probs")]
    assert [(one.code, one.how, one.count) for one in log.mended()] == [
        ("prediction-probs-null", "probs removed", 2),
        ("prediction-missing-score", "removed", 1),
    ]


def test_masks_of_images_without_a_size_are_kept() -> None:
    mask = {"size": [4, 5], "counts": [10, 10]}
    [kept] = mend_annotations([label(1, image_id=2, segmentation=mask)], SIZES, {1}, Log("l.json"))
    assert kept["segmentation"] == mask
