"""Any mixture of formats loads to the same tables; other keys and categories are mapped; what is missing is derived."""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qm_cli import dataset
from qm_cli.errors import InputError, QmError, UsageError
from qm_cli.load import load_tables
from qm_cli.tables import Tables
from tests.input_files import Row, document, image, label, prediction, without, write

ROWS = [prediction(score=0.5, weather="fog"), prediction(image_id=2, category_id=7, weather="sun")]
SHARED = Path(__file__).parents[2] / "shared" / "data"


def codes(loaded: Tables) -> dict[str, int]:
    return {found.code: found.count for found in loaded.findings}


def same(one: Tables, other: Tables) -> bool:
    return all(one.table(level).equals(other.table(level)) for level in ("image", "category", "label", "prediction"))


def packed(content: Any, ending: str) -> bytes:
    text = json.dumps(content).encode()
    if ending == ".json.gz":
        return gzip.compress(text)
    return bytes(pa.compress(text, codec="zstd", asbytes=True)) if ending == ".json.zst" else text


@pytest.fixture
def plain(tmp_path: Path) -> Tables:
    labels = write(tmp_path / "plain" / "l.json", document())
    return load_tables(labels, write(tmp_path / "plain" / "p.json", ROWS), metadata=True)


@pytest.mark.parametrize("ending", [".json", ".json.gz", ".json.zst"])
def test_packed(tmp_path: Path, plain: Tables, ending: str) -> None:
    labels = write(tmp_path / f"l{ending}", packed(document(), ending))
    predictions = write(tmp_path / f"p{ending}", packed(ROWS, ending))
    assert same(load_tables(labels, predictions, metadata=True), plain)


@pytest.mark.parametrize("content", [document(labels=ROWS), {"predictions": ROWS}])
def test_predictions_in_an_object(tmp_path: Path, plain: Tables, content: Row) -> None:
    labels = write(tmp_path / "l.json", document())
    loaded = load_tables(labels, write(tmp_path / "p.json", content), metadata=True)
    assert same(loaded, plain) or loaded.prediction.select(plain.prediction.column_names).equals(plain.prediction)


@pytest.mark.parametrize("ending", [".parquet", ".arrow"])
def test_columnar(tmp_path: Path, plain: Tables, ending: str) -> None:
    path = tmp_path / f"p{ending}"
    table = pa.Table.from_pylist(ROWS)
    if ending == ".parquet":
        pq.write_table(table, path)
    else:
        with pa.ipc.new_file(str(path), table.schema) as writer:
            writer.write_table(table)
    assert same(load_tables(write(tmp_path / "l.json", document()), path, metadata=True), plain)


def test_standard_input(tmp_path: Path, plain: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset._spooled.cache_clear()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(json.dumps(ROWS).encode()))))
    assert same(load_tables(write(tmp_path / "l.json", document()), Path("-"), metadata=True), plain)
    dataset._spooled.cache_clear()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(InputError, match="standard input: the file is empty"):
        load_tables(Path("-"), None)
    dataset._spooled.cache_clear()
    with pytest.raises(UsageError, match="only one of the two files"):
        load_tables(Path("-"), Path("-"))


def test_no_temporary_file_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    labels = write(tmp_path / "l.json", document())
    load_tables(labels, write(tmp_path / "p.json.gz", packed(ROWS, ".json.gz")))
    with pytest.raises(InputError, match=r"q.json.gz: damaged archive"):
        load_tables(labels, write(tmp_path / "q.json.gz", packed(ROWS, ".json.gz")[:-9]))
    assert list(folder.iterdir()) == []


NAMED = document(
    [image(10, file_name="a/cat 1.jpg"), image(11, file_name="a/000139.JPG"), image(12, file_name="b.x.png")]
)


@pytest.mark.parametrize(
    ("match_by", "keys", "rows"),
    [
        ("file_name", ["a/cat 1.jpg", "a/000139.JPG", "b.x.png"], [0, 1, 2]),
        ("file_name", ["cat 1.jpg", "/data/000139.JPG", "no.png"], [0, 1]),
        ("stem", ["cat 1", "000139", "b.x"], [0, 1, 2]),
        ("stem", ["cat 1.jpeg", "139", "x/b.x.png"], [0, 1, 2]),
        ("stem", [139], [1]),
    ],
)
def test_match_by(tmp_path: Path, match_by: str, keys: list[Any], rows: list[int]) -> None:
    labels = write(tmp_path / "l.json", {**NAMED, "annotations": []})
    predictions = [prediction(image_id=key) for key in keys]
    loaded = load_tables(labels, write(tmp_path / "p.json", predictions), match_by=match_by)
    assert loaded.values("prediction", "image_row").tolist() == rows
    [found] = [one for one in loaded.findings if one.code == "mapping-image"]
    assert found.detail == f"{len(rows)} of {len(keys)} images matched by {match_by}"


