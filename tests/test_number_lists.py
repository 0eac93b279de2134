from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qm_cli.number_lists import number_lists

numbers = st.one_of(st.integers(-(2**60), 2**60), st.floats(allow_nan=False, allow_infinity=False))


@given(st.integers(1, 4).flatmap(lambda size: st.lists(st.lists(numbers, min_size=size, max_size=size), min_size=1)))
def test_lists_of_one_length(rows: list[list[float]]) -> None:
    column = number_lists([json.dumps(row).encode() for row in rows])
    assert column is not None
    assert column.to_pylist() == [[float(value) for value in row] for row in rows]


@given(st.lists(st.lists(numbers, max_size=3), min_size=1), st.sampled_from([None, 1]))
def test_lists_of_any_length(rows: list[list[float]], indent: int | None) -> None:
    column = number_lists([json.dumps(row, indent=indent).encode() for row in rows])
    assert column is not None
    assert column.to_pylist() == [[float(value) for value in row] for row in rows]


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("length", [1, 2])
def test_an_empty_list_stays_empty_wherever_it_stands(place: int, length: int) -> None:
    rows = [[0.5] * length, [1.5] * length]
    rows.insert(place, [])
    column = number_lists([json.dumps(row).encode() for row in rows])
    assert column is not None
    assert column.to_pylist() == rows


def test_no_lists() -> None:
    column = number_lists([])
    assert column is not None
    assert (len(column), column.to_pylist()) == (0, [])


def test_blocks_follow_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qm_cli.number_lists.LISTS_AT_ONCE", 2)
    rows = [[float(one)] * (one % 3) for one in range(7)]
    column = number_lists([json.dumps(row).encode() for row in rows])
    assert column is not None
    assert column.to_pylist() == rows
    assert number_lists([*(json.dumps(row).encode() for row in rows), b"null"]) is None


def test_forms_of_numbers() -> None:
    column = number_lists([b"[1,-0.0,2.5e-3]", b"[ 1E5 , 0 ,-7]", b"[5e-324,4e-400,1]"])
    assert column is not None
    assert column.to_pylist() == [[1.0, 0.0, 0.0025], [1e5, 0.0, -7.0], [5e-324, 0.0, 1.0]]


@pytest.mark.parametrize(
    "texts",
    [
        [b"[1,2]", b"null"],
        [b"[1\n]", b"null"],
        [b"[1]", b"163"],
        [b"163"],
        [b"[1]", b"[[1]]"],
        [b"[1]", b'["2"]'],
        [b"[1]", b"[null]"],
        [b"[1]", b"[true]"],
        [b"[1e400]"],
        [b"{}"],
        [b"5", b"[[1]]"],
        [b"[\n[1]]", b"5"],
        [b"[[]]"],
        [b"[[1],[2]]", b"3"],
        [b'"[1]"'],
    ],
)
def test_anything_else_is_none(texts: list[bytes]) -> None:
    assert number_lists(texts) is None
