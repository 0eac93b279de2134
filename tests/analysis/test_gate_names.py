"""Names and paths of a report's numbers."""

from __future__ import annotations

from typing import Any

import pytest

from qm_cli.analysis.gate_names import category_keys, category_place, support_of, value_of
from qm_cli.errors import UsageError
from tests.made_run import report


def calibrated() -> dict[str, Any]:
    rows = [{"id": 1, "name": "cat", "ece": 0.2}, {"id": 7, "name": "a.b", "ece": None}]
    return report() | {"calibration": {"ece": 0.1, "bins": [1, 2], "method": "width", "categories": rows}}


@pytest.mark.parametrize(
    ("metric", "category", "value"),
    [
        ("AP50", None, 0.6),
        ("images", None, 6),
        ("recall", "dog", None),
        ("recall", "1", 1.0),
        ("calibration.ece", None, 0.1),
        ("ece", None, 0.1),
        ("calibration.categories.cat.ece", None, 0.2),
        ("calibration.categories.1.ece", None, 0.2),
        ("calibration.categories.a.b.ece", None, None),
        ("categories.cat.AP", None, 0.5),
        ("metrics.AP", None, 0.4),
    ],
)
def test_values(metric: str, category: str | None, value: float | None) -> None:
    assert value_of(calibrated(), metric, category) == value


@pytest.mark.parametrize(
    ("metric", "category", "hint"),
    [
        ("precison", None, "precision"),
        ("map50", None, "AP50"),
        ("ap", None, "AP"),
        ("name", "cat", "there are"),
        ("AP75", "cat", "AP50"),
        ("recall", "cta", "cat"),
        ("recall", "zzz", "there are cat, dog"),
        ("calibration.ec", None, "calibration.ece"),
        ("calibration.method", None, "calibration.ece"),
        ("iou", None, "there are"),
    ],
)
def test_unknown_names(metric: str, category: str | None, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        value_of(calibrated(), metric, category)
    assert hint in caught.value.hint


def test_a_name_that_several_have() -> None:
    twice = report()
    twice["categories"][1]["name"] = "cat"
    with pytest.raises(UsageError, match="2 categories"):
        category_place(twice["categories"], "cat")
    assert category_keys(twice["categories"]) == ["1", "2"]
    assert category_keys(report()["categories"]) == ["cat", "dog"]
    with pytest.raises(UsageError, match="2 numbers"):
        value_of(calibrated() | {"other": {"ece": 1}}, "ece")


def test_support() -> None:
    found = report(true_positives=9, false_negatives=2)
    assert support_of(found, "recall") == support_of(found, "AP") == 4
    assert support_of(found, "precision") == support_of(found, "precision_macro") == 12
    assert support_of(found, "f1") == 14
    assert support_of(found, "recall", "cat") == 2
    assert support_of(found, "false_positives") is support_of(report(), "precision") is None


def test_a_category_of_several_questions_is_named_with_its_question() -> None:
    rows = [{"id": 1, "name": "yes", "question": question, "f1": value} for question, value in (("a", 0.5), ("b", 0.9))]
    classes = {**report(), "categories": rows}
    assert value_of(classes, "f1", "b/yes") == 0.9
    assert category_keys(rows) == ["a/yes", "b/yes"]
    with pytest.raises(UsageError, match="write a/yes"):
        category_place(rows, "yes")


def test_a_categorys_numbers_in_other_parts() -> None:
    found = calibrated()
    rows = [{"id": 1, "name": "cat", "confidence": 0.4}, {"id": 7, "name": "a.b", "confidence": None}]
    target = {"target": "precision=0.9", "overall": {"confidence": 0.3}, "categories": rows}
    found |= {"thresholds": {"iou": 0.5, "targets": [target]}}
    assert value_of(found, "ECE") == 0.1
    assert value_of(found, "Calibration.ECE", "cat") == value_of(found, "ece", "cat") == 0.2
    assert value_of(found, "calibration.ece", "dog") is None
    assert value_of(found, "thresholds.precision=0.9.confidence") == 0.3
    assert value_of(found, "thresholds.precision=0.9.confidence", "1") == 0.4
    with pytest.raises(UsageError) as caught:
        value_of(found, "thresholds.precision=0.8.confidence")
    assert "thresholds.precision=0.9.confidence" in caught.value.hint
