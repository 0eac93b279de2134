"""What was planted in sample_data is what qm finds there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qm_cli import catalog
from qm_cli.explaining import Question, importance_report
from qm_cli.run import score
from qm_cli.run_folder import Run, open_run

SAMPLE = Path(__file__).parent.parent / "sample_data"
MODELS = ("better", "worse")
RECORDING = SAMPLE / "recording"
FAULTS, SLIPS = (
    {fault["fault"]: fault for fault in json.loads((folder / "planted.json").read_text("utf-8"))["faults"]}
    for folder in (SAMPLE, RECORDING)
)
MEASURED = {name: fault for name, fault in FAULTS.items() if fault["metric"]}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return score(SAMPLE, tmp_path_factory.mktemp("scored") / "run").path


@pytest.fixture(scope="module")
def runs(place: Path) -> dict[str | None, Run]:
    return {model: open_run(place, model) for model in (None, *MODELS)}


def column(run: Run, level: str, name: str) -> np.ndarray[Any, Any]:
    values = run.table(level, [name])[name].to_pylist()
    return np.array(values, None if isinstance(values[0], str) else float)


def test_every_metric_that_planted_json_names_is_there() -> None:
    assert {fault["metric"] for fault in MEASURED.values()} <= set(catalog.load(entry_points=False))


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return open_run(score(RECORDING, tmp_path_factory.mktemp("recording") / "run").path)


@pytest.mark.parametrize("name", MEASURED)
def test_planted_samples_are_exactly_the_top_of_their_metric(name: str, runs: dict[str | None, Run]) -> None:
    fault = MEASURED[name]
    assert_exactly_the_top(runs[fault.get("model")], fault)


@pytest.mark.parametrize("name", SLIPS)
def test_planted_slips_are_exactly_the_top_of_their_metric(name: str, recording: Run) -> None:
    assert_exactly_the_top(recording, SLIPS[name])


def assert_exactly_the_top(run: Run, fault: dict[str, Any]) -> None:
    """As many of the metric's first as are planted are the planted ones, and the next has another value."""
    level, metric = fault["metric"].split(".")
    table = run.table(level, ["id", metric]).to_pylist()
    rows = [row for row in table if row[metric] is not None]
    rows.sort(key=lambda row: row[metric], reverse=fault["end"] == "high")
    count = len(fault["ids"])
    assert {row["id"] for row in rows[:count]} == set(fault["ids"])
    assert len(rows) == count or rows[count - 1][metric] != rows[count][metric]


def test_every_slip_of_the_recording_shows_and_nothing_else(recording: Run) -> None:
    columns = ["id", "missing_next", "track_consistency", "occlusion"]
    rows = recording.table("label", columns).to_pylist()
    slip = SLIPS["missing_in_track"]
    assert [row["id"] for row in rows if row["missing_next"] == 0] == slip["ids"]
    assert [row["id"] for row in rows if row["missing_next"] == 0.5] == slip["broken"]
    switches = [*SLIPS["switched"]["track_switch"], *SLIPS["switched"]["category_switch"]]
    assert [row["id"] for row in rows if (row["track_consistency"] or 1) < 1] == switches
    assert [row["id"] for row in rows if (row["occlusion"] or 0) > 0] == SLIPS["occluded"]["ids"]
    assert not [one for one in recording.summary()["skipped"] if "video_id" in one["reason"]]


def test_shapes_outside_the_image_are_told_from_those_crossing_its_border(runs: dict[str | None, Run]) -> None:
    rows = runs[None].table("label", ["id", "validity"]).to_pylist()
    found = {code: {row["id"] for row in rows if row["validity"] == code} for code in ("outside", "crossing_border")}
    fault = FAULTS["box_outside"]
    assert found == {"outside": set(fault["wholly"]), "crossing_border": set(fault["partly"])}


def test_copies_of_labels_name_their_originals(runs: dict[str | None, Run]) -> None:
    rows = runs[None].table("label", ["id", "duplicate_of"]).to_pylist()
    found = {row["id"]: row["duplicate_of"] for row in rows if row["duplicate_of"] is not None}
    ids, copies = FAULTS["duplicate_label"]["ids"], FAULTS["duplicate_label"]["copies"]
    originals = [one for one in ids if one not in copies]
    assert found == dict(zip(originals, copies, strict=True)) | dict(zip(copies, originals, strict=True))


def test_duplicate_images_are_found_exactly(runs: dict[str | None, Run]) -> None:
    exact, near = FAULTS["exact_duplicate"], FAULTS["near_duplicate"]
    hashes = runs[None].table("image", ["file_hash"])["file_hash"].to_pylist()
    assert len(hashes) - len(set(hashes)) == len(exact["ids"])
    for fault, groups in ((exact, exact["groups"]), (near, exact["groups"] + near["groups"])):
        level, name = fault["column"].split(".")
        found: dict[int, list[int]] = {}
        for row in runs[None].table(level, ["id", name]).to_pylist():
            if row[name] is not None:
                found.setdefault(row[name], []).append(row["id"])
        assert sorted(map(sorted, found.values())) == sorted(groups)
        assert all(group[0] == original for original, group in found.items())


