"""Scores from elsewhere are joined by id, whatever the format, and refused in words when they cannot be."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qm_cli.errors import InputError
from qm_cli.ingest.values import with_values
from qm_cli.tables import Tables
from tests.input_files import document, image, label, prediction, tables, write

Row = dict[str, Any]
ENDINGS = (".parquet", ".csv", ".json", ".jsonl")


@pytest.fixture
def loaded(tmp_path: Path) -> Tables:
    """Three images, two labels (ids 5 and 6) and two predictions (ids 0 and 1)."""
    images = [image(1), image(2, file_name="sub/two.jpg"), image(3)]
    labels = [label(6, image_id=2), label(5)]
    return tables(tmp_path / "numbers", document(images, labels), [prediction(image_id=3), prediction()])


@pytest.fixture
def texts(tmp_path: Path) -> Tables:
    """Images whose ids are text."""
    images = [image(one) for one in ("007", "7", "b")]
    return tables(tmp_path / "texts", document(images, []))


def written(path: Path, rows: list[Row]) -> Path:
    """The rows in the format the file's name ends with."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
        return path
    if path.suffix == ".csv":
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return write(path, text.getvalue())
    if path.suffix == ".jsonl":
        return write(path, "".join(f"{json.dumps(row)}\n" for row in rows))
    return write(path, rows)


def test_rows_of_predictions_may_tell_their_image_and_label(loaded: Tables, tmp_path: Path) -> None:
    rows = [{"image_id": 1, "file_name": "a.jpg", "label_id": 5, "prediction_id": one, "sure": one} for one in (0, 1)]
    made = with_values(loaded, written(tmp_path / "a.csv", rows))
    assert sorted(made.prediction["sure"].to_pylist()) == [0, 1]
    assert made.image.column_names == loaded.image.column_names


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(
    ("key", "level", "ids", "expected"),
    [
        ("image_id", "image", [3, 1], [None, 0.25, 0.5]),
        ("id", "image", [3, 1], [None, 0.25, 0.5]),
        ("file_name", "image", ["3.jpg", "sub/two.jpg"], [None, 0.5, 0.25]),
        ("label_id", "label", [5, 6], [0.5, 0.25]),
        ("label_id", "label", [99, 5], [None, 0.25]),
        ("prediction_id", "prediction", [0, 1], [0.5, 0.25]),
    ],
)
def test_joined_by_id(
    tmp_path: Path, loaded: Tables, ending: str, key: str, level: str, ids: list[Any], expected: list[Any]
) -> None:
    rows = [{key: one, "depth": 0.5 / (place + 1), "note": f"n{one}"} for place, one in enumerate(ids)]
    made = with_values(loaded, written(tmp_path / f"more{ending}", rows))
    columns = {"image": ["id", "file_name"], "label": ["id"], "prediction": ["id"]}[level]
    names = [row[columns[-1] if key == "file_name" else "id"] for row in made.table(level).to_pylist()]
    by_id = {row[key]: row for row in rows}
    assert made.table(level)["depth"].to_pylist() == [by_id.get(name, {}).get("depth") for name in names]
    assert made.table(level)["note"].to_pylist() == [by_id.get(name, {}).get("note") for name in names]
    assert sorted(made.table(level)["depth"].to_pylist(), key=str) == sorted(expected, key=str)
    for other in {"image", "label", "prediction", "category"} - {level}:
        assert made.table(other) is loaded.table(other)


@pytest.mark.parametrize("ending", ENDINGS)
def test_ids_that_are_text(tmp_path: Path, texts: Tables, ending: str) -> None:
    made = with_values(texts, written(tmp_path / f"more{ending}", [{"id": "b", "s": 1}, {"id": "007", "s": 2}]))
    assert made.image["s"].to_pylist() == [2, None, 1]


def test_ids_of_another_type_are_the_same_ids(tmp_path: Path, loaded: Tables, texts: Tables) -> None:
    as_text = with_values(loaded, written(tmp_path / "a.parquet", [{"id": "3", "s": 1}, {"id": "2", "s": 2}]))
    assert as_text.image["s"].to_pylist() == [None, 2, 1]
    as_number = with_values(texts, written(tmp_path / "b.parquet", [{"id": 7, "s": 1}]))
    assert as_number.image["s"].to_pylist() == [None, 1, None]


@pytest.mark.parametrize(
    "ids",
    [
        pa.array([3, 1], pa.int32()),
        pa.array([3, 1], pa.uint64()),
        pa.array([3.0, 1.0]),
        pa.array(["3", "1"], pa.large_string()),
        pa.array(["3", "1"]).dictionary_encode(),
    ],
    ids=lambda ids: str(ids.type),
)
def test_ids_of_any_width(tmp_path: Path, loaded: Tables, ids: pa.Array) -> None:
    pq.write_table(pa.table({"id": ids, "s": [1.5, 2.5]}), tmp_path / "a.parquet")
    assert with_values(loaded, tmp_path / "a.parquet").image["s"].to_pylist() == [2.5, None, 1.5]


