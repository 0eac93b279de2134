"""Labelbox's package rule against a plain loop, the package's recorded numbers, and the package where it is there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conventions.comparing import by_category, close, evaluated, hold_invariants, reported
from tests.input_files import document, image, label, prediction, without
from tests.oracles import labelbox_loop
from tests.oracles.random_sets import Row, random_set, run_lengths, with_masks, without_flags

PARITY = Path(__file__).parents[1] / "parity"
RECORDED: list[Row] = json.loads((PARITY / "labelbox_sdk.json").read_text())
RECORDED_MASKS: list[Row] = json.loads((PARITY / "labelbox_sdk_masks.json").read_text())


def hold(labels: Row, predictions: list[Row], iou: float, expected: dict[Any, Row]) -> None:
    """expected: counts and IoU by image and category, as the loop and the record give them."""
    found = reported(labels, predictions, "labelbox-sdk", iou=iou, confidence=0.0)
    means = [one[None] for one in expected.values()]
    assert found["metrics"]["iou"] == close(sum(means) / len(means) if means else None)
    for row in found["categories"]:
        own = [one[row["id"]] for one in expected.values() if row["id"] in one]
        sums = [sum(one["counts"][place] for one in own) for place in range(4)]
        names = ("true_positives", "false_positives", "true_negatives", "false_negatives")
        assert [row[name] for name in names] == sums
        assert row["iou"] == close(sum(one["iou"] for one in own) / len(own) if own else None)


@pytest.mark.parametrize("seed", range(10))
def test_equals_the_loop(seed: int) -> None:
    labels, predictions = random_set(seed)
    labels = without_flags(labels)
    for iou in (0.5, 0.3):
        hold(labels, predictions, iou, labelbox_loop.labelbox_sdk(labels, predictions, iou))
    hold_invariants(evaluated(labels, predictions, "labelbox-sdk", confidence=0.3))


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: f"seed {case['seed']}, IoU {case['iou']}")
def test_equals_the_package(case: Row) -> None:
    """Numbers of labelbox 7.17.0, recorded by tests/parity/make_conventions.py."""
    labels, predictions = random_set(case["seed"])
    hold(without_flags(labels), predictions, case["iou"], recorded(case))


@pytest.mark.parametrize("case", RECORDED_MASKS, ids=lambda case: f"seed {case['seed']}, IoU {case['iou']}")
def test_masks_equal_the_package(case: Row) -> None:
    labels, predictions = with_masks(*random_set(case["seed"]))
    hold(without_flags(labels), predictions, case["iou"], recorded(case))


def recorded(case: Row) -> dict[Any, Row]:
    expected: dict[Any, Row] = {}
    for one in case["features"]:
        expected.setdefault(one["image"], {})[one["category"]] = {"counts": one["counts"], "iou": one["iou"]}
    for one in case["images"]:
        expected[one["image"]][None] = one["iou"]
    return expected


def test_masks_of_a_category_are_one_for_iou_and_single_for_counts() -> None:
    """Two halves for one label: all its pixels are found, by neither half alone."""
    whole, left, right = (
        {"segmentation": run_lengths(box, 80)} for box in ([0, 0, 40, 40], [0, 0, 20, 40], [20, 0, 20, 40])
    )
    labels = document(images=[image(1, width=80, height=80)], labels=[label(1, **whole)])
    rows = [{**without(prediction(), "bbox"), **half} for half in (left, right)]
    found = reported(labels, rows, "labelbox-sdk")
    assert found["task"] == "segm"
    assert found["metrics"]["iou"] == 1.0
    assert (found["metrics"]["true_positives"], found["metrics"]["false_positives"]) == (0, 2)
    assert "the IoU of all their masks together" in found["definitions"]["iou"]
    crowd = document(images=[image(1, width=80, height=80)], labels=[label(1, iscrowd=1, **whole), label(2, **left)])
    assert reported(crowd, rows, "labelbox-sdk")["metrics"]["iou"] == 1.0


def test_masks_of_one_side_alone_share_nothing() -> None:
    """Without a single prediction, or label, that side has no column of masks."""
    mask = {"segmentation": run_lengths([0, 0, 40, 40], 80)}
    pictures = [image(1, width=80, height=80)]
    found = reported(document(images=pictures, labels=[label(1, **mask)]), [], "labelbox-sdk", task="segm")
    assert (found["metrics"]["iou"], found["metrics"]["false_negatives"]) == (0.0, 1)
    rows = [{**without(prediction(), "bbox"), **mask}]
    found = reported(document(images=pictures, labels=[]), rows, "labelbox-sdk", task="segm")
    assert (found["metrics"]["iou"], found["metrics"]["false_positives"]) == (0.0, 1)


def test_categories_of_an_image_weigh_the_same() -> None:
    """One cat found exactly, one of two dogs: (1 + .5) / 2, and the image without anything has no value."""
    dogs = [label(2, category_id=7, bbox=[50, 0, 9, 9]), label(3, category_id=7, bbox=[50, 40, 9, 9])]
    labels = document(images=[image(1), image(2)], labels=[label(1), *dogs])
    rows = [prediction(), prediction(category_id=7, bbox=[50, 0, 9, 9])]
    found = reported(labels, rows, "labelbox-sdk")
    assert found["metrics"]["iou"] == 0.75
    assert by_category(found, "iou") == {1: 1.0, 7: 0.5}


def test_another_category_is_never_a_match() -> None:
    evaluation = evaluated(document(images=[image(1)], labels=[label(1)]), [prediction(category_id=7)], "labelbox-sdk")
    assert evaluation.confusion.tolist() == [[0, 0, 1], [0, 0, 0], [0, 1, 0]]
