"""Names, places and mappings → rows of categories."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from qm_cli.link_categories import category_rows, contiguous_rows, named_rows, unmatched
from qm_cli.raw import RawPredictions

CATEGORY = pa.table({"id": [9, 2, 5], "name": ["Cat", "cat", "dog "]})


def test_named_rows() -> None:
    names = pa.array(["cat", "Cat", "CAT", "dog", "cow", None])
    assert named_rows(names, CATEGORY).tolist() == [1, 0, 0, 2, -1, -1]
    assert named_rows(pa.array([1]), CATEGORY).tolist() == [-1]


@given(st.lists(st.integers(0, 1000), unique=True, min_size=1), st.lists(st.integers(-2, 12)))
def test_contiguous_rows_as_a_list(ids: list[int], values: list[int]) -> None:
    category = pa.table({"id": pa.array(ids, pa.int64()), "name": [str(i) for i in ids]})
    expected = [ids.index(sorted(ids)[v]) if 0 <= v < len(ids) else -1 for v in values]
    assert contiguous_rows(pa.array(values, pa.int64()), category).tolist() == expected
    assert contiguous_rows(pa.array([str(v) for v in values], pa.string()), category).tolist() == expected


def test_by_ids_and_what_would_fit() -> None:
    raw = RawPredictions("p", {"category_id": pa.array([2, 9, 0, 0])})
    rows, findings = category_rows(raw, CATEGORY, None)
    assert (rows.tolist(), findings) == ([1, 0, -1, -1], [])
    assert unmatched(raw, CATEGORY, rows, None, tolerant=False) == ("2 of its 3 category ids match", [])
    rows, [found] = category_rows(raw, CATEGORY, {"0": "dog ", "2": "9"})
    assert rows.tolist() == [0, -1, 2, 2]
    assert found.detail == "2 of 3 categories matched by the given file"
