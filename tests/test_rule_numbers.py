"""Numbers under any setting of the parameters: at a convention's setting they are the convention's own."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from qm_cli.convention_gaps import NUMBER
from qm_cli.convention_rules import COUNTED, REACHED, RULES, count_rules, precision_rules
from qm_cli.rule_matching import Comparison
from qm_cli.rule_numbers import counted_rates, mean_average_precision
from qm_cli.settings import CONVENTIONS, Settings, compares, settings_at
from tests.conventions.comparing import Row, close, loaded, reported
from tests.input_files import document, image, label, prediction
from tests.oracles.random_sets import random_set, with_masks
from tests.strategies import DetectionSet, detection_sets

WITHOUT_LISTS = [name for name in CONVENTIONS if name != "lvis"]


def compared(labels: Row, predictions: list[Row], convention: str) -> Comparison:
    tables = loaded(labels, predictions, convention)
    return Comparison(tables, tables.measure.task, 0.0)


def average(labels: Row, predictions: list[Row], own: Settings) -> float | None:
    rules = precision_rules(own)
    assert rules is not None
    return mean_average_precision(compared(labels, predictions, own.convention), rules)


def hold(labels: Row, predictions: list[Row], name: str, **chosen: float) -> None:
    own, expected = settings_at(name, **chosen), reported(labels, predictions, name, **chosen)["metrics"]
    if name in RULES:
        assert average(labels, predictions, own) == close(expected[NUMBER[name]])
    found = counted_rates(compared(labels, predictions, name), count_rules(own))
    assert found == {number: close(expected[number]) for number in COUNTED}


@pytest.mark.parametrize("name", CONVENTIONS)
@pytest.mark.parametrize("seed", range(3))
def test_are_the_conventions_numbers(seed: int, name: str) -> None:
    for chosen in ({}, {"iou": 0.7, "confidence": 0.2}, {"iou": 0.0, "confidence": 0.9}, {"iou": 1.0}):
        hold(*random_set(seed), name, **chosen)


@pytest.mark.parametrize("name", [name for name in CONVENTIONS if compares(name, "segm")])
def test_are_the_conventions_numbers_of_masks(name: str) -> None:
    labels, predictions = with_masks(*random_set(3))
    labels["annotations"][0]["iscrowd"] = 1
    hold(labels, predictions, name)


@given(detection_sets(comparable=True), st.sampled_from(WITHOUT_LISTS))
@settings(max_examples=60, deadline=None)
def test_are_the_conventions_numbers_in_corners(data: DetectionSet, name: str) -> None:
    hold(*data, name)


def test_the_kit_takes_what_is_at_the_threshold() -> None:
    labels = document([image(1)], [label(bbox=[0, 0, 9, 9], area=81)])
    rows = [prediction(bbox=[0, 0, 9, 4])]
    own = settings_at("voc12")
    assert average(labels, rows, own) == 0.0
    assert average(labels, rows, replace(own, voc_devkit=True)) == close(1.0)
    assert count_rules(replace(own, voc_devkit=True)).reach == REACHED


def test_undefined_without_labels() -> None:
    tables = loaded(document(labels=[]), [prediction()], "coco")
    comparison = Comparison(tables, "bbox", 0.5)
    assert {mean_average_precision(comparison, rules) for name, rules in RULES.items() if name != "lvis"} == {None}
