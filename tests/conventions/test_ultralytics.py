"""Ultralytics against plain loops, and cases worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from qm_cli.conventions.ultralytics import smoothed
from tests.conventions.comparing import by_category, close, confusion_cells, evaluated, hold_invariants, reported
from tests.input_files import document, image, label, prediction
from tests.oracles import one_label_loop
from tests.oracles.random_sets import Row, random_set
from tests.strategies import DetectionSet, detection_sets

NAMES = ("AP50", "AP75", "AP50-95")


def hold(labels: Row, predictions: list[Row]) -> None:
    expected = one_label_loop.ultralytics(labels, predictions)
    found = reported(labels, predictions, "ultralytics")
    ids = [one["id"] for one in labels["categories"]]
    for name in NAMES:
        values = expected.get(name, {})
        assert by_category(found, name) == {one: close(values.get(one)) for one in ids}
        assert found["metrics"][name] == close(np.mean(list(values.values())) if values else None)
    evaluation = evaluated(labels, predictions, "ultralytics")
    assert confusion_cells(evaluation) == one_label_loop.ultralytics_confusion(labels, predictions)
    hold_invariants(evaluation)
    if expected["AP50-95"]:
        hold_rates(found, expected)


def hold_rates(found: Row, expected: Row) -> None:
    """Where the smoothed F1 is flat, sums in another order may prefer another of the best places."""
    place = expected["grid"].index(found["metrics"]["best_f1_confidence"])
    assert expected["smooth"][place] == close(max(expected["smooth"]))
    for category, (precision, recall) in expected["curves"].items():
        row = next(one for one in found["categories"] if one["id"] == category)
        assert (row["P"], row["R"], row["F1"]) == (
            close(precision[place]),
            close(recall[place]),
            close(expected["f1"][category][place]),
        )


@pytest.mark.parametrize("seed", range(4))
def test_equals_the_loop(seed: int) -> None:
    hold(*random_set(seed))


@given(detection_sets(comparable=True))
@settings(max_examples=8, deadline=None)
def test_equals_the_loop_in_corners(data: DetectionSet) -> None:
    hold(*data)


def test_interpolation_joins_points_by_straight_lines() -> None:
    """One hit in two labels: precision 1 to recall .5, then a line to (1, 0); COCO's steps give 51/101."""
    labels = document(images=[image(1)], labels=[label(1), label(2, bbox=[60, 60, 9, 9], area=81)])
    found = reported(labels, [prediction()], "ultralytics")
    assert by_category(found, "AP50")[1] == close(0.75)


def test_smoothing_goes_on_at_the_ends() -> None:
    assert smoothed(np.arange(10.0), 0.2).tolist() == [close(value) for value in (1 / 3, *range(1, 9), 26 / 3)]


def test_a_prediction_keeps_its_best_label_alone() -> None:
    """Both overlap the first label most; the better one has it, the other has none, though the second label is free."""
    labels = document(images=[image(1)], labels=[label(1), label(2, bbox=[10, 16, 20, 20])])
    rows = [prediction(), prediction(bbox=[10, 11, 20, 20], score=0.95)]
    cells = confusion_cells(evaluated(labels, rows, "ultralytics"))
    assert cells == {(1, 1): 1, (1, None): 1, (None, 1): 1}


def test_thresholds_are_its_own_and_can_be_changed() -> None:
    found = reported(document(), [prediction()], "ultralytics")
    assert (found["iou"], found["confidence"]) == (0.45, 0.25)
    assert found["definitions"]["precision"].endswith("IoU > 0.45, confidence > 0.25, matched whatever the category")
    assert reported(document(), [prediction(score=0.4)], "ultralytics", confidence=0.5)["metrics"]["recall"] == 0.0


def test_categories_of_false_positives_alone_are_left_out() -> None:
    found = reported(document(), [prediction(), prediction(category_id=7)], "ultralytics")
    assert by_category(found, "AP50")[7] is None
    assert found["metrics"]["AP50"] == by_category(found, "AP50")[1]


def test_without_labels_nothing_is_defined() -> None:
    found = reported(document(labels=[]), [prediction()], "ultralytics")
    assert {found["metrics"][name] for name in (*NAMES, "P", "R", "F1", "best_f1_confidence")} == {None}


def test_without_categories_nothing_is_defined() -> None:
    metrics = reported({"images": [image(1)], "categories": [], "annotations": []}, [], "ultralytics")["metrics"]
    assert [metrics[name] for name in ("AP50", "AP50-95", "best_f1_confidence", "precision")] == [None] * 4
