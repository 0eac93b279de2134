"""Answers: parts of them, and which categories a question has."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from qm_cli.answers import Given, question_categories
from qm_cli.link_answers import empty


def given(question: list[int], category: list[int]) -> Given:
    rows, numbers = np.arange(len(question)), np.zeros(len(question))
    texts = pa.array([None] * len(question), pa.string())
    return Given(rows, np.array(question), np.array(category), numbers, texts, numbers, numbers, rows)


def test_take_keeps_every_column_together() -> None:
    part = given([0, 1, 1], [4, 5, 6]).take(np.array([False, True, True]))
    assert (part.row.tolist(), part.category.tolist(), part.source.tolist(), len(part.text)) == (
        [1, 2],
        [5, 6],
        [1, 2],
        2,
    )
    assert part.take(np.array([1, 0])).category.tolist() == [6, 5]


def test_categories_of_a_question() -> None:
    named = np.array([0, 0, 1])
    assert question_categories(1, 2, named, empty(), empty()).tolist() == [2]
    unnamed = np.full(3, -1)
    assert question_categories(0, 1, unnamed, empty(), empty()).tolist() == [0, 1, 2]
    label, prediction = given([0, 1], [2, 1]), given([0], [0])
    assert question_categories(0, 2, unnamed, label, prediction).tolist() == [0, 2]
