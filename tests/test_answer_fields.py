"""Further columns of answers become metadata: of data rows where they have one value in each, else of labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli import main
from qm_cli.answer_fields import _of_rows
from qm_cli.arrays import to_numpy
from qm_cli.load_dataset import load_tables
from qm_cli.tables import Tables
from tests.input_files import write

ROWS: list[dict[str, Any]] = [
    {"id": "a", "question": "sky", "category": "rain", "site": "north", "hour": 7, "by": "ann"},
    {"id": "a", "question": "road", "category": "wet", "site": "north", "hour": None, "by": "bob"},
    {"id": "b", "question": "sky", "category": "sun", "site": "south", "hour": None, "by": "ann"},
]


def csv_of(rows: list[dict[str, Any]]) -> str:
    lines = [",".join("" if value is None else str(value) for value in row.values()) for row in rows]
    return "\n".join([",".join(rows[0]), *lines, ""])


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
        return path
    if path.suffix == ".csv":
        return write(path, csv_of(rows))
    if path.suffix == ".jsonl":
        return write(path, "".join(f"{json.dumps(row)}\n" for row in rows))
    return write(path, {"annotations": rows} if path.stem == "document" else rows)


def loaded(path: Path) -> Tables:
    return load_tables(path, None, metadata=True)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json", "document.json", "a.parquet"])
def test_columns_of_data_rows_and_of_labels(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / name, ROWS)
    tables = loaded(path)
    assert tables.image["id"].to_pylist() == ["a", "b"]
    assert tables.image["site"].to_pylist() == ["north", "south"]
    assert tables.image["hour"].to_pylist() == [7, None]
    assert tables.image["hour"].type == pa.int64()
    assert tables.label["by"].to_pylist() == ["ann", "bob", "ann"]
    assert "by" not in tables.image.column_names and "site" not in tables.label.column_names
    plain = load_tables(path, None)
    assert {"site", "hour"}.isdisjoint(plain.image.column_names) and "by" not in plain.label.column_names


def test_names_that_qm_knows(tmp_path: Path) -> None:
    """A file's own size and name are taken for what they are; what would replace a column of the tables is left out."""
    row = {
        "id": 1,
        "category": "a",
        "width": 8,
        "height": "x",
        "file_name": "a/1.png",
        "area": 3,
        "iscrowd": "yes",
        "bbox": 3,
    }
    tables = loaded(written(tmp_path / "a.csv", [row, {**row, "id": 2, "file_name": "2.png"}]))
    assert tables.image["width"].to_pylist() == [8.0, 8.0]
    assert tables.image["height"].to_pylist() == [None, None]
    assert tables.image["file_name"].to_pylist() == ["a/1.png", "2.png"]
    assert tables.label["area"].to_pylist() == [0.0, 0.0]


def test_labelbox_rows_bring_no_fields(tmp_path: Path) -> None:
    row = {"name": "sky", "answer": [{"name": "rain"}, {"name": "sun"}], "dataRow": {"globalKey": "a"}, "site": "north"}
    tables = loaded(written(tmp_path / "a.jsonl", [row]))
    assert tables.count("label") == 2 and "site" not in tables.image.column_names


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from([None, "x", "y"])), max_size=12))
def test_one_value_each_as_a_loop_tells(cells: list[tuple[int, str | None]]) -> None:
    column, row = (
        pa.array([value for _, value in cells], pa.string()),
        pa.array([place for place, _ in cells], pa.int64()),
    )
    values = [{value for own, value in cells if own == place and value is not None} for place in range(5)]
    found = _of_rows(column, to_numpy(row), 5)
    if any(len(one) > 1 for one in values):
        assert found is None
    else:
        assert found is not None and found.to_pylist() == [next(iter(one), None) for one in values]


def test_answers_are_compared_by_such_a_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"id": n, "category": "ab"[n % 2], "site": ["north", "south", "west"][n % 3]} for n in range(30)]
    labels = written(tmp_path / "labels.csv", rows)
    right = written(tmp_path / "right.csv", [{"id": n, "category": "ab"[n % 2], "score": 0.5} for n in range(30)])
    wrong = written(tmp_path / "wrong.csv", [{"id": n, "category": "a", "score": 0.5} for n in range(30)])
    assert main.run(["compare", *map(str, (labels, wrong, right)), "--by", "site", "--resamples", "100", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    told = {one["name"]: one for one in report["slices"]}
    assert list(told) == ["site=north", "site=south", "site=west"]
