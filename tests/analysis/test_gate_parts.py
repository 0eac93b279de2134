"""Parts of an evaluation against the evaluation of the part alone, and against plain loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli.analysis.bootstrap import METRICS, weighted_numbers
from qm_cli.analysis.gate_numbers import measuring
from qm_cli.analysis.gate_quantities import SCOPED_COUNTS, Population, Quantity
from qm_cli.analysis.slices import Matched, Members, restricted
from qm_cli.evaluation import evaluate_tables
from qm_cli.report import report_of
from qm_cli.settings import AREA_RANGES, IOU_THRESHOLDS, AreaRange, Settings
from qm_cli.tables import Tables
from tests import builders
from tests.oracles.coco_loop import by_score, in_range, label_area, match_cell
from tests.strategies import DetectionSet, detection_sets

RATES = ("precision", "recall", "f1")
OF_CATEGORIES = ("AP", *RATES, "true_positives", "false_positives", "false_negatives", "labels", "predictions")


def told(tables: Tables, quantities: list[Quantity], members: dict[str, Members] | None = None) -> list[float | None]:
    found = measuring(tables, Settings(), quantities, members)
    values = dict(zip(found.quantities, found.numbers(np.ones(found.images, np.int32)).tolist(), strict=True))
    return [None if np.isnan(values[one]) else values[one] for one in quantities]


def wanted(population: Population, category: int | None = None) -> list[Quantity]:
    names = [*RATES, *SCOPED_COUNTS] if category is None else [name for name in OF_CATEGORIES if name != "AP"]
    return [
        Quantity("AP", population, category, IOU_THRESHOLDS),
        *(Quantity(name, population, category, (), 0.6, 0.25) for name in names),
    ]


def loop_counts(labels: dict[str, Any], predictions: list[dict[str, Any]], low: float, high: float) -> list[int]:
    """True positives, false positives, false negatives of labels of a size at IoU .6, confidence .25."""
    true = false = missed = 0
    counted = [one for one in predictions if one["score"] >= 0.25]
    for image in labels["images"]:
        for category in labels["categories"]:
            key = (image["id"], category["id"])
            here = [one for one in counted if (one["image_id"], one["category_id"]) == key]
            here = [here[place] for place in by_score(here)]
            there = [one for one in labels["annotations"] if (one["image_id"], one["category_id"]) == key]
            ignored = [bool(one.get("iscrowd", 0)) or not in_range(label_area(one), low, high) for one in there]
            matches = match_cell(here, there, ignored, 0.6)
            taken = {match for match in matches if match is not None}
            for one, match in zip(here, matches, strict=True):
                if match is None:
                    false += in_range(one["bbox"][2] * one["bbox"][3], low, high)
                else:
                    true += not ignored[match]
            missed += sum(not ignored[place] and place not in taken for place in range(len(there)))
    return [true, false, missed]


@settings(deadline=None, max_examples=25)
@given(detection_sets(comparable=True), st.sampled_from([(0.0, 1024.0), (1024.0, 9216.0), (300.0, 1e10), (0.0, 399.0)]))
def test_counts_of_a_size_are_the_loops(made: DetectionSet, size: tuple[float, float]) -> None:
    population = Population(AreaRange("own", *size))
    names = ("true_positives", "false_positives", "false_negatives")
    quantities = [Quantity(name, population, None, (), 0.6, 0.25) for name in names]
    assert told(builders.tables(*made), quantities) == loop_counts(*made, *size)


@settings(deadline=None, max_examples=25)
@given(detection_sets(comparable=True), st.data())
def test_a_slice_of_images_is_the_evaluation_of_these_images(made: DetectionSet, data: st.DataObject) -> None:
    tables = builders.tables(*made)
    kept = np.array([data.draw(st.booleans()) for _ in range(tables.count("image"))])
    ids = {one for one, keep in zip(tables.image["id"].to_pylist(), kept, strict=True) if keep}
    labels, predictions = made
    alone = {
        **labels,
        "images": [one for one in labels["images"] if one["id"] in ids],
        "annotations": [one for one in labels["annotations"] if one["image_id"] in ids],
    }
    if not ids:
        return
    part = builders.tables(alone, [one for one in predictions if one["image_id"] in ids])
    members = {"some": Members(True, kept, None, None)}
    for category in (None, 0):
        of_slice = told(tables, wanted(Population(AREA_RANGES[0], "some"), category), members)
        assert of_slice == pytest.approx(told(part, wanted(Population(AREA_RANGES[0]), category)), abs=1e-12)


def sliced_loop(made: DetectionSet, mine: set[Any], low: float, high: float) -> list[int]:
    """True positives, false positives, false negatives of the labels `mine` at IoU .6, confidence .25, each matched
    among all; a prediction that matches none is the slice's where its score lies between the two."""
    labels, predictions = made
    true = false = missed = 0
    for image in labels["images"]:
        for category in labels["categories"]:
            key = (image["id"], category["id"])
            here = [one for one in predictions if (one["image_id"], one["category_id"]) == key and one["score"] >= 0.25]
            here = [here[place] for place in by_score(here)]
            there = [one for one in labels["annotations"] if (one["image_id"], one["category_id"]) == key]
            crowd = [bool(one.get("iscrowd", 0)) for one in there]
            taken = match_cell(here, there, crowd, 0.6)
            own = [one["id"] in mine and not crowd[place] for place, one in enumerate(there)]
            true += sum(match is not None and own[match] for match in taken)
            false += sum(match is None and low <= one["score"] < high for one, match in zip(here, taken, strict=True))
            missed += sum(one and place not in taken for place, one in enumerate(own))
    return [true, false, missed]


