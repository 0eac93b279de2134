"""Answers or geometry: told from the bytes of any format."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qm_cli.answer_task import holds_answers
from tests.input_files import document as boxes
from tests.input_files import prediction, write

CLASSES = {"images": [{"id": 1}], "categories": [], "annotations": [{"image_id": 1, "category_id": 1}]}


@pytest.mark.parametrize(
    "labels, predictions, answers",
    [
        (boxes(), [prediction()], False),
        (boxes(), [], False),
        (boxes(), [{"image_id": 1, "category_id": 1, "score": 1}], False),
        (CLASSES, [prediction()], False),
        (CLASSES, [{"image_id": 1, "category_id": 1}], True),
        (CLASSES, [], True),
        (CLASSES, [{"image_id": 1, "category_id": 1, "bbox": None}], True),
        (CLASSES, [{"image_id": 1, "category_id": 1, "segmentation": []}], True),
        (CLASSES, [{"image_id": 1, "category_id": 1, "bbox": []}, prediction()], False),
        ({"images": []}, [], False),
    ],
)
def test_json(labels: Any, predictions: Any, answers: bool, tmp_path: Path) -> None:
    assert holds_answers(write(tmp_path / "l.json", labels), write(tmp_path / "p.json", predictions)) == answers


def test_a_geometry_anywhere_in_a_long_file_counts(tmp_path: Path) -> None:
    rows = [{"image_id": n, "category_id": 1, "score": 0.5} for n in range(5000)]
    labels = write(tmp_path / "l.json", CLASSES)
    assert holds_answers(labels, write(tmp_path / "p.json", rows))
    assert not holds_answers(labels, write(tmp_path / "p.json", [*rows, prediction()]))


def test_other_formats(tmp_path: Path) -> None:
    labels = write(tmp_path / "l.json", CLASSES)
    np.save(tmp_path / "p.npy", np.zeros((1, 1)))
    write(tmp_path / "p.csv", "id,category\n1,a\n")
    (tmp_path / "p.jsonl.gz").write_bytes(gzip.compress(b'{"id": 1, "category": "a"}'))
    with pa.CompressedOutputStream(tmp_path / "p.json.zst", "zstd") as file:
        file.write(json.dumps([prediction()]).encode())
    pq.write_table(pa.table({"image_id": [1], "category": ["a"]}), tmp_path / "p.parquet")
    pq.write_table(pa.table({"image_id": [1], "bbox": [[1.0, 2, 3, 4]]}), tmp_path / "boxes.parquet")
    found = {path.name: holds_answers(labels, path) for path in tmp_path.iterdir()}
    assert found == {
        "l.json": True,
        "p.npy": True,
        "p.csv": True,
        "p.jsonl.gz": True,
        "p.parquet": True,
        "p.json.zst": False,
        "boxes.parquet": False,
    }


def test_what_cannot_be_read_is_left_to_the_reader(tmp_path: Path) -> None:
    labels = write(tmp_path / "l.json", CLASSES)
    (tmp_path / "damaged.gz").write_bytes(b"\x1f\x8b\x08\x00")
    assert not holds_answers(labels, tmp_path / "missing.json")
    assert not holds_answers(labels, tmp_path)
    assert holds_answers(labels, tmp_path / "damaged.gz")
