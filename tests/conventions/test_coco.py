"""COCO as a convention; its numbers are held against pycocotools in test_evaluation."""

from __future__ import annotations

from qm_cli.analysis.summary_numbers import summary_numbers
from qm_cli.settings import Settings
from tests.conventions.comparing import evaluated, hold_invariants, reported
from tests.input_files import document, image, label, prediction
from tests.oracles.random_sets import random_set


def test_invariants() -> None:
    hold_invariants(evaluated(*random_set(1), "coco", confidence=0.3))


def test_flags_of_other_conventions_are_not_looked_at() -> None:
    labels = document([image(1)], [label(1, difficult=1, ignore=1)])
    assert reported(labels, [prediction()], "coco")["metrics"]["recall"] == 1.0


def test_every_number_says_what_it_is() -> None:
    found = reported(document(), [prediction()], "coco", iou=0.6)
    assert set(found["definitions"]) == set(found["metrics"])
    assert {number.name for number in summary_numbers(Settings())} < set(found["definitions"])
    assert found["definitions"]["precision"] == "TP / (TP + FP); IoU ≥ 0.6, confidence ≥ 0.5"
    assert found["definitions"]["AP_at_iou"].startswith("average precision over 101 recalls, IoU ≥ 0.6,")