def test_match_by_the_file_name_field_and_the_own_image_table(tmp_path: Path) -> None:
    labels = write(tmp_path / "l.json", {**NAMED, "annotations": []})
    rows = [prediction(image_id=77, file_name="b.x.png")]
    loaded = load_tables(labels, write(tmp_path / "p.json", rows), match_by="file_name")
    assert loaded.values("prediction", "image_row").tolist() == [2]
    content = {"images": [{"id": 77, "file_name": "cat 1.jpg"}], "annotations": [prediction(image_id=77)]}
    loaded = load_tables(labels, write(tmp_path / "q.json", content), match_by="file_name")
    assert loaded.values("prediction", "image_row").tolist() == [0]


def test_a_name_that_several_images_share_matches_none(tmp_path: Path) -> None:
    images = [image(1, file_name="a/x.jpg"), image(2, file_name="b/x.jpg"), image(3, file_name="y.jpg")]
    labels = write(tmp_path / "l.json", document(images, []))
    rows = [prediction(image_id=name) for name in ("x.jpg", "y.jpg", "b/x.jpg")]
    loaded = load_tables(labels, write(tmp_path / "p.json", rows), match_by="file_name")
    assert loaded.values("prediction", "image_row").tolist() == [1, 2]


CATEGORIES = [{"id": 90, "name": "Dog"}, {"id": 3, "name": "cat"}, {"id": 7, "name": "tree "}]


@pytest.mark.parametrize(
    ("mapping", "ids", "rows"),
    [
        ("name", ["cat", "dog", "tree"], [1, 0, 2]),
        ("name", [0, 1, 2], [1, 2, 0]),
        ("contiguous", [0, 1, 2], [1, 2, 0]),
        ("contiguous", [3, 1, 2], [0, 1, 2]),
        ({"0": "Dog", "1": "3"}, [0, 1, 5], [0, 1]),
    ],
)
def test_map_categories(tmp_path: Path, mapping: Any, ids: list[Any], rows: list[int]) -> None:
    labels = write(tmp_path / "l.json", document(labels=[], categories=CATEGORIES))
    predictions = write(tmp_path / "p.json", [prediction(category_id=i) for i in ids])
    loaded = load_tables(labels, predictions, map_categories=mapping)
    assert loaded.values("prediction", "category_row").tolist() == rows
    assert "mapping-category" in codes(loaded)


