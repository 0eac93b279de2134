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


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    """A dataset folder of classes: 40 images, three categories, probabilities that are right in three of four."""
    names = [{"id": n, "name": name} for n, name in enumerate("abc")]
    images = [{"id": n, "file_name": f"{n}.jpg", "width": 8, "height": 8, "night": n % 4 == 0} for n in range(40)]
    labels = [{"id": n, "image_id": n, "category_id": n % 3} for n in range(40)]
    answers = []
    for n in range(40):
        probs = [0.2, 0.2, 0.2]
        probs[(n + (n % 4 == 0)) % 3] = 0.6
        answers.append({"image_id": n, "probs": probs})
    (tmp_path / "set").mkdir()
    document = {"images": images, "categories": names, "annotations": labels}
    (tmp_path / "set" / "labels.json").write_text(json.dumps(document))
    (tmp_path / "set" / "predictions.json").write_text(json.dumps(answers))
    return tmp_path / "set"


def test_classes_are_scored_evaluated_gated_and_explained(classes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["score", str(classes), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)["models"]["predictions"]
    assert (report["task"], report["convention"], report["metrics"]["accuracy"]) == ("classification", "sklearn", 0.75)
    files = [str(classes / "labels.json"), str(classes / "predictions.json")]
    assert main.run(["evaluate", *files, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["metrics"] == report["metrics"]
    for target in ([str(classes)], files):
        assert main.run(["gate", *target, "--min", "accuracy=0.7", "--min", "f1@a=0.5", "--max", "log_loss=1.5"]) == 0
        assert main.run(["gate", *target, "--min", "accuracy=0.9"]) == 1
    capsys.readouterr()
    assert main.run(["importance", str(classes), "--by", "image", "--metric", "image.night", "--json"]) == 0
    bins = json.loads(capsys.readouterr().out)["bins"]
    assert {one["value"]: one["true_positive_rate"]["rate"] for one in bins} == {"false": 1.0, "true": 0.0}
    assert main.run(["query", str(classes), "SELECT count(*) AS n FROM prediction WHERE outcome = 'FP'", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"n": 10}]
    assert main.run(["rank", str(classes), "-a", "entropy", "--top", "3"]) == 0
    assert len(capsys.readouterr().out.split()) == 3


def test_a_run_of_classes_is_gated_as_it_was_scored(classes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["score", str(classes), "--confidence", "0.9"]) == 0
    assert "confidence 0.9" in capsys.readouterr().out
    assert main.run(["gate", str(classes), "--min", "accuracy=0.1"]) == 1
    assert main.run(["gate", str(classes), "--min", "accuracy=0.1", "--confidence", "0.1"]) == 2
    assert main.run(["gate", str(classes), "--min", "accuracy=0.1", "--iou", "0.5"]) == 2
    assert "classification, counted as it was scored" in capsys.readouterr().err
    assert main.run(["compare", *(str(classes / f"{n}.json") for n in ("labels", "predictions", "predictions"))]) == 0


def test_a_gate_of_classes_has_no_intervals_and_no_parts(classes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["score", str(classes), "--quiet"]) == 0
    capsys.readouterr()
    files = [str(classes / "labels.json"), str(classes / "predictions.json")]
    for target in ([str(classes)], files):
        assert main.run(["gate", *target, "--min", "accuracy=0.7", "--confidence-level", "0.95", "--json"]) == 0
        verdict = json.loads(capsys.readouterr().out)
        assert (verdict["task"], verdict["iou"]) == ("classification", None)
        assert "no interval is known of it" in verdict["checks"][0]["reason"]
    parts = classes / "parts.toml"
    for scope in ('slice = "night"', 'size = "small"', "iou = 0.5", "max_drop = 0.1"):
        drop = scope.startswith("max")
        baseline = f'[baseline]\nrun = "{classes}"\n' if drop else ""
        parts.write_text(f'{baseline}[[check]]\nmetric = "accuracy"\n{"" if drop else "min = 0.7"}\n{scope}\n')
        assert main.run(["gate", str(classes), "--config", str(parts)]) == 2
        assert "of classification is known as it was evaluated" in capsys.readouterr().err
    assert main.run(["gate", "--init", str(classes)]) == 2
    assert "have no interval — name floors yourself: qm gate RUN --min accuracy=0.9" in capsys.readouterr().err


def test_classes_are_scored_by_the_convention_asked_for(classes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["score", str(classes), "--convention", "labelbox", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)["models"]["predictions"]
    assert (report["convention"], report["metrics"]["f1_data_row"]) == ("labelbox", 0.75)
    assert main.run(["score", str(classes), "--convention", "coco"]) == 2
    assert "has no rule for classes" in capsys.readouterr().err
    assert main.run(["score", str(classes), "--image-grid"]) == 2
    assert "not for classes" in capsys.readouterr().err


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


@pytest.mark.parametrize("idle", [("--level", "label"), ("--format", "csv")])
def test_how_rows_go_to_stdout_is_refused_without_that(
    idle: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["score", str(SAMPLE), *FEW, "-o", str(tmp_path / "run"), *idle]) == 2
    assert f"qm: {idle[0]} says how rows go to stdout — add -o -" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
