"""Vectors from files: by row, by id; what does not fit the images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qm_cli.errors import InputError
from qm_cli.ingest.values_embeddings import with_embeddings
from qm_cli.tables import Tables
from tests.builders import tables

NAN = float("nan")


@pytest.fixture
def given() -> Tables:
    images = [{"id": one, "file_name": f"{one}.jpg"} for one in (7, 3, 5)]
    return tables({"images": images, "categories": [{"id": 1, "name": "a"}], "annotations": []}, [])


def read(given: Tables, path: Path) -> list[list[float | None]]:
    column = with_embeddings(given, path).image["embedding"]
    assert column.type.value_type == pa.float32()
    return list(column.to_pylist())


def test_rows_in_the_order_of_the_images(given: Tables, tmp_path: Path) -> None:
    np.save(tmp_path / "e.npy", np.array([[1, 2], [3, NAN], [5, 6]]))
    assert read(given, tmp_path / "e.npy") == [[1, 2], None, [5, 6]]


@pytest.mark.parametrize("dtype", [pa.list_(pa.float64()), pa.list_(pa.float32(), 2), pa.large_list(pa.float32())])
@pytest.mark.parametrize(("key", "ids"), [("image_id", [5, 7, 9]), ("file_name", ["5.jpg", "7.jpg", "9.jpg"])])
def test_vectors_by_id(given: Tables, tmp_path: Path, key: str, ids: list[Any], dtype: pa.DataType) -> None:
    table = pa.table({key: ids, "score": [1.0] * 3, "vector": pa.array([[1, 2], [3, 4], [5, 6]], dtype)})
    pq.write_table(table, tmp_path / "e.parquet")
    assert read(given, tmp_path / "e.parquet") == [[3, 4], None, [1, 2]]


def refused(given: Tables, path: Path, words: str) -> None:
    with pytest.raises(InputError, match=words):
        with_embeddings(given, path)


def test_arrays_that_do_not_fit(given: Tables, tmp_path: Path) -> None:
    place = tmp_path / "e.npy"
    refused(given, place, "no such file")
    place.write_text("no array")
    refused(given, place, "cannot be read")
    for array, words in (
        (np.zeros((2, 4)), "2 rows for 3 images"),
        (np.zeros(3), "one row of numbers per image"),
        (np.zeros((3, 0)), "without a number"),
        (np.array([["a"]] * 3), "one row of numbers"),
    ):
        np.save(place, array)
        refused(given, place, words)
    (tmp_path / "e.csv").write_text("id\n")
    refused(given, tmp_path / "e.csv", "unknown kind of file")


def test_tables_that_do_not_fit(given: Tables, tmp_path: Path) -> None:
    place = tmp_path / "e.parquet"
    vectors = [[1.0], [2.0], [3.0]]
    for columns, words in (
        ({"embedding": vectors}, "no column of image ids"),
        ({"id": [3, 5, 7]}, "one column of vectors is wanted, it has none"),
        ({"id": [3, 5, 7], "a": vectors, "b": vectors}, "it has a, b"),
        ({"id": [3, 5, 7], "a": [[1.0], [2.0, 3.0], [4.0]]}, "vectors of 1 and 2 numbers"),
        ({"id": [3, 3, 7], "a": vectors}, "an id stands there twice"),
        ({"id": [30, 50, 70], "a": vectors}, "none of its 3 ids"),
    ):
        pq.write_table(pa.table(columns), place)
        refused(given, place, words)
