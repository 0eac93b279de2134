"""Answers as tables: CSV, TSV, Parquet and Arrow hold the same columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from qm_cli.errors import InputError
from qm_cli.ingest.answers_columnar import further_columns, probability_names, read
from tests.input_files import write


def content(path: Path) -> dict[str, Any]:
    return {name: column.to_pylist() for name, column in read(path, path.name).columns.items()}


def test_text_files(tmp_path: Path) -> None:
    expected = {"image_id": [1, 2], "category_name": ["cat", None], "question": ["a", "b"], "score": [0.5, None]}
    assert content(write(tmp_path / "a.csv", "id,label,question,confidence\n1,cat,a,0.5\n2,,b,\n")) == expected
    assert content(write(tmp_path / "a.tsv", "id\tlabel\tquestion\tconfidence\n1\tcat\ta\t0.5\n2\t\tb\t\n")) == expected


def test_ids_are_integers_only_where_all_are_written_as_such(tmp_path: Path) -> None:
    assert content(write(tmp_path / "a.csv", "data_row_id,category_id\n007,1\n8,2\n")) == {
        "image_id": ["007", "8"],
        "category_id": [1, 2],
    }


def test_parquet_and_arrow(tmp_path: Path) -> None:
    table = pa.table({"image_id": [1, 2], "id": ["x", "y"], "category": pa.array(["a", "b"]).dictionary_encode()})
    pq.write_table(table, tmp_path / "a.parquet")
    pyarrow.feather.write_feather(table, tmp_path / "a.arrow")
    expected = {"image_id": [1, 2], "id": ["x", "y"], "category_name": ["a", "b"]}
    assert content(tmp_path / "a.parquet") == content(tmp_path / "a.arrow") == expected


def test_probabilities_as_list_text_or_columns(tmp_path: Path) -> None:
    rows = [[0.25, 0.75], [1.0, 0.0]]
    pq.write_table(pa.table({"id": [1, 2], "probs": pa.array(rows, pa.list_(pa.float32(), 2))}), tmp_path / "a.parquet")
    assert content(tmp_path / "a.parquet")["probs"] == rows
    assert content(write(tmp_path / "a.csv", 'id,probs\n1,"[0.25, 0.75]"\n2,1 0\n'))["probs"] == rows
    wide = write(tmp_path / "b.csv", "id,prob_cat,prob_dog\n1,0.25,0.75\n2,,\n")
    assert content(wide)["probs"] == [[0.25, 0.75], None]
    assert probability_names(read(wide, "b.csv").keys) == ("cat", "dog")
    assert probability_names(("id", "probs", "prob_cat")) == ()


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "the file is empty"),
        ("name,label\na,b\n", "no column image_id, data_row_id or id; it has name, label"),
        ("id,label,label\n1,a,b\n", "'label' stands twice"),
        ("id,label,score\n1,a,high\n", "row 1: score: expected a number, got 'high'"),
        ("id,label,score\n1,a,0.5\n2,b,nan\n", "row 2: score: expected a finite number, got nan"),
        ("id,probs\n1,x y\n", "probs: expected numbers"),
        ("id,label\n1,a,b\n", "no CSV"),
        (b"id,label\n1,\xff\n", "a.csv"),
        (b"PAR1 and nothing else", "damaged Parquet"),
    ],
)
def test_what_is_refused(text: str | bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        read(write(tmp_path / "a.csv", text), "a.csv")


@pytest.mark.parametrize(
    "column, words",
    [
        ({"id": [1.5]}, "id: expected a column of integers or strings, got double"),
        ({"id": [1], "score": ["a"]}, "score"),
        ({"id": [1], "score": [[1.0]]}, "score: expected a column of numbers"),
        ({"id": [1], "probs": [[["a"]]]}, "probs: expected a column of lists of numbers"),
        ({"id": [1], "answer": [["a"]]}, "answer: expected a column of texts"),
        ({"id": pa.array([2**63], pa.uint64())}, "does not fit 64 bits"),
    ],
)
def test_columns_of_the_wrong_type_are_refused(column: dict[str, Any], words: str, tmp_path: Path) -> None:
    pq.write_table(pa.table(column), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=words):
        read(tmp_path / "a.parquet", "a.parquet")


def test_a_table_without_answers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no column says what the answer is; it has id, score"):
        read(write(tmp_path / "a.csv", "id,score\n1,0.5\n"), "a.csv")


def test_further_columns_of_text_are_typed_where_every_value_is_so_written(tmp_path: Path) -> None:
    text = "id,category,score,prob_a,hour,depth,code,day,sure,note,none\n"
    text += "1,a,.5,1,7,0.5,007,2024-01-02,true,x,\n2,b,.5,1,,1e3,8,2024-01-03,False,,\n"
    found = further_columns(write(tmp_path / "a.csv", text), "a.csv")
    assert {name: column.to_pylist() for name, column in found.items()} == {
        "hour": [7, None],
        "depth": [0.5, 1000.0],
        "code": ["007", "8"],
        "day": ["2024-01-02", "2024-01-03"],
        "sure": [True, False],
        "note": ["x", None],
        "none": [None, None],
    }


def test_further_columns_of_parquet_are_scalars(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": [1, 2],
            "category": ["a", "b"],
            "site": pa.array(["x", None]).dictionary_encode(),
            "hour": pa.array([7, 8], pa.uint8()),
            "big": pa.array([1, 2], pa.uint64()),
            "depth": pa.array([0.5, None], pa.float32()),
            "day": pa.array([0, 1], pa.date32()),
            "tags": [["x"], []],
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    found = further_columns(tmp_path / "a.parquet", "a.parquet")
    assert {name: column.to_pylist() for name, column in found.items()} == {
        "site": ["x", None],
        "hour": [7, 8],
        "big": ["1", "2"],
        "depth": [0.5, None],
        "day": ["1970-01-01", "1970-01-02"],
    }
