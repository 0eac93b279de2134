"""qm score from the shell: where it writes, what it prints, what it streams, and its plan."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from qm_cli import main, run_folder

SAMPLE = Path(__file__).parents[2] / "sample_data"
FEW = ["--limit", "4", "--metrics", "image.brightness,image.entropy,label.area_relative,prediction.outcome", "-j", "1"]


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A copy of the sample dataset, small and writable."""
    folder = tmp_path / "set"
    shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("*.py", "qm-run*", "__pycache__"))
    return folder


def test_default_place_is_in_the_dataset(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["score", str(dataset), *FEW]) == 0
    assert str(dataset / "qm-run") in capsys.readouterr().out
    assert run_folder.open_run(dataset).models == ["better", "worse"]
    assert main.run(["score", str(dataset), *FEW]) == 0


def test_json_names_the_run(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["score", str(dataset), *FEW, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["run"] == str(dataset / "qm-run")
    assert found["images"] == 4
    assert found["models"]["better"]["metrics"]["AP"] > found["models"]["worse"]["metrics"]["AP"]
    assert {row["name"] for row in found["metrics"]} == {"brightness", "area_relative"}


def test_rows_stream_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["score", str(SAMPLE), *FEW, "--model", "better", "-o", "-"]
    assert main.run([*arguments, "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == 4
    assert float(rows[0]["brightness"]) > 0
    assert main.run([*arguments, "--level", "label", "--format", "jsonl"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(0 <= line["area_relative"] <= 1 for line in lines)
    assert not (SAMPLE / "qm-run" / "better" / "tmp").exists()


def test_dry_run_writes_nothing(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["score", str(dataset), "--dry-run", "--metrics", "image.*"]) == 0
    assert "image.brightness" in capsys.readouterr().out
    assert not (dataset / "qm-run").exists()
    assert main.run(["score", str(dataset), "--dry-run", "--json"]) == 0
    assert {"files", "steps", "skipped", "rows"} <= json.loads(capsys.readouterr().out).keys()


def test_options_of_metrics_are_set(capsys: pytest.CaptureFixture[str]) -> None:
    base = ["score", str(SAMPLE), "--limit", "4", "--metrics", "image.entropy", "--model", "better", "-o", "-"]
    values = []
    for extra in ([], ["--set", "entropy.aggregate=max"]):
        assert main.run([*base, *extra]) == 0
        values.append([json.loads(line)["entropy"] for line in capsys.readouterr().out.splitlines()])
    assert all(most >= mean for mean, most in zip(*values, strict=True))
    assert values[0] != values[1]


def test_seed_moves_the_random_control(capsys: pytest.CaptureFixture[str]) -> None:
    base = ["score", str(SAMPLE), "--limit", "4", "--metrics", "image.random", "--model", "better", "-o", "-"]
    outputs = []
    for seed in ("0", "0", "1"):
        assert main.run([*base, "--seed", seed]) == 0
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1] != outputs[2]


def test_several_label_files_are_listed(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (dataset / "annotations").mkdir()
    shutil.move(dataset / "labels.json", dataset / "annotations" / "train.json")
    shutil.copy(dataset / "annotations" / "train.json", dataset / "annotations" / "val.json")
    assert main.run(["score", str(dataset), *FEW]) == 2
    captured = capsys.readouterr().err
    assert "train.json" in captured
    assert "val.json" in captured
    assert "--labels" in captured
    chosen = str(dataset / "annotations" / "val.json")
    assert main.run(["score", str(dataset), "--labels", chosen, *FEW]) == 0


def test_images_alone_have_data_metrics(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (dataset / "labels.json").unlink()
    shutil.rmtree(dataset / "predictions")
    assert main.run(["score", str(dataset), "--limit", "3", "--json", "-j", "1"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert "brightness" in {row["name"] for row in found["metrics"]}
    assert found["labels"] is None


def test_predictions_alone_have_acquisition(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (dataset / "labels.json").unlink()
    shutil.rmtree(dataset / "images")
    predictions = str(dataset / "predictions" / "better.json")
    assert main.run(["score", str(dataset), "--predictions", predictions, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert "entropy" in {row["name"] for row in found["metrics"]}
    assert found["models"] == {"better": None}


def test_broken_images_are_findings_not_the_end(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = sorted((dataset / "images").glob("*.jpg"))
    images[0].write_bytes(b"")
    images[1].write_text("no picture")
    images[2].unlink()
    assert main.run(["score", str(dataset), "--metrics", "image.brightness", "--json", "-j", "1"]) == 0
    found = json.loads(capsys.readouterr().out)
    codes = {finding["code"]: finding["count"] for finding in found["findings"]}
    assert codes["image-missing-file"] == 1
    assert codes["image-unreadable"] == 2
    assert next(row for row in found["metrics"] if row["name"] == "brightness")["nulls"] == 3


def test_strict_says_no_after_the_work_is_done(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = [*FEW, "--model", "better", "--quiet"]
    assert main.run(["score", str(dataset), *few]) == 0
    first = json.loads((dataset / "labels.json").read_text())["images"][0]["file_name"]
    (dataset / "images" / first).write_bytes(b"no image")
    assert main.run(["score", str(dataset), *few]) == 0
    assert main.run(["score", str(dataset), *few, "--strict"]) == 1
    assert run_folder.open_run(dataset).table("image", ["brightness"])["brightness"].null_count == 1
    capsys.readouterr()


@pytest.mark.parametrize("option", ["--strict", "--resume"])
def test_rows_to_stdout_have_no_run(option: str, dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["score", str(dataset), "-o", "-", option]) == 2
    assert f"{option} needs a run folder" in capsys.readouterr().err


def test_unknown_backends_are_refused(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["score", str(dataset), *FEW, "--backend", "spark"]) == 2
    assert "'spark' is none of local, ray" in capsys.readouterr().err
