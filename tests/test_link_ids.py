"""Ids → rows equals a dict."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from qm_cli.link_ids import distinct, filled, first_of_each, linked, rows_of, shown

INTEGERS = st.one_of(st.integers(-5, 30), st.sampled_from([0, 2**62, -(2**62), 10**9]))
TEXTS = st.sampled_from(["", "a", "b", "é", "0", "1", "01"])


def test_empty() -> None:
    assert rows_of(pa.array([], pa.int64()), pa.array([1])).tolist() == []
    assert rows_of(pa.array([1]), pa.array([], pa.int64())).tolist() == [-1]


@given(st.lists(st.one_of(st.none(), INTEGERS)), st.lists(INTEGERS, unique=True))
def test_integers_as_a_dict(ids: list[int | None], known: list[int]) -> None:
    rows = {identifier: row for row, identifier in enumerate(known)}
    expected = [-1 if i is None else rows.get(i, -1) for i in ids]
    assert rows_of(pa.array(ids, pa.int64()), pa.array(known, pa.int64())).tolist() == expected


@given(st.lists(st.one_of(st.none(), TEXTS)), st.lists(TEXTS, unique=True))
def test_texts_as_a_dict(ids: list[str | None], known: list[str]) -> None:
    rows = {identifier: row for row, identifier in enumerate(known)}
    expected = [-1 if i is None else rows.get(i, -1) for i in ids]
    assert rows_of(pa.array(ids, pa.string()), pa.array(known, pa.string())).tolist() == expected


@given(st.lists(st.one_of(st.none(), TEXTS)), st.lists(st.integers(0, 3), unique=True))
def test_texts_and_integers_meet_as_text(ids: list[str | None], known: list[int]) -> None:
    rows = {str(identifier): row for row, identifier in enumerate(known)}
    found, as_text = linked(pa.array(ids, pa.string()), pa.array(known, pa.int64()))
    assert found.tolist() == [-1 if i is None else rows.get(i, -1) for i in ids]
    assert as_text == any(i is not None for i in ids)


@given(st.lists(st.one_of(st.none(), INTEGERS)))
def test_first_of_each(values: list[int | None]) -> None:
    expected = [value not in values[:place] for place, value in enumerate(values)]
    assert first_of_each(pa.array(values, pa.int64())).tolist() == expected


def test_distinct_and_shown() -> None:
    names: Any = pa.array(["b", None, "a", "b", "c"])
    assert distinct(names).to_pylist() == ["b", "a", "c"]
    assert distinct(names, np.array([False, True, True, True, True])).to_pylist() == ["a", "b", "c"]
    assert shown(pa.array([1, 2, 3, 4])) == "1, 2, 3, …"


def test_filled() -> None:
    columns = {"a": pa.array([1, None, None]), "b": pa.array([None, "x", None]), "c": pa.array([1, 2, 3])}
    assert filled(columns, ("a", "b", "d"), 3).tolist() == [True, True, False]
    assert filled(columns, ("a", "c"), 3).all()
