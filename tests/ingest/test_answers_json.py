"""Answers as JSON: documents, lists and lines, and what is refused with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qm_cli.errors import InputError
from qm_cli.ingest import answers_json
from qm_cli.raw import Columns
from tests.input_files import write


def columns(folder: Path, content: Any, kind: str) -> Columns:
    return answers_json.read(write(folder / "a.json", content), kind, "a.json")[0].label


def test_a_document(tmp_path: Path) -> None:
    content = {
        "data_rows": [{"id": "v1", "text": "hello"}, {"id": "v2"}],
        "categories": [{"id": 1, "name": "cat", "question": "animal"}],
        "annotations": [{"id": 7, "data_row_id": "v1", "category_id": 1}, None],
        "questions": [{"name": "animal", "type": "radio"}],
    }
    raw, kinds = answers_json.read(write(tmp_path / "l.json", content), "object", "l.json")
    assert kinds == {"animal": "radio"}
    assert raw.image["id"].to_pylist() == ["v1", "v2"]
    assert raw.image["text"].to_pylist() == ["hello", None]
    assert raw.category["question"].to_pylist() == ["animal"]
    assert {name: column.to_pylist() for name, column in raw.label.items()} == {
        "image_id": ["v1", None],
        "id": [7, None],
        "category_id": [1, None],
    }
    assert not raw.derived


def test_images_and_predictions_are_other_names(tmp_path: Path) -> None:
    content = {"images": [{"id": 1}], "predictions": [{"image_id": 1, "label": "cat", "confidence": 0.5}]}
    raw, _ = answers_json.read(write(tmp_path / "l.json", content), "object", "l.json")
    assert raw.label["category_name"].to_pylist() == ["cat"]
    assert raw.label["score"].to_pylist() == [0.5]


def test_lists_and_lines(tmp_path: Path) -> None:
    rows = '[{"id": 1, "probs": [0.5, null]}, {"id": 2}, {"id": 3, "span": [2, 4]}, {"id": 4, "start": 1, "end": 2}]'
    found = columns(tmp_path, rows, "list")
    assert found["image_id"].to_pylist() == [1, 2, 3, 4]
    assert found["probs"].to_pylist() == [[0.5, None], None, None, None]
    assert found["start"].to_pylist() == [None, None, 2, 1]
    assert found["end"].to_pylist() == [None, None, 4, 2]
    plain = columns(tmp_path, '{"id": 1, "probs": [0.5, 0.5]}\n\n{"id": 2, "probs": [1, 0, 0]}\n', "lines")
    assert plain["probs"].to_pylist() == [[0.5, 0.5], [1, 0, 0]]
    assert columns(tmp_path, '{"id": 1, "label": "a"}', "object")["category_name"].to_pylist() == ["a"]
    assert columns(tmp_path, "", "lines")["image_id"].to_pylist() == []


@pytest.mark.parametrize(
    "content, kind, words",
    [
        ("", "list", "the file is empty"),
        ('[{"id": 1, "score": "0.5"}]', "list", r"\[0\].score: expected `float | null`, got `str`"),
        ('[{"id": 1, "score": NaN}]', "list", "finite number"),
        ('[{"id": 1, "category_id": true}]', "list", "category_id"),
        ('[{"id": 1, "category_id": 1, "category_id": 2}]', "list", "stands twice"),
        (
            '{"data_rows": [{"id": 1}], "annotations": [{"data_row_id": [1]}]}',
            "object",
            r"annotations\[0\].data_row_id",
        ),
        ('[{"id": 1}, {"id": "b"}]', "list", "not an integer like the other ids"),
        ('{"id": 1}\n{"id": 2', "lines", "a.json"),
        ('{"info": {}}', "object", "an object without data_rows, images, annotations or predictions"),
        ("[" * 100_000, "list", "a.json"),
    ],
)
def test_what_is_refused(content: str, kind: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        columns(tmp_path, content, kind)


def test_a_damaged_line_is_told_by_its_number(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 3: "):
        columns(tmp_path, '{"id": "a", "category": "cat"}\n\n{"id": "b", "cat', "lines")
