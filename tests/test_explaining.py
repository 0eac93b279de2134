"""Importance of a run: planted drivers lead, chance is at 0, bad input is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qm_cli import explaining
from qm_cli.errors import UsageError
from qm_cli.explaining import (
    Question,
    encord_report,
    importance_report,
    top_importances,
)
from qm_cli.run import score
from qm_cli.run_folder import Run, open_run
from tests.scored_run import write_scored

SAMPLE = Path(__file__).parent.parent / "sample_data"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return open_run(write_scored(tmp_path_factory.mktemp("made") / "run", 400))


def by_name(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["metric"]: row for row in report["metrics"]}


def test_planted_drivers_lead(run: Run) -> None:
    labels = importance_report(run, Question("label"))
    assert labels["metrics"][0]["metric"] == "label.size"
    assert labels["metrics"][0]["q"] < 0.05
    assert labels["metrics"][0]["spearman"] > 0.3
    predictions = importance_report(run, Question("prediction"))
    assert predictions["metrics"][0]["metric"] == "image.weather"
    assert predictions["metrics"][0]["permuted"] == "image"
    rows = by_name(predictions)
    assert rows["image.random"]["importance"] < 0.01
    assert rows["prediction.size"]["permuted"] == "within image"
    assert rows["prediction.size"]["q"] > 0.05


def test_head_and_order(run: Run) -> None:
    report = importance_report(run, Question("label", permutations=50, seed=2))
    assert (report["permutations"], report["seed"], report["outcome"]) == (50, 2, "found")
    assert report["rate"] == report["hits"] / report["samples"]
    values = [row["importance"] for row in report["metrics"] if row["importance"] is not None]
    assert values == sorted(values, reverse=True)
    assert report["metrics"][-1]["importance"] is None
    assert report == importance_report(run, Question("label", permutations=50, seed=2))


def test_undefined_ones_stand_last_with_their_reason(run: Run) -> None:
    empty = by_name(importance_report(run, Question("label", permutations=10)))["label.empty"]
    assert (empty["importance"], empty["p"], empty["q"]) == (None, None, None)
    assert empty["reason"] == "20 labels with a value are needed, there are 1"
    assert empty["missing"] > 1000


def test_too_few_permutations_are_told(run: Run) -> None:
    [note] = importance_report(run, Question("label", permutations=20))["notes"]
    assert note.startswith("20 permutations are too few for a q below 0.05: --permutations ")
    wanted = int(note.rpartition(" ")[2])
    assert importance_report(run, Question("label", permutations=wanted))["notes"] == []


def test_small_sets_say_what_is_needed(tmp_path: Path) -> None:
    report = importance_report(open_run(write_scored(tmp_path / "run", 5)), Question("image"))
    assert report["notes"] == ["40 images are needed, there are 5"]
    assert {row["importance"] for row in report["metrics"]} == {None}


def test_clusters_and_categories(run: Run) -> None:
    report = importance_report(run, Question("label", ("size", "blur"), ("dog",), "video_id", 30))
    rows = by_name(report)
    assert set(rows) == {"label.size", "image.blur", "image.random"}
    assert rows["image.blur"]["permuted"] == "cluster"
    assert report["categories"] == ["dog"]


def test_the_first_rows_for_a_summary(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explaining, "TOP", 2)
    rows = top_importances(importance_report(run, Question("label", permutations=20)))
    assert len(rows) == 2
    assert rows[0]["metric"] == "label.size"


def test_a_model_must_be_named(tmp_path: Path) -> None:
    place = write_scored(tmp_path / "run", models=2)
    with pytest.raises(UsageError, match="holds the models one, two"):
        importance_report(open_run(place), Question())
    assert importance_report(open_run(place, "two"), Question(permutations=5))["model"] == "two"


def test_other_thresholds_have_other_outcomes(tmp_path: Path) -> None:
    run = open_run(score(SAMPLE, tmp_path / "run").path, "better")
    usual, same, strict = (
        importance_report(run, Question("label", ("area_relative",), permutations=5, iou=iou, confidence=confidence))
        for iou, confidence in ((None, None), (0.5, 0.5), (0.75, 0.8))
    )
    assert usual == same
    assert (strict["iou"], strict["confidence"]) == (0.75, 0.8)
    assert strict["hits"] < usual["hits"]
    assert strict["samples"] == usual["samples"]
    for by in ("prediction", "image"):
        own = importance_report(run, Question(by, ("brightness",), ("van",), permutations=5))
        again = importance_report(run, Question(by, ("brightness",), ("van",), permutations=5, confidence=0.5 + 1e-9))
        assert (own["samples"], own["hits"]) == (again["samples"], again["hits"])
    with pytest.raises(UsageError, match="own matches"):
        encord_report(run, Question(iou=0.75))


def test_encords(run: Run) -> None:
    report = encord_report(run, Question())
    assert report["compat"] == "encord"
    assert report["metrics"][0]["importance"] >= report["metrics"][-1]["importance"]
    with pytest.raises(UsageError, match="about predictions"):
        encord_report(run, Question("label"))


@pytest.mark.parametrize("model", ["better", "worse"])
def test_the_planted_driver_is_the_top_importance(model: str, sample: Path) -> None:
    first = importance_report(open_run(sample, model), Question("label"))["metrics"][0]
    assert first["metric"] == "label.area_relative"
    assert first["q"] < 0.05


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    metrics = ("label.area_*", "label.width", "label.height", "label.border_closeness", "*.outcome", "image.random")
    return score(SAMPLE, tmp_path_factory.mktemp("scored") / "run", metrics=metrics).path
