"""Custom metrics by row, in our spelling and in Labelbox's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qm_cli.errors import InputError
from qm_cli.ingest.custom_metrics import DEFAULT, CustomValue, is_custom, read


def written(folder: Path, rows: Any, name: str = "values.json") -> Path:
    path = folder / name
    lines = "\n".join(json.dumps(row) for row in rows)
    path.write_text(json.dumps(rows) if name.endswith(".json") else lines)
    return path


def test_numbers_counts_and_confidences(tmp_path: Path) -> None:
    rows = [
        {"metric_name": "quality", "value": 0.5, "image_id": 3},
        {"metric_name": "quality", "value": {"0.1": 1, "0.5": 2}, "image_id": 4, "aggregation": "SUM"},
        {"metric_name": "found", "value": [1, 2, 3, 4], "image_id": 3, "feature_name": "cat"},
        {"metric_name": "sure", "value": 1, "prediction_id": "a"},
        {"metric_name": "sure", "value": 1, "image_id": 3, "label_id": 1, "prediction_id": 2},
    ]
    for name in ("values.json", "values.jsonl"):
        path = written(tmp_path, rows, name)
        assert is_custom(path)
        assert read(path) == [
            CustomValue("quality", "image", "image_id", 3, None, "arithmetic_mean", None, 0.5, None),
            CustomValue("quality", "image", "image_id", 4, None, "sum", 0.1, 1.0, None),
            CustomValue("quality", "image", "image_id", 4, None, "sum", 0.5, 2.0, None),
            CustomValue("found", "image", "image_id", 3, "cat", "confusion_matrix", None, None, (1.0, 2.0, 3.0, 4.0)),
            *(
                CustomValue("sure", "prediction", "prediction_id", one, None, DEFAULT, None, 1.0, None)
                for one in ("a", 2)
            ),
        ]


def test_labelboxs_spelling(tmp_path: Path) -> None:
    row = {"uuid": "u", "metricName": "m", "metricValue": [1, 0, 0, 1], "featureName": "cat"}
    (found,) = read(written(tmp_path, [{**row, "dataRow": {"globalKey": "a.jpg"}, "aggregation": "CONFUSION_MATRIX"}]))
    assert found == CustomValue("m", "image", "image_id", "a.jpg", "cat", "confusion_matrix", None, None, (1, 0, 0, 1))


def test_other_files_are_not_taken(tmp_path: Path) -> None:
    assert not is_custom(written(tmp_path, [{"image_id": 1, "quality": 3}]))
    assert not is_custom(tmp_path / "none.json")


GOOD = {"metric_name": "m", "value": 1, "image_id": 1}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": "x"}, r"\[0\]: 'x' is no number"),
        ({"value": -1}, "is no number from 0"),
        ({"value": float("nan")}, "is no number from 0"),
        ({"value": [1, 2, 3]}, "3 counts"),
        ({"value": {"2": 1}}, "'2' is no confidence"),
        ({"value": {"0.1": 1, "0.2": [1, 2, 3, 4]}}, "numbers and counts"),
        ({"image_id": None}, "says not what it is of"),
        ({"metric_name": " "}, "no metric_name"),
        ({"aggregation": "median"}, "aggregation 'median'"),
        ({"value": [1, 2, 3, 4], "aggregation": "sum"}, "aggregation 'sum'"),
    ],
)
def test_what_is_no_value(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(written(tmp_path, [{**GOOD, **change}]))
