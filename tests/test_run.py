"""A whole run: what it writes, that it is the same every time, and that it is written whole or not at all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from qm_cli import run_folder
from qm_cli.errors import InputError, UsageError
from qm_cli.load import Source, load_tables
from qm_cli.request import Request
from qm_cli.run import evaluate_to_folder, plan_score, score, score_mentioned, score_to_folder, scored_rows
from qm_cli.settings import Grid, Settings

SAMPLE = Path(__file__).parents[1] / "sample_data"
LABELS, BETTER = SAMPLE / "labels.json", SAMPLE / "predictions" / "better.json"


def parquet_bytes(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*.parquet"))}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> run_folder.Run:
    return score(SAMPLE, tmp_path_factory.mktemp("runs") / "run", workers=1)


@pytest.mark.parametrize("how", [{"workers": 1}, {"workers": 1, "shards": 4}, {"workers": 2, "shards": 7}], ids=str)
def test_same_input_same_bytes(run: run_folder.Run, tmp_path: Path, how: dict[str, int]) -> None:
    place, _ = score_to_folder(Request(SAMPLE, **how), tmp_path / "again")
    assert parquet_bytes(place) == parquet_bytes(run.path)


def test_files_of_a_run_with_two_models(run: run_folder.Run) -> None:
    names = {
        str(path.relative_to(run.path)) for path in run.path.rglob("*") if path.is_file() and ".parts" not in path.parts
    }
    shared = {"run.json", "summary.json", "summary.md", "image.parquet", "label.parquet", "category.parquet"}
    shared |= {"embedding.parquet", "label_embedding.parquet"}
    own = ("category", "image", "image_category", "label", "match", "pair", "precision_recall", "prediction")
    own += ("grid", "grid_confusion", "pr_curve")
    assert names == shared | {f"{model}/{name}.parquet" for model in ("better", "worse") for name in own}


def test_rows_keep_ids_and_order_of_the_input(run: run_folder.Run) -> None:
    document = json.loads(LABELS.read_text())
    model = run_folder.open_run(run.path, "better")
    assert model.table("image")["id"].to_pylist() == [image["id"] for image in document["images"]]
    assert model.table("label")["id"].to_pylist() == [row["id"] for row in document["annotations"]]
    predictions = json.loads(BETTER.read_text())
    assert model.table("prediction")["score"].to_pylist() == [row["score"] for row in predictions]
    assert model.table("prediction")["image_id"].to_pylist() == [row["image_id"] for row in predictions]


def test_links_between_the_tables_hold(run: run_folder.Run) -> None:
    model = run_folder.open_run(run.path, "better")
    label, prediction = model.table("label").to_pylist(), model.table("prediction").to_pylist()
    for pair in model.table("pair").to_pylist():
        assert label[pair["label_row"]]["image_id"] == prediction[pair["prediction_row"]]["image_id"]
    matches = model.table("match").to_pylist()
    outcomes = {row["prediction_row"]: row for row in matches if row["prediction_row"] is not None}
    for row, entry in outcomes.items():
        assert prediction[row]["outcome"] == entry["outcome"]
        if entry["outcome"] == "TP":
            assert label[entry["label_row"]]["category"] == prediction[row]["category"]
            assert prediction[row]["iou"] == entry["iou"] >= 0.5


def test_counts_of_every_level_agree(run: run_folder.Run) -> None:
    model = run_folder.open_run(run.path, "worse")
    metrics = model.evaluation()["metrics"]
    for level in ("image", "image_category", "category"):
        for name in ("true_positives", "false_positives", "false_negatives"):
            assert sum(model.table(level)[name].to_pylist()) == metrics[name], (level, name)


def test_columns_carry_their_notes(run: run_folder.Run) -> None:
    field = run.columns("image")["brightness"]
    notes = {key.decode(): value.decode() for key, value in field.metadata.items()}
    assert (notes["metric"], notes["unit"], notes["range"]) == ("image.brightness", "share", "0..1")
    assert notes["meaning"]
    schema = pq.read_schema(run.path / "image.parquet")
    assert schema.metadata == {b"qm_schema_version": b"1"}


def test_manifest_says_where_the_numbers_come_from(run: run_folder.Run) -> None:
    manifest = run.manifest
    assert set(manifest["inputs"]) == {"labels", "predictions better", "predictions worse"}
    assert len(manifest["inputs"]["labels"]["sha256"]) == 64
    assert manifest["rows"]["label"] == 561
    assert Settings.from_dict(manifest["settings"]) == Settings(grid=Grid())


def test_summary_names_what_was_skipped(tmp_path: Path) -> None:
    shutil.copytree(SAMPLE / "images", tmp_path / "set" / "images")
    _, summary = score_to_folder(Request(tmp_path / "set", limit=3, workers=1), None)
    reasons = {item["metric"]: item["reason"] for item in summary["skipped"]}
    assert "labels" in reasons["image.object_count"]
    assert "predictions" in reasons["image.entropy"]
    assert summary["models"] == {}
    skipped = [note for note in summary["notes"] if "were skipped" in note]
    assert any("× needs predictions (no prediction file)" in note for note in skipped), skipped


def test_one_model_stands_at_the_top(tmp_path: Path) -> None:
    request = Request(SAMPLE, predictions=(BETTER,), limit=10, metrics=("image.entropy,prediction.outcome",))
    place, summary = score_to_folder(request, tmp_path / "run")
    assert (place / "prediction.parquet").is_file()
    assert not (place / "better").exists()
    run = run_folder.open_run(place)
    assert run.table("image").num_rows == 10
    assert summary["models"]["better"]["images"] == 10


def test_model_scores_are_the_same_alone_and_among_several(run: run_folder.Run, tmp_path: Path) -> None:
    alone = score(SAMPLE, tmp_path / "run", predictions=(BETTER,), workers=1)
    several = run_folder.open_run(run.path, "better")
    for level in ("image", "label", "prediction", "category", "image_category"):
        left, right = alone.table(level), several.table(level)
        assert set(left.column_names) == set(right.column_names)
        for name in left.column_names:
            assert left[name].equals(right[name]), (level, name)


def test_own_values_become_a_column(tmp_path: Path) -> None:
    (tmp_path / "values.csv").write_text("image_id,speed\n1,3.5\n")
    first = json.loads(LABELS.read_text())["images"][0]["id"]
    (tmp_path / "values.csv").write_text(f"image_id,speed\n{first},3.5\n")
    rows = scored_rows(Request(SAMPLE, values=(tmp_path / "values.csv",), metrics=("image.area",)), "image")
    assert rows["speed"].to_pylist()[0] == 3.5
    assert rows["speed"].null_count == rows.num_rows - 1


def test_a_metric_may_read_own_values_and_metadata(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from qm_cli.metric import metric\n"
        "@metric(level='label', kind='label', unit='text')\n"
        "def weather_of_label(image_weather):\n    '''Weather.'''\n    return image_weather\n"
    )
    request = Request(SAMPLE, plugins=(tmp_path / "mine.py",), metrics=("weather_of_label",))
    rows = scored_rows(request, "label")
    assert set(rows["weather_of_label"].to_pylist()) == {"clear", "rain", "fog"}


def test_rows_of_several_models_need_a_name() -> None:
    with pytest.raises(UsageError, match="better, worse"):
        scored_rows(Request(SAMPLE, metrics=("image.entropy",)), "image")
    with pytest.raises(InputError, match="no model 'bettr'"):
        scored_rows(Request(SAMPLE, metrics=("image.entropy",), model="bettr"), "image")


def test_plan_computes_nothing_and_says_why() -> None:
    plan = plan_score(Request(SAMPLE, metrics=("image.blur",)))
    assert [step["metric"] for step in plan["steps"]] == ["image.laplacian_variance", "image.sharpness", "image.blur"]
    assert [step["requested"] for step in plan["steps"]] == [False, False, True]
    assert plan["rows"]["image"] == 96
    assert not (SAMPLE / "qm-run" / "new").exists()


def test_a_dataset_is_scored_as_far_as_the_words_go() -> None:
    found = score_mentioned(Request(SAMPLE, model="better"), "entropy brightness < 0.2")
    assert {"entropy", "brightness"} <= set(found.columns("image"))
    assert "sharpness" not in found.columns("image")
    with pytest.raises(InputError, match="no column"):
        found.table("image", ["brightnes"])


def test_evaluation_into_a_folder_is_a_run(tmp_path: Path) -> None:
    source = Source(LABELS, BETTER)
    report = evaluate_to_folder(source, load_tables(LABELS, BETTER), Settings(iou=0.6), tmp_path / "out")
    run = run_folder.open_run(tmp_path / "out")
    assert run.evaluation() == report
    assert report["iou"] == 0.6
    assert np.nansum(run.table("image")["true_positives"].to_numpy()) == report["metrics"]["true_positives"]


def test_a_failing_run_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = Request(SAMPLE, predictions=(BETTER,), limit=3, metrics=("image.area",))
    place, _ = score_to_folder(request, tmp_path / "run")
    before = parquet_bytes(place)

    def fail(*_: Any) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr("qm_cli.run.write_run", fail)
    with pytest.raises(RuntimeError):
        score_to_folder(request, tmp_path / "run")
    assert parquet_bytes(place) == before
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_predictions_serve_as_labels_of_one_model(tmp_path: Path) -> None:
    worse = SAMPLE / "predictions" / "worse.json"
    with pytest.raises(UsageError, match="one model at a time"):
        score_to_folder(Request(SAMPLE, labels=BETTER, metrics=("image.area",)), tmp_path / "run")
    request = Request(SAMPLE, labels=BETTER, predictions=(worse,), metrics=("image.object_count",))
    _, summary = score_to_folder(request, tmp_path / "run")
    assert summary["models"]["worse"]["labels"] == len(json.loads(BETTER.read_text()))


def test_a_named_model_is_scored_alone(tmp_path: Path) -> None:
    place, summary = score_to_folder(Request(SAMPLE, model="worse", metrics=("image.entropy",)), tmp_path / "run")
    assert list(summary["models"]) == ["worse"]
    assert run_folder.open_run(place).table("image")["entropy"].null_count < 96


@pytest.fixture
def clashing(tmp_path: Path) -> Path:
    """A dataset whose metadata is called like metrics and like keys of the tables."""
    labels = json.loads(LABELS.read_text())
    for image in labels["images"]:
        image["object_count"] = 4711
    for row in labels["annotations"]:
        row |= {"category": "user's", "file_name": "user's"}
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    shutil.copy(BETTER, tmp_path / "predictions.json")
    return tmp_path


def test_metadata_called_like_something_else_is_kept_and_told(clashing: Path) -> None:
    place, summary = score_to_folder(Request(clashing, metrics=("image.object_count,label.area_relative",)), None)
    run = run_folder.open_run(place)
    assert set(run.table("image")["given_object_count"].to_pylist()) == {4711}
    assert max(run.table("image")["object_count"].to_pylist()) < 100
    assert set(run.table("label")["given_category"].to_pylist()) == {"user's"}
    assert "van" in run.table("label")["category"].to_pylist()
    renamed = [finding["examples"] for finding in summary["findings"] if finding["code"] == "metadata-renamed"]
    assert sorted(name for names in renamed for name in names) == [
        "image.object_count",
        "label.category",
        "label.file_name",
    ]


def test_values_called_like_a_metric_are_refused(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("image_id,brightness\n1,0.5\n")
    with pytest.raises(InputError, match="brightness"):
        scored_rows(Request(SAMPLE, values=(tmp_path / "v.csv",), metrics=("image.area",)), "image")


def test_changed_inputs_are_noticed(clashing: Path) -> None:
    place, _ = score_to_folder(Request(clashing, metrics=("image.object_count",)), None)
    run = run_folder.open_run(place)
    assert run.changed_inputs() == []
    (clashing / "labels.json").touch()
    assert run.changed_inputs() == []
    (clashing / "predictions.json").write_text("[]")
    assert run.changed_inputs() == [str((clashing / "predictions.json").resolve())]


def test_infinite_values_reach_parquet_and_no_json(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import numpy as np\n"
        "from qm_cli.metric import metric\n"
        "@metric(level='image', kind='data', unit='x')\n"
        "def endless(width):\n    'Endless.'\n    return np.where(np.arange(len(width)) == 0, np.inf, 1.0)\n"
    )
    request = Request(SAMPLE, plugins=(tmp_path / "mine.py",), metrics=("endless",))
    _, summary = score_to_folder(request, tmp_path / "run")
    row = next(row for row in summary["metrics"] if row["name"] == "endless")
    assert (row["infinite"], row["nulls"], row["max"]) == (1, 0, 1.0)


def test_without_image_files_pixel_metrics_are_skipped(clashing: Path) -> None:
    _, summary = score_to_folder(Request(clashing, metrics=("image.brightness,image.object_count",)), None)
    assert {item["metric"]: item["reason"] for item in summary["skipped"]} == {"image.brightness": "needs images"}
