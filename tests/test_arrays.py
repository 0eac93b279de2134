"""NumPy ⇄ Arrow: every kind of column survives the way there and back, slices and nulls included."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qm_cli import arrays
from qm_cli.arrays import (
    number_or_none,
    one_chunk,
    rows_to_arrow,
    strings_to_arrow,
    to_arrow,
    to_numpy,
    valid,
    vectors_to_arrow,
)
from qm_cli.errors import InputError

COLUMNS = [
    np.array([1.5, np.nan, 3.0]),
    np.array([1, -2, 3], np.int64),
    np.array([1, -2, 3], np.int32),
    np.array([True, False, True]),
    np.array([[1.0, 2.0], [np.nan, np.nan], [3.0, 4.0]]),
    np.array(["a", None, "c"], object),
    np.zeros(0),
    np.zeros((0, 4)),
]


@pytest.mark.parametrize("values", COLUMNS, ids=lambda values: f"{values.dtype}-{values.shape}")
def test_round_trip(values: np.ndarray) -> None:
    np.testing.assert_array_equal(to_numpy(to_arrow(values)), values)


def test_nan_becomes_null() -> None:
    column = to_arrow(np.array([1.0, np.nan]))
    assert column.to_pylist() == [1.0, None]
    assert column.null_count == 1
    assert to_arrow(np.array([[np.nan, 1.0], [2.0, 3.0]])).to_pylist() == [None, [2.0, 3.0]]


def test_numbers_share_memory() -> None:
    values = np.arange(5.0)
    assert np.shares_memory(to_numpy(to_arrow(values)), values)


@given(st.lists(st.one_of(st.none(), st.booleans())), st.integers(0, 12))
def test_booleans_of_a_slice(values: list[bool | None], start: int) -> None:
    column = pa.array(values, pa.bool_()).slice(start)
    assert to_numpy(column).tolist() == [bool(value) for value in values[start:]]
    assert valid(column).tolist() == [value is not None for value in values[start:]]


@given(st.lists(st.one_of(st.none(), st.integers(-5, 5))), st.integers(0, 12))
def test_numbers_of_a_slice(values: list[int | None], start: int) -> None:
    column = pa.array(values, pa.int64()).slice(start)
    expected = [np.nan if value is None else value for value in values[start:]]
    np.testing.assert_array_equal(to_numpy(column), expected)


@given(st.lists(st.one_of(st.none(), st.text(alphabet="aé名\n\0", max_size=4))))
def test_strings(values: list[str | None]) -> None:
    column = strings_to_arrow(values)
    column.validate(full=True)
    assert column.to_pylist() == values


@pytest.mark.parametrize("values", [["abc", "de"], ["ä", None, "cde"], ["ää", "a"]])
def test_more_text_than_a_column_holds_is_refused(values: list[str | None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "MOST_TEXT", 5)
    assert strings_to_arrow(values).to_pylist() == values
    monkeypatch.setattr(arrays, "MOST_TEXT", 4)
    with pytest.raises(InputError, match="5 bytes of text in one column, 4 are the most"):
        strings_to_arrow(values)


def test_columns_of_no_chunk_and_of_several() -> None:
    assert len(one_chunk(pa.chunked_array([], pa.int64()))) == 0
    assert to_numpy(pa.chunked_array([[1, 2], [3]])).tolist() == [1, 2, 3]


def test_pandas_stays_asleep() -> None:
    code = (
        "import sys, numpy as np\n"
        "from qm_cli.arrays import *\n"
        "to_numpy(to_arrow(np.array([1., np.nan]))); to_numpy(to_arrow(np.ones((2, 4)))); strings_to_arrow(['a'])\n"
        "to_numpy(to_arrow(np.array([True])))\n"
        "assert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_vectors_stay_single_precision() -> None:
    rows = np.array([[1, 2], [np.nan, np.nan], [3, 4]], np.float32)
    column = vectors_to_arrow(rows)
    assert column.type == pa.list_(pa.float32(), 2)
    assert column.to_pylist() == [[1, 2], None, [3, 4]]
    np.testing.assert_array_equal(to_numpy(column), rows)
    assert vectors_to_arrow(np.zeros((2, 0), np.float32)).null_count == 2
    assert len(vectors_to_arrow(np.zeros((0, 3), np.float32))) == 0


def test_row_numbers_below_zero_are_null() -> None:
    column = rows_to_arrow(np.array([3, -1, 0, -7]))
    assert (column.to_pylist(), str(column.type)) == ([3, None, 0, None], "int32")


def test_undefined_numbers_are_null() -> None:
    assert [number_or_none(value) for value in (np.nan, np.float64(0.5), -np.inf)] == [None, 0.5, -np.inf]
