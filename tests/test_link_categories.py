"""Names, places and mappings → rows of categories."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qm_cli.errors import InputError, UsageError
from qm_cli.link_categories import category_rows, contiguous_rows, counted_from, missing, named_rows, unmatched
from qm_cli.raw import RawPredictions

CATEGORY = pa.table({"id": [9, 2, 5], "name": ["Cat", "cat", "dog "]})


def test_named_rows() -> None:
    names = pa.array(["cat", "Cat", "CAT", "dog", "cow", None])
    assert named_rows(names, CATEGORY).tolist() == [1, 0, 0, 2, -1, -1]
    assert named_rows(pa.array([1]), CATEGORY).tolist() == [-1]


@given(st.lists(st.integers(0, 1000), unique=True, min_size=1), st.lists(st.integers(-2, 12)), st.integers(0, 1))
def test_contiguous_rows_as_a_list(ids: list[int], values: list[int], start: int) -> None:
    category = pa.table({"id": pa.array(ids, pa.int64()), "name": [str(i) for i in ids]})
    places = [v - start for v in values]
    expected = [ids.index(sorted(ids)[v]) if 0 <= v < len(ids) else -1 for v in places]
    assert contiguous_rows(pa.array(values, pa.int64()), category, start).tolist() == expected
    assert contiguous_rows(pa.array([str(v) for v in values], pa.string()), category, start).tolist() == expected


@pytest.mark.parametrize(
    ("ids", "start"),
    [([0, 1, 2], 0), ([0], 0), ([1, 2, 3], 1), ([3], 1), ([1, 2], None), ([0, 3], None), ([4, 1], None), ([], 0)],
)
def test_counted_from_only_where_one_way_fits_all(ids: list[int], start: int | None) -> None:
    assert counted_from(pa.array(ids, pa.int64()), CATEGORY) == start
    assert counted_from(pa.array([str(i) for i in ids], pa.string()), CATEGORY) == start


def told(ids: list[int], mapping: str | None = None) -> str:
    raw = RawPredictions("p", {"category_id": pa.array(ids)})
    rows, _ = category_rows(raw, CATEGORY, mapping)
    return unmatched(raw, CATEGORY, rows, mapping, tolerant=True)[0]


def test_a_suggestion_says_how_it_counts_and_when_it_cannot() -> None:
    assert told([0, 1, 2]).endswith("--map-categories contiguous would fit 3 of 3")
    assert told([1, 2, 3]).endswith("--map-categories contiguous (from 1) would fit 3 of 3")
    assert told([1, 2]).endswith(
        "its category ids (1, 2) may count the 3 categories from 0 or from 1: --map-categories FILE says which"
    )
    assert told([0, 1, 3]) == "0 of its 3 category ids match"


@pytest.mark.parametrize(
    ("ids", "mapping", "expected"),
    [
        ([2, 5], "name", "no category names to map by, and 2 of its 2 ids are the labels'"),
        ([2, 1], "name", "no category names to map by, and 1 of its 2 ids are the labels'"),
        ([1, 1], "name", "may count the 3 categories from 0 or from 1"),
        ([1, 2], "contiguous", r"its category ids \(1, 2\) may count the 3 categories from 0 or from 1"),
        ([0, 3], "contiguous", r"its category ids \(0, 3\) do not count the 3 categories"),
    ],
)
def test_a_mapping_that_cannot_be_told_is_refused(ids: list[int], mapping: str, expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        category_rows(RawPredictions("p", {"category_id": pa.array(ids)}), CATEGORY, mapping)


def test_names_from_either_field() -> None:
    raw = RawPredictions("p", {"category_id": pa.nulls(3, pa.int64()), "category": pa.array(["cat", "dog", "cow"])})
    rows, [found] = category_rows(raw, CATEGORY, "name")
    assert (rows.tolist(), found.detail) == ([1, 2, -1], "2 of 3 categories matched by name")
    assert unmatched(raw, CATEGORY, rows, "name", tolerant=True) == ("2 of its 3 category names match", [])
    assert missing(raw, CATEGORY, tolerant=True) == "--map-categories name would fit 2 of 3"
    with pytest.raises(
        InputError, match=r"none of its 1 category names \(cow\) is among the 3 categories of the labels"
    ):
        other = RawPredictions("p", {**raw.columns, "category": pa.array(["cow"] * 3)})
        unmatched(other, CATEGORY, category_rows(other, CATEGORY, "name")[0], "name", tolerant=False)


def test_by_ids_and_what_would_fit() -> None:
    raw = RawPredictions("p", {"category_id": pa.array([2, 9, 0, 0])})
    rows, findings = category_rows(raw, CATEGORY, None)
    assert (rows.tolist(), findings) == ([1, 0, -1, -1], [])
    assert unmatched(raw, CATEGORY, rows, None, tolerant=False) == ("2 of its 3 category ids match", [])
    rows, [found] = category_rows(raw, CATEGORY, {"0": "dog ", "2": "9"})
    assert rows.tolist() == [0, -1, 2, 2]
    assert found.detail == "2 of 3 categories matched by the given file"
