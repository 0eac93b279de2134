"""The same labels in another order are aligned; other labels are refused with the difference."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from qm_cli.alignment import aligned
from qm_cli.errors import InputError
from qm_cli.report import report_of
from qm_cli.settings import Settings
from tests import builders

Document = dict[str, Any]
LABELS: Document = {
    "images": [{"id": one, "width": 200, "height": 100} for one in (1, 2, 3)],
    "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
    "annotations": [
        {
            "id": one,
            "image_id": one,
            "category_id": 1 + one % 2,
            "bbox": [0, 0, 20 * one, 20],
            "area": 400,
            "iscrowd": 0,
        }
        for one in (1, 2, 3)
    ],
}
PREDICTIONS = [
    {"image_id": one, "category_id": 1 + one % 2, "bbox": [0, 0, 20 * one, 19], "score": 0.9 - one / 10}
    for one in (1, 2, 3)
]


def changed(edit: Callable[[Document], Any]) -> Document:
    labels = copy.deepcopy(LABELS)
    edit(labels)
    return labels


def test_another_order_is_the_same() -> None:
    reordered = {name: rows[::-1] for name, rows in LABELS.items()}
    a, b = builders.tables(LABELS, []), builders.tables(reordered, PREDICTIONS)
    both = aligned(a, b)
    assert both.image["id"].to_pylist() == [1, 2, 3]
    expected = report_of(builders.tables(LABELS, PREDICTIONS), Settings())
    assert report_of(both, Settings())["categories"] == expected["categories"]
    assert expected["metrics"]["true_positives"] == 3


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (
            lambda one: one["images"].append({"id": 9, "width": 9, "height": 9}),
            "image ids: none only in A, 1 (9) only in B",
        ),
        (lambda one: one["annotations"].pop(), "label ids: 1 (3) only in A"),
        (lambda one: one["annotations"][0].update(bbox=[0, 0, 21, 20]), "labels of another box: 1 (1)"),
        (lambda one: one["annotations"][1].update(category_id=2), "labels of another category: 1 (2)"),
        (lambda one: one["annotations"][1].update(image_id=1), "labels of another image: 1 (2)"),
        (lambda one: one["annotations"][1].update(area=3), "labels of another area: 1 (2)"),
        (lambda one: one["categories"][0].update(name="cow"), "'cat' in A, 'cow' in B"),
        (
            lambda one: one["categories"].append({"id": 7, "name": "cow"}),
            "category ids: none only in A, 1 (7) only in B",
        ),
    ],
)
def test_other_labels_are_refused_with_the_difference(edit: Callable[[Document], Any], told: str) -> None:
    a, b = builders.tables(LABELS, PREDICTIONS), builders.tables(changed(edit), PREDICTIONS)
    with pytest.raises(InputError) as refusal:
        aligned(a, b)
    assert told in str(refusal.value)
