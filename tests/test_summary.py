"""The summary: distributions as plain recomputation gives them, every finding once, nothing that is no JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from qm_cli import run_folder
from qm_cli.run import score

SAMPLE = Path(__file__).parents[1] / "sample_data"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> run_folder.Run:
    metrics = ("image.brightness,image.entropy,label.validity,image.precision",)
    return score(SAMPLE, tmp_path_factory.mktemp("runs") / "run", metrics=metrics, workers=1)


def test_distributions_are_those_of_the_columns(run: run_folder.Run) -> None:
    rows = {row["name"]: row for row in run.summary()["metrics"]}
    values = run.table("image")["brightness"].to_numpy()
    low, q1, median, q3, high = np.quantile(values, [0, 0.25, 0.5, 0.75, 1])
    found = rows["brightness"]
    assert [found[name] for name in ("min", "q1", "median", "q3", "max")] == [low, q1, median, q3, high]
    assert (found["rows"], found["nulls"], found["unit"]) == (96, 0, "share")
    assert sum(rows["validity"]["values"].values()) == 561


def test_undefined_values_are_counted_apart(run: run_folder.Run) -> None:
    rows = {row["name"]: row for row in run.summary()["model_metrics"]["worse"]}
    column = run_folder.open_run(run.path, "worse").table("image")["precision"]
    assert rows["precision"]["nulls"] == column.null_count > 0


def test_findings_of_shared_files_stand_once(run: run_folder.Run) -> None:
    codes = [finding["code"] for finding in run.summary()["findings"]]
    assert codes.count("label-outside-image") == 1


def test_summary_is_strict_json(run: run_folder.Run) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    json.loads((run.path / "summary.json").read_text(), parse_constant=refuse)
    assert "better" in (run.path / "summary.md").read_text()


def test_a_file_outside_of_the_folder_is_told_once(tmp_path: Path) -> None:
    """The labels tell of it before the files are looked for, and the pass over them again; of two models as of one."""
    images = [{"id": n, "file_name": name, "width": 9, "height": 9} for n, name in enumerate(("../a.jpg", "b.jpg"))]
    labels = {"images": images, "categories": [{"id": 1, "name": "a"}], "annotations": []}
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    (tmp_path / "images").mkdir()
    files = [tmp_path / f"{name}.json" for name in ("one", "two")]
    for file in files:
        file.write_text(json.dumps([{"image_id": 1, "category_id": 1, "bbox": [1, 1, 3, 3], "score": 0.9}]))
    (tmp_path / "images" / "b.jpg").write_bytes(b"no image")
    for predictions in ((), files[:1], files):
        made = score(tmp_path, tmp_path / "run", predictions=tuple(predictions), metrics=("image.brightness",))
        told = [one["count"] for one in made.summary()["findings"] if one["code"] == "image-outside-folder"]
        assert told == [1]
        told = [one["count"] for one in made.manifest["findings"] if one["code"] == "image-outside-folder"]
        assert told == [1]
