"""qm evaluate from the shell: the JSON it promises, the table read off it, folders, mappings and odd inputs."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from qm_cli import main, run_folder
from qm_cli.confidence_rules import keeping
from qm_cli.settings import CONVENTIONS, compares
from tests import builders
from tests.oracles.random_sets import random_set
from tests.render.screens import unwrapped

SAMPLE = Path(__file__).parents[2] / "sample_data"
LABELS, BETTER = SAMPLE / "labels.json", SAMPLE / "predictions" / "better.json"
QM = str(Path(sys.executable).with_name("qm"))
PROMISED = {"AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"}
PROMISED |= {"precision", "recall", "f1", "precision_macro", "recall_macro", "f1_macro"}
PER_CATEGORY = {"id", "name", "labels", "predictions", "AP", "AP50", "AR100", "precision", "recall", "f1"}


def report(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    assert main.run(["evaluate", *map(str, arguments), "--json"]) == 0
    loaded: dict[str, Any] = json.loads(capsys.readouterr().out)
    return loaded


def test_json_holds_what_is_promised(capsys: pytest.CaptureFixture[str]) -> None:
    found = report(capsys, LABELS, BETTER)
    assert {"task", "convention", "metrics", "iou", "confidence", "categories", "notes"} <= found.keys()
    assert found["metrics"].keys() >= PROMISED
    assert all(row.keys() >= PER_CATEGORY for row in found["categories"])
    assert (found["task"], found["convention"], found["iou"], found["confidence"]) == ("bbox", "coco", 0.5, 0.5)


def test_table_shows_the_numbers_of_the_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = report(capsys, LABELS, BETTER)
    assert main.run(["evaluate", str(LABELS), str(BETTER)]) == 0
    shown = capsys.readouterr().out
    for name in PROMISED:
        value = found["metrics"][name]
        assert ("–" if value is None else f"{value:.4f}") in shown
    assert "IoU 0.5, confidence 0.5" in shown


def test_thresholds_are_echoed_and_used(capsys: pytest.CaptureFixture[str]) -> None:
    loose, strict = report(capsys, LABELS, BETTER, "--confidence", 0), report(capsys, LABELS, BETTER, "--iou", 0.9)
    assert loose["confidence"] == 0
    assert strict["iou"] == 0.9
    assert loose["metrics"]["recall"] > strict["metrics"]["recall"]
    assert loose["metrics"]["AP"] == strict["metrics"]["AP"]


def test_categories_are_filtered(capsys: pytest.CaptureFixture[str]) -> None:
    every, some = report(capsys, LABELS, BETTER), report(capsys, LABELS, BETTER, "--categories", "van,ball")
    by_name = {row["name"]: row for row in every["categories"]}
    assert [row["name"] for row in some["categories"]] == ["van", "ball"]
    for row in some["categories"]:
        assert row["AP"] == by_name[row["name"]]["AP"]


def test_folder_is_a_run_and_the_same_report(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert report(capsys, LABELS, BETTER, "-o", tmp_path / "out") == report(capsys, LABELS, BETTER)
    run = run_folder.open_run(tmp_path / "out")
    assert {"match", "image", "category", "image_category"} <= set(run.table_names())


def test_formats_give_the_same_report(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    expected = report(capsys, LABELS, BETTER)
    (tmp_path / "better.json.gz").write_bytes(gzip.compress(BETTER.read_bytes()))
    with pa.CompressedOutputStream(tmp_path / "better.json.zst", "zstd") as file:
        file.write(BETTER.read_bytes())
    pq.write_table(pa.Table.from_pylist(json.loads(BETTER.read_text())), tmp_path / "better.parquet")
    for ending in ("json.gz", "json.zst", "parquet"):
        assert report(capsys, LABELS, tmp_path / f"better.{ending}") == expected


def test_predictions_from_stdin() -> None:
    done = subprocess.run([QM, "evaluate", str(LABELS), "-", "--json"], input=BETTER.read_bytes(), capture_output=True)
    assert done.returncode == 0
    assert json.loads(done.stdout)["predictions"] == len(json.loads(BETTER.read_text()))


def test_predictions_named_by_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    names = {image["id"]: image["file_name"] for image in json.loads(LABELS.read_text())["images"]}
    rows = json.loads(BETTER.read_text())
    for row in rows:
        row["image_id"] = Path(names[row["image_id"]]).stem
    (tmp_path / "p.json").write_text(json.dumps(rows))
    expected = report(capsys, LABELS, BETTER)["metrics"]
    assert report(capsys, LABELS, tmp_path / "p.json", "--match-by", "stem")["metrics"] == expected
    assert main.run(["evaluate", str(LABELS), str(tmp_path / "p.json")]) == 2
    assert "--match-by" in capsys.readouterr().err


def test_contiguous_categories(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    places = {row["id"]: place for place, row in enumerate(json.loads(LABELS.read_text())["categories"])}
    rows = [{**row, "category_id": places[row["category_id"]] + 100} for row in json.loads(BETTER.read_text())]
    (tmp_path / "p.json").write_text(json.dumps(rows))
    mapping = {str(place + 100): identifier for identifier, place in places.items()}
    (tmp_path / "map.json").write_text(json.dumps(mapping))
    expected = report(capsys, LABELS, BETTER)["metrics"]
    assert report(capsys, LABELS, tmp_path / "p.json", "--map-categories", tmp_path / "map.json")["metrics"] == expected
    assert main.run(["evaluate", str(LABELS), str(tmp_path / "p.json")]) == 2
    assert "--map-categories" in capsys.readouterr().err


def test_predictions_may_serve_as_labels(capsys: pytest.CaptureFixture[str]) -> None:
    found = report(capsys, BETTER, BETTER, "--confidence", 0)
    assert found["metrics"]["AP"] == pytest.approx(1.0)
    assert found["metrics"]["false_negatives"] == 0


@pytest.mark.parametrize("content", ["", "[1, 2", "3", "{}", '[{"image_id": 1}]', "\x00\x01", "[" * 1_000_000])
def test_broken_predictions_are_refused(content: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(content)
    assert main.run(["evaluate", str(LABELS), str(tmp_path / "p.json"), "-o", str(tmp_path / "out")]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert "p.json" in captured.err
    assert not (tmp_path / "out").exists()


def test_single_bad_rows_are_counted_and_survived(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rows = json.loads(BETTER.read_text())
    spoiled = [*rows, {**rows[0], "image_id": 99999}, {**rows[0], "bbox": [1, 2, 3]}, {**rows[0], "score": None}]
    (tmp_path / "p.json").write_text(json.dumps(spoiled))
    found = report(capsys, LABELS, tmp_path / "p.json")
    assert found["metrics"] == report(capsys, LABELS, BETTER)["metrics"]
    codes = {finding["code"]: finding["count"] for finding in found["findings"]}
    assert codes["prediction-unknown-image"] == codes["prediction-bad-box"] == codes["prediction-missing-score"] == 1
    assert any("prediction-bad-box" in note for note in found["notes"])


def test_empty_predictions_are_a_result(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text("[]")
    found = report(capsys, LABELS, tmp_path / "p.json")
    assert (found["metrics"]["AP"], found["metrics"]["recall"], found["metrics"]["precision"]) == (0, 0, None)


def test_a_place_that_holds_something_else_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    shutil.copy(LABELS, tmp_path / "precious.json")
    assert main.run(["evaluate", str(LABELS), str(BETTER), "-o", str(tmp_path)]) == 2
    assert "-o" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["precious.json"]


SHAPES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "segm": ({"segmentation": {"size": [40, 50], "counts": [410, 20, 1570]}}, []),
    "keypoints": ({"keypoints": [1, 2, 2, 20, 30, 2]}, ["--sigmas", "0.1,0.1"]),
    "obb": ({"rotated_box": [15, 15, 20, 10, 0.5]}, ["--angle", "radians"]),
    "polyline": ({"polyline": [0, 0, 30, 30]}, ["--buffer", "5"]),
    "point": ({"point": [10, 10]}, []),
}


@pytest.mark.parametrize("task", SHAPES)
def test_every_task_from_the_shell(task: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Found from the data, evaluated, scored into a run, gated at another threshold and compared with itself."""
    shape, options = SHAPES[task]
    row = {"id": 1, "image_id": 1, "category_id": 1, "area": 2000, "iscrowd": 0, **shape}
    images = [{"id": 1, "width": 50, "height": 40, "file_name": "a.jpg"}]
    document = {"images": images, "categories": [{"id": 1, "name": "x"}], "annotations": [row]}
    labels, predictions = tmp_path / "labels.json", tmp_path / "predictions.json"
    labels.write_text(json.dumps(document))
    predictions.write_text(json.dumps([{"image_id": 1, "category_id": 1, "score": 0.9, **shape}]))
    found = report(capsys, labels, predictions, *options)
    assert found["task"] == task
    assert found["metrics"]["AP"] == pytest.approx(1)
    assert found["confusion"]["cells"] == [{"true": "x", "predicted": "x", "count": 1}]
    assert main.run(["evaluate", str(labels), str(predictions), *options]) == 0
    assert capsys.readouterr().out.startswith(f"{task} (the predictions have")
    assert main.run(["score", str(tmp_path), "-o", str(tmp_path / "run"), "--quiet", *options]) == 0
    assert main.run(["gate", str(tmp_path / "run"), "--min", "AP50=0.9", "--iou", "0.6"]) == 0
    assert main.run(["compare", str(tmp_path / "run"), str(tmp_path / "run"), "--resamples", "100"]) == 0


