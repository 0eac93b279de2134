"""Columns that grow give back what they were given, type by type."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

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
