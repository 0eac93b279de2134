from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from qm_cli.link_texts import decoded_texts, number_rows, part_rows


@pytest.mark.parametrize("texts", [["[1, 2]", "[3, 4.5]"], ["[[1, 2]]", "[3, 4.5]"]])
def test_rows_of_numbers(texts: list[str]) -> None:
    rows, lengths = number_rows(pa.array(texts), 2)
    assert rows.tolist() == [[1, 2], [3, 4.5]]
    assert lengths.tolist() == [2, 2]


def test_what_is_no_row_of_numbers_is_nan() -> None:
    texts = pa.array(["[1, 2]", "[1]", None, '"x"', "[[1, 2], [3, 4]]", '["a", "b"]', "[null, 1]", "{}"])
    rows, _ = number_rows(texts, 2)
    assert np.isfinite(rows).all(1).tolist() == [True, *[False] * 7]


def test_lists_as_they_are() -> None:
    rows, lengths = number_rows(pa.array([[1.0, 2.0], None, [3.0]], pa.list_(pa.float64())), 2)
    assert lengths.tolist() == [2, 0, 1]
    assert np.isnan(rows[1:]).all()


def test_parts() -> None:
    assert part_rows(pa.array(["[1, 2, 3, 4]", "[[1, 2, 3, 4], [5, 6, 7, 8]]", "[[1, 2]]", "[]", '"x"'])) == [
        [[1, 2, 3, 4]],
        [[1, 2, 3, 4], [5, 6, 7, 8]],
        [[1, 2]],
        [],
        None,
    ]


def test_points_of_a_line() -> None:
    lines = pa.array(["[[1, 2], [3, 4], [5, 6]]", "[[1, 2], [3, 4, 5, 6]]"])
    assert part_rows(lines) == [[[1, 2, 3, 4, 5, 6]], [[1, 2], [3, 4, 5, 6]]]


def test_four_corners_as_points() -> None:
    rows, lengths = number_rows(pa.array(["[[1, 2], [3, 4], [5, 6], [7, 8]]", "[[1, 2], [3, 4]]"]), 8)
    assert rows[0].tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert lengths.tolist() == [8, 0]


def test_numbers_beside_lists_are_none() -> None:
    texts = pa.array(["[1, [2, 3]]", "[[2, 3], 1]", "[1, 2]"])
    assert part_rows(texts) == [None, None, [[1, 2]]]
    assert np.isfinite(number_rows(texts, 2)[0]).all(1).tolist() == [False, False, True]


def test_a_text_that_is_two_values_is_none() -> None:
    assert decoded_texts(pa.array(["1, 2", "3"]), int) == [None, 3]


def test_nulls_among_the_numbers_are_none() -> None:
    assert part_rows(pa.array([[1.0, None, 3.0, 4.0], [1.0, 2.0], None], pa.list_(pa.float64()))) == [
        None,
        [[1, 2]],
        None,
    ]
