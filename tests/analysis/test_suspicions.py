"""What becomes suspicious, and which of several speaks for all: worked by hand."""

from __future__ import annotations

from typing import Any

import pytest

from qm_cli.analysis.label_errors import evidence
from qm_cli.analysis.suspicions import REASONS, suspicions
from tests import builders
from tests.boxes import CAT, DOG, document, label, prediction


def found(labels: list[dict[str, Any]], predictions: list[dict[str, Any]], least: float = 0.5) -> list[tuple[Any, ...]]:
    """reason, label row, prediction row, is it to go, of each."""
    tables = builders.tables(document(labels), predictions)
    made = suspicions(tables, evidence(tables), least)
    columns = (made.label.tolist(), made.prediction.tolist(), made.remove.tolist())
    return list(zip([REASONS[one] for one in made.reason], *columns, strict=True))


def test_each_reason() -> None:
    labels = [
        label(1, 1, CAT, [0, 0, 20, 20]),
        label(2, 1, CAT, [60, 50, 20, 20]),
        label(3, 2, DOG, [0, 0, 20, 20]),
        label(4, 2, DOG, [0, 0, 20, 19]),
    ]
    predictions = [
        prediction(1, DOG, [0, 0, 20, 20], 0.97),
        prediction(1, CAT, [68, 58, 20, 20], 0.96),
        prediction(2, CAT, [60, 60, 20, 20], 0.99),
    ]
    assert found(labels, predictions) == [
        ("wrong category", 0, 0, False),
        ("overlooked", -1, 2, False),
        ("labelled twice", 3, -1, True),
        ("badly located", 1, 1, False),
    ]
    assert found(labels, predictions, 0.99) == [("wrong category", 0, 0, False), ("overlooked", -1, 2, False)]


def test_one_object_seen_twice_is_overlooked_once() -> None:
    predictions = [
        prediction(1, CAT, [0, 0, 20, 20], 0.96),
        prediction(1, CAT, [0, 0, 20, 19], 0.97),
        prediction(1, CAT, [0, 0, 20, 19], 0.97),
        prediction(1, CAT, [60, 60, 20, 20], 0.95),
        prediction(2, CAT, [0, 0, 20, 19], 0.96),
    ]
    assert {row[2] for row in found([], predictions)} == {1, 3, 4}


def test_a_box_with_two_categories_loses_the_one_that_is_spoken_against() -> None:
    labels = [label(1, 1, CAT, [0, 0, 20, 20]), label(2, 1, DOG, [0, 0, 20, 20])]
    assert found(labels, [prediction(1, DOG, [0, 0, 20, 20], 0.97)]) == [("wrong category", 0, 0, True)]


def test_crowds_are_never_suspicious() -> None:
    labels = [label(1, 1, CAT, [0, 0, 20, 20], iscrowd=1), label(2, 1, CAT, [0, 0, 20, 20], iscrowd=1)]
    assert found(labels, [prediction(1, DOG, [0, 0, 20, 20], 0.97)]) == []


def test_issues_are_those_of_the_rule() -> None:
    """AP of cats is 1/2: suspicion from .9 on is an issue; a label drawn twice is none of the rule's."""
    labels = [label(1, 1, CAT, [0, 0, 20, 20]), label(2, 1, CAT, [60, 60, 20, 20]), label(3, 1, CAT, [0, 0, 20, 19])]
    predictions = [prediction(1, CAT, [0, 0, 20, 20], 0.99), prediction(1, DOG, [60, 60, 20, 20], 0.99)]
    tables = builders.tables(document(labels), predictions)
    made = suspicions(tables, evidence(tables), 0.5)
    assert [REASONS[one] for one in made.reason] == ["wrong category", "labelled twice"]
    assert made.issue.tolist() == [True, False]
    assert made.category.tolist() == [1, -1]


@pytest.mark.parametrize(("labels", "predictions"), [([], []), ([label(1, 1, CAT, [0, 0, 9, 9])], [])])
def test_nothing(labels: list[Any], predictions: list[Any]) -> None:
    assert found(labels, predictions) == []