def test_one_score_by_id_takes_the_name_of_its_file(tmp_path: Path, loaded: Tables, texts: Tables) -> None:
    made = with_values(loaded, write(tmp_path / "depth.json", {"3": 0.5, "1": None, "77": 1.0}))
    assert made.image["depth"].to_pylist() == [None, None, 0.5]
    assert with_values(texts, write(tmp_path / "s.json", {"007": 1})).image["s"].to_pylist() == [1, None, None]


def test_values_keep_their_type(tmp_path: Path, loaded: Tables) -> None:
    columns = {"b": [True, False], "t": ["x", None], "l": [[1.0], []], "f": pa.array([1.5, 2], pa.float32())}
    pq.write_table(pa.table({"id": [2, 1], **columns}), tmp_path / "t.parquet")
    made = with_values(loaded, tmp_path / "t.parquet").image
    assert made.select(list("btlf")).to_pylist() == [
        {"b": False, "t": None, "l": [], "f": 2.0},
        {"b": True, "t": "x", "l": [1.0], "f": 1.5},
        {"b": None, "t": None, "l": None, "f": None},
    ]
    assert made["f"].type == pa.float32()


def test_many_row_groups_are_one_column(tmp_path: Path, loaded: Tables) -> None:
    pq.write_table(pa.table({"id": [3, 2, 1], "s": [3, 2, 1]}), tmp_path / "t.parquet", row_group_size=1)
    assert with_values(loaded, tmp_path / "t.parquet").image["s"].to_pylist() == [1, 2, 3]


def test_files_one_after_the_other(tmp_path: Path, loaded: Tables) -> None:
    first = with_values(loaded, written(tmp_path / "a.csv", [{"id": 1, "a": 1}]))
    both = with_values(first, written(tmp_path / "b.csv", [{"label_id": 5, "a": 2}]))
    assert both.image["a"].to_pylist() == [1, None, None]
    assert both.label["a"].to_pylist() == [2, None]
    with pytest.raises(InputError, match="image has a column 'a' already"):
        with_values(both, tmp_path / "a.csv")


def test_views_see_the_new_column_and_findings_stay(tmp_path: Path, loaded: Tables) -> None:
    loaded.values("image", "id")
    made = with_values(loaded, written(tmp_path / "a.csv", [{"id": 2, "a": 0.5}]))
    assert made.values("image", "a")[1] == 0.5
    assert made.findings == loaded.findings
    assert "a" not in loaded.image.column_names


def test_names_of_metrics_are_taken(tmp_path: Path, loaded: Tables) -> None:
    path = written(tmp_path / "a.csv", [{"id": 1, "blur": 1}])
    assert "blur" in with_values(loaded, path, {("label", "blur")}).image.column_names
    with pytest.raises(InputError, match="image has a column 'blur' already"):
        with_values(loaded, path, {("image", "blur")})


def test_no_predictions_to_join(tmp_path: Path, texts: Tables) -> None:
    made = with_values(texts, written(tmp_path / "a.csv", [{"prediction_id": 4, "a": 0.5}]))
    assert made.prediction["a"].to_pylist() == []


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "image,s\n1,2\n", "no column of ids"),
        ("a.csv", "image_id\n1\n", "no column of values beside image_id"),
        ("a.csv", "image_id,width\n1,2\n", "image has a column 'width' already"),
        ("a.csv", "image_id,s\n1,2\n1,3\n", "an id stands there twice"),
        ("a.csv", "image_id,s\n91,2\n92,3\n", "none of its 2 ids is in the data"),
        ("a.csv", "label_id,s\n1,2\n", "none of its 1 ids is in the data"),
        ("a.csv", "image_id,s\n", "none of its 0 ids is in the data"),
        ("a.csv", "", "cannot be read: Empty CSV file"),
        ("a.csv", "image_id,s\n1,2,3\n", "cannot be read: CSV parse error"),
        ("a.csv", b"\xff\xfe\x00", "cannot be read|no column of ids"),
        ("a.json", "", "cannot be read: Expecting value"),
        ("a.json", '[{"id": 1,', "cannot be read: Expecting"),
        ("a.json", b"\xff\xff", "cannot be read: 'utf-8' codec"),
        ("a.json", [], "no column of ids"),
        ("a.json", [{"id": 1, "s": 1}, {"id": "x", "s": 1}], "cannot be read: Could not convert"),
        ("a.json", {"1": 0.5, "2": "x"}, "cannot be read: Could not convert"),
        ("a.jsonl", '{"id": 1, "s": 2}\n{"id"\n', "cannot be read: Expecting"),
        ("a.parquet", b"PAR1 and nothing more", "cannot be read: "),
        ("a.txt", "image_id,s\n1,2\n", r"unknown kind of file \(give one of \.parquet, \.csv, \.json, \.jsonl\)"),
        ("a", "", "unknown kind of file"),
        ("a.csv", "image_id,s\nx,1\ny,2\n", "none of its 2 ids is in the data"),
        ("a.csv", "image_id,s\n1.7,1\n", "none of its 1 ids is in the data"),
        ("a.csv", "image_id,s\n1,1\n,2\n", "without an id"),
        ("a.csv", "image_id,s,s\n1,2,3\n", "'s' stands there twice"),
        ("a.json", [1, 2], "cannot be read"),
        ("a.json", [{"id": 1, "s": 2}, None], "cannot be read"),
        ("a.json", 3, "cannot be read"),
        ("a.json", "[" * 10**5, "cannot be read"),
        ("a.json", '{"1": 0.5, "1": 0.7}', "'1' stands there twice"),
        ("a.jsonl", "1\n2\n", "cannot be read"),
    ],
)
def test_refused_in_words(tmp_path: Path, loaded: Tables, name: str, content: Any, words: str) -> None:
    with pytest.raises(InputError, match=words) as refusal:
        with_values(loaded, write(tmp_path / "given" / name, content))
    assert refusal.value.message.startswith(str(tmp_path / "given" / name))
    assert refusal.value.hint
    assert "\n" not in refusal.value.message


