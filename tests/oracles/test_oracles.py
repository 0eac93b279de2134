"""The oracles against pycocotools, against each other, and against cases worked by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from tests.oracles.acquisition_loop import acquisition, sigmoid_measure
from tests.oracles.coco_loop import IOU_THRESHOLDS, RECALL_GRID, SPACING, evaluate
from tests.oracles.counts_loop import evaluate_counts
from tests.oracles.geometry_loop import clip_polygon, duplicates, label_metrics, object_density, polygon_area
from tests.oracles.pycocotools_reference import STAT_NAMES, is_comparable, with_pycocotools
from tests.strategies import DetectionSet, detection_sets, probability_rows

PARITY = Path(__file__).parents[1] / "parity"
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def _array(nested: Any, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """None becomes −1."""
    filled = np.array(nested, dtype=object)
    filled[filled == None] = -1  # noqa: E711
    return filled.astype(float).reshape(shape)


def test_grids_are_numpys() -> None:
    assert np.linspace(0.5, 0.95, 10).tolist() == IOU_THRESHOLDS
    assert np.linspace(0.0, 1.0, 101).tolist() == RECALL_GRID
    assert np.spacing(1) == SPACING


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(detection_sets(comparable=True))
def test_coco_loop_equals_pycocotools(case: DetectionSet) -> None:
    pytest.importorskip("pycocotools")
    assert is_comparable(*case)
    ours, theirs = evaluate(*case), with_pycocotools(*case)
    for name in STAT_NAMES:
        assert ours[name] == (None if theirs[name] is None else pytest.approx(theirs[name], abs=1e-12, rel=0)), name
    precision = theirs["precision"][..., -1]
    assert np.array_equal(_array(ours["precision"], precision.shape), precision)
    assert np.array_equal(_array(ours["recall"], theirs["recall"].shape), theirs["recall"])


@pytest.mark.parametrize("folder", sorted(p.parent for p in PARITY.glob("*/expected.json")), ids=lambda path: path.name)
def test_coco_loop_equals_recorded_numbers(folder: Path) -> None:
    labels, predictions, expected = (
        json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("labels", "predictions", "expected")
    )
    ours = evaluate(labels, predictions)
    assert {name: ours[name] for name in STAT_NAMES} == expected["stats"]
    with np.load(folder / "arrays.npz") as arrays:
        for name in ("precision", "recall"):
            assert np.array_equal(_array(ours[name], arrays[name].shape), arrays[name])


def _set(labels: list[tuple[Any, ...]], predictions: list[tuple[Any, ...]]) -> DetectionSet:
    """One image, categories 1 and 2, from (category, box, crowd) and (category, box, score)."""
    return {
        "images": [{"id": 7, "width": 100, "height": 100}],
        "categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}],
        "annotations": [
            {"id": i, "image_id": 7, "category_id": c, "bbox": list(box), "area": box[2] * box[3], "iscrowd": crowd}
            for i, (c, box, crowd) in enumerate(labels)
        ],
    }, [{"image_id": 7, "category_id": c, "bbox": list(box), "score": score} for c, box, score in predictions]


def test_label_id_zero_matches() -> None:
    labels, predictions = _set([(1, (0, 0, 10, 10), 0)], [(1, (0, 0, 10, 10), 0.9)])
    assert labels["annotations"][0]["id"] == 0
    assert not is_comparable(labels, predictions)
    assert evaluate(labels, predictions)["AP"] == pytest.approx(1, abs=1e-12)


def test_string_image_ids_tie_lexicographically() -> None:
    labels, predictions = _set([(1, (0, 0, 10, 10), 0)], [(1, (0, 0, 10, 10), 0.9), (1, (50, 50, 5, 5), 0.9)])
    labels["images"] = [{"id": "9"}, {"id": "10"}]
    labels["annotations"][0]["image_id"] = predictions[0]["image_id"] = "9"
    predictions[1]["image_id"] = "10"
    assert evaluate(labels, predictions)["AP"] == pytest.approx(0.5, abs=1e-12)
    for row, name in zip([*labels["images"], *predictions], [9, 10, 9, 10], strict=True):
        row["id" if "id" in row else "image_id"] = name
    labels["annotations"][0]["image_id"] = 9
    assert evaluate(labels, predictions)["AP"] == pytest.approx(1, abs=1e-12)


def test_counts_by_hand() -> None:
    box, half, far = (0, 0, 10, 10), (0, 0, 10, 5), (50, 50, 10, 10)
    labels = [(1, box, 0), (1, far, 0), (2, (30, 30, 40, 10), 1), (2, (80, 80, 10, 10), 0)]
    predictions = [
        (1, half, 0.5),  # IoU .5 at confidence .5: both bounds belong to it
        (1, box, 0.4),  # below
        (2, far, 0.9),  # category 2 on a label of category 1
        (2, (30, 30, 10, 10), 0.9),  # inside the crowd
        (1, (80, 0, 5, 5), 0.6),  # stray
        (2, far, 0.95),  # the same again, more certain
    ]
    result = evaluate_counts(*_set(labels, predictions))
    assert [row["outcome"] for row in result["predictions"]] == ["TP", "below", "FP", "ignored", "FP", "FP"]
    assert [row["label"] for row in result["predictions"]] == [0, None, None, 2, None, None]
    assert [row["iou"] for row in result["predictions"]] == [0.5, None, None, 1.0, None, None]
    assert [row["outcome"] for row in result["labels"]] == ["found", "missed", "ignored", "missed"]
    assert result["labels"][0]["prediction"] == 0
    assert result["per_category"][1] == {"tp": 1, "fp": 1, "fn": 1, "precision": 0.5, "recall": 0.5, "f1": 0.5}
    assert result["per_category"][2] == {"tp": 0, "fp": 2, "fn": 1, "precision": 0, "recall": 0, "f1": 0}
    assert result["micro"] == {"tp": 1, "fp": 3, "fn": 2, "precision": 0.25, "recall": 1 / 3, "f1": 2 / 7}
    assert result["macro"] == {"precision": 0.25, "recall": 0.25, "f1": 0.25}
    assert result["per_image"] == {7: result["micro"]}
    assert result["per_cell"][7, 2] == result["per_category"][2]
    assert result["confusion"] == {"categories": [1, 2, None], "matrix": [[1, 1, 0], [0, 0, 1], [1, 1, 0]]}


def test_counts_undefined_is_none() -> None:
    nothing = evaluate_counts(*_set([], []))
    assert nothing["micro"] == {"tp": 0, "fp": 0, "fn": 0, "precision": None, "recall": None, "f1": None}
    assert nothing["macro"] == {"precision": None, "recall": None, "f1": None}
    missed = evaluate_counts(*_set([(1, (0, 0, 9, 9), 0)], []))
    assert missed["macro"] == {"precision": None, "recall": 0, "f1": 0}


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(detection_sets())
def test_counts_and_confusion_sum_up(case: DetectionSet) -> None:
    labels, predictions = case
    result = evaluate_counts(labels, predictions)
    outcomes = [row["outcome"] for row in result["predictions"]]
    label_outcomes = [row["outcome"] for row in result["labels"]]
    matrix = result["confusion"]["matrix"]
    assert outcomes.count("TP") == label_outcomes.count("found") == sum(matrix[i][i] for i in range(len(matrix)))
    for k, category in enumerate(result["confusion"]["categories"][:-1]):
        counts = result["per_category"][category]
        assert matrix[k][k] == counts["tp"]
        assert sum(matrix[k]) == counts["tp"] + counts["fn"]
        assert sum(row[k] for row in matrix) == counts["tp"] + counts["fp"]
    assert matrix[-1][-1] == 0


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(detection_sets())
def test_recall_of_counts_is_coco_recall(case: DetectionSet) -> None:
    labels, predictions = case
    first: list[dict[str, Any]] = predictions[:90]  # the maximum of 100 must not bite
    counts, coco = evaluate_counts(labels, first, confidence=0), evaluate(labels, first)
    for k, category in enumerate(coco["categories"]):
        assert counts["per_category"][category]["recall"] == coco["recall"][0][k][0][2]


def test_acquisition_by_hand() -> None:
    rows = [[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]]
    assert acquisition("entropy", rows) == 0.5
    assert acquisition("entropy", rows, normalise=True) == pytest.approx(0.5 / math.log2(3))
    assert acquisition("least_confidence", rows, "max") == 0.5
    assert acquisition("margin", rows, "sum") == 1
    assert acquisition("variance", rows[1:]) == pytest.approx(2 / 9)
    assert acquisition("mean_object_score", rows) == 0.75
    assert acquisition("mean_object_score", rows, classification=True) is None
    assert acquisition("mean_object_score", [0.2, 0.3, 0.4, 0.9], "top3") == pytest.approx(1.6 / 3)
    assert acquisition("least_confidence", [0.2]) == pytest.approx(0.2)
    assert acquisition("margin", [0.2]) == pytest.approx(0.6)
    assert acquisition("entropy", [0.2, 0.5], min_confidence=0.5) == 1
    assert acquisition("entropy", [0.2], min_confidence=0.5) is None
    assert acquisition("mean_object_score", []) == 0
    assert acquisition("margin", rows, min_confidence=0.5, scores=[0.4, 0.6]) == 1
    assert sigmoid_measure("entropy", [0.5, 0.0]) == 0.5


@settings(deadline=None)
@given(probability_rows())
def test_aggregates_are_ordered(rows: list[list[float]]) -> None:
    for metric in ("entropy", "least_confidence", "margin", "variance"):
        mean, top3, most = (acquisition(metric, rows, how) for how in ("mean", "top3", "max"))
        assert (mean is None) == (not rows)
        if mean is not None and top3 is not None and most is not None:
            assert mean <= top3 + 1e-12 <= most + 2e-12


def test_geometry_by_hand() -> None:
    assert object_density([(0, 0, 10, 10), (5, 5, 10, 10), (-5, 0, 6, 100), (90, 90, 50, 50)], 100, 100) == 0.0365
    assert object_density([], 100, 100) == 0
    assert object_density([], 0, 100) is None
    arrow = [(-10.0, 0.0), (10.0, 0.0), (10.0, 10.0), (5.0, 10.0), (5.0, 5.0), (-10.0, 5.0)]
    assert polygon_area(arrow) == 125
    assert polygon_area(clip_polygon(arrow, 100, 100)) == 75
    comb = [(-5.0, 0.0), (10.0, 0.0), (10.0, 2.0), (-2.0, 2.0), (-2.0, 4.0), (10.0, 4.0), (10.0, 6.0), (-5.0, 6.0)]
    assert polygon_area(clip_polygon(comb, 8, 100)) == 32
    metrics = label_metrics({"bbox": [90, 40, 20, 10]}, 100, 50)
    assert metrics == {
        "area_absolute": 100,
        "area_relative": 0.02,
        "width": 20,
        "height": 10,
        "aspect_ratio": 2,
        "border_closeness": 1,
    }
    metrics = label_metrics({"bbox": [40, 20, 20, 0], "segmentation": [[-10, 0, 10, 0, 10, 10]]}, 100, 50)
    assert metrics["area_absolute"] == 75
    assert metrics["aspect_ratio"] is None
    assert metrics["border_closeness"] == 0.6


def test_duplicates_by_hand() -> None:
    rows = [(1, (0, 0, 10, 10)), (1, (0, 0, 10, 10)), (2, (0, 0, 10, 10)), (1, (0, 0, 10, 10)), (1, (50, 0, 9, 9))]
    labels = [{"category_id": category, "bbox": box} for category, box in rows]
    assert duplicates(labels) == [(1, 1), (1, 0), (0, None), (1, 0), (0, None)]
    assert duplicates(labels, same_category=False)[2] == (1, 0)


def _renumber(labels: dict[str, Any], predictions: list[dict[str, Any]]) -> DetectionSet:
    """The same set in terms pycocotools takes: images by rank, labels from 1, ``area`` and ``iscrowd`` filled in."""
    names = [image["id"] for image in labels["images"]]
    rank = {name: place for place, name in enumerate(sorted(names))}
    annotations = []
    for number, row in enumerate(labels["annotations"], start=1):
        defaults = {"area": row["bbox"][2] * row["bbox"][3], "iscrowd": 0}
        annotations.append({**defaults, **row, "id": number, "image_id": rank[row["image_id"]]})
    images = [{**image, "id": rank[image["id"]]} for image in labels["images"]]
    rows = [{**row, "image_id": rank[row["image_id"]]} for row in predictions]
    return {**labels, "images": images, "annotations": annotations}, rows


@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
@given(detection_sets())
def test_odd_ids_change_nothing_but_the_names(case: DetectionSet) -> None:
    pytest.importorskip("pycocotools")
    ours, theirs = evaluate(*case), with_pycocotools(*_renumber(*case))
    assert np.array_equal(_array(ours["recall"], theirs["recall"].shape), theirs["recall"])
    for name in STAT_NAMES:
        assert ours[name] == (None if theirs[name] is None else pytest.approx(theirs[name], abs=1e-12, rel=0)), name
