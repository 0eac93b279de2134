"""Labelbox's product rule against a plain loop, and cases worked by hand."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conventions.comparing import confusion_cells, evaluated, hold_invariants, reported
from tests.input_files import document, image, label, prediction
from tests.oracles import labelbox_loop
from tests.oracles.random_sets import Row, random_set
from tests.strategies import DetectionSet, detection_sets


def hold(labels: Row, predictions: list[Row], iou: float, confidence: float) -> None:
    evaluation = evaluated(labels, predictions, "labelbox", iou=iou, confidence=confidence)
    assert confusion_cells(evaluation) == labelbox_loop.labelbox(labels, predictions, iou, confidence)
    hold_invariants(evaluation)


@pytest.mark.parametrize("seed", range(10))
def test_equals_the_loop(seed: int) -> None:
    labels, predictions = random_set(seed)
    for iou, confidence in ((0.5, 0.5), (0.0, 0.0), (0.7, 0.25)):
        hold(labels, predictions, iou, confidence)


@given(detection_sets(comparable=True), st.sampled_from([0.0, 0.3, 0.5]), st.sampled_from([0.0, 0.5]))
@settings(max_examples=30, deadline=None)
def test_equals_the_loop_in_corners(data: DetectionSet, iou: float, confidence: float) -> None:
    hold(*data, iou, confidence)


def test_the_best_overlap_goes_first_whatever_the_category() -> None:
    """The dog overlaps the cat label best and takes it, so that the cat prediction finds none."""
    labels = document(images=[image(1)], labels=[label(1)])
    rows = [prediction(bbox=[10, 12, 20, 20], score=0.99), prediction(category_id=7, score=0.6)]
    evaluation = evaluated(labels, rows, "labelbox")
    assert confusion_cells(evaluation) == {(1, 7): 1, (None, 1): 1}
    metrics = reported(labels, rows, "labelbox")["metrics"]
    assert [metrics[name] for name in ("true_positives", "false_positives", "false_negatives", "true_negatives")] == [
        *(0, 2, 1, 0)
    ]


def test_a_pair_must_be_above_the_threshold() -> None:
    labels = document(images=[image(1)], labels=[label(bbox=[0, 0, 20, 20])])
    rows = [prediction(bbox=[0, 0, 20, 10])]
    assert reported(labels, rows, "labelbox")["metrics"]["true_positives"] == 0
    assert reported(labels, rows, "labelbox", iou=0.49)["metrics"]["true_positives"] == 1


def test_no_average_precision() -> None:
    found = reported(document(), [prediction()], "labelbox")
    names = {*found["metrics"], *found["categories"][0], *found["definitions"]}
    assert not [name for name in names if name.startswith(("AP", "AR", "mAP"))]


def test_a_missing_confidence_is_one() -> None:
    row = {name: value for name, value in prediction().items() if name != "score"}
    found = reported(document(), [row], "labelbox", confidence=1.0)
    assert found["metrics"]["true_positives"] == 1
    assert [one["code"] for one in found["findings"]] == ["prediction-filled-score"]


def test_what_lies_in_a_crowd_is_left_out() -> None:
    labels = document(images=[image(1)], labels=[label(bbox=[0, 0, 50, 50], iscrowd=1)])
    evaluation = evaluated(labels, [prediction(), prediction(category_id=7)], "labelbox")
    assert Counter(confusion_cells(evaluation)) == {(None, 7): 1}