@settings(deadline=None, max_examples=40)
@given(detection_sets(), st.data())
def test_a_slice_of_objects_is_placed_where_its_labels_are(made: DetectionSet, data: st.DataObject) -> None:
    """As the loop counts it, and as `slices` does: labels decide, and a prediction that matches none decides itself."""
    tables = builders.tables(*made)
    ids = tables.label["id"].to_pylist()
    label = np.array([data.draw(st.booleans()) for _ in ids], bool)
    low, high = sorted(data.draw(st.tuples(*[st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.1])] * 2)))
    score = tables.values("prediction", "score")
    images = np.ones(tables.count("image"), bool)
    members = Members(False, images, label, (score >= low) & (score < high))
    population = Population(AREA_RANGES[0], "own")
    found = told(tables, wanted(population), {"own": members})
    counts = found[-3:]
    mine = {one for one, inside in zip(ids, label, strict=True) if inside}
    assert counts == sliced_loop(made, mine, low, high)
    at = Settings(iou=0.6, confidence=0.25)
    matched = evaluate_tables(tables, at)
    of = Matched(matched.tables, matched.matches, matched.outcomes, at)
    numbers = weighted_numbers(restricted(of.weighable(), of, members), images.astype(np.int32)).overall
    expected = [None if np.isnan(value) else value for value in numbers.tolist()]
    named = dict(zip(METRICS, expected, strict=True))
    assert found[:4] == pytest.approx([named[name] for name in ("AP", *RATES)], abs=1e-12)


@settings(deadline=None, max_examples=25)
@given(detection_sets(), st.data())
def test_slices_that_share_out_the_objects_share_out_the_counts(made: DetectionSet, data: st.DataObject) -> None:
    tables = builders.tables(*made)
    masks = [
        np.array([data.draw(st.booleans()) for _ in range(tables.count(level))], bool)
        for level in ("label", "prediction")
    ]
    images = np.ones(tables.count("image"), bool)
    members = {
        "one": Members(False, images, *masks),
        "other": Members(False, images, *(~mask for mask in masks)),
        "all": Members(True, images, None, None),
    }
    names = ("true_positives", "false_positives", "false_negatives", "labels")
    one, other, every = (
        told(tables, [Quantity(name, Population(AREA_RANGES[0], part)) for name in names], members) for part in members
    )
    assert [a + b for a, b in zip(one, other, strict=True) if a is not None and b is not None] == every


@settings(deadline=None, max_examples=25)
@given(detection_sets())
def test_everything_is_the_report(made: DetectionSet) -> None:
    tables = builders.tables(*made)
    report = report_of(tables, Settings(iou=0.6, confidence=0.25))
    metrics = report["metrics"]
    sizes = {name: report[name] for name in ("images", "labels", "predictions")}
    expected = [metrics["AP"], *({**metrics, **sizes}[name] for name in (*RATES, *SCOPED_COUNTS))]
    assert told(tables, wanted(Population(AREA_RANGES[0]))) == pytest.approx(expected, abs=1e-12)
    small = Quantity("AP", Population(AREA_RANGES[1]), None, IOU_THRESHOLDS)
    at_iou = Quantity("AR", Population(AREA_RANGES[0]), None, (0.6,))
    macro = Quantity("f1_macro", Population(AREA_RANGES[0]), None, (), 0.6, 0.25)
    others = [metrics["APs"], metrics["AR_at_iou"], metrics["f1_macro"]]
    assert told(tables, [small, at_iou, macro]) == pytest.approx(others, abs=1e-12)
    row = {**report["categories"][0]}
    assert told(tables, wanted(Population(AREA_RANGES[0]), 0)) == pytest.approx(
        [row[name] for name in OF_CATEGORIES], abs=1e-12
    )


def test_labels_alone_leave_false_positives_out() -> None:
    """Four images, a label found in each and a false positive; the slice holds the labels of two, no predictions."""
    box, far = [0, 0, 20, 20], [60, 60, 20, 20]
    images = [{"id": one, "width": 128, "height": 96} for one in range(4)]
    labels = {
        "images": images,
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [
            {"id": one, "image_id": one, "category_id": 1, "bbox": box, "area": 400, "iscrowd": 0} for one in range(4)
        ],
    }
    predictions = [
        {"image_id": one, "category_id": 1, "bbox": place, "score": 0.9} for one in range(4) for place in (box, far)
    ]
    tables = builders.tables(labels, predictions)
    members = {"mine": Members(False, np.ones(4, bool), np.array([True, True, False, False]), None)}
    population = Population(AREA_RANGES[0], "mine")
    names = ("labels", "true_positives", "false_positives", "recall")
    assert told(tables, [Quantity(name, population) for name in names], members) == [2, 2, 0, 1.0]
