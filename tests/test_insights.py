"""A run's summary tells what drives right and wrong, and what is odd, within bounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qm_cli.explaining import Question, importance_report
from qm_cli.insights import MOST_SAMPLES, insights
from qm_cli.performing import performance_report
from qm_cli.render.summary_markdown import summary_markdown
from qm_cli.run import score
from qm_cli.run_folder import Run, open_run
from qm_cli.settings import Settings
from tests.made_run import write_run
from tests.scored_run import write_scored

SAMPLE = Path(__file__).parent.parent / "sample_data"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return score(SAMPLE, tmp_path_factory.mktemp("scored") / "run")


def first(told: dict[str, Any]) -> str:
    name: str = told["metrics"][0]["metric"]
    return name


def test_the_summary_of_a_score_holds_them(run: Run) -> None:
    summary = run.summary()
    for model in ("better", "worse"):
        told = summary["importance"][model]
        assert first(told["label"]) == "label.area_relative"
        assert told["label"]["samples"] == told["label"]["of_samples"] == 557
        full = importance_report(open_run(run.path, model), Question("label", permutations=100))
        own = {row["metric"]: row["importance"] for row in full["metrics"]}
        assert {row["metric"]: row["importance"] for row in told["label"]["metrics"]}.items() <= own.items()
        along = told["label"]["performance"][0]
        alone = performance_report(open_run(run.path, model), "label.area_relative", Question())
        assert along["bins"] == alone["bins"]
        assert {row["metric"].partition(".")[0] for row in summary["outliers"]["models"][model]} == {"prediction"}
    assert {row["metric"].partition(".")[0] for row in summary["outliers"]["data"]["image"]} == {"image"}
    markdown = (run.path / "summary.md").read_text()
    assert "## better: what tells labels found" in markdown
    assert "## Outliers" in markdown
    assert markdown == summary_markdown(summary)


def test_large_runs_are_looked_at_in_part(tmp_path: Path) -> None:
    place = write_scored(tmp_path / "run", images=4500)
    told = insights(place, ["one"], Settings(), 0)["importance"]["one"]
    assert told["label"]["of_samples"] > MOST_SAMPLES
    assert 0.9 * MOST_SAMPLES < told["label"]["samples"] < 1.1 * MOST_SAMPLES
    assert first(told["label"]) == "label.size"
    assert first(told["prediction"]) == "image.weather"
    assert insights(place, ["one"], Settings(), 0)["importance"]["one"] == told


def test_without_outcomes_there_is_no_importance(tmp_path: Path) -> None:
    place = write_run(tmp_path / "run")
    (place / "prediction.parquet").unlink()
    found = insights(place, ["better"], Settings(), 0)
    assert found["importance"] == {"better": {}}
    assert found["outliers"]["data"].keys() == {"image", "label"}
    assert insights(place, [], Settings(), 0)["importance"] == {}
