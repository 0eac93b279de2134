"""Columns that grow give back what they were given, type by type."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from qm_cli.errors import MetricError
from qm_cli.gathered import IMAGES_PACKED, Gathered
from qm_cli.image_task import ShardResult

COLUMNS: dict[str, list[Any]] = {
    "numbers": [0.1, None, math.inf],
    "whole": [1, None, -5],
    "large": [2**70, 1, None],
    "mixed": [1, 2.5, "text"],
    "text": ["a", None, ""],
    "surrogate": ["\ud800", "a", None],
    "flags": [True, False, None],
    "none": [None, None, None],
    "vectors": [np.zeros(2, np.float32), None, np.ones(2, np.float32)],
}


def test_values_come_back_as_they_were() -> None:
    outputs = [("image", name) for name in COLUMNS]
    gathered = Gathered(outputs)
    result = ShardResult({("image", name): values for name, values in COLUMNS.items()}, np.zeros((3, 2)), [])
    rounds = IMAGES_PACKED // 3 + 2
    for _ in range(rounds):
        gathered.add(result)
    for name, values in COLUMNS.items():
        found = gathered["image", name]
        assert [repr(value) for value in found] == [repr(value) for value in values] * rounds


def test_nothing_at_all() -> None:
    assert Gathered([("image", "one")])["image", "one"] == []


def test_not_a_number_is_not_none() -> None:
    gathered = Gathered([("image", "one")])
    values = [math.nan, None] * IMAGES_PACKED
    gathered.add(ShardResult({("image", "one"): values}, np.zeros((len(values), 2)), []))
    assert [value is None for value in gathered["image", "one"]] == [value is None for value in values]


def vectors(rows: list[list[float] | None]) -> ShardResult:
    values = [None if row is None else np.array(row, np.float32) for row in rows]
    return ShardResult({("label", "corner"): values}, np.zeros((1, 2)), [])


def test_vectors_under_each_other() -> None:
    gathered = Gathered([("label", "corner")], {("label", "corner"): 5})
    for rows in ([None], [[1.0, 2.0], None], [], [[3.0, 4.0], [5.0, 6.0]]):
        gathered.add(vectors(rows))
    found = gathered.vectors(("label", "corner"))
    assert found.dtype == np.float32
    assert np.isnan(found[[0, 2]]).all()
    assert found[[1, 3, 4]].tolist() == [[1, 2], [3, 4], [5, 6]]


def test_not_a_single_vector() -> None:
    gathered = Gathered([("label", "corner")], {("label", "corner"): 2})
    gathered.add(vectors([None, None]))
    assert gathered.vectors(("label", "corner")).shape == (2, 0)


@pytest.mark.parametrize("rows", [[[1.0], [1.0, 2.0]], [[1.0, 2.0], None, [1.0]]])
def test_vectors_of_different_lengths_are_refused(rows: list[list[float] | None]) -> None:
    gathered = Gathered([("label", "corner")], {("label", "corner"): 3})
    with pytest.raises(MetricError, match=r"metric label\.corner: gives vectors of 1 and 2 numbers"):
        gathered.add(vectors(rows))