@pytest.mark.parametrize("task", SHAPES)
def test_thresholds_and_examples_of_every_task(task: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Under every convention that compares such objects: one found, one of a category that no label has."""
    shape, options = SHAPES[task]
    document = {
        "images": [{"id": 1, "width": 50, "height": 40, "file_name": "a.jpg", "neg_category_ids": [2]}],
        "categories": [{"id": 1, "name": "x"}, {"id": 2, "name": "y"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "area": 2000, "iscrowd": 0, **shape}],
    }
    labels, predictions = tmp_path / "labels.json", tmp_path / "predictions.json"
    labels.write_text(json.dumps(document))
    pairs = ((1, 0.9), (2, 0.6))
    predictions.write_text(
        json.dumps([{"image_id": 1, "category_id": one, "score": score, **shape} for one, score in pairs])
    )
    asked = ("--thresholds", "f1", "--examples", "predicted=y,true=none", "--calibration")
    for convention in CONVENTIONS:
        if compares(convention, task):
            found = report(capsys, labels, predictions, *options, *asked, "--convention", convention)
            assert found["thresholds"]["targets"][0]["overall"]["confidence"] == keeping(convention, 0.9)
            assert len(found["examples"][0]["samples"]) == 1
            assert found["calibration"]["predictions"] == 2


def test_analyses_are_added_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    plain, every = report(capsys, LABELS, BETTER), report(capsys, LABELS, BETTER, "--everything")
    assert every.keys() - plain.keys() == {"errors", "calibration", "lrp"}
    for name in ("errors", "calibration", "lrp"):
        alone = report(capsys, LABELS, BETTER, f"--{name}")
        assert alone.keys() - plain.keys() == {name}
        assert alone[name] == every[name]


def test_calibration_bins(capsys: pytest.CaptureFixture[str]) -> None:
    found = report(capsys, LABELS, BETTER, "--calibration", "--calibration-bins", 4, "--quantile-bins")["calibration"]
    counts = [one["count"] for one in found["bins"]]
    assert len(counts) == 4
    assert max(counts) - min(counts) <= 2
    assert main.run(["evaluate", str(LABELS), str(BETTER), "--quantile-bins"]) == 2
    assert "add --calibration" in capsys.readouterr().err


def test_error_kinds_are_in_the_run_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    found = report(capsys, LABELS, BETTER, "--everything", "-o", tmp_path / "out")
    run = run_folder.open_run(tmp_path / "out")
    assert run.summary()["models"]["better"]["errors"] == found["errors"]
    rows, match = run.table("prediction").to_pylist(), run.table("match").to_pylist()
    counts = {row["kind"]: row["count"] for row in found["errors"]["kinds"]}
    kinds = [row["error_kind"] for row in rows]
    assert {kind: kinds.count(kind) for kind in counts if kind != "missed"} | {"missed": counts["missed"]} == counts
    labels = run.table("label").to_pylist()
    assert sum(row["error_kind"] == "missed" for row in labels) == counts["missed"]
    for row in match:
        own = labels[row["label_row"]] if row["outcome"] == "FN" else rows[row["prediction_row"]]
        assert row["error_kind"] == own["error_kind"]
    reasons = [row["false_positive_reason"] for row in rows]
    for one in found["errors"]["false_positive_reasons"]:
        assert reasons.count(one["reason"]) == one["count"]


def test_a_cell_of_the_grid_is_an_evaluation_there(capsys: pytest.CaptureFixture[str]) -> None:
    found = report(capsys, LABELS, BETTER, "--at", "confidence=0.35,iou=0.6")
    there = report(capsys, LABELS, BETTER, "--confidence", 0.35, "--iou", 0.6)
    assert found["cells"][0]["metrics"]["f1"] == there["metrics"]["f1"]
    assert found["cells"][0]["confusion"]["cells"] == there["confusion"]["cells"]
    assert found["metrics"] == report(capsys, LABELS, BETTER)["metrics"]
    assert main.run(["evaluate", str(LABELS), str(BETTER), "--at", "confidence=0.35,iou=0.6"]) == 0
    assert f"{there['metrics']['f1']:.4f}" in capsys.readouterr().out


def test_the_whole_grid_in_the_json_and_the_run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    found = report(capsys, LABELS, BETTER, "--grid", "-o", tmp_path / "run", "--image-grid")["grid"]
    assert len(found["confidences"]) == len(found["ious"]) == 11
    run = run_folder.open_run(tmp_path / "run")
    assert {"grid", "grid_confusion", "pr_curve", "image_grid"} <= set(run.table_names())
    overall = [row for row in run.table("grid").to_pylist() if row["category"] is None]
    assert len(overall) == 121
    for row in overall:
        place = found["ious"].index(row["iou"]), found["confidences"].index(row["confidence"])
        assert row["precision"] == found["overall"]["precision"][place[0]][place[1]]
    assert run.manifest["settings"]["grid"]["images"] is True


def test_the_grid_of_labelbox(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    files = (LABELS, BETTER, "--convention", "labelbox")
    cell = report(capsys, *files, "--at", "confidence=0.35,iou=0.6")["cells"][0]
    there = report(capsys, *files, "--confidence", 0.35, "--iou", 0.6)
    assert cell["metrics"]["f1"] == there["metrics"]["f1"]
    assert cell["confusion"]["cells"] == there["confusion"]["cells"]
    grid = report(capsys, *files, "--grid", "-o", tmp_path / "run", "--image-grid")["grid"]
    run = run_folder.open_run(tmp_path / "run")
    assert {"grid", "grid_confusion", "image_grid"} <= set(run.table_names())
    assert "pr_curve" not in run.table_names()
    overall = [row for row in run.table("grid").to_pylist() if row["category"] is None]
    assert [row["f1"] for row in overall] == [grid["overall"]["f1"][i][c] for c in range(11) for i in range(11)]
    assert main.run(["evaluate", *map(str, files), "--grid"]) == 0
    shown = capsys.readouterr().out
    assert "precision, rows IoU, columns confidence" in shown
    assert "AP" not in shown


def test_areas_and_limits_change_the_numbers_names(capsys: pytest.CaptureFixture[str]) -> None:
    found = report(capsys, LABELS, BETTER, "--area-range", "tiny=0..2000", "--max-detections", "2,300", "--beta", 2)
    assert {"AP_tiny", "AR_tiny", "AR2", "AR300", "f_beta"} <= found["metrics"].keys()
    assert not {"APs", "AR100"} & found["metrics"].keys()
    assert main.run(["evaluate", str(LABELS), str(BETTER), "--max-detections", "1"]) == 0
    assert "true positives lost" in unwrapped(capsys.readouterr().out)


def test_samples_of_a_cell_are_as_many_as_it_counts(capsys: pytest.CaptureFixture[str]) -> None:
    found = report(capsys, LABELS, BETTER, "--examples", "predicted=car,true=van", "--normalise", "true")
    [cell] = [one for one in found["confusion"]["cells"] if (one["true"], one["predicted"]) == ("van", "car")]
    assert len(found["examples"][0]["samples"]) == cell["count"]
    assert 0 < cell["share"] < 1


def test_thresholds_are_written_to_be_read(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from qm_cli.threshold_file import read_thresholds

    wishes = (LABELS, BETTER, "--thresholds", "precision=0.9", "--thresholds", "f1")
    found = report(capsys, *wishes, "--thresholds-out", tmp_path / "t.json")
    read = read_thresholds(tmp_path / "t.json", "precision=0.9")
    [wanted, _] = found["thresholds"]["targets"]
    assert read.overall == wanted["overall"]["confidence"]
    assert read.categories == {row["name"]: row["confidence"] for row in wanted["categories"]}
    at_it = report(capsys, LABELS, BETTER, "--confidence", read.overall)
    assert at_it["metrics"]["precision"] == wanted["overall"]["precision"] >= 0.9
    assert report(capsys, *wishes) == found
    assert main.run(["evaluate", *map(str, wishes), "--thresholds-out", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["format"] == "qm-thresholds"


def test_a_run_made_at_other_limits_can_be_compared_and_gated(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in ("better", "worse"):
        file = SAMPLE / "predictions" / f"{name}.json"
        report(capsys, LABELS, file, "-o", tmp_path / name, "--max-detections", "1,300")
    assert main.run(["compare", str(tmp_path / "worse"), str(tmp_path / "better"), "--resamples", "100", "--json"]) == 0
    metrics = [row["metric"] for row in json.loads(capsys.readouterr().out)["metrics"]]
    assert "AR300" in metrics
    assert "AR100" not in metrics
    assert main.run(["gate", str(tmp_path / "better"), "--iou", "0.6", "--min", "AR300=0.1"]) == 0


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        (["--at", "iou=2"], "no number from 0 to 1"),
        (["--examples", "predicted=cra,true=none"], "did you mean car?"),
        (["--thresholds", "best"], "write precision=0.9"),
        (["--thresholds-out", "t.json"], "add --thresholds"),
        (["--json", "--thresholds", "f1", "--thresholds-out", "-"], "name a file"),
        (["--image-grid"], "name one with -o"),
        (["--ious", "0.5"], "add --grid"),
        *(
            (["--convention", "voc12", option, *value], f"{option}: not with convention voc12 — take coco")
            for option, *value in (
                ("--grid",),
                ("--at", "iou=0.6"),
                ("--max-detections", "1"),
                ("--area-range", "tiny=0..9"),
            )
        ),
        (["--explain", "--max-detections", "1"], "--explain answers nothing else: --max-detections"),
    ],
)
def test_what_cannot_be_answered_is_refused(
    wishes: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for output in ([], ["-o", str(tmp_path / "run")]):
        if output and said in ("name one with -o", "add --grid"):
            continue
        assert main.run(["evaluate", str(LABELS), str(BETTER), *wishes, *output]) == 2
        captured = capsys.readouterr()
        assert said in captured.err
        assert (captured.out, captured.err.count("\n")) == ("", 1)
        assert not (tmp_path / "run").exists()


OWN_NUMBERS = {
    "labelbox": {"true_negatives"},
    "labelbox-sdk": {"true_negatives", "iou"},
    "voc07": {"mAP"},
    "voc12": {"mAP"},
    "encord": {"mAP", "mAR", "f1_encord"},
    "ultralytics": {"AP50", "AP75", "AP50-95", "P", "R", "F1", "best_f1_confidence"},
}


@pytest.mark.parametrize("convention", OWN_NUMBERS)
def test_a_convention_shows_its_own_numbers_and_no_others(convention: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = report(capsys, LABELS, BETTER, "--convention", convention)
    assert found["convention"] == convention
    numbers = {name for name in found["metrics"] if name[0].isupper() or name in ("mAP", "mAR", "iou", "f1_encord")}
    assert numbers - {"best_f1_confidence"} == OWN_NUMBERS[convention] - {"true_negatives", "best_f1_confidence"}
    assert main.run(["evaluate", str(LABELS), str(BETTER), "--convention", convention]) == 0
    shown = capsys.readouterr().out
    for name in OWN_NUMBERS[convention] - {"true_negatives"}:
        assert f"{found['metrics'][name]:.4f}" in shown
        words = [part for line in shown.splitlines() for part in line.split()]
        assert Counter(found["definitions"][name].split()) <= Counter(words)


@pytest.mark.parametrize("wanted", ["voc12", "lvis", "labelbox"])
def test_a_run_of_one_convention_is_gated_by_another(
    wanted: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run keeps flags and lists that COCO does not look at."""
    labels, predictions = random_set(4, images=20)
    files = [str(file) for file in builders.write(tmp_path, labels, predictions)]
    alone = report(capsys, *files, "--convention", wanted)
    for writing in (["evaluate", *files], ["score", str(tmp_path), "--labels", files[0], "--predictions", files[1]]):
        assert main.run([*writing, "-o", str(tmp_path / "run"), "-q"]) == 0
        capsys.readouterr()
        bounds = [f"--min={name}=0" for name in ("precision", "recall", "f1")]
        assert main.run(["gate", str(tmp_path / "run"), "--convention", wanted, *bounds, "--json"]) == 0
        verdict = json.loads(capsys.readouterr().out)
        assert verdict["convention"] == wanted
        assert [one["value"] for one in verdict["checks"]] == [
            alone["metrics"][one["metric"]] for one in verdict["checks"]
        ]


def test_what_cannot_be_is_refused_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, words in (
        (["--convention", "lvis"], "no image has neg_category_ids"),
        (["--voc-devkit"], "convention coco knows no such kit"),
    ):
        assert main.run(["evaluate", str(LABELS), str(BETTER), *arguments]) == 2
        assert words in capsys.readouterr().err


def test_analyses_of_other_conventions(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Named ones are refused before anything is written; everything leaves them out and says so."""
    files = [str(LABELS), str(BETTER)]
    assert main.run(["evaluate", *files, "--convention", "encord", "--errors", "-o", str(tmp_path / "run")]) == 2
    assert "--errors: not defined under convention encord" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    found = report(capsys, *files, "--convention", "encord", "--everything", "-o", tmp_path / "run")
    assert "left out: errors, not defined under convention encord" in found["notes"]
    kinds = {row["error_kind"] for row in run_folder.open_run(tmp_path / "run").table("prediction").to_pylist()}
    assert kinds == {None}
    assert main.run(["evaluate", *files, "--explain", "--lrp"]) == 2
    assert "--explain answers nothing else: --lrp" in capsys.readouterr().err


def test_explain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(file) for file in builders.write(tmp_path, *random_set(4, images=20))]
    found = report(capsys, *files, "--explain")
    assert {row["convention"] for row in found["conventions"]} >= {"coco", "labelbox", "lvis"}
    own = report(capsys, *files, "--convention", "voc12")["metrics"]
    assert next(row["value"] for row in found["conventions"] if row["convention"] == "voc12") == own["mAP"]
    assert main.run(["evaluate", *files, "--explain", "--convention", "voc12"]) == 0
    assert "max detections" in capsys.readouterr().out
    found = report(capsys, *files, "--explain", "--iou", "0.6", "--confidence", "0")
    assert {(row["iou"], row["confidence"]) for row in found["conventions"]} == {(0.6, 0)}
    found = report(capsys, *files, "--explain", "--against", "labelbox", "--convention", "voc12")
    assert {(gap["from"], gap["to"]) for gap in found["gaps"]} == {("voc12", "labelbox")}
    assert main.run(["evaluate", *files, "--explain", "--against", "voc21"]) == 2
    assert "--against: there is no convention 'voc21' — did you mean voc12, voc07?" in capsys.readouterr().err
    assert main.run(["evaluate", *files, "--against", "voc12"]) == 2
    assert "--against: says which gap --explain tells — add --explain" in capsys.readouterr().err
    assert main.run(["evaluate", *files, "--explain", "-o", str(tmp_path / "run")]) == 2
    assert "--explain writes no run folder" in capsys.readouterr().err


def test_what_every_convention_counts_can_be_asked_of_every_one(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    wishes = ("--convention", "voc12", "--beta", 2, "--normalise", "true", "-o", tmp_path / "run")
    found = report(capsys, LABELS, BETTER, *wishes)
    assert found["definitions"]["f_beta"].startswith("(1 + 2²) TP")
    assert all("share" in cell for cell in found["confusion"]["cells"])
    run = run_folder.open_run(tmp_path / "run")
    assert not {"grid", "pr_curve", "precision_recall"} & set(run.table_names())
    assert run.manifest["settings"]["grid"] is None


SHAPELESS: dict[str, tuple[list[Any], list[Any], list[str]]] = {
    "masks as boxes": ([{"segmentation": [[0, 0, 9, 0, 9, 9]]}], [{"segmentation": [[0, 0, 9, 0, 9, 9]]}], ["bbox"]),
    "no shape first": ([{"point": [5, 5]}], [{"point": None}, {"point": [5, 5]}], []),
    "other labels": ([{"point": [5, 5]}], [{"bbox": [0, 0, 9, 9]}], []),
    "crossing corners": ([{"obb": [0, 0, 9, 9, 9, 0, 0, 9]}], [{"obb": [5, 5, 9, 9, 0]}], []),
    "probabilities alone": ([{"bbox": [0, 0, 9, 9]}], [{"probs": [1.0]}], []),
}


@pytest.mark.parametrize("case", SHAPELESS)
def test_nothing_to_compare_is_no_number(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Labels or predictions that lack the task's shape throughout are refused, not scored as all wrong."""
    truth, found, task = SHAPELESS[case]
    document = {
        "images": [{"id": 1, "width": 50, "height": 40}],
        "categories": [{"id": 1, "name": "x"}],
        "annotations": [{"id": n, "image_id": 1, "category_id": 1, **one} for n, one in enumerate(truth)],
    }
    labels, predictions = tmp_path / "labels.json", tmp_path / "predictions.json"
    labels.write_text(json.dumps(document))
    predictions.write_text(json.dumps([{"image_id": 1, "category_id": 1, "score": 0.5, **one} for one in found]))
    asked = [part for one in task for part in ("--task", one)]
    assert main.run(["evaluate", str(labels), str(predictions), *asked]) == 2
    told = capsys.readouterr().err.strip()
    assert "\n" not in told
    assert "none of" in told


@pytest.mark.parametrize("task", ["bbox", *SHAPES])
def test_objects_of_tiles(task: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Data rows that are tiles, called by their place, with every kind of object; LVIS reads lists of theirs."""
    shape, options = SHAPES.get(task, ({"bbox": [5, 5, 20, 20]}, []))
    tile = {"id": "12/3/7", "width": 50, "height": 40, "neg_category_ids": [2], "not_exhaustive_category_ids": []}
    document = {
        "data_rows": [tile],
        "categories": [{"id": 1, "name": "x"}, {"id": 2, "name": "y"}],
        "annotations": [{"id": 1, "image_id": "12/3/7", "category_id": 1, "area": 2000, "iscrowd": 0, **shape}],
    }
    labels, predictions = tmp_path / "labels.json", tmp_path / "predictions.json"
    labels.write_text(json.dumps(document))
    predictions.write_text(json.dumps([{"image_id": "12/3/7", "category_id": 1, "score": 0.9, **shape}]))
    for convention in CONVENTIONS:
        if compares(convention, task):
            found = report(capsys, labels, predictions, *options, "--convention", convention)
            assert (found["task"], found["metrics"]["true_positives"]) == (task, 1)
