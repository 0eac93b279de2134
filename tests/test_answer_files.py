"""The forms that a file of answers may have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qm_cli.answer_files import form, holds_answers, holds_no_objects, holds_text, names_an_answer, read_labels
from qm_cli.errors import InputError
from tests.answer_files import lines
from tests.input_files import write

ROWS = [{"id": 1, "category": "a"}, {"id": 2, "category": "b"}]
DOCUMENT = {"data_rows": [{"id": 1}], "categories": [{"id": 1, "name": "a"}], "annotations": ROWS[:1]}


@pytest.mark.parametrize(
    ("name", "content", "found", "alone"),
    [
        ("a.json", ROWS, "list", False),
        ("a.json", DOCUMENT, "object", False),
        ("a.jsonl", lines(ROWS), "lines", True),
        ("a.txt", lines(ROWS), "lines", True),
        ("a.csv", "id,category\n1,a\n", "table", True),
    ],
)
def test_forms(tmp_path: Path, name: str, content: Any, found: str, alone: bool) -> None:
    path = write(tmp_path / name, content)
    assert form(path, path, "f") == found
    assert holds_no_objects(path, path, "f") == alone
    raw, _ = read_labels(path, path, "f")
    assert raw.label["category_name"].to_pylist()[:1] == ["a"]


def test_binary_forms(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((1, 2)))
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "a.parquet")
    assert [form(tmp_path / name, tmp_path / name, "f") for name in ("a.npy", "a.parquet")] == ["npy", "table"]
    with pytest.raises(InputError, match="class probabilities are no labels"):
        read_labels(tmp_path / "a.npy", tmp_path / "a.npy", "f")


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"image_id", "category_id", "score"}, False),
        ({"image_id", "category_id", "bbox"}, False),
        ({"image_id", "label", "bbox"}, False),
        ({"image_id", "label", "confidence"}, True),
        ({"data_row_id", "category_id"}, True),
        ({"id", "prob_cat"}, True),
        ({"image_id", "category_id", "start"}, True),
        ({"category", "score"}, False),
        (set(), False),
    ],
)
def test_fields_of_answers(fields: set[str], answer: bool) -> None:
    assert names_an_answer(fields) == answer


def test_text_is_told_from_classes(tmp_path: Path) -> None:
    rows = {
        "classes": [{"id": 1, "category": "a"}],
        "answers": [{"id": 1, "answer": "yes"}],
        "entities": [{"id": 1, "category": "a", "start": 0, "end": 2}],
        "named": [{"id": 1, "category": "a", "answer": "yes"}],
    }
    wanted = {"classes": False, "answers": True, "entities": True, "named": False}
    for name, content in rows.items():
        places = [write(tmp_path / f"{name}.json", content), write(tmp_path / f"{name}.jsonl", lines(content))]
        pq.write_table(pa.Table.from_pylist(content), tmp_path / f"{name}.parquet")
        header = ",".join(content[0])
        places += [tmp_path / f"{name}.parquet", write(tmp_path / f"{name}.csv", f"{header}\n")]
        assert {place.suffix: holds_text(place) for place in places} == dict.fromkeys(
            (".json", ".jsonl", ".parquet", ".csv"), wanted[name]
        )


def test_rows_of_labelbox_with_named_answers_are_classes(tmp_path: Path) -> None:
    rows = [{"name": "sky", "answer": answer, "dataRow": {"id": "a"}} for answer in ({"name": "sun"}, [{"name": "x"}])]
    for number, row in enumerate(rows):
        listed, lined = write(tmp_path / f"{number}.json", [row]), write(tmp_path / f"{number}.ndjson", lines([row]))
        assert [(holds_answers(place), holds_text(place)) for place in (listed, lined)] == [(True, False)] * 2
    free = write(tmp_path / "free.json", [{**rows[0], "answer": "wet"}])
    assert (holds_answers(free), holds_text(free)) == (True, True)