def test_copies_and_near_duplicates_are_the_least_singular(runs: dict[str | None, Run]) -> None:
    rows = runs[None].table("image", ["id", "singularity"]).to_pylist()
    exact, near = FAULTS["exact_duplicate"], FAULTS["near_duplicate"]
    assert {row["id"] for row in rows if row["singularity"] == 0} == set(exact["ids"])
    pairs = {one for group in near["groups"] for one in group}
    assert {row["id"] for row in rows if 0 < row["singularity"] <= 0.03} == pairs


def test_neighbours_know_the_category_of_wrong_labels(runs: dict[str | None, Run]) -> None:
    fault = FAULTS["wrong_category"]
    names = {row["id"]: row["name"] for row in runs[None].table("category", ["id", "name"]).to_pylist()}
    columns = ["id", "neighbour_agreement", "suggested_category"]
    rows = {row["id"]: row for row in runs[None].table("label", columns).to_pylist()}
    assert all(rows[one]["neighbour_agreement"] == 0 for one in fault["ids"])
    expected = [names[one] for one in fault["true_category_ids"]]
    assert [rows[one]["suggested_category"] for one in fault["ids"]] == expected


@pytest.mark.parametrize("model", MODELS)
def test_planted_confusion_is_the_largest(model: str, runs: dict[str | None, Run]) -> None:
    names = {row["id"]: row["name"] for row in runs[None].table("category", ["id", "name"]).to_pylist()}
    fault = FAULTS["confusion"]
    cells = runs[model].evaluation()["confusion"]["cells"]
    between = [cell for cell in cells if None not in cell.values() and cell["true"] != cell["predicted"]]
    first, second = sorted(between, key=lambda cell: -cell["count"])[:2]
    assert (first["true"], first["predicted"]) == (names[fault["true"]], names[fault["predicted"]])
    assert first["count"] > second["count"]


def test_better_model_is_better(runs: dict[str | None, Run]) -> None:
    better, worse = (runs[model].evaluation()["metrics"] for model in MODELS)
    for name in ("AP", "AP50", "AP75", "AR100", "precision", "recall", "f1"):
        assert better[name] > worse[name]


@pytest.mark.parametrize("model", MODELS)
def test_small_objects_are_missed(model: str, runs: dict[str | None, Run]) -> None:
    outcome, size = (column(runs[model], "label", name) for name in ("outcome", "area_relative"))
    assert np.median(size[outcome == "FN"]) < 0.7 * np.median(size[outcome == "TP"])


@pytest.mark.parametrize("model", MODELS)
def test_the_driver_of_misses_is_the_top_importance_with_any_seed(model: str, runs: dict[str | None, Run]) -> None:
    for seed in range(12):
        first = importance_report(runs[model], Question("label", permutations=100, seed=seed))["metrics"][0]
        assert first["metric"] == FAULTS["small_missed"]["driver"]
        assert first["p"] < 0.01


@pytest.mark.parametrize("model", MODELS)
def test_fog_is_the_weak_slice(model: str, runs: dict[str | None, Run]) -> None:
    rows = runs[model].table("image", ["weather", "true_positives", "false_positives", "false_negatives"]).to_pylist()
    precision, recall = {}, {}
    for weather in {row["weather"] for row in rows}:
        right, wrong, missed = (
            sum(row[f"{name}s"] for row in rows if row["weather"] == weather)
            for name in ("true_positive", "false_positive", "false_negative")
        )
        precision[weather], recall[weather] = right / (right + wrong), right / (right + missed)
    weak = FAULTS["weak_slice"]["slice"]["weather"]
    assert min(precision, key=precision.__getitem__) == min(recall, key=recall.__getitem__) == weak


def test_a_photograph_that_shows_nothing_is_no_fault(runs: dict[str | None, Run]) -> None:
    counts = column(runs[None], "image", "object_count")
    assert np.count_nonzero(counts == 0) >= 1
    assert runs[None].summary()["images"] == len(counts)


def test_size_of_the_folder() -> None:
    patterns = ("*.*", "images/*", "predictions/*", "recording/*.json", "recording/images/*")
    files = [path for pattern in patterns for path in SAMPLE.glob(pattern)]
    assert sum(path.stat().st_size for path in files if path.is_file()) < 4_000_000


WITHOUT_VIDEOS = {
    "image.frame_place": "needs image.video_id",
    "label.track_consistency": "needs image.video_id",
    "label.missing_next": "needs image.video_id",
    "label.occlusion": "needs label.track_id",
    "label.shape_similarity": "needs label.track_id",
}
"""The sample holds single images; its recording is a dataset of its own."""


def test_number_of_images_and_categories(runs: dict[str | None, Run]) -> None:
    summary = runs[None].summary()
    assert summary["images"] >= 60
    assert summary["categories"] >= 4
    assert {one["metric"]: one["reason"].partition(",")[0] for one in summary["skipped"]} == WITHOUT_VIDEOS
