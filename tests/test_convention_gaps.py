"""Gaps between conventions: both ends are the conventions' numbers, and the steps add up to the gap."""

from __future__ import annotations

import tempfile
from itertools import pairwise
from pathlib import Path

import pytest

from qm_cli.convention_gaps import NUMBER, explained
from qm_cli.convention_rules import COUNTED, LABELS, PRECISION, RULES, SAME_EVERYWHERE, parameters
from qm_cli.errors import UsageError
from qm_cli.load import load_tables
from qm_cli.settings import CONVENTION_FIELDS, CONVENTIONS, settings_at
from tests import builders
from tests.conventions.comparing import Row, close, reported
from tests.input_files import document, image, label, prediction
from tests.oracles.random_sets import random_set

KEYS = {PRECISION: "value", **{number: number for number in COUNTED}}


def explain(labels: Row, predictions: list[Row], convention: str, against: str | None = None) -> Row:
    """With all the fields that any convention reads."""
    with tempfile.TemporaryDirectory() as folder:
        files = builders.write(Path(folder), labels, predictions)
        return explained(load_tables(*files, fields=CONVENTION_FIELDS), settings_at(convention), against)


def gap_of(found: Row, number: str, to: str) -> Row:
    (gap,) = (one for one in found["gaps"] if (one["number"], one["to"]) == (number, to))
    return dict(gap)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_steps_add_up(convention: str) -> None:
    labels, predictions = random_set(6)
    found = explain(labels, predictions, convention)
    assert [row["convention"] for row in found["conventions"]] == list(CONVENTIONS)
    ends = {(row["convention"], number): row[key] for row in found["conventions"] for number, key in KEYS.items()}
    others = len(CONVENTIONS) - 1
    assert len(found["gaps"]) == len(COUNTED) * others + (len(RULES) - 1 if convention in RULES else 0)
    for gap in found["gaps"]:
        assert gap["before"] == close(ends[convention, gap["number"]])
        assert gap["after"] == close(ends[gap["to"], gap["number"]])
        assert gap["difference"] == close(sum(step["difference"] for step in gap["steps"]))
        assert all(first["after"] == second["before"] for first, second in pairwise(gap["steps"]))


@pytest.mark.parametrize("convention", ["coco", "ultralytics"])
def test_thresholds_asked_for_hold_under_every_convention(convention: str) -> None:
    tables, settings = builders.tables(*random_set(6)), settings_at(convention, 0.6, 0.1)
    found = explained(tables, settings, iou=0.6, confidence=0.1)
    assert {(row["iou"], row["confidence"]) for row in found["conventions"]} == {(0.6, 0.1)}
    other = "coco" if convention == "ultralytics" else "ultralytics"
    apart = explained(tables, settings)["conventions"]
    at = settings_at(other)
    assert [(row["iou"], row["confidence"]) for row in apart if row["convention"] == other] == [(at.iou, at.confidence)]


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_every_parameter_is_a_step_or_the_same(convention: str) -> None:
    found = explain(*random_set(3), convention)
    values = {(row["numbers"][0], row["parameter"]): row["values"] for row in found["parameters"]}
    for gap in found["gaps"]:
        number, stepped = gap["number"], [step["step"] for step in gap["steps"]]
        whole = [LABELS[name] for name in parameters(number)]
        assert [name for name in whole if name in stepped] == stepped
        assert {*stepped, *gap["same"]} == {*whole, *SAME_EVERYWHERE[number]}
        assert not set(stepped) & set(gap["same"])
        group = PRECISION if number == PRECISION else COUNTED[0]
        for step in gap["steps"]:
            own = values[group, step["step"]]
            assert step["change"] == f"{own[convention]} → {own[gap['to']]}"
        for name, value in gap["same"].items():
            assert values[group, name][convention] == values[group, name][gap["to"]] == value


def test_rows_are_the_reports_numbers() -> None:
    labels, predictions = random_set(6)
    for row in explain(labels, predictions, "coco")["conventions"]:
        metrics = reported(labels, predictions, row["convention"])["metrics"]
        assert row["f1"] == metrics["f1"]
        assert row["value"] == (metrics[NUMBER[row["convention"]]] if row["number"] else None)


def test_max_detections_are_told_apart() -> None:
    """101 false positives before the only hit: COCO's cap leaves it out, VOC has none."""
    far = [prediction(bbox=[60, 60, 9, 9], score=0.9) for _ in range(101)]
    labels = document([image(1)], [label(1)])
    tables = builders.tables(labels, [*far, prediction(score=0.8)])
    gap = gap_of(explained(tables, settings_at("coco")), PRECISION, "encord")
    step = next(one for one in gap["steps"] if one["step"] == "max detections")
    assert (step["before"], step["change"]) == (0.0, "100 of an image and category → all")
    assert step["after"] > 0


def test_minimum_score_and_categories_are_told_apart() -> None:
    """Ultralytics counts a hit at .3; on the other label a better box of another category stands before the hit."""
    labels = document([image(1)], [label(1), label(2, bbox=[50, 50, 20, 20])])
    rows = [prediction(score=0.3), prediction(category_id=7, bbox=[50, 50, 20, 20]), prediction(bbox=[50, 50, 20, 19])]
    gap = gap_of(explained(builders.tables(labels, rows), settings_at("coco"), "ultralytics"), "recall", "ultralytics")
    changes = {step["step"]: step["difference"] for step in gap["steps"] if step["difference"]}
    assert (gap["before"], gap["after"]) == (0.5, 0.5)
    assert changes == {"minimum score": 0.5, "categories matched": -0.5}


def test_one_gap_alone() -> None:
    found = explain(*random_set(6), "voc07", "labelbox")
    assert {gap["to"] for gap in found["gaps"]} == {"labelbox"}
    assert {gap["number"] for gap in found["gaps"]} == set(COUNTED)
    whole = explain(*random_set(6), "voc07")
    assert found["gaps"] == [gap for gap in whole["gaps"] if gap["to"] == "labelbox"]


@pytest.mark.parametrize(
    ("against", "said"),
    [
        ("cocoo", "there is no convention 'cocoo'"),
        ("coco", "is the convention itself"),
        ("lvis", "takes no part, no image has neg_category_ids"),
    ],
)
def test_refuses_a_convention_without_a_gap(against: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        explained(builders.tables(document(), [prediction()]), settings_at("coco"), against)


def test_lvis_takes_part_where_its_lists_are() -> None:
    found = explained(builders.tables(document(), [prediction()]), settings_at("coco"))
    assert "lvis" not in {row["convention"] for row in found["conventions"]}
    assert "lvis is left out: no image has neg_category_ids" in found["notes"]


def test_nothing_defined_is_null() -> None:
    found = explained(builders.tables(document(labels=[]), [prediction()]), settings_at("coco"))
    assert {gap["difference"] for gap in found["gaps"] if gap["number"] == PRECISION} == {None}
