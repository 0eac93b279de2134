"""Which category and question an answer is of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from qm_cli.errors import InputError
from qm_cli.link_answer_categories import (
    column_categories,
    derived,
    names_a_category,
    question_rows,
    questions_of,
    rows_of_categories,
)
from qm_cli.raw import Columns, RawLabels

CATEGORY = pa.table({"id": [1, 2, 3], "name": ["cat", "3", "dog"], "question": pa.array(["a", "a", None])})


def columns(**given: Any) -> Columns:
    count = len(next(iter(given.values())))
    return {"image_id": pa.array(range(count)), **{name: pa.array(values) for name, values in given.items()}}


def test_an_id_wins_over_a_name_and_a_name_over_an_id_as_text() -> None:
    given = columns(category_id=[1, None, None, None], category_name=["dog", "dog", "3", "1"])
    assert rows_of_categories(given, "", CATEGORY)[0].tolist() == [0, 2, 1, 0]
    assert rows_of_categories(columns(category_name=["x", None]), "", CATEGORY)[0].tolist() == [-1, -1]
    assert names_a_category(columns(category_name=["x", None])).tolist() == [True, False]


def test_categories_that_no_file_lists() -> None:
    table, found = derived([columns(category_name=["b", "a"]), columns(category_name=["c"])], (), None)
    assert table["name"].to_pylist() == ["a", "b", "c"]
    assert [one.code for one in found] == ["category-derived"]
    table, _ = derived([columns(category_name=["10", "9"])], (), None)
    assert table["id"].to_pylist() == [9, 10]
    table, _ = derived([columns(category_id=[0, 3])], (), 5)
    assert table["id"].to_pylist() == [0, 1, 2, 3, 4]
    table, _ = derived([columns(category_name=["b", "a"])], ("b", "a", "z"), 3)
    assert table["name"].to_pylist() == ["b", "a", "z"]


def test_columns_of_probabilities() -> None:
    assert column_categories(("dog", "cat", "3"), CATEGORY, "p").tolist() == [2, 0, 1]
    for names in (("dog", "cat"), ("dog", "cat", "cow"), ("dog", "dog", "cat")):
        with pytest.raises(InputError, match=f"of {len(names)} categories, the labels have 3"):
            column_categories(names, CATEGORY, "p")


def test_questions() -> None:
    labels = RawLabels("", {}, {}, columns(question=["b", None]))
    assert questions_of(labels, CATEGORY, {"declared": "text"}) == ("declared", "a", "b", None)
    assert questions_of(RawLabels("", {}, {}, {}), CATEGORY.take([2]), {}) == (None,)


def test_an_answers_own_question_wins_over_its_categorys() -> None:
    given = columns(question=["b", None, "z", None])
    rows = question_rows(given, np.array([0, 0, 0, 2]), np.array([0, 0, -1]), ("a", "b"))
    assert rows.tolist() == [1, 0, -1, -1]
    assert question_rows(columns(x=[1, 1]), np.array([0, -1]), np.array([-1]), ("only",)).tolist() == [0, 0]
    assert question_rows(columns(x=[1]), np.array([2]), np.array([0, 0, -1]), ("a", None)).tolist() == [1]
