"""Parquet and Arrow predictions equal the JSON ones; wrong columns are named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qm_cli.errors import InputError
from qm_cli.ingest import predictions_columnar, predictions_json
from tests.input_files import prediction, write

ROWS = [prediction(probs=[0.25, 0.75], weather="fog"), prediction(image_id=2, score=0.5, probs=[1, 0], weather=None)]


def stored(path: Path, table: pa.Table) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(table, path)
        return path
    new = pa.ipc.new_stream if path.suffix == ".stream" else pa.ipc.new_file
    with pa.OSFile(str(path), "wb") as sink, new(sink, table.schema) as writer:
        writer.write_table(table)
    return path


def columns(raw: Any) -> dict[str, list[Any]]:
    return {name: column.to_pylist() for name, column in raw.columns.items()}


@pytest.mark.parametrize("ending", [".parquet", ".arrow", ".stream"])
@pytest.mark.parametrize("box", [pa.list_(pa.float64()), pa.list_(pa.float32(), 4), pa.large_list(pa.int64())])
def test_same_as_json(tmp_path: Path, ending: str, box: pa.DataType) -> None:
    table = pa.Table.from_pylist(ROWS)
    table = table.set_column(2, "bbox", table["bbox"].combine_chunks().cast(box))
    read = predictions_columnar.read(stored(tmp_path / f"p{ending}", table), metadata=True)
    expected = predictions_json.read(write(tmp_path / "p.json", ROWS), metadata=True)
    assert columns(read) == columns(expected)
    assert "weather" not in predictions_columnar.read(tmp_path / f"p{ending}", metadata=False).columns


def test_missing_columns_are_null(tmp_path: Path) -> None:
    raw = predictions_columnar.read(stored(tmp_path / "p.parquet", pa.table({"image_id": ["a"]})), metadata=False)
    assert columns(raw) == {"image_id": ["a"], "category_id": [None], "bbox": [None], "score": [None]}


def test_null_boxes_and_dictionary_ids(tmp_path: Path) -> None:
    table = pa.table(
        {
            "image_id": pa.array(["a", "a", "b"]).dictionary_encode(),
            "bbox": pa.array([None, [1, 2, 3, 4], None], pa.list_(pa.float64(), 4)),
            "score": pa.array([1, 0, 1], pa.int32()),
        }
    )
    raw = predictions_columnar.read(stored(tmp_path / "p.parquet", table), metadata=False)
    assert columns(raw)["bbox"] == [None, [1, 2, 3, 4], None]
    assert columns(raw)["image_id"] == ["a", "a", "b"]


def bad_table(**more: Any) -> pa.Table:
    plain = {"image_id": [1, 2], "category_id": [1, 1], "bbox": [[1.0, 2, 3, 4]] * 2, "score": [0.5, 0.5]}
    return pa.table({**plain, **more})


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"score": ["a", "b"]}, "score: expected a column of numbers, got string"),
        ({"score": [0.5, np.nan]}, r"\[1\].score: expected a finite number, got nan \(mend the export\)"),
        ({"bbox": [[1.0, 2, 3, 4], [1, 2, np.inf, 4]]}, r"\[1\].bbox: expected a finite number, got inf"),
        ({"bbox": ["a", "b"]}, "bbox: expected a column of lists of numbers, got string"),
        ({"bbox": [["a"], ["b"]]}, "bbox: expected a column of lists of numbers, got list<"),
        ({"image_id": [1.5, 2]}, "image_id: expected a column of integers or strings, got double"),
        ({"image_id": pa.array([2**63, 1], pa.uint64())}, "image_id: an id does not fit 64 bits"),
    ],
)
def test_wrong_column(tmp_path: Path, more: dict[str, Any], expected: str) -> None:
    with pytest.raises(InputError, match=f"p.parquet: {expected}"):
        predictions_columnar.read(stored(tmp_path / "p.parquet", bad_table(**more)), metadata=False)


@pytest.mark.parametrize("ending", [".parquet", ".arrow"])
def test_cut_off(tmp_path: Path, ending: str) -> None:
    whole = stored(tmp_path / f"p{ending}", bad_table()).read_bytes()
    with pytest.raises(InputError, match="damaged Parquet or Arrow file") as caught:
        predictions_columnar.read(write(tmp_path / f"q{ending}", whole[: len(whole) // 2]), metadata=False)
    assert "\n" not in str(caught.value)


def test_column_twice(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array([1])] * 2, ["image_id", "image_id"])
    with pytest.raises(InputError, match="the column 'image_id' stands twice"):
        predictions_columnar.read(stored(tmp_path / "p.arrow", table), metadata=True)


def test_probabilities_may_have_holes_and_all_fields_are_told(tmp_path: Path) -> None:
    table = bad_table(probs=[[0.5, np.nan], [0.5, 0.5]], xyxy=[1, 2])
    raw = predictions_columnar.read(stored(tmp_path / "p.parquet", table), metadata=False)
    assert np.isnan(columns(raw)["probs"][0][1])
    assert raw.keys == ("image_id", "category_id", "bbox", "score", "probs", "xyxy")


@pytest.mark.parametrize("form", ["struct", "binary", "text", "nulls", "polygons"])
def test_masks(tmp_path: Path, form: str) -> None:
    """A struct of size and counts, JSON texts, or nested lists; what is not uniform comes as JSON texts."""
    mask = {"size": [3, 4], "counts": b"444" if form == "binary" else "444"}
    rows: dict[str, list[Any]] = {
        **{"struct": [mask, mask], "binary": [mask, mask], "nulls": [mask, None]},
        **{"text": [json.dumps({"size": [3, 4], "counts": "444"})] * 2, "polygons": [[[1.0, 2, 3, 4, 5, 6]], None]},
    }
    table = pa.table({"image_id": [1, 1], "category_id": [1, 1], "score": [0.5, 1.0], "segmentation": rows[form]})
    pq.write_table(table, tmp_path / "p.parquet")
    assert predictions_columnar.first_prediction(tmp_path / "p.parquet").keys() == set(table.column_names)
    shape = predictions_columnar.read(tmp_path / "p.parquet", False, fields=("segmentation",)).columns["shape"]
    found = shape.to_pylist()
    if form in ("struct", "binary"):
        assert found == [{"size": [3.0, 4.0], "counts": "444"}] * 2
    else:
        plain = [one if one is None or isinstance(one, str) else json.dumps(one) for one in rows[form]]
        assert [one and json.loads(one) for one in found] == [one and json.loads(one) for one in plain]
