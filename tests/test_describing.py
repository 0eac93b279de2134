"""Distributions and outliers of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from qm_cli.describing import describe_report, outlier_counts, outlier_report
from qm_cli.errors import UsageError
from qm_cli.run_folder import Run, open_run
from tests.scored_run import write_scored


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return open_run(write_scored(tmp_path_factory.mktemp("made") / "run"))


def test_every_metric_of_a_level(run: Run) -> None:
    report = describe_report(run, "image", (), None)
    assert [row["metric"] for row in report["metrics"]][:3] == ["image.weather", "image.brightness", "image.blur"]
    brightness = report["metrics"][1]["groups"]
    assert [(one["group"], one["rows"], one["nulls"], one["max"]) for one in brightness] == [("all", 150, 0, 9.0)]


def test_side_by_side(run: Run) -> None:
    report = describe_report(run, "label", ("size",), "outcome")
    [row] = report["metrics"]
    medians = {one["group"]: one["median"] for one in row["groups"]}
    assert medians["FN"] < medians["TP"]
    assert [one["group"] for one in report["groups"]] == ["FN", "TP"]


def test_outliers_with_their_ids(run: Run) -> None:
    report = outlier_report(run, "image", (), None)
    rows = {row["metric"]: row for row in report["metrics"]}
    assert rows["image.brightness"]["samples"] == [{"id": 10, "value": 9.0, "degree": "severe"}]
    assert {"id": 10, "metrics": ["image.brightness", "image.blur"], "severe": 2} in report["samples"]
    assert rows["image.blur"]["side"] == "high"
    assert {"metric": "image.blur", "moderate": 0, "severe": 1} in outlier_counts(report)


def test_top_cuts_names_and_not_counts(run: Run) -> None:
    report = outlier_report(run, "image", ("blur", "brightness"), None, top=0)
    assert [row["samples"] for row in report["metrics"]] == [[], []]
    assert report["in_many"] == 1
    assert report["samples"] == []


def test_outliers_by_category(run: Run) -> None:
    report = outlier_report(run, "label", (), "category")
    assert [part["group"] for part in report["metrics"][0]["groups"]] == ["cat", "dog"]
    empty = next(row for row in report["metrics"] if row["metric"] == "label.empty")
    assert empty["severe"] is None
    assert empty["groups"][0]["reason"].startswith("20 values are needed, there are ")


def test_a_model_is_named_where_it_matters(tmp_path: Path) -> None:
    place = write_scored(tmp_path / "run", models=2)
    with pytest.raises(UsageError, match="name one with --model"):
        describe_report(open_run(place), "prediction", (), None)
    assert describe_report(open_run(place, "one"), "prediction", (), "outcome")["model"] == "one"
    assert describe_report(open_run(place), "image", (), None)["rows"] == 150
