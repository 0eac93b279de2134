"""ObjectLab's rule: the images with an issue are those cleanlab finds, by the same average precision."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from qm_cli.analysis.label_errors import evidence
from qm_cli.analysis.label_issues import category_precision, object_issues
from qm_cli.error_names import BADLY_LOCATED, NONE, OVERLOOKED, WRONG_CATEGORY
from tests import builders
from tests.boxes import CAT, DOG, document, label, prediction
from tests.oracles import record_cleanlab

RECORDED = json.loads(record_cleanlab.PLACE.read_text())["boxes"]


def rule(labels: dict[str, Any], predictions: list[dict[str, Any]]) -> dict[str, Any]:
    """As `record_cleanlab.box_scores` has them: images with an issue, a quarter of each category's precision."""
    tables = builders.tables(labels, predictions)
    found = object_issues(tables, evidence(tables), "bbox")
    images = np.zeros(tables.count("image"), bool)
    images[tables.values("label", "image_row")[found.label != NONE]] = True
    images[tables.values("prediction", "image_row")[found.prediction != NONE]] = True
    return {"issues": images.tolist(), "precision": (category_precision(tables, "bbox") / 4).tolist()}


def agree(found: dict[str, Any], expected: dict[str, Any]) -> None:
    """Its precision is rounded to single precision."""
    assert found["issues"] == expected["issues"]
    assert found["precision"] == pytest.approx(expected["precision"], rel=1e-6)


@pytest.mark.parametrize("seed", record_cleanlab.BOX_SEEDS)
def test_equal_to_what_cleanlab_said(seed: int) -> None:
    agree(rule(*record_cleanlab.box_case(seed)), RECORDED[str(seed)])


def test_equal_to_cleanlab_where_it_is_installed() -> None:
    pytest.importorskip("cleanlab")
    for seed in range(4000, 4006):
        agree(rule(*record_cleanlab.box_case(seed)), record_cleanlab.box_scores(*record_cleanlab.box_case(seed)))


def test_both_answers_are_among_the_recorded() -> None:
    issues = [one for case in RECORDED.values() for one in case["issues"]]
    assert 0.1 < np.mean(issues) < 0.9


def test_which_label_and_which_prediction() -> None:
    """AP of cats is 1/2 by the one that is found everywhere, so a score of .1 or less is an issue; of dogs 0."""
    labels = [
        label(1, 1, CAT, [0, 0, 20, 20]),
        label(2, 1, CAT, [60, 60, 20, 20]),
        label(3, 2, CAT, [0, 0, 20, 20], iscrowd=1),
    ]
    predictions = [
        prediction(1, CAT, [0, 0, 20, 20], 0.99),
        prediction(1, DOG, [60, 60, 20, 20], 0.99),
        prediction(2, CAT, [60, 60, 20, 20], 0.98),
        prediction(2, DOG, [60, 60, 20, 20], 0.98),
    ]
    tables = builders.tables(document(labels), predictions)
    found = object_issues(tables, evidence(tables), "bbox")
    assert category_precision(tables, "bbox").tolist() == pytest.approx([0.5, 0])
    assert found.label.tolist() == [NONE, WRONG_CATEGORY, NONE]
    assert found.prediction.tolist() == [NONE, NONE, OVERLOOKED, NONE]


def test_a_label_off_its_place() -> None:
    """Nine are found; the tenth overlaps its prediction by .014, similarity .0124 + .1·exp(−2.4), below .18."""
    labels = [label(n, 1, CAT, [n * 40, 0, 20, 20]) for n in range(9)] + [label(9, 1, CAT, [0, 60, 20, 20])]
    predictions = [prediction(1, CAT, [n * 40, 0, 20, 20], 0.99) for n in range(9)]
    tables = builders.tables(document(labels), [*predictions, prediction(1, CAT, [17, 77, 20, 20], 0.9)])
    found = object_issues(tables, evidence(tables), "bbox")
    assert found.label.tolist() == [NONE] * 9 + [BADLY_LOCATED]


def test_nothing() -> None:
    tables = builders.tables(document([]), [])
    found = object_issues(tables, evidence(tables), "bbox")
    assert (found.label.tolist(), found.prediction.tolist()) == ([], [])
