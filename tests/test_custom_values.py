"""A user's own metrics: joined by id, put together by metric, category and confidence; and from the shell."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from qm_cli import main, run
from qm_cli.custom_values import RESERVED
from qm_cli.errors import InputError, UsageError
from qm_cli.run_folder import open_run
from tests.photo_sets import photo_set

NAME = "metric_name"
VALUES: list[dict[str, Any]] = [
    {NAME: "quality", "value": 0.5, "image_id": 0},
    {NAME: "quality", "value": 0.7, "image_id": "0001.png"},
    {NAME: "quality", "value": {"0.1": 0.9, "0.2": 0.9}, "image_id": 77},
    {NAME: "effort", "value": {"0.1": 2, "0.5": 8}, "file_name": "0000.png", "aggregation": "GEOMETRIC_MEAN"},
    {NAME: "effort", "value": {"0.1": 8, "0.5": 8}, "file_name": "0001.png", "aggregation": "GEOMETRIC_MEAN"},
    {NAME: "found", "value": [3, 1, 0, 0], "image_id": 0, "feature_name": "thing"},
    {NAME: "found", "value": [1, 1, 5, 2], "image_id": 1, "feature_name": "thing"},
    {NAME: "found", "value": [0, 0, 5, 0], "image_id": 1, "feature_name": "other"},
    {NAME: "care", "value": 4, "label_id": 2, "aggregation": "sum"},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return photo_set(tmp_path / "set", 3)


def written(folder: Path, rows: Any) -> Path:
    path = folder.parent / "values.json"
    path.write_text(json.dumps(rows))
    return path


def test_from_the_shell(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["score", str(folder), "--values", str(written(folder, VALUES)), "--workers", "1", "--quiet"]
    assert main.run([*options, "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    told = {(row["metric"], row["category"], row["confidence"]): row for row in summary["custom_metrics"]}
    assert told["quality", None, None]["value"] == pytest.approx(0.6)
    assert [told["effort", None, at]["value"] for at in (0.1, 0.5)] == [pytest.approx(4.0), pytest.approx(8.0)]
    assert told["care", None, None]["value"] == 4
    both, thing, other = (told["found", name, None] for name in (None, "thing", "other"))
    assert [both[name] for name in ("true_positives", "false_positives", "true_negatives", "false_negatives")] == [
        *(4, 2, 10, 2),
    ]
    assert (thing["precision"], thing["recall"], thing["f1"]) == (4 / 6, 4 / 6, 8 / 12)
    assert (other["precision"], other["recall"], other["f1"]) == (None, None, None)
    (finding,) = [one for one in summary["findings"] if one["code"] == "values-unknown-id"]
    assert (finding["count"], finding["examples"]) == (1, ["image_id 77"])
    made = open_run(folder)
    assert made.table("image", ["quality"])["quality"].to_pylist() == [0.5, 0.7, None]
    table = made.table("custom_metric").to_pylist()
    assert len(table) == 10
    assert table[0] == {
        **{"metric": "quality", "level": "image", "id": "0", "image_id": 0, "category": None, "subclass": None},
        **{"confidence": None, "aggregation": "arithmetic_mean", "value": 0.5},
        **dict.fromkeys(("true_positives", "false_positives", "true_negatives", "false_negatives")),
    }
    assert (table[-1]["level"], table[-1]["id"], table[-1]["image_id"]) == ("label", "2", 2)
    assert main.run(options) == 0
    assert "custom metric" in capsys.readouterr().out
    assert "## Custom metrics" in (folder / "qm-run" / "summary.md").read_text()
    query = "select sum(true_positives) as n from custom_metric"
    assert main.run(["query", str(folder), query, "--json", "-q"]) == 0
    assert "4" in capsys.readouterr().out


def test_labelboxs_rows(folder: Path) -> None:
    row = {"uuid": "u", "metricName": "m", "dataRow": {"globalKey": "0001.png"}, "subclassName": "left"}
    rows = [
        {**row, "metricValue": 2.0, "featureName": "thing", "aggregation": "ARITHMETIC_MEAN"},
        {**row, "metricValue": 4.0, "featureName": "other", "aggregation": "ARITHMETIC_MEAN"},
    ]
    found = run.score(folder, workers=1, values=(written(folder, rows),))
    told = [(row["category"], row["subclass"], row["value"]) for row in found.summary()["custom_metrics"]]
    assert told == [(None, "left", 3.0), ("other", "left", 4.0), ("thing", "left", 2.0)]
    assert "m" not in found.columns("image")


def test_a_part_of_the_images(folder: Path) -> None:
    """What --limit leaves out is left out here too, and is no unknown id."""
    found = run.score(folder, workers=1, values=(written(folder, VALUES[:2]),), limit=1)
    assert [row["value"] for row in found.summary()["custom_metrics"]] == [0.5]
    assert not found.summary()["findings"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        *(([{NAME: name, "value": 1, "image_id": 0}], "is reserved") for name in (RESERVED[0], " Precision", "F1")),
        ([{NAME: "brightness", "value": 1, "image_id": 0}], "'brightness' is reserved"),
        ([{NAME: "file_name", "value": 1, "image_id": 0}], "image has a column 'file_name'"),
        ([VALUES[0], VALUES[0]], "stands there twice"),
        ([VALUES[0], {**VALUES[0], "image_id": "0000.png"}], "stands there twice"),
        ([VALUES[0], {**VALUES[1], "aggregation": "sum"}], "has the aggregations arithmetic_mean, sum"),
        ([{NAME: "m", "value": [0.5, 1, 1, 1], "image_id": 0}], "0.5 is no count"),
        ([{NAME: "m", "value": {}, "image_id": 0}], "0 values"),
        ([{NAME: "m", "value": {"0.1": 1, "0.10": 2}, "image_id": 0}], "2 values at 1 confidences"),
    ],
)
def test_what_is_refused(folder: Path, rows: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        run.score(folder, workers=1, values=(written(folder, rows),))
    assert not (folder / "qm-run").exists()


def test_an_unknown_id_is_not_the_place_of_a_known_one(folder: Path) -> None:
    labels = json.loads((folder / "labels.json").read_text())
    for row in labels["annotations"]:
        row["id"] += 10
    (folder / "labels.json").write_text(json.dumps(labels))
    rows = [{NAME: "care", "value": value, "label_id": number} for number, value in ((11, 0.5), (1, 0.7))]
    found = run.score(folder, workers=1, values=(written(folder, rows),)).summary()
    assert [row["value"] for row in found["custom_metrics"]] == [0.5]
    assert [(one["code"], one["examples"]) for one in found["findings"]] == [("values-unknown-id", ["label_id 1"])]


def test_predictions_are_of_one_model(folder: Path) -> None:
    (folder / "predictions").mkdir()
    box = {"id": 5, "image_id": 0, "category_id": 1, "bbox": [4, 4, 20, 30], "score": 0.5}
    for name in ("a", "b"):
        (folder / "predictions" / f"{name}.json").write_text(json.dumps([box]))
    values = written(folder, [{NAME: "sure", "value": 0, "prediction_id": 5, "aggregation": "harmonic_mean"}])
    with pytest.raises(UsageError, match="--values: prediction ids are of one model"):
        run.score(folder, workers=1, values=(values,))
    found = run.score(folder, workers=1, values=(values,), model="b")
    (row,) = found.summary()["custom_metrics"]
    assert (row["level"], row["value"]) == ("prediction", 0)
    assert not math.isnan(row["value"])


def test_images_alone_and_text_ids(tmp_path: Path) -> None:
    folder = photo_set(tmp_path / "set", 2)
    (folder / "labels.json").unlink()
    values = written(folder, [{NAME: "quality", "value": 1, "image_id": "0001.png"}])
    found = run.score(folder, workers=1, values=(values,))
    assert found.table("image", ["quality"])["quality"].to_pylist() == [None, 1.0]
