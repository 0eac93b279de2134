"""AP as one rule with switches: at a convention's setting it is the convention's own number."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli.ap_rules import GREEDY, RULES, at_iou, mean_average_precision
from qm_cli.convention_gaps import NUMBER
from tests.conventions.comparing import Row, close, loaded, reported
from tests.input_files import document, image, label, prediction
from tests.oracles.random_sets import random_set
from tests.strategies import DetectionSet, detection_sets


def hold(labels: Row, predictions: list[Row], name: str, iou: float = 0.5) -> None:
    found = mean_average_precision(loaded(labels, predictions, name), at_iou(RULES[name], iou), "bbox")
    expected = reported(labels, predictions, name, iou=iou)["metrics"][NUMBER[name]]
    assert found == close(expected)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("seed", range(5))
def test_is_the_conventions_number(seed: int, name: str) -> None:
    for iou in (0.5, 0.7):
        hold(*random_set(seed), name, iou)


@given(detection_sets(comparable=True), st.sampled_from([name for name in RULES if name != "lvis"]))
@settings(max_examples=30, deadline=None)
def test_is_the_conventions_number_in_corners(data: DetectionSet, name: str) -> None:
    hold(*data, name)


def test_the_kit_takes_what_is_at_the_threshold() -> None:
    labels = document([image(1)], [label(bbox=[0, 0, 9, 9], area=81)])
    tables = loaded(labels, [prediction(bbox=[0, 0, 9, 4])], "voc12")
    rules = RULES["voc12"]
    assert mean_average_precision(tables, rules, "bbox") == 0.0
    assert mean_average_precision(tables, replace(rules, above=False), "bbox") == close(1.0)


def test_undefined_without_labels() -> None:
    tables = loaded(document(labels=[]), [prediction()], "coco")
    assert {mean_average_precision(tables, rules, "bbox") for name, rules in RULES.items() if name != "lvis"} == {None}


def test_greedy_rules_know_plain_overlap_alone() -> None:
    assert all(not (rules.pixel or rules.above) for rules in RULES.values() if rules.matching == GREEDY)
