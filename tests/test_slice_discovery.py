"""Weak slices of a run: what was planted comes first, and every definition is one the slice language reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qm_cli.errors import UsageError
from qm_cli.run import score
from qm_cli.run_folder import Run, open_run
from qm_cli.slice_discovery import Hunt, discovery_report, judged_objects
from qm_cli.slice_language import Wanted, slices_of
from qm_cli.slicing import Request, slice_report
from tests.made_run import write_run
from tests.scored_run import write_scored

SAMPLE = Path(__file__).parent.parent / "sample_data"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return score(SAMPLE, tmp_path_factory.mktemp("scored") / "run").path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return open_run(write_scored(tmp_path_factory.mktemp("made") / "run", 400))


def first(report: dict[str, Any]) -> str:
    definition: str = report["slices"][0]["definition"]
    return definition


@pytest.mark.parametrize("model", ["better", "worse"])
def test_the_planted_slice_is_the_first_with_any_seed(model: str, sample: Path) -> None:
    """And below the rest for certain, whichever half of the images is held out."""
    run = open_run(sample, model)
    for seed in range(12):
        report = discovery_report(run, Hunt(seed=seed))
        assert (first(report), report["slices"][0]["found"]) == ("image.weather = 'fog'", True)


def test_it_is_weak_for_certain_where_there_is_enough(made: Run) -> None:
    report = discovery_report(made, Hunt("prediction"))
    row = report["slices"][0]
    assert row["definition"] == "image.weather = 'fog'"
    assert row["found"]
    assert row["held_out"]["high"] < 0
    assert row["held_out"]["p_corrected"] <= 0.05
    assert report["found"] == sum(one["found"] for one in report["slices"]) >= 1
    assert "image.random" not in report["columns"]
    assert report == discovery_report(made, Hunt("prediction"))


def test_definitions_are_in_the_slice_language(made: Run) -> None:
    report = discovery_report(made, Hunt("prediction", ("size", "weather", "brightness", "category"), depth=2))
    for row in report["slices"]:
        one = slices_of(made, Wanted(conditions=(f"it={row['definition']}",))).slices[0]
        assert one.predictions is not None
        outcome = made.table("prediction", ["outcome"])["outcome"].to_pylist()
        judged = np.array([value in ("TP", "FP") for value in outcome])
        assert int((one.predictions & judged).sum()) == row["count"]


def test_other_thresholds_count_as_named_slices_do(sample: Path) -> None:
    run = open_run(sample, "better")
    report = discovery_report(run, Hunt(metrics=("weather", "object.area_relative"), iou=0.75, confidence=0.7))
    assert (report["iou"], report["confidence"]) == (0.75, 0.7)
    usual = discovery_report(run, Hunt(metrics=("weather", "object.area_relative"), iou=0.5, confidence=0.5))
    assert usual == discovery_report(run, Hunt(metrics=("weather", "object.area_relative")))
    assert report["samples"] != usual["samples"]
    wanted = Wanted(conditions=("fog=image.weather = 'fog'",))
    named = slice_report(run, Request(wanted, 0.75, 0.7, resamples=20))["slices"][0]
    found = next(row for row in report["slices"] if row["definition"] == "image.weather = 'fog'")
    counts = [named[name] for name in ("true_positives", "false_positives", "false_negatives")]
    assert (found["count"], found["rate"]) == (sum(counts), counts[0] / sum(counts))
    for level in ("label", "prediction", "image"):
        one = discovery_report(run, Hunt(level, ("weather",), iou=0.75, confidence=0.7))
        assert one["rate"] != discovery_report(run, Hunt(level, ("weather",)))["rate"]


def test_objects_are_labels_and_false_positives(made: Run) -> None:
    samples = judged_objects(made, None)
    outcomes = {level: made.table(level, ["outcome"])["outcome"].to_pylist() for level in ("label", "prediction")}
    assert len(samples.hit) == len(outcomes["label"]) + outcomes["prediction"].count("FP")
    assert samples.hit.sum() == outcomes["label"].count("TP")
    names = {one.id for one in samples.measures}
    assert {"object.category", "object.size", "image.weather"} <= names
    assert "object.score" not in names
    size = next(one for one in samples.measures if one.id == "object.size")
    assert len(size.values) == len(samples.hit)
    assert (np.diff(samples.image_row) >= 0).all()
    found = discovery_report(made, Hunt(metrics=("object.size",)))
    assert found["columns"] == ["object.size"]
    assert found["slices"][0]["definition"].startswith("object.size < ")


def test_too_little_says_how_much_is_needed(made: Run, tmp_path: Path) -> None:
    few = discovery_report(open_run(write_run(tmp_path / "run")), Hunt("prediction"))
    assert few["slices"] == []
    assert few["notes"] == ["10 images with predictions are needed, there are 4"]
    note = discovery_report(made, Hunt("image", support=150))["notes"]
    assert note == ["600 images are needed with --min-support 150, there are 400"]
    clustered = discovery_report(made, Hunt("prediction", cluster="width"))["notes"]
    assert clustered == ["10 clusters of width with predictions are needed, there are 1"]
    alone = discovery_report(made, Hunt("prediction", ("category",)))
    assert (alone["slices"], alone["columns"]) == ([], ["prediction.category"])
    assert "no slice is below the rest" in alone["notes"][0]
    empty = discovery_report(made, Hunt("label", ("label.empty",)))
    assert empty["slices"] == []
    with pytest.raises(UsageError, match=r"did you mean image\.weather"):
        discovery_report(made, Hunt("label", ("image.wether",)))
