"""A list of predictions inside an object is found, with the names beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qm_cli.errors import InputError
from qm_cli.ingest import predictions_coco
from tests.input_files import document, prediction, write


def test_unwrap(tmp_path: Path) -> None:
    rows = [prediction()]
    path = write(tmp_path / "p.json", document(labels=rows))
    found, images, categories = predictions_coco.unwrap(path, tmp_path, "p.json")
    assert json.loads(found.read_text()) == rows
    assert images["file_name"].to_pylist() == ["1.jpg", "2.jpg"]
    assert categories["name"].to_pylist() == ["cat", "dog"]


def test_predictions_key(tmp_path: Path) -> None:
    path = write(tmp_path / "p.json", {"predictions": [], "model": "x"})
    found, images, categories = predictions_coco.unwrap(path, tmp_path, "p.json")
    assert (found.read_text(), images, categories) == ("[]", {}, {})


@pytest.mark.parametrize("count", [1, 3])
def test_one_a_line(tmp_path: Path, count: int) -> None:
    rows = [prediction(score=number / 7) for number in range(count)]
    path = write(tmp_path / "p.jsonl", "\ufeff" + "".join(f"{json.dumps(row)}\n" for row in rows))
    found, images, categories = predictions_coco.unwrap(path, tmp_path, "p.jsonl")
    assert (json.loads(found.read_text()), images, categories) == (rows, {}, {})


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"a": 1}', "p.json: expected a list of predictions, found an object without one"),
        ('{"a": 1} {"a": 2}', "p.json: not valid JSON: .*trailing characters"),
        ('{"annotations": [', "p.json: not valid JSON: Input data was truncated"),
        ('{"a":' + "[" * 10**6 + "]" * 10**6 + "}", "p.json: nested too deeply"),
        ('{"annotations": [], "annotations": []}', 'p.json: the key "annotations" stands twice in one object'),
        (b'{"annotations": [{"x": "\xe9"}]}', "p.json: not UTF-8 text: byte 0xe9 at position 24"),
        ('{"annotations": [{"score": NaN}]}', r"p.json: annotations\[0\].score: expected a finite number, got NaN"),
        ('{"annotations": [], "images": 3}', "p.json: images: Expected `array`, got `int`"),
    ],
    ids=["no list", "one line", "cut off", "deep", "twice", "latin-1", "nan", "images"],
)
def test_refused(tmp_path: Path, content: str | bytes, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        predictions_coco.unwrap(write(tmp_path / "p.json", content), tmp_path, "p.json")
