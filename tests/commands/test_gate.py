"""qm gate from the command line: the verdict is the exit code, whatever becomes of stdout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from qm_cli.main import run
from tests.builders import write
from tests.made_run import lost, write_run
from tests.oracles.random_sets import random_set

Captured = pytest.CaptureFixture[str]
QM = [sys.executable, "-m", "qm_cli"]
GOLDEN = """\
{place}, convention coco, IoU 0.5, confidence 0.5
check               value   limit   margin  verdict
precision ≥ 0.8    0.7500  0.8000  -0.0500     FAIL
recall@cat ≥ 0.6   1.0000  0.6000   0.4000     pass
false_positives ≤ 5     3       5        2     pass

note: precision is 0.75, 0.05 below the floor of 0.8
gate failed: 1 of 3 checks
"""


@pytest.fixture
def place(tmp_path: Path) -> str:
    return str(write_run(tmp_path / "run"))


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """A label and two predictions: right, and of an image that is not there."""
    labels = {
        "images": [{"id": 1, "file_name": "1.jpg", "width": 100, "height": 100}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 50, 40], "area": 2000, "iscrowd": 0}],
    }
    boxes = [{"image_id": one, "category_id": 1, "bbox": [0, 0, 50, 50], "score": 0.9} for one in (1, 77)]
    return [str(file) for file in write(tmp_path, labels, boxes)]


def test_table(place: str, capsys: Captured) -> None:
    checks = ["--min", "precision=0.8", "--min", "recall@cat=0.6", "--max", "false_positives=5"]
    assert run(["gate", place, *checks]) == 1
    shown = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert shown == [line.split() for line in GOLDEN.format(place=place).splitlines()]
    assert run(["gate", place, "--min", "precision=0.75"]) == 0


def test_json_and_files(place: str, tmp_path: Path, capsys: Captured) -> None:
    junit, markdown = tmp_path / "gate.xml", tmp_path / "gate.md"
    written = ["--junit", str(junit), "--markdown", str(markdown), "--json"]
    assert run(["gate", place, "--min", "AP50=0.5", "--min", "APs=0.5", *written]) == 1
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["passed"] is False
    assert verdict["model"] == "better"
    assert verdict["checks"][1] == {
        "check": "APs ≥ 0.5",
        "metric": "APs",
        "category": None,
        "bound": "min",
        "limit": 0.5,
        "value": None,
        "margin": None,
        "passed": False,
        "reason": "APs is undefined",
    }
    assert ElementTree.parse(junit).getroot().get("failures") == "1"
    assert markdown.read_text().startswith("## Gate failed: 1 of 2 checks")
    assert run(["gate", place, "--min", "APs=0.5", "--allow-undefined"]) == 0


def test_a_broken_export_must_not_pass(tmp_path: Path, files: list[str], capsys: Captured) -> None:
    assert run(["gate", *files, "--min", "recall=0.9"]) == 1
    assert "findings@prediction-unknown-image" in capsys.readouterr().out
    allowed = ["--allow-findings", "prediction-unknown-image"]
    assert run(["gate", *files, "--min", "recall=0.9", *allowed]) == 0
    place = str(write_run(tmp_path / "run", findings=[lost()]))
    assert run(["gate", place, "--min", "AP=0.1"]) == 1
    assert run(["gate", place, "--min", "AP=0.1", *allowed]) == 0


def test_only_the_own_model_answers_for_its_predictions(tmp_path: Path) -> None:
    place = write_run(tmp_path / "run", ("better", "worse"))
    summary = json.loads((place / "summary.json").read_text())
    summary["findings"] = summary["models"]["worse"]["findings"] = [lost()]
    (place / "summary.json").write_text(json.dumps(summary))
    assert run(["gate", str(place), "--min", "AP=0.1", "--model", "better"]) == 0
    assert run(["gate", str(place), "--min", "AP=0.1", "--model", "worse"]) == 1
    summary["findings"] = [lost("label-bad-box")]
    (place / "summary.json").write_text(json.dumps(summary))
    assert run(["gate", str(place), "--min", "AP=0.1", "--model", "better"]) == 1


def test_other_thresholds(files: list[str], tmp_path: Path, capsys: Captured) -> None:
    allowed = ["--allow-findings", "prediction-unknown-image", "--json"]
    assert run(["gate", *files, "--min", "recall=1", "--iou", "0.8", *allowed]) == 0
    assert run(["gate", *files, "--min", "recall=1", "--iou", "0.81", *allowed]) == 1
    capsys.readouterr()
    assert run(["score", str(tmp_path), "--quiet"]) == 0
    capsys.readouterr()
    assert run(["gate", str(tmp_path / "qm-run"), "--min", "recall=1", "--iou", "0.81", *allowed]) == 1
    verdict = json.loads(capsys.readouterr().out)
    assert (verdict["iou"], verdict["checks"][0]["value"]) == (0.81, 0.0)
    assert run(["gate", str(tmp_path / "qm-run"), "--min", "recall=1", "--iou", "0.8"]) == 1
    assert "findings@prediction-unknown-image" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "no check given"),
        (["--min", "precison=0.5"], "did you mean precision"),
        (["--min", "recall@dg=0.5"], "did you mean dog"),
        (["--min", "precision=80"], "0.8 for 80 %"),
        (["--min", "precision"], "is no check"),
        (["--min", "AP=0.1", "--allow-findings", "nonsense"], "no such code"),
        (["--min", "AP=0.1", "--model", "worse"], "no model 'worse'"),
        (["--min", "AP=0.1", "--iou", "2"], "--iou"),
    ],
)
def test_refused_in_one_line(place: str, capsys: Captured, arguments: list[str], told: str) -> None:
    assert run(["gate", place, *arguments]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert told in shown.err


def test_targets_that_do_not_fit(tmp_path: Path, files: list[str], capsys: Captured) -> None:
    several = str(write_run(tmp_path / "run", ("better", "worse")))
    for arguments, told in (
        ([several], "name one with --model"),
        ([files[0]], "LABELS and PREDICTIONS"),
        ([str(tmp_path), files[1]], "is a folder"),
        ([*files, "--model", "x"], "--model"),
        ([str(tmp_path / "nowhere")], "no qm run"),
    ):
        assert run(["gate", *arguments, "--min", "AP=0.1"]) == 2
        assert told in capsys.readouterr().err


@pytest.mark.parametrize("shape", [[], ["--json"]])
@pytest.mark.parametrize(("floor", "code"), [("0.9", 1), ("0.1", 0)])
def test_a_closed_pipe_keeps_the_verdict(tmp_path: Path, floor: str, code: int, shape: list[str]) -> None:
    place = write_run(tmp_path / "run")
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        command = [*QM, "gate", str(place), "--min", f"precision={floor}", *shape]
        done = subprocess.run(command, stdout=closed, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (code, b"")


def test_a_threshold_of_zero_is_a_threshold(tmp_path: Path, capsys: Captured) -> None:
    labels, predictions = random_set(4)
    files = [str(file) for file in write(tmp_path, labels, predictions)]
    assert run(["evaluate", *files, "-o", str(tmp_path / "run"), "-q"]) == 0
    capsys.readouterr()
    values = []
    for confidence in ([], ["--confidence", "0"]):
        assert run(["gate", str(tmp_path / "run"), "--max", "false_positives=1000", "--json", *confidence]) == 0
        values.append(json.loads(capsys.readouterr().out)["checks"][0]["value"])
    assert values[0] < values[1]
