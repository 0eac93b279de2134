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
from tests.sample_run import sample_run

Captured = pytest.CaptureFixture[str]
QM = [sys.executable, "-m", "qm_cli"]
GOLDEN = """\
{place}, model better, convention coco, IoU 0.5, confidence 0.5
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
    told = {name: value for name, value in verdict["checks"][1].items() if value is not None}
    assert told == {
        "check": "APs ≥ 0.5",
        "metric": "APs",
        "bound": "min",
        "limit": 0.5,
        "support": 4,
        "verdict": "fail",
        "passed": False,
        "reason": "APs is undefined",
    }
    assert ElementTree.parse(junit).getroot().get("failures") == "1"
    assert markdown.read_text().startswith("## Gate failed: 1 of 2 checks")
    assert verdict["verdict"] == "failed"
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


def gate_file(folder: Path, text: str, name: str = "gate.toml") -> str:
    path = folder / name
    path.write_text(text, "utf-8")
    return str(path)


def test_a_gate_file(tmp_path: Path, place: str, capsys: Captured) -> None:
    text = "[[check]]\nmetric = 'precision'\nmin = 0.8\n"
    file = gate_file(tmp_path, "run = 'run'\n" + text)
    assert run(["gate", file]) == run(["gate", place, "--config", file]) == 1
    assert "precision ≥ 0.8" in capsys.readouterr().out
    assert run(["gate", file, "--min", "recall=0.5", "--json"]) == 1
    verdict = json.loads(capsys.readouterr().out)
    assert [check["check"] for check in verdict["checks"]] == ["precision ≥ 0.8", "recall ≥ 0.5"]
    for arguments, told in (
        ([gate_file(tmp_path, text, "bare.toml")], "names no run"),
        ([file, "--config", file], "both gate files"),
        ([gate_file(tmp_path, "run = 'nowhere'\n" + text, "other.toml")], "no qm run there"),
        ([place, "--config", str(tmp_path / "no.toml")], "cannot be read"),
        ([place, "--min", "AP=0.5", "--max", "AP=0.4"], "at least 0.5 and at most 0.4"),
        ([place, "--min", "AP=0.1", "--annotations", "gitlab"], "there is no such kind"),
        ([place, "--min", "AP=0.1", "-o", "x"], "-o is where --init writes"),
        ([], "no check given"),
    ):
        assert run(["gate", *arguments]) == 2
        shown = capsys.readouterr()
        assert (shown.out, shown.err.count("\n")) == ("", 1)
        assert told in shown.err


def test_exit_code_of_what_cannot_be_told(tmp_path: Path, capsys: Captured) -> None:
    run_folder = str(sample_run())
    model = ["--model", "better"]
    assert run(["gate", run_folder, *model, "--min", "precision=0.87", "--confidence-level", "0.95"]) == 3
    shown = capsys.readouterr().out
    assert "on both sides of 0.87" in shown
    assert "gate inconclusive: 1 of 1 checks" in shown
    check = "[[check]]\nmetric = 'precision'\nmin = 0.87\nconfidence_level = 0.95\n"
    for rule, code in (("report", 3), ("fail", 1), ("pass", 0)):
        file = gate_file(tmp_path, f"inconclusive = '{rule}'\n{check}")
        assert run(["gate", run_folder, *model, "--config", file]) == code
    capsys.readouterr()


def test_annotations_go_to_stderr_and_leave_stdout_alone(tmp_path: Path, place: str, capsys: Captured) -> None:
    file = gate_file(tmp_path, "run = 'run'\n[[check]]\nmetric = 'precision'\nmin = 0.8\n")
    assert run(["gate", file, "--annotations", "github", "--json", "--quiet"]) == 1
    shown = capsys.readouterr()
    assert json.loads(shown.out)["verdict"] == "failed"
    assert shown.err == (
        f"::error file={file},title=qm gate%3A precision ≥ 0.8::precision is 0.75, 0.05 below the floor of 0.8\n"
    )


def test_init(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["gate", "--init", str(sample_run()), "--model", "better"]) == 0
    assert "gate.toml holds 17 checks" in capsys.readouterr().err
    assert run(["gate", "gate.toml"]) == 0
    assert run(["gate", str(sample_run()), "--config", "gate.toml", "--model", "worse"]) == 1
    capsys.readouterr()
    assert run(["gate", "--init", str(sample_run()), "--model", "better"]) == 2
    assert "gate.toml: is there already" in capsys.readouterr().err
    assert run(["gate", "--init", str(sample_run()), "--model", "better", "-o", "-"]) == 0
    assert capsys.readouterr().out == Path("gate.toml").read_text("utf-8")
    assert run(["gate", "--init", str(sample_run()), "--min", "AP=0.5"]) == 2


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


def test_classes_and_text_of_files_are_gated(tmp_path: Path, capsys: Captured) -> None:
    labels, predictions = tmp_path / "labels.csv", tmp_path / "predictions.csv"
    labels.write_text("id,category\n1,cat\n2,dog\n")
    predictions.write_text("id,category,score\n1,cat,0.9\n2,cat,0.8\n")
    files = [str(labels), str(predictions)]
    assert run(["gate", *files, "--min", "accuracy=0.5"]) == 0
    assert run(["gate", *files, "--task", "classification", "--min", "accuracy=0.6", "--json"]) == 1
    assert run(["gate", *files, "--buffer", "3", "--min", "accuracy=0.5"]) == 2
    assert "--buffer: not for classes and text" in capsys.readouterr().err


def test_how_files_are_read_says_nothing_about_a_run(place: str, capsys: Captured) -> None:
    for option, value in (("--task", "segm"), ("--match-by", "stem"), ("--buffer", "3"), ("--missing-score", "1")):
        assert run(["gate", place, "--min", "precision=0.1", option, value]) == 2
        assert f"{option}: not for a run" in capsys.readouterr().err


def test_keypoints_have_no_iou(tmp_path: Path, capsys: Captured) -> None:
    """What a check, its reason and every file call it; the key stays."""
    points = [number for place in range(17) for number in (10 + 3 * place, 10 + 2 * place, 2)]
    row = {"image_id": 1, "category_id": 1, "keypoints": points}
    label = {**row, "id": 1, "bbox": [10, 10, 48, 32], "area": 1536, "num_keypoints": 17}
    labels = {
        "images": [{"id": 1, "width": 100, "height": 100}],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [label],
    }
    paths = [str(path) for path in write(tmp_path, labels, [{**row, "score": 0.9}])]
    written = [str(tmp_path / name) for name in ("gate.xml", "gate.md")]
    check = '[[check]]\nmetric = "recall"\niou = 0.75\nmax = 0.5\n'
    options = ["--config", gate_file(tmp_path, check), "--task", "keypoints", "--annotations", "github"]
    assert run(["gate", *paths, *options, "--junit", written[0], "--markdown", written[1]]) == 1
    shown = capsys.readouterr()
    for text in (shown.out, shown.err, *(Path(one).read_text() for one in written)):
        assert "recall (OKS 0.75)" in text
        assert "IoU" not in text
    fixed = '[[check]]\nmetric = "AP75"\niou = 0.9\nmin = 0.5\n'
    assert run(["gate", *paths, "--config", gate_file(tmp_path, fixed), "--task", "keypoints"]) == 2
    assert "AP75 is at OKS 0.75 — write AP for one at another OKS" in capsys.readouterr().err