def test_map_categories_by_file_and_by_names_beside_the_ids(tmp_path: Path) -> None:
    labels = write(tmp_path / "l.json", document(labels=[], categories=CATEGORIES))
    predictions = write(tmp_path / "p.json", [prediction(category_id=1, category_name="cat")])
    by_file = load_tables(labels, predictions, map_categories=write(tmp_path / "m.csv", "1,Dog"))
    assert by_file.values("prediction", "category_row").tolist() == [0]
    assert load_tables(labels, predictions, map_categories="name").values("prediction", "category_row").tolist() == [1]
    own = {"categories": [{"id": 1, "name": "tree "}], "annotations": [prediction()]}
    loaded = load_tables(labels, write(tmp_path / "q.json", own), map_categories="name")
    assert loaded.values("prediction", "category_row").tolist() == [2]
    with pytest.raises(InputError, match=r"'Dogg' is neither id nor name of a category.*did you mean Dog"):
        load_tables(labels, predictions, map_categories={"1": "Dogg"})
    with pytest.raises(UsageError, match="is neither name, contiguous nor a file"):
        load_tables(labels, predictions, map_categories="names")
    with pytest.raises(UsageError, match="'ids' is none of id, file_name, stem"):
        load_tables(labels, predictions, match_by="ids")


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_lines_of_predictions_serve_as_labels(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    lines = pack("\n".join(map(json.dumps, ROWS)).encode())
    of_lines = load_tables(write(tmp_path / "l.jsonl", lines), write(tmp_path / "p.jsonl", lines))
    listed = write(tmp_path / "p.json", ROWS)
    assert same(of_lines, load_tables(listed, listed))


def test_predictions_serve_as_labels(tmp_path: Path) -> None:
    labels = write(tmp_path / "foundation.json", [prediction(image_id=3), prediction(image_id=1, score=0.25)])
    predictions = write(tmp_path / "p.json", [prediction(image_id=3), prediction(image_id=2)])
    loaded = load_tables(labels, predictions)
    assert loaded.image["id"].to_pylist() == [1, 3, 2]
    assert loaded.values("label", "confidence").tolist() == [0.25, 0.9]
    assert loaded.values("label", "area").tolist() == [400, 400]
    assert loaded.count("prediction") == 2
    assert codes(loaded) == {"image-missing-size": 3, "image-derived": 1}
    with pytest.raises(InputError, match="none of its 1 image ids"):
        load_tables(labels, write(tmp_path / "q.json", [prediction(image_id=50)]))


def test_labels_from_parquet(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist([without(prediction(), "score")]), tmp_path / "l.parquet")
    loaded = load_tables(tmp_path / "l.parquet", None)
    assert "confidence" not in loaded.label.column_names
    assert (loaded.count("label"), loaded.has_predictions) == (1, False)


def test_no_labels_but_a_folder_of_images(tmp_path: Path) -> None:
    for name in ("b.jpg", "a/c.png"):
        write(tmp_path / "images" / name, b"")
    predictions = write(tmp_path / "p.json", [prediction(image_id="b.jpg", probs=[0.1, 0.9, 0])])
    loaded = load_tables(None, predictions, images=tmp_path / "images")
    assert loaded.image["id"].to_pylist() == ["a/c.png", "b.jpg"]
    assert loaded.category["id"].to_pylist() == [0, 1, 2]
    assert loaded.values("prediction", "image_row").tolist() == [1]
    assert not loaded.has_labels
    assert load_tables(None, None, images=tmp_path / "images").count("category") == 0


@pytest.mark.parametrize(
    ("ids", "size", "expected"), [([0, 2], 3, [0, 1, 2]), ([1, 3], 3, [1, 2, 3]), ([5, 9], 2, [5, 9])]
)
def test_no_labels_and_no_images(tmp_path: Path, ids: list[int], size: int, expected: list[int]) -> None:
    rows = [prediction(image_id=f"{i}.jpg", category_id=i, probs=[1 / size] * size) for i in ids]
    loaded = load_tables(None, write(tmp_path / "p.json", rows))
    assert loaded.image["file_name"].to_pylist() == [f"{i}.jpg" for i in ids]
    assert loaded.category["id"].to_pylist() == expected
    assert codes(loaded)["image-derived"] == 2
    with pytest.raises(InputError, match="an empty list, and no labels"):
        load_tables(None, write(tmp_path / "q.json", []))
    with pytest.raises(UsageError, match="neither labels, predictions nor images"):
        load_tables(None, None)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    for labels, predictions in ((tmp_path / "none.json", None), (tmp_path, None), (None, tmp_path / "none.json")):
        with pytest.raises(QmError, match=r"no such file|a folder, not a file"):
            load_tables(labels, predictions)


def test_annotation_labels_error_comes_before_the_predictions(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"l.json: the file is empty"):
        load_tables(write(tmp_path / "l.json", ""), write(tmp_path / "p.json", ""))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared real data is not here")
def test_real_coco_data() -> None:
    folder = SHARED / "cocoapi_val2014_first100"
    results = folder / "instances_val2014_fakebbox100_results.json"
    loaded = load_tables(folder / "instances_val2014_100.json", results, shapes=True, metadata=True)
    assert loaded.count("label") == 839
    assert codes(loaded) == {}


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared real data is not here")
def test_masks_alone_are_no_boxes() -> None:
    folder = SHARED / "cocoapi_val2014_first100"
    with pytest.raises(InputError, match=r"no prediction has a bbox; the fields are image_id, .*segmentation"):
        load_tables(
            folder / "instances_val2014_100.json", folder / "instances_val2014_fakesegm100_results.json", task="bbox"
        )


def test_label_confidence_and_metadata_survive(tmp_path: Path) -> None:
    labels = document([image(1, weather="fog"), image(2)], [label(1, confidence=0.5, annotator="x")])
    loaded = load_tables(write(tmp_path / "l.json", labels), None, metadata=True)
    assert loaded.label["confidence"].to_pylist() == [0.5]
    assert loaded.image["weather"].to_pylist() == ["fog", None]


def test_without_labels_names_stand_in_for_ids(tmp_path: Path) -> None:
    rows = [{"file_name": f"{n}.jpg", "category": "cat", "bbox": [1, 1, 2, 2], "score": 0.5} for n in range(2)]
    path = write(tmp_path / "p.json", rows)
    loaded = load_tables(None, path)
    assert loaded.image["file_name"].to_pylist() == ["0.jpg", "1.jpg"]
    assert (loaded.category["name"].to_pylist(), loaded.count("prediction")) == (["cat"], 2)
    assert load_tables(path, path).count("label") == 2
    nameless = write(tmp_path / "q.json", [without(row, "file_name") for row in rows])
    with pytest.raises(InputError, match="no prediction has an image_id; the fields are category, bbox, score"):
        load_tables(None, nameless)


def test_a_pipe_serves_as_a_file(tmp_path: Path, plain: Tables) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(json.dumps(ROWS),))
    writer.start()
    assert same(load_tables(write(tmp_path / "l.json", document()), pipe, metadata=True), plain)
    writer.join()
    with pytest.raises(UsageError, match="pipe can be only one of the two files"):
        load_tables(pipe, pipe)


@pytest.mark.parametrize("name", ["l.csv", "p.npy"])
def test_a_table_is_named_as_such(tmp_path: Path, name: str) -> None:
    labels = write(tmp_path / ("l.csv" if name == "l.csv" else "l.json"), document())
    predictions = write(tmp_path / ("p.npy" if name == "p.npy" else "p.json"), ROWS)
    with pytest.raises(InputError, match="objects are read from JSON, Parquet or Arrow"):
        load_tables(labels, predictions)


def test_missing_labels_are_named_before_a_table_of_predictions(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere.csv: no such file"):
        load_tables(tmp_path / "nowhere.csv", write(tmp_path / "p.csv", "id,category,score"))
