"""Named slices of a run as a report: beside the evaluation, the rest, and label metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qm_cli.errors import InputError, UsageError
from qm_cli.run import score
from qm_cli.run_folder import Run, open_run
from qm_cli.slice_language import Wanted
from qm_cli.slicing import Request, slice_report
from tests.made_run import write_run

SAMPLE = Path(__file__).parent.parent / "sample_data"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return open_run(score(SAMPLE, tmp_path_factory.mktemp("scored") / "run", kinds=("label",)).path, "better")


def told(run: Run, *conditions: str, **more: Any) -> dict[str, Any]:
    columns = more.pop("columns", ())
    return slice_report(run, Request(Wanted(None, columns, conditions), resamples=40, **more))


def values(row: dict[str, Any]) -> dict[str, float | None]:
    return {one["metric"]: one["value"] for one in row["metrics"]}


def test_categories_have_the_evaluations_numbers(run: Run) -> None:
    report = told(run, columns=("category",))
    own = run.evaluation()
    assert values(report["overall"]) == pytest.approx(
        {name: own["metrics"][name] for name in values(report["overall"])}
    )
    for row, category in zip(report["slices"], sorted(own["categories"], key=lambda one: one["name"]), strict=True):
        assert row["name"] == f"category={category['name']}"
        assert row["definition"] == f"category = '{category['name']}'"
        for name, value in values(row).items():
            assert value == pytest.approx(category[name], abs=1e-12)
        assert row["labels"] == category["labels"]


def test_weather_and_the_rest(run: Run) -> None:
    report = told(run, columns=("weather",))
    rows = {row["name"]: row for row in report["slices"]}
    assert sum(row["images"] for row in rows.values()) == report["overall"]["images"]
    fog = {one["metric"]: one for one in rows["weather=fog"]["metrics"]}
    assert fog["recall"]["difference"] < fog["recall"]["difference_high"] < 0
    assert fog["recall"]["p"] <= fog["recall"]["p_corrected"] < 0.05
    assert fog["recall"]["low"] < fog["recall"]["value"] < fog["recall"]["high"]
    others = [rows[f"weather={name}"] for name in ("clear", "rain")]
    hits, missed = (sum(row[name] for row in others) for name in ("true_positives", "false_negatives"))
    assert rows["weather=fog"]["rest"]["recall"] == pytest.approx(hits / (hits + missed))
    assert report["cluster"] is None
    assert report == told(run, columns=("weather",))


def test_other_thresholds_match_anew(run: Run) -> None:
    strict = told(run, "all=width > 0", iou=0.75, confidence=0.8)
    assert strict["iou"] == 0.75
    overall, own = values(strict["overall"]), values(strict["slices"][0])
    assert overall == own
    recall, usual = overall["recall"], values(told(run, "all=width > 0")["overall"])["recall"]
    assert recall is not None
    assert usual is not None
    assert recall < usual


def test_annotators_have_label_metrics_and_error_rates(run: Run) -> None:
    report = told(run, columns=("annotator",))
    assert sum(row["labels"] for row in report["slices"]) == report["overall"]["labels"]
    for row in report["slices"]:
        assert row["predictions"] is None
        assert values(row)["precision"] is None
        errors = row["label_errors"]
        assert errors["missed"]["rate"] == pytest.approx(1 - values(row)["recall"])  # type: ignore[operator]
        assert {"invalid", "duplicated"} <= set(errors)
        assert "label.area_relative" in [one["metric"] for one in row["label_metrics"]]
    assert any("says nothing of predictions" in note for note in report["notes"])
    assert sum(row["label_errors"]["duplicated"]["rate"] * row["labels"] for row in report["slices"]) > 7


def test_label_metrics_that_are_asked_for(run: Run) -> None:
    (row,) = told(run, "fog=weather = 'fog'", metrics=("area_rel*",))["slices"]
    assert [one["metric"] for one in row["label_metrics"]] == ["label.area_relative"]


def test_clusters_and_slices_too_small(run: Run) -> None:
    report = told(run, "one=id = 6", "none=width < 0", cluster="site")
    assert report["units"] < 10
    one, none = report["slices"]
    assert (one["images"], none["images"]) == (1, 0)
    assert set(values(none).values()) == {None}
    assert all(metric["low"] is None for metric in one["metrics"])
    assert any("slice none has no members" in note for note in report["notes"])
    assert any("fewer than 10 clusters of site" in note for note in report["notes"])


def test_refusals(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no slice named"):
        slice_report(run, Request(Wanted()))
    with pytest.raises(UsageError, match="name one with --model"):
        told(open_run(run.path), columns=("weather",))
    with pytest.raises(UsageError, match="did you mean"):
        told(run, "a=weather = 'fog'", metrics=("area_relativ",))
    with pytest.raises(UsageError, match="--cluster"):
        told(run, "a=weather = 'fog'", cluster="sitee")
    made = open_run(write_run(tmp_path / "run"))
    with pytest.raises(InputError):
        told(made, "a=weather = 'fog'")
