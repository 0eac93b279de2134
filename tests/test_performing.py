"""Performance along metrics of a run: both rates where both are told, every metric at once, category by category."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from qm_cli.errors import UsageError
from qm_cli.explaining import Question
from qm_cli.performing import performance_report, performance_reports
from qm_cli.run_folder import Run, open_run
from tests.made_run import write_run
from tests.scored_run import write_scored


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return open_run(write_scored(tmp_path_factory.mktemp("made") / "run", 400))


def test_performance_along_an_images_metric_has_both_rates(run: Run) -> None:
    report = performance_report(run, "blur", Question())
    assert len(report["bins"]) == 10
    assert set(report["overall"]) == {"true_positive_rate", "false_negative_rate"}
    total = sum(one["true_positive_rate"]["count"] for one in report["bins"])
    assert total == report["overall"]["true_positive_rate"]["count"]


def test_performance_follows_the_driver(run: Run) -> None:
    rates = [one["false_negative_rate"]["rate"] for one in performance_report(run, "label.size", Question(), 5)["bins"]]
    assert rates[0] > 0.7
    assert rates[-1] < 0.1
    by_weather = performance_report(run, "weather", Question())["bins"]
    weather = {one["value"]: one["true_positive_rate"]["rate"] for one in by_weather}
    assert weather["fog"] < 0.5 < 0.8 < weather["clear"]


def test_performance_of_objects_has_both_rates_where_both_have_the_metric(run: Run) -> None:
    assert set(performance_report(run, "size", Question())["overall"]) == {"true_positive_rate", "false_negative_rate"}
    assert set(performance_report(run, "label.size", Question())["overall"]) == {"false_negative_rate"}
    assert set(performance_report(run, "score", Question(), 4, True)["overall"]) == {"true_positive_rate"}
    with pytest.raises(UsageError, match="did you mean"):
        performance_report(run, "scre", Question())


def test_every_metric_at_once(run: Run) -> None:
    report = performance_reports(run, Question(), 4)
    rows = {row["metric"]: row for row in report["metrics"]}
    assert {"image.blur", "image.weather", "label.size", "prediction.size", "prediction.score"} <= set(rows)
    assert "image.random" not in rows
    for name, row in rows.items():
        alone = performance_report(run, name, Question(), 4)
        assert {key: alone[key] for key in row} == row
    some = performance_reports(run, Question(metrics=("size", "image.random")), 4)
    assert [row["metric"] for row in some["metrics"]] == ["prediction.size", "image.random", "label.size"]
    with pytest.raises(UsageError, match="did you mean"):
        performance_reports(run, Question(metrics=("siz",)))


def test_categories_share_out_the_rows(run: Run) -> None:
    report = performance_report(run, "label.size", Question(), 3, by_category=True)
    assert [row["category"] for row in report["by_category"]] == ["cat", "dog"]
    counts = [row["overall"]["false_negative_rate"]["count"] for row in report["by_category"]]
    assert sum(counts) == report["overall"]["false_negative_rate"]["count"]
    dog = performance_report(run, "label.size", Question(categories=("dog",)), 3)
    assert report["by_category"][1]["bins"] == dog["bins"]
    everything = performance_reports(run, Question(), 3, by_category=True)
    size = next(row for row in everything["metrics"] if row["metric"] == "label.size")
    assert size["by_category"] == report["by_category"]


def test_a_run_without_outcomes_or_of_several_models(tmp_path: Path) -> None:
    place = write_scored(tmp_path / "several", models=2)
    for report in (performance_reports, lambda one, question: performance_report(one, "score", question)):
        with pytest.raises(UsageError, match="holds the models one, two"):
            report(open_run(place), Question())
    made = open_run(write_run(tmp_path / "run"))
    rates = performance_reports(made, Question())["metrics"]
    assert all(set(row["overall"]) == {"true_positive_rate"} for row in rates)
    assert np.isfinite(rates[0]["overall"]["true_positive_rate"]["rate"])