def test_a_missing_file(tmp_path: Path, loaded: Tables) -> None:
    (tmp_path / "folder.csv").mkdir()
    for name in ("none.csv", "folder.csv"):
        with pytest.raises(InputError, match="no such file"):
            with_values(loaded, tmp_path / name)


@pytest.mark.parametrize("ending", [".json", ".jsonl"])
def test_a_value_that_the_first_object_lacks(tmp_path: Path, loaded: Tables, ending: str) -> None:
    rows: list[Row] = [{"id": 1, "a": 1}, {"id": 2, "a": 2, "b": 0.5}]
    made = with_values(loaded, written(tmp_path / f"a{ending}", rows)).image
    assert made["b"].to_pylist() == [None, 0.5, None]


def test_an_id_that_is_no_number_matches_nothing(tmp_path: Path, loaded: Tables) -> None:
    made = with_values(loaded, write(tmp_path / "depth.json", {"1": 0.5, "x": 1}))
    assert made.image["depth"].to_pylist() == [0.5, None, None]


def test_leading_zeros_of_ids_in_csv(tmp_path: Path, texts: Tables) -> None:
    made = with_values(texts, write(tmp_path / "a.csv", "image_id,s\n007,1\n7,2\n"))
    assert made.image["s"].to_pylist() == [1, 2, None]


def test_images_without_a_name_have_no_value(tmp_path: Path) -> None:
    named = tables(tmp_path / "named", document([image(1, file_name=None), image(2)], []))
    made = with_values(named, written(tmp_path / "a.parquet", [{"file_name": "2.jpg", "s": 1}]))
    assert made.image["s"].to_pylist() == [None, 1]


def test_ids_that_are_lists(tmp_path: Path, loaded: Tables) -> None:
    with pytest.raises(InputError):
        with_values(loaded, written(tmp_path / "a.parquet", [{"id": [1], "s": 1}]))


def test_whole_numbers_that_were_written_with_a_point(tmp_path: Path, loaded: Tables) -> None:
    made = with_values(loaded, write(tmp_path / "a.csv", "image_id,s\n1.0,1\n3.0,2\n"))
    assert made.image["s"].to_pylist() == [1, None, 2]


def test_an_index_without_a_name_is_no_value(tmp_path: Path, loaded: Tables) -> None:
    made = with_values(loaded, write(tmp_path / "a.csv", ",image_id,s\n0,1,0.5\n1,3,0.7\n"))
    assert set(made.image.column_names) == {*loaded.image.column_names, "s"}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(
    ("key", "ids", "unknown"),
    [
        ("image_id", [9, 1, 8], ("9", "8")),
        ("file_name", ["1.jpg", "nope.jpg"], ("nope.jpg",)),
        ("label_id", [6, 7], ("7",)),
        ("image_id", [1], ()),
    ],
)
def test_ids_that_the_data_lack_are_counted(
    tmp_path: Path, loaded: Tables, ending: str, key: str, ids: list[Any], unknown: tuple[str, ...]
) -> None:
    made = with_values(loaded, written(tmp_path / f"a{ending}", [{key: one, "s": 1} for one in ids]))
    found = [(one.code, one.count, one.examples) for one in made.findings[len(loaded.findings) :]]
    assert found == ([("values-unknown-id", len(unknown), unknown)] if unknown else [])
    assert made.image.num_rows == loaded.image.num_rows
