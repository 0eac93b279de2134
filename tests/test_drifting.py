"""qm drift as a function: runs, models, prediction files without labels."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qm_cli.drifting import compare_distributions
from qm_cli.errors import InputError, UsageError
from qm_cli.render.terminal_drift import show_drift
from qm_cli.run import score

SAMPLE = Path(__file__).parent.parent / "sample_data"
WORSE, BETTER = (SAMPLE / "predictions" / f"{name}.json" for name in ("worse", "better"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    metrics = ("image.area", "image.aspect_ratio", "label.*relative", "label.duplicate_iou", "prediction.width")
    return score(SAMPLE, tmp_path_factory.mktemp("scored") / "run", metrics=metrics).path


def test_a_set_has_not_drifted_from_itself(place: Path) -> None:
    report = compare_distributions((place, place), ("worse", "worse"))
    assert not any(row["drifted"] for row in [*report["metrics"], *report["mixes"]])
    assert {row["ks"] for row in report["metrics"]} == {0.0}
    assert all(row["p"] == 1 for row in report["metrics"])
    named = [row["metric"] for row in report["metrics"]]
    assert {"image.area", "label.area_relative", "prediction.score", "prediction.width"} <= set(named)
    assert not any("duplicate_of" in name for name in named)


def test_two_models_on_the_same_images(place: Path) -> None:
    report = compare_distributions((place, place), ("worse", "better"))
    drifted = {row["metric"] for row in report["metrics"] if row["drifted"]}
    assert "prediction.score" in drifted
    assert not any(name.startswith("label.") for name in drifted)
    assert [row["level"] for row in report["mixes"]] == ["label", "prediction"]
    assert report == compare_distributions((place, place), ("worse", "better"))


def test_prediction_files_without_labels() -> None:
    report = compare_distributions((WORSE, BETTER))
    rows = {row["metric"]: row for row in report["metrics"]}
    assert rows["prediction.score"]["drifted"]
    assert rows["prediction.score"]["ks"] > rows["prediction.score"]["ks_floor"] > 0
    assert not rows["prediction.aspect_ratio"]["ks"] > 0.1
    assert [row["level"] for row in report["mixes"]] == ["prediction"]


def test_only_some_and_refusals(place: Path, tmp_path: Path) -> None:
    report = compare_distributions((WORSE, BETTER), patterns=("prediction.sc*",))
    assert [row["metric"] for row in report["metrics"]] == ["prediction.score"]
    with pytest.raises(UsageError, match=r"did you mean prediction\.score"):
        compare_distributions((WORSE, BETTER), patterns=("prediction.scores",))
    with pytest.raises(UsageError, match="name one with --model"):
        compare_distributions((place, place))
    with pytest.raises(UsageError, match="leave it out"):
        compare_distributions((WORSE, BETTER), ("worse", None))
    with pytest.raises(InputError, match="no qm run"):
        compare_distributions((tmp_path, place), (None, "worse"))


def test_few_images_are_told(tmp_path: Path) -> None:
    small = score(SAMPLE, tmp_path / "small", metrics=("image.area",), limit=8).path
    report = compare_distributions((small, small), ("worse", "better"))
    assert "A has 8 images" in report["notes"][1]
    assert {row["ks"] for row in report["metrics"] if row["metric"] == "image.area"} == {None}


def test_numbers_without_a_value_are_left_out_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [one["file_name"] for one in json.loads((SAMPLE / "labels.json").read_text())["images"]]
    places = []
    for side, known in (("a", None), ("b", 1.0)):
        nothing = pa.nulls(len(names), pa.float64())
        half = pa.array([known] * len(names), pa.float64())
        pq.write_table(pa.table({"file_name": names, "nothing": nothing, "half": half}), tmp_path / f"{side}.parquet")
        values = (tmp_path / f"{side}.parquet",)
        places.append(score(SAMPLE, tmp_path / side, metrics=("image.area",), values=values, model="better").path)
    report = compare_distributions((places[0], places[1]))
    named = [row["metric"] for row in report["metrics"]]
    assert report["without_values"] == ["image.nothing"]
    assert "image.nothing" not in named and {"image.half", "image.area"} <= set(named)
    assert "1 metric without a value on either side is left out: image.nothing" in report["notes"]
    alone = compare_distributions((places[0], places[1]), patterns=("image.nothing",))
    assert (alone["metrics"], alone["without_values"]) == ([], ["image.nothing"])
    show_drift(alone)
    assert "image.nothing" in capsys.readouterr().out
