"""The report: numbers against the oracles, undefined is None, and notes that are true."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli.analysis.summary_numbers import summary_numbers
from qm_cli.errors import UsageError
from qm_cli.evaluation import evaluate_tables
from qm_cli.findings import Finding
from qm_cli.report import evaluation_report, report_of
from qm_cli.settings import AREA_RANGES, AreaRange, Settings
from tests import builders
from tests.input_files import document, label, prediction
from tests.oracles import coco_loop, counts_loop
from tests.strategies import DetectionSet, detection_sets

Row = dict[str, Any]
AVERAGED = ("AP", "AP50", "AP75", "AR100")
PLAIN = (bool, int, float, str, type(None))


def report(labels: Row, predictions: list[Row], **chosen: Any) -> Row:
    return report_of(builders.tables(labels, predictions), Settings(**chosen))


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from leaves(one)
    else:
        yield value


@given(detection_sets(), st.sampled_from([0.5, 0.3]))
@settings(max_examples=40, deadline=None)
def test_plain_values_undefined_is_none(data: DetectionSet, iou: float) -> None:
    found = report(*data, iou=iou)
    assert {type(value) for value in leaves(found)} <= set(PLAIN)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    for row in found["categories"]:
        assert (row["AP"] is None) == (row["AP50"] is None) == (row["AR100"] is None)
        counted = row["true_positives"] + row["false_negatives"]
        assert (row["recall"] is None) == (counted == 0)
        assert row["labels"] == counted
        assert row["AP"] is not None or row["labels"] == 0
    sums = [found["metrics"][name] for name in ("true_positives", "false_positives", "false_negatives")]
    assert sums == [
        sum(row[name] for row in found["categories"])
        for name in ("true_positives", "false_positives", "false_negatives")
    ]
    assert found["labels"] + found["crowd"] == len(data[0]["annotations"])
    assert sum(row["predictions"] for row in found["categories"]) == found["predictions"] == len(data[1])


@given(detection_sets(), st.sampled_from([0.3, 0.62, 0.75]))
@settings(max_examples=20, deadline=None)
def test_numbers_at_the_chosen_iou_equal_the_loop(data: DetectionSet, iou: float) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coco_loop, "IOU_THRESHOLDS", [iou])
        expected = coco_loop.evaluate(*data)
    metrics = report(*data, iou=iou)["metrics"]
    for name, wanted in (("AP_at_iou", expected["AP"]), ("AR_at_iou", expected["AR100"])):
        assert metrics[name] == (None if wanted is None else pytest.approx(wanted, abs=1e-12)), name


@given(detection_sets())
@settings(max_examples=20, deadline=None)
def test_the_chosen_iou_changes_no_number_of_coco(data: DetectionSet) -> None:
    first, second = (report(*data, iou=iou)["metrics"] for iou in (0.5, 0.3))
    names = [number.name for number in summary_numbers(Settings())]
    assert [first[name] for name in names] == [second[name] for name in names]
    assert first["AP_at_iou"] == first["AP50"]


@given(detection_sets())
@settings(max_examples=20, deadline=None)
def test_one_category_alone_is_as_among_all(data: DetectionSet) -> None:
    whole = report(*data)
    for row in whole["categories"]:
        alone = report(*data, categories=(str(row["id"]),))
        [own] = alone["categories"]
        assert {name: own[name] for name in own if name not in AVERAGED} == {
            name: row[name] for name in row if name not in AVERAGED
        }
        for name in AVERAGED:
            wanted = None if row[name] is None else pytest.approx(row[name], abs=1e-12)
            assert (alone["metrics"][name], own[name]) == (wanted, wanted), name
        assert (alone["metrics"]["precision"], alone["metrics"]["f1"]) == (row["precision"], row["f1"])


def test_macro_leaves_undefined_categories_out() -> None:
    labels = document(labels=[label(1), label(2, image_id=2)])
    metrics = report(labels, [prediction()])["metrics"]
    assert (metrics["recall"], metrics["recall_macro"]) == (0.5, 0.5)
    assert (metrics["precision_macro"], metrics["f1_macro"]) == (1.0, pytest.approx(2 / 3))


def test_confusion_cells_come_largest_first() -> None:
    labels = [label(1), label(2, image_id=2, category_id=7), label(3, image_id=2, bbox=[60, 60, 9, 9], area=81)]
    given_rows = [prediction(), prediction(image_id=2), *[prediction(category_id=7, bbox=[50, 0, 9, 9])] * 3]
    confusion = report(document(labels=labels), given_rows, iou=0.6, confidence=0.2)["confusion"]
    assert confusion == {
        "orientation": "rows true, columns predicted",
        "iou": 0.6,
        "confidence": 0.2,
        "cells": [
            {"true": None, "predicted": "dog", "count": 3},
            {"true": "cat", "predicted": "cat", "count": 1},
            {"true": "cat", "predicted": None, "count": 1},
            {"true": "dog", "predicted": "cat", "count": 1},
        ],
    }


def test_settings_are_echoed() -> None:
    found = report(document(), [prediction()], iou=0.3, confidence=0.25)
    assert (found["iou"], found["confidence"], found["task"], found["convention"]) == (0.3, 0.25, "bbox", "coco")
    assert found["max_detections"] == [1, 10, 100]
    assert (found["images"], found["labels"], found["crowd"], found["predictions"]) == (2, 2, 0, 1)


def test_categories_are_named_and_counted_among_the_chosen_alone() -> None:
    tables = builders.tables(document(), [prediction(), prediction(category_id=7)])
    found = report_of(tables, Settings(categories=("dog",)))
    assert [row["name"] for row in found["categories"]] == ["dog"]
    assert (found["images"], found["labels"], found["predictions"]) == (2, 0, 1)
    assert found["notes"][-1] == "only the categories dog"
    with pytest.raises(UsageError, match=r"no category 'dgo' \(did you mean dog\?\)"):
        report_of(tables, Settings(categories=("dgo",)))


def test_no_notes_where_nothing_is_odd() -> None:
    assert report(document(), [prediction()])["notes"] == []


def test_notes_of_what_is_undefined() -> None:
    assert report(document(), [])["notes"] == ["no predictions: AP and recall are 0, precision is undefined"]
    crowd = document(labels=[label(iscrowd=1)])
    assert report(crowd, [prediction()])["notes"] == ["no label counts: AP, AR and recall are undefined"]


def test_neither_labels_nor_predictions_is_undefined_in_every_number() -> None:
    found = report(document(labels=[]), [])
    ratios = {name: value for name, value in found["metrics"].items() if not name.endswith("tives")}
    assert set(ratios.values()) == {None}
    assert found["notes"] == [
        "no label counts: AP, AR and recall are undefined",
        "no predictions: precision is undefined",
    ]


def test_no_categories_at_all() -> None:
    found = report(document(labels=[], categories=[]), [])
    assert (found["categories"], found["confusion"]["cells"], found["metrics"]["AP"]) == ([], [], None)


def test_findings_are_notes_too() -> None:
    tables = builders.tables(document(), [prediction()]).with_findings([Finding("label-zero-area", 2, ("3", "4"))])
    found = evaluation_report(evaluate_tables(tables, Settings()))
    assert [one["code"] for one in found["findings"]] == ["label-zero-area"]
    assert found["notes"] == ["label-zero-area: 2 × annotation whose box has no area (first: 3, 4)"]


def test_the_note_counts_every_prediction_left_out() -> None:
    far = [prediction(bbox=[60, 60, 9, 9], score=0.9) for _ in range(103)]
    found = report(document(), [*far, prediction(score=0.1), prediction(image_id=2)])
    assert found["notes"] == [
        "4 predictions beyond 100 an image and category are left out of AP and AR "
        "(images: 1, true positives lost at IoU 0.5: 1)"
    ]


def test_predictions_of_other_images_or_categories_are_not_left_out() -> None:
    rows = [prediction(image_id=1 + n % 2, category_id=(1, 7)[n // 2 % 2]) for n in range(400)]
    assert report(document(), rows)["notes"] == []


@pytest.mark.parametrize("chosen", [{"max_detections": (1, 10, 300)}, {"area_ranges": Settings().area_ranges[:1]}])
def test_other_limits_and_areas(chosen: Row) -> None:
    assert report(document(), [prediction()], **chosen)["metrics"]["AP50"] is not None


def test_numbers_of_a_large_set_are_means_of_the_categories() -> None:
    random = np.random.default_rng(0)
    labels = [
        label(n, image_id=1 + n % 2, category_id=(1, 7)[n % 3 % 2], bbox=box, area=box[2] * box[3])
        for n, box in enumerate(random.integers(1, 60, (200, 4)).tolist())
    ]
    given_rows = [prediction(**{k: one[k] for k in ("image_id", "category_id", "bbox")}) for one in labels[:150]]
    found = report(document(labels=labels), given_rows)
    for name in AVERAGED:
        values = [row[name] for row in found["categories"]]
        assert found["metrics"][name] == pytest.approx(np.mean(values), abs=1e-12)


def test_other_limits_and_areas_are_named_and_used() -> None:
    rows = [prediction(bbox=[60, 60, 9, 9], score=0.9), prediction(score=0.5), prediction(image_id=2)]
    areas = (AREA_RANGES[0], AreaRange("tiny", 0, 100), AreaRange("rest", 100, 1e10))
    found = report(document(), rows, max_detections=(1, 300), area_ranges=areas)
    metrics = found["metrics"]
    names = ["AP", "AP50", "AP75", "AP_tiny", "AP_rest", "AR1", "AR300", "AR_tiny", "AR_rest"]
    assert list(metrics)[: len(names)] == names
    assert (metrics["AR1"], metrics["AR300"]) == (0.5, 1.0)
    assert (metrics["AP_tiny"], metrics["AR_rest"]) == (None, 1.0)
    assert metrics["AP"] < metrics["AP_rest"]
    assert found["categories"][0]["AR300"] == 1.0
    assert found["area_ranges"][0] == {"name": "tiny", "low": 0, "high": 100, "suffix": "_tiny"}


@given(detection_sets(), st.sampled_from([(1, 2, 3), (2, 5, 50), (1, 10, 100, 300)]))
@settings(max_examples=15, deadline=None)
def test_other_limits_equal_the_loop(data: DetectionSet, limits: tuple[int, ...]) -> None:
    areas = [("all", 0.0, 1e10), ("thin", 0.0, 300.0), ("thick", 300.0, 2000.0)]
    chosen = tuple(AreaRange(*one) for one in areas)
    metrics = report(*data, max_detections=limits, area_ranges=chosen)["metrics"]
    stats = [("AP", "precision", None, 0, len(limits) - 1), ("AP_thin", "precision", None, 1, len(limits) - 1)]
    stats += [("AR_thick", "recall", None, 2, len(limits) - 1), ("AP75", "precision", 0.75, 0, len(limits) - 1)]
    stats += [(f"AR{limit}", "recall", None, 0, place) for place, limit in enumerate(limits)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coco_loop, "AREAS", areas)
        patch.setattr(coco_loop, "MAX_DETECTIONS", list(limits))
        patch.setattr(coco_loop, "STATS", stats)
        expected = coco_loop.evaluate(*data)
    for name, *_ in stats:
        wanted = expected[name]
        assert metrics[name] == (None if wanted is None else pytest.approx(wanted, abs=1e-12)), name


@given(detection_sets())
@settings(max_examples=20, deadline=None)
def test_mean_iou_and_f_beta_equal_the_loop(data: DetectionSet) -> None:
    found = report(*data, beta=2.0, confidence=0.2)
    expected = counts_loop.evaluate_counts(*data, confidence=0.2)
    for row, wanted in zip(found["categories"], expected["per_category"].values(), strict=True):
        overlaps = [
            verdict["iou"]
            for one, verdict in zip(data[1], expected["predictions"], strict=True)
            if verdict["outcome"] == "TP" and one["category_id"] == row["id"]
        ]
        assert row["mean_iou"] == (pytest.approx(np.mean(overlaps), abs=1e-12) if overlaps else None)
        weighed = 5 * wanted["tp"] + wanted["fp"] + 4 * wanted["fn"]
        assert row["f_beta"] == (pytest.approx(5 * wanted["tp"] / weighed) if weighed else None)
    assert found["beta"] == 2.0
    assert "f_beta" not in report(*data)["metrics"]
