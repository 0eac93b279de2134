"""A suggestion accepted in the tables is what it is in the label file, and neither changes what it was made from."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from qm_cli.errors import InputError
from qm_cli.report import report_of
from qm_cli.settings import Settings
from qm_cli.suggesting import (
    ADD,
    CHANGE_BOX,
    CHANGE_CATEGORY,
    REMOVE,
    Gains,
    Suggestion,
    compatible,
    patched,
    with_suggestions,
)
from tests import builders
from tests.boxes import CAT, DOG, document, label, prediction

LABELS = document(
    [
        label(3, 2, CAT, [0, 0, 20, 20], segmentation=[[0, 0, 20, 0, 20, 20]]),
        label(5, 1, CAT, [60, 50, 20, 20], note="kept"),
        label(7, 1, DOG, [0, 0, 9, 9]),
    ]
)
PREDICTIONS = [
    prediction(2, DOG, [0, 0, 20, 20], 0.9),
    prediction(1, CAT, [64, 50, 20, 20], 0.8),
    prediction(1, DOG, [0, 0, 9, 9], 0.7),
    prediction(1, DOG, [30, 30, 9, 9], 0.95),
]
SUGGESTIONS = [
    Suggestion(CHANGE_CATEGORY, 1, 2, 1, (0.0, 0.0, 20.0, 20.0)),
    Suggestion(CHANGE_BOX, 0, 0, 0, (64.0, 50.0, 20.0, 20.0)),
    Suggestion(REMOVE, 0, 1, 1, (0.0, 0.0, 9.0, 9.0)),
    Suggestion(ADD, 0, -1, 1, (30.0, 30.0, 9.0, 9.0)),
]


@pytest.mark.parametrize("one", SUGGESTIONS, ids=lambda one: one.action)
def test_gain_is_that_of_the_patched_file(one: Suggestion) -> None:
    tables = builders.tables(LABELS, PREDICTIONS)
    made = builders.tables(patched(LABELS, tables, [one], "labels.json"), PREDICTIONS)
    before, after = (report_of(each, Settings())["metrics"]["AP"] for each in (tables, made))
    gains = Gains(tables, Settings())
    assert gains.mean == pytest.approx(before, abs=1e-12)
    assert gains.gain(one) == pytest.approx(after - before, abs=1e-12)
    assert report_of(with_suggestions(tables, [one]), Settings())["metrics"] == report_of(made, Settings())["metrics"]


@pytest.mark.parametrize("accepted", [SUGGESTIONS, SUGGESTIONS[::-1], [SUGGESTIONS[1], SUGGESTIONS[3]] * 2, []])
def test_several_together_are_the_patched_file(accepted: list[Suggestion]) -> None:
    """A label that changes in two ways and goes, and several new ones of one image among them."""
    again = [Suggestion(CHANGE_CATEGORY, 0, 1, 0, (0.0, 0.0, 9.0, 9.0)), replace(SUGGESTIONS[1], label_row=2)]
    tables = builders.tables(LABELS, PREDICTIONS)
    for every in (accepted, [*accepted, *again]):
        made = builders.tables(patched(LABELS, tables, every, "labels.json"), PREDICTIONS)
        expected = report_of(made, Settings())["metrics"]
        assert report_of(with_suggestions(tables, every), Settings())["metrics"] == expected
        assert Gains(tables, Settings()).mean_with(every) == pytest.approx(expected["AP"], abs=1e-12)


def test_entries_keep_what_they_had() -> None:
    tables, original = builders.tables(LABELS, PREDICTIONS), copy.deepcopy(LABELS)
    made = patched(LABELS, tables, SUGGESTIONS, "labels.json")
    assert original == LABELS
    assert made["images"] == LABELS["images"]
    rows = {row["id"]: row for row in made["annotations"]}
    assert list(rows) == [3, 5, 8]
    assert rows[3] == {**LABELS["annotations"][0], "category_id": DOG}
    assert rows[5] == {**LABELS["annotations"][1], "bbox": [64, 50, 20, 20], "area": 400}
    assert (rows[8]["image_id"], rows[8]["category_id"], rows[8]["area"]) == (1, DOG, 81)


def test_a_moved_label_loses_its_outline() -> None:
    tables = builders.tables(LABELS, PREDICTIONS)
    made = patched(LABELS, tables, [Suggestion(CHANGE_BOX, 1, 2, 0, (1.0, 1.0, 5.0, 5.0))], "labels.json")
    assert "segmentation" not in made["annotations"][0]


def test_new_ids_where_ids_are_no_numbers() -> None:
    rows = [{**row, "id": f"review-{row['id']}"} for row in LABELS["annotations"]]
    tables = builders.tables({**LABELS, "annotations": rows}, PREDICTIONS)
    made = patched({**LABELS, "annotations": rows}, tables, [SUGGESTIONS[3]], "labels.json")
    ids = [row["id"] for row in made["annotations"]]
    assert len(set(ids)) == 4
    assert ids[3].startswith("review-review-")


@pytest.mark.parametrize("content", [[], {"annotations": 3}, {"annotations": []}])
def test_a_file_that_is_not_the_one_that_was_scored(content: Any) -> None:
    with pytest.raises(InputError, match=r"labels\.json"):
        patched(content, builders.tables(LABELS, PREDICTIONS), SUGGESTIONS, "labels.json")


def test_no_label_at_all() -> None:
    tables = builders.tables(document([]), PREDICTIONS)
    gains = Gains(tables, Settings())
    assert np.isnan(gains.mean)
    assert np.isnan(gains.gain(SUGGESTIONS[3]))


BOX = (0.0, 0.0, 9.0, 9.0)


@pytest.mark.parametrize(
    ("uses", "gains", "kept"),
    [
        ([(0, 5), (1, 5), (2, 6)], [0.1, 0.2, 0.0], [1, 2]),
        ([(0, 5), (1, 5)], [0.1, 0.1], [0]),
        ([(0, 5), (0, 6)], [0.1, 0.2], [1]),
        ([(0, -1), (1, -1), (-1, 4), (-1, 5)], [0.1] * 4, [0, 1, 2, 3]),
        ([(0, 5), (0, 6), (1, 6)], [0.3, 0.2, 0.1], [0, 2]),
        ([], [], []),
    ],
    ids=["one prediction", "the earlier", "one label", "apart", "what goes takes nothing", "none"],
)
def test_no_label_and_no_prediction_is_taken_twice(
    uses: list[tuple[int, int]], gains: list[float], kept: list[int]
) -> None:
    made = [Suggestion(CHANGE_BOX, 0, label, 0, BOX, prediction_row=row) for label, row in uses]
    assert compatible(made, gains) == [made[place] for place in kept]
