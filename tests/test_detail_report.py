"""Answers beside the report: the same numbers as single evaluations, plain JSON, samples where they belong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from qm_cli.detail_report import detailed_report
from qm_cli.errors import UsageError
from qm_cli.evaluation_options import asked
from qm_cli.report import report_of
from qm_cli.settings import CONVENTIONS, Settings, settings_at
from tests import builders
from tests.input_files import document, image, label, prediction
from tests.oracles import coco_loop
from tests.strategies import DetectionSet, detection_sets

NUMBERS = ("precision", "recall", "f1", "mean_iou", "true_positives", "false_positives", "false_negatives")


def answered(data: DetectionSet, convention: str = "coco", **wishes: Any) -> dict[str, Any]:
    chosen, questions = asked(settings_at(convention), **wishes)
    return detailed_report(builders.tables(*data), chosen, questions)


@given(detection_sets())
@settings(max_examples=8, deadline=None)
def test_a_cell_is_what_an_evaluation_there_says(data: DetectionSet) -> None:
    found = answered(data, at=["confidence=0.25,iou=0.3", "confidence=0.9,iou=1"], normalise="true")
    for cell in found["cells"]:
        alone = report_of(builders.tables(*data), Settings(iou=cell["iou"], confidence=cell["confidence"]))
        for name in NUMBERS:
            assert cell["metrics"][name] == pytest.approx(alone["metrics"][name], abs=1e-12), name
        for own, other in zip(cell["categories"], alone["categories"], strict=True):
            assert {name: own[name] for name in ("id", "name", "f1", "true_positives")} == {
                name: other[name] for name in ("id", "name", "f1", "true_positives")
            }
        counts = [{name: one[name] for name in ("true", "predicted", "count")} for one in cell["confusion"]["cells"]]
        assert counts == alone["confusion"]["cells"]
    plain = report_of(builders.tables(*data), Settings())
    assert {**found["metrics"], **plain["metrics"]} == found["metrics"]


@given(detection_sets())
@settings(max_examples=8, deadline=None)
def test_the_grid_holds_every_cell(data: DetectionSet) -> None:
    found = answered(data, grid=True, confidences="0,0.5", ious="0.3,0.5", beta=2.0)
    grid = found["grid"]
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (grid["confidences"], grid["ious"], grid["orientation"]) == (
        [0, 0.5],
        [0.3, 0.5],
        "rows IoU, columns confidence",
    )
    for lane, iou in enumerate(grid["ious"]):
        for place, confidence in enumerate(grid["confidences"]):
            alone = report_of(builders.tables(*data), Settings(iou=iou, confidence=confidence, beta=2.0))
            for name in (*NUMBERS, "f_beta"):
                wanted = alone["metrics"][name]
                assert grid["overall"][name][lane][place] == pytest.approx(wanted, abs=1e-12), name
                for own, other in zip(grid["categories"], alone["categories"], strict=True):
                    assert own[name][lane][place] == pytest.approx(other[name], abs=1e-12), name


@given(detection_sets())
@settings(max_examples=15, deadline=None)
def test_average_precision_at_any_iou_is_the_loops(data: DetectionSet) -> None:
    found = answered(data, grid=True, ious="0.3,0.62")["grid"]
    for lane, iou in enumerate((0.3, 0.62)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(coco_loop, "IOU_THRESHOLDS", [iou])
            expected = coco_loop.evaluate(*data)
        assert found["overall"]["AP"][lane] == pytest.approx(expected["AP"], abs=1e-12)
        for row in found["categories"]:
            assert row["AP"][lane] == pytest.approx(expected["per_category"][row["id"]]["AP"], abs=1e-12)


def test_no_average_precision_in_labelboxs_grid() -> None:
    data = document(), [prediction(), prediction(category_id=7, score=0.3)]
    grid = answered(data, "labelbox", grid=True)["grid"]
    coco = answered(data, grid=True)["grid"]
    assert coco["overall"].keys() - grid["overall"].keys() == {"AP"}
    assert [coco["categories"][0].keys() - row.keys() for row in grid["categories"]] == [{"AP"}] * 2
    cell = answered(data, "labelbox", at=["confidence=0.2,iou=0.6"])["cells"][0]
    alone = report_of(builders.tables(*data), Settings(convention="labelbox", iou=0.6, confidence=0.2))
    assert {name: cell["metrics"][name] for name in NUMBERS} == {name: alone["metrics"][name] for name in NUMBERS}
    counts = [{name: one[name] for name in ("true", "predicted", "count")} for one in cell["confusion"]["cells"]]
    assert counts == alone["confusion"]["cells"]


def test_samples_name_image_label_and_prediction() -> None:
    labels = [label("a", image_id=9, category_id=7), label("b", category_id=1)]
    rows = [prediction(image_id=9, score=0.75), prediction(bbox=[60, 60, 9, 9])]
    images = [image(9, file_name="far/nine.jpg"), image(1)]
    found = answered((document(images, labels), rows), examples=["predicted=cat,true=7", "predicted=none,true=cat"])
    mistaken, missed = found["examples"]
    assert (mistaken["predicted"], mistaken["true"], mistaken["iou"], mistaken["confidence"]) == (
        "cat",
        "dog",
        0.5,
        0.5,
    )
    assert mistaken["samples"] == [
        {
            "image_id": 9,
            "file_name": "far/nine.jpg",
            "label_id": "a",
            "prediction_id": 0,
            "prediction_row": 0,
            "score": 0.75,
            "iou": 1.0,
        }
    ]
    assert missed["samples"] == [
        {
            "image_id": 1,
            "file_name": "1.jpg",
            "label_id": "b",
            "prediction_id": None,
            "prediction_row": None,
            "score": None,
            "iou": None,
        }
    ]


def test_an_unknown_category_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no category 'dgo' \(did you mean dog\?\)"):
        answered((document(), [prediction()]), examples=["predicted=dgo,true=cat"])


def test_thresholds_say_how_they_were_found() -> None:
    found = answered((document(), [prediction(), prediction(image_id=2, score=0.4)]), thresholds=["f1", "recall=0.4"])
    thresholds = found["thresholds"]
    assert (thresholds["iou"], thresholds["folds"], thresholds["seed"]) == (0.5, 5, 0)
    best, recall = thresholds["targets"]
    assert (best["target"], best["overall"]["confidence"], best["overall"]["f1"]) == ("f1", 0.4, 1.0)
    assert recall["overall"]["confidence"] == 0.9
    cat, dog = best["categories"]
    assert (cat["name"], cat["confidence"], dog["confidence"], dog["held_out"]) == ("cat", 0.4, None, {})
    assert cat["held_out"]["precision"]["low"] is None


@pytest.mark.parametrize("convention", [one for one in CONVENTIONS if one != "lvis"])
@given(data=detection_sets())
@settings(max_examples=5, deadline=None)
def test_examples_and_thresholds_under_every_convention(convention: str, data: DetectionSet) -> None:
    names = [*(category["name"] for category in data[0]["categories"]), "none"]
    cells = [f"predicted={one},true={other}" for one in names for other in names if (one, other) != ("none", "none")]
    found = answered(data, convention, examples=cells, thresholds=["f1", "precision=0.5"])
    counts = {(one["predicted"], one["true"]): one["count"] for one in found["confusion"]["cells"]}
    listed = {(one["predicted"], one["true"]): len(one["samples"]) for one in found["examples"]}
    assert {cell: count for cell, count in listed.items() if count} == counts
    for target in found["thresholds"]["targets"]:
        rows = [("metrics", target["overall"]), *((row["id"], row) for row in target["categories"])]
        for place, row in rows:
            if row["confidence"] is None:
                continue
            alone = report_of(
                builders.tables(*data), Settings(convention=convention, iou=found["iou"], confidence=row["confidence"])
            )
            own = {one["id"]: one for one in alone["categories"]} | {"metrics": alone["metrics"]}
            for name in ("true_positives", "false_positives", "false_negatives", "precision", "recall", "f1"):
                assert row[name] == own[place][name]
