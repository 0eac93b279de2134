"""Tables of a run: what is written can be read back and evaluates to the same numbers, whatever the input's order."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings

from qm_cli import run_folder
from qm_cli.evaluation import evaluate_tables
from qm_cli.report import evaluation_report
from qm_cli.request import Request
from qm_cli.run import score_to_folder
from qm_cli.run_tables import evaluation_tables, tables_of_run
from qm_cli.settings import Measure, Settings
from tests import builders
from tests.shape_sets import keypoint_set
from tests.strategies import detection_sets


@pytest.fixture
def shuffled(tmp_path: Path) -> Path:
    """A dataset whose labels and predictions stand in no order of images."""
    labels: dict[str, Any] = {
        "images": [{"id": i, "file_name": f"{i}.png", "width": 100, "height": 100} for i in (3, 1, 2)],
        "categories": [{"id": 7, "name": "b"}, {"id": 5, "name": "a"}],
        "annotations": [
            {"id": n, "image_id": 1 + n % 3, "category_id": (5, 7)[n % 2], "bbox": [n, n, 20, 20]} for n in range(12)
        ],
    }
    predictions = [{**row, "score": 0.5 + 0.04 * row["id"]} for row in labels["annotations"]]
    random.Random(0).shuffle(predictions)
    random.Random(1).shuffle(labels["annotations"])
    builders.write(tmp_path, labels, predictions)
    return tmp_path


def test_a_run_evaluates_to_its_own_numbers(shuffled: Path) -> None:
    place, summary = score_to_folder(Request(shuffled, metrics=("prediction.outcome,label.outcome",)), None)
    again = evaluation_report(evaluate_tables(tables_of_run(run_folder.open_run(place)), Settings()))
    written = summary["models"]["predictions"]
    assert again["metrics"] == written["metrics"]
    assert again["categories"] == written["categories"]


def test_rows_of_match_and_pair_are_those_of_the_written_tables(shuffled: Path) -> None:
    place, _ = score_to_folder(Request(shuffled, metrics=("prediction.outcome,label.outcome",)), None)
    run = run_folder.open_run(place)
    labels, predictions = run.table("label").to_pylist(), run.table("prediction").to_pylist()
    matched = [row for row in run.table("match").to_pylist() if row["outcome"] == "TP"]
    assert matched
    for row in matched:
        label, prediction = labels[row["label_row"]], predictions[row["prediction_row"]]
        assert label["bbox"] == prediction["bbox"]
        assert label["image_id"] == prediction["image_id"]


@given(detection_sets())
@settings(max_examples=25, deadline=None)
def test_match_table_holds_every_outcome_once(data: tuple[dict[str, Any], list[dict[str, Any]]]) -> None:
    tables = builders.tables(*data)
    evaluation = evaluate_tables(tables, Settings())
    written = evaluation_tables(evaluation)["match"]
    outcomes = written["outcome"].to_pylist()
    metrics = evaluation_report(evaluation)["metrics"]
    names = {"TP": "true_positives", "FP": "false_positives", "FN": "false_negatives"}
    assert {code: outcomes.count(code) for code in names} == {code: metrics[name] for code, name in names.items()}
    iou = written["iou"].to_numpy()[np.array(outcomes, str) == "TP"]
    assert np.isfinite(iou).all()


def test_what_keypoints_are_compared_by_is_called_so_in_every_table(tmp_path: Path) -> None:
    labels, predictions = keypoint_set(np.random.default_rng(5))
    builders.write(tmp_path, labels, predictions)
    request = Request(tmp_path, task="keypoints", measure=Measure("keypoints"), kinds=("model", "label"))
    place, summary = score_to_folder(request, None)
    run = run_folder.open_run(place)
    for table in ("prediction", "image", "category", "image_category", "match", "pair"):
        facts = pq.read_schema(run.path / f"{table}.parquet").field("iou").metadata
        assert facts[b"unit"] == b"OKS"
        assert b"OKS" in facts[b"meaning"]
        assert b"IoU" not in facts[b"meaning"]
    of_boxes = pq.read_schema(run.path / "label.parquet").field("duplicate_iou").metadata
    assert of_boxes[b"unit"] == b"IoU"
    units = {(row["level"], row["name"]): row["unit"] for row in summary["metrics"]}
    assert (units["dataset", "iou"], units["label", "duplicate_iou"]) == ("OKS", "IoU")
