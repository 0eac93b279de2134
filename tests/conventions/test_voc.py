"""VOC against plain loops, and cases worked by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from qm_cli.errors import UsageError
from qm_cli.settings import settings_at
from tests.conventions.comparing import by_category, close, evaluated, hold_invariants, outcome_names, reported
from tests.input_files import document, image, label, prediction
from tests.oracles import one_label_loop
from tests.oracles.random_sets import random_set
from tests.strategies import DetectionSet, detection_sets


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("convention", ["voc07", "voc12"])
def test_equals_the_loop(seed: int, convention: str) -> None:
    labels, predictions = random_set(seed)
    for devkit in (False, True):
        hold(labels, predictions, convention, 0.5, devkit)


@given(detection_sets(comparable=True))
@settings(max_examples=25, deadline=None)
def test_equals_the_loop_in_corners(data: DetectionSet) -> None:
    hold(*data, "voc12", 0.3, devkit=False)


def hold(
    labels: one_label_loop.Row, predictions: list[one_label_loop.Row], name: str, iou: float, devkit: bool
) -> None:
    expected = one_label_loop.voc(labels, predictions, iou, name == "voc07", devkit)
    found = reported(labels, predictions, name, iou=iou, voc_devkit=devkit)
    assert found["metrics"]["mAP"] == close(expected["mAP"])
    assert by_category(found, "AP") == {category: close(value) for category, value in expected["AP"].items()}
    evaluation = evaluated(labels, predictions, name, iou=iou, voc_devkit=devkit, confidence=0.0)
    assert outcome_names(evaluation) == expected["outcome"]


@pytest.mark.parametrize("seed", range(3))
def test_invariants(seed: int) -> None:
    hold_invariants(evaluated(*random_set(seed), "voc12", confidence=0.3))


def test_one_pixel_more_decides() -> None:
    """Boxes of 9 × 9 and 9 × 4 side by side from the top: 36/81 plainly, 10 · 5 / 100 = .5 with a pixel added."""
    labels = document(images=[image(1)], labels=[label(bbox=[0, 0, 9, 9], area=81)])
    rows = [prediction(bbox=[0, 0, 9, 4])]
    assert by_category(reported(labels, rows, "voc12"), "AP")[1] == 0.0
    assert by_category(reported(labels, rows, "voc12", voc_devkit=True), "AP")[1] == 1.0


def test_difficult_labels_neither_count_nor_punish() -> None:
    far = [60, 60, 10, 10]
    labels = document(images=[image(1)], labels=[label(1), label(2, bbox=far, area=100, difficult=1)])
    found = reported(labels, [prediction(score=0.6), prediction(bbox=far), prediction(bbox=far)], "voc12")
    assert (found["labels"], found["crowd"]) == (1, 1)
    assert (found["metrics"]["mAP"], found["metrics"]["precision"]) == (1.0, 1.0)


def test_only_a_label_already_taken_is_tried() -> None:
    """COCO would give the second detection the other label; VOC tries the one it overlaps most alone."""
    labels = document(images=[image(1)], labels=[label(1), label(2, bbox=[10, 14, 20, 20])])
    rows = [prediction(), prediction(bbox=[10, 11, 20, 20], score=0.8)]
    assert reported(labels, rows, "coco")["metrics"]["true_positives"] == 2
    assert reported(labels, rows, "voc12")["metrics"]["true_positives"] == 1


def test_numbers_say_what_they_are() -> None:
    found = reported(document(), [prediction()], "voc07")
    assert set(found["definitions"]) >= {*found["metrics"]}
    assert "11 recalls, IoU with one pixel added > 0.5" in found["definitions"]["AP"]
    assert not {"AP50", "AR100"} & {*found["metrics"], *found["categories"][0]}


def test_nothing_defined_is_null() -> None:
    found = reported(document(labels=[]), [prediction()], "voc12")
    assert (found["metrics"]["mAP"], by_category(found, "AP")) == (None, {1: None, 7: None})
    assert found["notes"][-1] == "no label counts: AP and recall are undefined"


def test_the_kit_is_vocs() -> None:
    with pytest.raises(UsageError, match="convention coco knows no such kit"):
        settings_at("coco", voc_devkit=True)


def test_the_kit_at_iou_0_matches_what_overlaps() -> None:
    labels = document([image(1)], [label()])
    rows = [prediction(bbox=[60, 60, 9, 9]), prediction(bbox=[29, 29, 20, 20], score=0.8)]
    found = evaluated(labels, rows, "voc12", iou=0.0, voc_devkit=True)
    assert outcome_names(found) == ["FP", "TP"]
