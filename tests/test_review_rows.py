"""Rows of a review queue: their ids, actions and what they suggest, by hand."""

from __future__ import annotations

from qm_cli.analysis.label_errors import evidence
from qm_cli.analysis.suspicions import Suspicions, suspicions
from qm_cli.review_rows import image_rows, listed, suggestion
from qm_cli.suggesting import ADD, CHANGE_BOX, CHANGE_CATEGORY, REMOVE
from qm_cli.tables import Tables
from tests import builders
from tests.boxes import CAT, DOG, document, label, prediction

LABELS = [
    label(11, 1, CAT, [0, 0, 20, 20]),
    label(12, 1, CAT, [60, 50, 20, 20]),
    label(13, 2, DOG, [0, 0, 20, 20]),
    label(14, 2, DOG, [0, 0, 20, 19]),
]
PREDICTIONS = [
    prediction(1, DOG, [0, 0, 20, 20], 0.97),
    prediction(1, CAT, [68, 58, 20, 20], 0.96),
    prediction(2, CAT, [60, 60, 20, 20], 0.99),
]


def made() -> tuple[Tables, Suspicions]:
    tables = builders.tables(document(LABELS), PREDICTIONS)
    return tables, suspicions(tables, evidence(tables), 0.5)


def test_rows() -> None:
    tables, found = made()
    rows = listed(tables, found).to_pylist()
    assert [row["id"] for row in rows] == ["wrong-category:11", "overlooked:2", "labelled-twice:14", "badly-located:12"]
    assert [row["action"] for row in rows] == [CHANGE_CATEGORY, ADD, REMOVE, CHANGE_BOX]
    assert [row["suggested_category"] for row in rows] == ["dog", "cat", None, "cat"]
    boxes = [[0, 0, 20, 20], [60, 60, 20, 20], None, [68, 58, 20, 20]]
    assert [row["suggested_bbox"] for row in rows] == boxes
    assert [row["prediction_id"] for row in rows] == [0, 2, None, 1]
    assert image_rows(tables, found).tolist() == [0, 1, 1, 0]


def test_suggestions() -> None:
    tables, found = made()
    every = [suggestion(tables, found, row) for row in range(4)]
    assert [(one.action, one.image_row, one.label_row, one.category_row) for one in every] == [
        (CHANGE_CATEGORY, 0, 0, 1),
        (ADD, 1, -1, 0),
        (REMOVE, 1, 3, 1),
        (CHANGE_BOX, 0, 1, 0),
    ]
    assert [one.bbox for one in every][1::2] == [(60, 60, 20, 20), (68, 58, 20, 20)]
    assert all(not one.shape for one in every)


def test_nothing() -> None:
    tables = builders.tables(document([]), [])
    assert listed(tables, suspicions(tables, evidence(tables), 0.5)).num_rows == 0
