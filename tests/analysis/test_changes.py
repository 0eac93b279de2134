"""What became of labels and detections, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from qm_cli.analysis.changes import DETECTION_CHANGES, LABEL_CHANGES, Changes, changes, size_of
from qm_cli.evaluation import evaluate_tables
from qm_cli.settings import Settings
from tests import builders

Rows = list[tuple[int, int, list[float]]]
A, B, FAR = [0.0, 0, 20, 20], [50.0, 0, 20, 20], [100.0, 50, 20, 20]
LABELS = {
    "images": [{"id": one, "width": 200, "height": 100} for one in (1, 2)],
    "categories": [{"id": one, "name": name} for one, name in ((1, "cat"), (2, "dog"))],
    "annotations": [
        {"id": number, "image_id": 1, "category_id": 1, "bbox": box, "area": 400, "iscrowd": 0}
        for number, box in ((1, A), (2, B))
    ],
}


def found(first: Rows, second: Rows) -> tuple[list[str], list[str], list[str], Changes]:
    sides = []
    for rows in (first, second):
        predictions: list[dict[str, Any]] = [
            {"image_id": image, "category_id": category, "bbox": box, "score": 0.9 - place / 100}
            for place, (image, category, box) in enumerate(rows)
        ]
        sides.append(evaluate_tables(builders.tables(LABELS, predictions), Settings()))
    result = changes(*(one.tables for one in sides), *(one.outcomes for one in sides), Settings())
    words = [[DETECTION_CHANGES[code] for code in codes] for codes in (result.first, result.second)]
    return [LABEL_CHANGES[code] for code in result.label], *words, result


@pytest.mark.parametrize(
    ("first", "second", "labels", "before", "after"),
    [
        ([(1, 1, A)], [(1, 1, A)], ["still_found", "still_missed"], ["kept"], ["kept"]),
        ([(1, 1, A)], [(1, 1, B)], ["broken", "fixed"], ["kept"], ["kept"]),
        ([(2, 1, A)], [(2, 1, A)], ["still_missed"] * 2, ["kept"], ["kept"]),
        ([], [(2, 1, A)], ["still_missed"] * 2, [], ["new_false_positive"]),
        ([(2, 1, A)], [], ["still_missed"] * 2, ["gone_false_positive"], []),
        ([(2, 1, A)], [(2, 1, FAR)], ["still_missed"] * 2, ["gone_false_positive"], ["new_false_positive"]),
        ([(1, 2, A)], [(1, 1, A)], ["fixed", "still_missed"], ["flipped_category"], ["flipped_category"]),
        ([(2, 2, A)], [(2, 1, A)], ["still_missed"] * 2, ["flipped_category"], ["flipped_category"]),
        ([(1, 1, A)], [(1, 1, [0.0, 0, 20, 9])], ["broken", "still_missed"], ["kept"], ["new_false_positive"]),
        (
            [(1, 1, A)],
            [(1, 1, A), (1, 1, [1.0, 0, 20, 20])],
            ["still_found", "still_missed"],
            ["kept"],
            ["kept", "new_false_positive"],
        ),
    ],
)
def test_by_hand(first: Rows, second: Rows, labels: list[str], before: list[str], after: list[str]) -> None:
    assert found(first, second)[:3] == (labels, before, after)


def test_partners() -> None:
    result = found([(1, 1, B), (1, 1, A)], [(1, 1, A), (2, 1, A), (1, 2, B)])[3]
    scores = sorted(result.partner.tolist())
    assert scores == [-1, 0, 1]


def test_what_is_below_the_confidence_does_not_count() -> None:
    low = [{"image_id": 1, "category_id": 1, "bbox": A, "score": 0.2}]
    one = evaluate_tables(builders.tables(LABELS, low), Settings())
    result = changes(one.tables, one.tables, one.outcomes, one.outcomes, Settings())
    assert result.second.tolist() == [-1]


def test_sizes_as_cocos_the_smaller_of_two() -> None:
    assert size_of(np.array([0, 1024, 1025, 9216, 9217, 1e11]), Settings()).tolist() == [1, 1, 2, 2, 3, 0]
