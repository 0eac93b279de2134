"""Cells at the thresholds of a file: each category as an evaluation at its own confidence counts it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qm_cli import main
from qm_cli.errors import InputError, UsageError
from qm_cli.load import load_tables
from qm_cli.own_confidences import own_cells
from qm_cli.run import evaluate
from qm_cli.settings import settings_at
from tests.sample_run import BETTER, LABELS
from tests.test_gate_thresholds import NAMES, OWN, thresholds

COUNTS = ("true_positives", "false_positives", "false_negatives", "precision", "mean_iou")


@pytest.mark.parametrize("convention", ["coco", "voc12", "encord", "labelbox-sdk"])
def test_each_category_as_at_its_confidence(convention: str, tmp_path: Path) -> None:
    file = thresholds(tmp_path, {**OWN, "van": None}, convention=convention)
    texts = [f"confidence={file.path}#f1,iou=0.6", f"iou=0.6,confidence={file.path}"]
    first, second = own_cells(load_tables(LABELS, BETTER), settings_at(convention), texts)
    assert first["categories"] == second["categories"]
    assert (first["confidence"], second["confidence"], first["iou"]) == ("t.json f1", "t.json", 0.6)
    for row, name in zip(first["categories"], NAMES, strict=True):
        assert (row["name"], row["confidence"]) == (name, None if name == "van" else OWN[name])
        alone = evaluate(LABELS, BETTER, convention=convention, iou=0.6, confidence=OWN[name])["categories"]
        own = next(one for one in alone if one["name"] == name)
        assert {one: row[one] for one in COUNTS} == {
            one: None if name == "van" else pytest.approx(own[one], abs=1e-12) for one in COUNTS
        }
    hits = sum(row["true_positives"] or 0 for row in first["categories"])
    diagonal = [one["count"] for one in first["confusion"]["cells"] if one["true"] == one["predicted"]]
    assert hits == first["metrics"]["true_positives"] == sum(diagonal)


def test_a_score_at_the_confidence_counts_as_the_convention_says(tmp_path: Path) -> None:
    """Every category at one confidence is the evaluation there; that confidence is a score that occurs."""
    tables = load_tables(LABELS, BETTER)
    confidence = float(np.sort(tables.values("prediction", "score"))[len(tables.prediction) // 2])
    for convention in ("coco", "ultralytics"):
        file = thresholds(tmp_path, dict.fromkeys(NAMES, confidence), convention=convention, iou=0.5)
        [cell] = own_cells(tables, settings_at(convention), [f"confidence={file.path}#f1,iou=0.5"])
        alone = evaluate(LABELS, BETTER, convention=convention, iou=0.5, confidence=confidence)["metrics"]
        assert {name: cell["metrics"][name] for name in COUNTS} == {name: alone[name] for name in COUNTS}


def test_what_cannot_be_answered(tmp_path: Path) -> None:
    path = thresholds(tmp_path, OWN).path
    tables = load_tables(LABELS, BETTER)
    for text, said in (
        (f"confidence={path},iou=7", "'7' is no number from 0 to 1"),
        (f"iou=0.5,confidence={path},iou=0.6", "is no cell of the grid"),
        (f"confidence={path}#f2", "has no thresholds for 'f2'"),
        (f"conf={path}", "is no cell of the grid"),
    ):
        with pytest.raises(UsageError, match=said):
            own_cells(tables, settings_at("coco"), [text])
    with pytest.raises(InputError, match="is of convention coco, not of lvis"):
        own_cells(tables, settings_at("lvis"), [f"confidence={path}"])


def test_from_the_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = thresholds(tmp_path, OWN).path
    asked = ["evaluate", str(LABELS), str(BETTER), "--at", f"confidence={path}"]
    assert main.run([*asked, "--at", "confidence=0.3", "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert [cell["confidence"] for cell in found["cells"]] == [0.3, "t.json"]
    assert main.run(asked) == 0
    assert "at IoU 0.5, confidence t.json" in capsys.readouterr().out
    assert main.run([*asked[:-1], f"confidence={tmp_path / 'none.json'}"]) == 2
    assert "none.json: cannot be read" in capsys.readouterr().err


def test_thresholds_that_are_no_numbers(tmp_path: Path) -> None:
    path = thresholds(tmp_path, {**OWN, "van": float("nan")}).path
    with pytest.raises(InputError, match="a threshold in it is no number"):
        own_cells(load_tables(LABELS, BETTER), settings_at("coco"), [f"confidence={path}"])
