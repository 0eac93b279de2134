"""The evaluation against pycocotools, its recorded numbers, a plain-loop oracle and published numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli.analysis.average_precision import AveragePrecision
from qm_cli.analysis.summary_numbers import summary_numbers
from qm_cli.evaluation import Evaluation, evaluate_tables
from qm_cli.report import evaluation_report
from qm_cli.settings import Settings
from tests import builders
from tests.oracles import coco_loop, counts_loop, pycocotools_reference
from tests.strategies import detection_sets

PARITY = Path(__file__).parent / "parity"
FIXTURES = sorted(folder for folder in PARITY.iterdir() if (folder / "expected.json").is_file())
PUBLISHED = Path(__file__).parents[2] / "shared" / "data" / "cocoapi_val2014_first100"
TOLERANCE = 1e-12
DetectionSet = tuple[dict[str, Any], list[dict[str, Any]]]


def evaluated(labels: dict[str, Any], predictions: list[dict[str, Any]], **chosen: float) -> Evaluation:
    return evaluate_tables(builders.tables(labels, predictions), Settings(**chosen))


def by_area(curves: AveragePrecision, values: np.ndarray) -> np.ndarray:
    """[lanes, …, categories] → [thresholds, …, categories, areas], as pycocotools lays them out."""
    return np.stack([values[curves.area == area][:10] for area in range(4)], axis=-1)


def assert_numbers(report: dict[str, Any], expected: dict[str, float | None]) -> None:
    for number in summary_numbers(Settings()):
        got, wanted = report["metrics"][number.name], expected[number.name]
        assert (got is None) == (wanted is None), number.name
        assert got is None or abs(got - wanted) <= TOLERANCE, number.name


def assert_arrays(curves: AveragePrecision, precision: np.ndarray, recall: np.ndarray, order: np.ndarray) -> None:
    """precision [T,R,K,A] and recall [T,K,A,M] of the reference, undefined as −1, categories by ascending id."""
    mine = by_area(curves, curves.precision)[:, :, order]
    np.testing.assert_array_equal(np.where(np.isnan(mine), -1, mine), precision)
    recalls = np.stack([by_area(curves, recall_) for recall_ in curves.recall], axis=-1)[:, order]
    np.testing.assert_array_equal(np.where(np.isnan(recalls), -1, recalls), recall)


def category_order(labels: dict[str, Any]) -> np.ndarray:
    return np.argsort([category["id"] for category in labels["categories"]], kind="stable")


@pytest.mark.parametrize("folder", FIXTURES, ids=lambda folder: folder.name)
def test_recorded_numbers_of_pycocotools(folder: Path) -> None:
    labels, predictions = (json.loads((folder / f"{name}.json").read_text()) for name in ("labels", "predictions"))
    evaluation = evaluated(labels, predictions)
    assert_numbers(evaluation_report(evaluation), json.loads((folder / "expected.json").read_text())["stats"])
    arrays = np.load(folder / "arrays.npz")
    curves = evaluation.average_precision
    assert_arrays(curves, arrays["precision"], arrays["recall"], category_order(labels))


@given(detection_sets(comparable=True))
@settings(max_examples=60, deadline=None)
def test_equal_to_pycocotools(data: DetectionSet) -> None:
    pytest.importorskip("pycocotools")
    labels, predictions = data
    reference = pycocotools_reference.with_pycocotools(labels, predictions)
    evaluation = evaluated(labels, predictions)
    assert_numbers(evaluation_report(evaluation), reference)
    precision = reference["precision"][..., -1]
    assert_arrays(evaluation.average_precision, precision, reference["recall"], category_order(labels))


@given(detection_sets())
@settings(max_examples=60, deadline=None)
def test_equal_to_the_loop_where_pycocotools_errs(data: DetectionSet) -> None:
    """Label id 0, string ids and derived areas, which pycocotools gets wrong or cannot read."""
    labels, predictions = data
    report = evaluation_report(evaluated(labels, predictions))
    expected = coco_loop.evaluate(labels, predictions)
    assert_numbers(report, expected)
    for row in report["categories"]:
        for name, value in expected["per_category"][row["id"]].items():
            assert (row[name] is None) == (value is None)
            assert value is None or abs(row[name] - value) <= TOLERANCE


@given(detection_sets(), st.sampled_from([0.3, 0.5, 0.75, 1.0]), st.sampled_from([0.0, 0.25, 0.5, 0.9]))
@settings(max_examples=60, deadline=None)
def test_counts_and_confusion_equal_the_loop(data: DetectionSet, iou: float, confidence: float) -> None:
    labels, predictions = data
    evaluation = evaluated(labels, predictions, iou=iou, confidence=confidence)
    report = evaluation_report(evaluation)
    expected = counts_loop.evaluate_counts(labels, predictions, iou, confidence)
    micro, macro = expected["micro"], expected["macro"]
    for name in ("precision", "recall", "f1"):
        assert report["metrics"][name] == micro[name]
        assert report["metrics"][f"{name}_macro"] == pytest.approx(macro[name], abs=TOLERANCE)
    for row in report["categories"]:
        cell = expected["per_category"][row["id"]]
        assert (row["true_positives"], row["false_positives"], row["false_negatives"]) == (
            cell["tp"],
            cell["fp"],
            cell["fn"],
        )
        assert [row[name] for name in ("precision", "recall", "f1")] == [
            cell[name] for name in ("precision", "recall", "f1")
        ]
    assert evaluation.confusion.tolist() == expected["confusion"]["matrix"]


@given(detection_sets(), st.sampled_from([0.3, 0.5, 0.75]), st.sampled_from([0.0, 0.5]))
@settings(max_examples=40, deadline=None)
def test_confusion_sums(data: DetectionSet, iou: float, confidence: float) -> None:
    """Rows sum to the labels that count, columns to the predictions kept, the diagonal is the true positives."""
    evaluation = evaluated(*data, iou=iou, confidence=confidence)
    found, tables, matrix = evaluation.outcomes, evaluation.tables, evaluation.confusion
    categories = tables.count("category")
    labels = np.bincount(tables.values("label", "category_row")[found.label_counts], minlength=categories)
    kept = np.bincount(
        tables.values("prediction", "category_row")[found.counted & ~found.ignored], minlength=categories
    )
    assert matrix[:-1].sum(1).tolist() == labels.tolist()
    assert matrix[:, :-1].sum(0).tolist() == kept.tolist()
    assert np.trace(matrix) == found.true_positive.sum()
    assert matrix[-1, -1] == 0


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the first 100 images of val2014 are not beside the project")
def test_published_numbers() -> None:
    labels = json.loads((PUBLISHED / "instances_val2014_100.json").read_text())
    predictions = json.loads((PUBLISHED / "instances_val2014_fakebbox100_results.json").read_text())
    metrics = evaluation_report(evaluated(labels, predictions))["metrics"]
    published = [
        0.50458,
        0.69697,
        0.57298,
        0.58563,
        0.51940,
        0.50140,
        0.38681,
        0.59368,
        0.59535,
        0.63981,
        0.56642,
        0.56429,
    ]
    assert [round(metrics[number.name], 5) for number in summary_numbers(Settings())] == published


def test_image_order_of_the_files_changes_nothing() -> None:
    folder = PARITY / "tied_scores"
    labels, predictions = (json.loads((folder / f"{name}.json").read_text()) for name in ("labels", "predictions"))
    turned = {**labels, "images": labels["images"][::-1]}
    first, second = (evaluated(document, predictions) for document in (labels, turned))
    np.testing.assert_array_equal(first.average_precision.precision, second.average_precision.precision)


def test_empty_predictions_are_a_result_and_no_labels_are_undefined() -> None:
    labels = {
        "images": [{"id": 1, "width": 10, "height": 10}],
        "categories": [{"id": 1, "name": "a"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 5, 5], "area": 25, "iscrowd": 0}],
    }
    empty = evaluation_report(evaluated(labels, []))
    assert (empty["metrics"]["AP"], empty["metrics"]["recall"], empty["metrics"]["precision"]) == (0.0, 0.0, None)
    prediction = {"image_id": 1, "category_id": 1, "bbox": [0, 0, 5, 5], "score": 0.9}
    undefined = evaluation_report(evaluated({**labels, "annotations": []}, [prediction]))
    assert (undefined["metrics"]["AP"], undefined["metrics"]["recall"], undefined["metrics"]["precision"]) == (
        None,
        None,
        0.0,
    )
    assert any("undefined" in note for note in undefined["notes"])
