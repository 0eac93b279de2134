"""Encord against plain loops, and cases worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from qm_cli.conventions.encord import REASONS
from tests.conventions.comparing import by_category, close, evaluated, hold_invariants, outcome_names, reported
from tests.input_files import document, image, label, prediction
from tests.oracles import one_label_loop
from tests.oracles.random_sets import Row, random_set
from tests.strategies import DetectionSet, detection_sets


def hold(labels: Row, predictions: list[Row], iou: float) -> None:
    expected = one_label_loop.encord(labels, predictions, iou)
    found = reported(labels, predictions, "encord", iou=iou, confidence=0.0)
    for name in ("AP", "AR"):
        assert found["metrics"][f"m{name}"] == close(expected[f"m{name}"])
        assert by_category(found, name) == {category: close(value) for category, value in expected[name].items()}
    assert outcome_names(evaluated(labels, predictions, "encord", iou=iou, confidence=0.0)) == expected["outcome"]
    for reason in REASONS:
        assert found["metrics"][f"false_positives_{reason}"] == expected["reason"].count(reason)


@pytest.mark.parametrize("seed", range(12))
def test_equals_the_loop(seed: int) -> None:
    hold(*random_set(seed), 0.5)


@given(detection_sets(comparable=True))
@settings(max_examples=25, deadline=None)
def test_equals_the_loop_in_corners(data: DetectionSet) -> None:
    hold(*data, 0.3)


@pytest.mark.parametrize("confidence", [0.3, 0.7])
def test_reasons_of_the_confident_alone(confidence: float) -> None:
    labels, predictions = random_set(5)
    expected = one_label_loop.encord(labels, predictions, 0.5, confidence)
    found = reported(labels, predictions, "encord", confidence=confidence)["metrics"]
    for reason in REASONS:
        assert found[f"false_positives_{reason}"] == expected["reason"].count(reason)
    assert sum(found[f"false_positives_{reason}"] for reason in REASONS) == found["false_positives"]


@pytest.mark.parametrize("seed", range(3))
def test_invariants(seed: int) -> None:
    hold_invariants(evaluated(*random_set(seed), "encord", confidence=0.3))


def test_its_f1_under_its_name_alone() -> None:
    """One of two found, one of two right: P = R = .5, P + R = 1. With another false positive P = 1/3: below 1."""
    labels = document(images=[image(1)], labels=[label(1), label(2, bbox=[60, 60, 9, 9], area=81)])
    rows = [prediction(), prediction(bbox=[40, 0, 5, 5]), prediction(bbox=[0, 40, 5, 5])]
    metrics = reported(labels, rows, "encord")["metrics"]
    assert metrics["f1"] == pytest.approx(0.4)
    assert metrics["f1_encord"] == pytest.approx(2 * (1 / 3) * 0.5)
    assert reported(labels, rows[:2], "encord")["metrics"]["f1_encord"] == 0.5


def test_three_reasons() -> None:
    labels = document(images=[image(1)], labels=[label(1)])
    rows = [
        prediction(bbox=[25, 10, 20, 20], score=0.95),  # IoU 1/7
        prediction(),
        prediction(score=0.8),
        prediction(bbox=[60, 60, 9, 9]),
        prediction(category_id=7),
    ]
    metrics = reported(labels, rows, "encord")["metrics"]
    assert [metrics[f"false_positives_{reason}"] for reason in REASONS] == [2, 1, 1]


def test_a_single_label_never_reaches_recall_one() -> None:
    """As published: 1 / (1 + epsilon) is below 1, so the last of the 101 precisions is 0."""
    labels = document(images=[image(1)], labels=[label(1)])
    assert by_category(reported(labels, [prediction()], "encord"), "AP")[1] == close(100 / 101)
    assert np.isclose(by_category(reported(labels, [prediction()], "encord"), "AR")[1], 1.0)
