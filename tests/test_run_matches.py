"""A run matched again: at its own thresholds its own outcomes, at others those of a fresh evaluation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from qm_cli.errors import InputError
from qm_cli.run import evaluate, score
from qm_cli.run_folder import Run, open_run
from qm_cli.run_matches import matched_run, outcomes_at, settings_at
from tests.made_run import write_run
from tests.scored_run import write_scored

SAMPLE = Path(__file__).parent.parent / "sample_data"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return open_run(score(SAMPLE, tmp_path_factory.mktemp("scored") / "run").path, "better")


def test_at_its_own_thresholds_a_run_has_its_own_outcomes(run: Run) -> None:
    for level, outcomes in outcomes_at(run, None, None).items():
        own = run.table(level, ["outcome"])["outcome"].to_pylist()
        assert outcomes.tolist() == [value if value in ("TP", "FP", "FN") else "" for value in own]


def test_at_others_those_of_an_evaluation_there(run: Run) -> None:
    outcomes = outcomes_at(run, 0.7, 0.8)
    report = evaluate(SAMPLE / "labels.json", SAMPLE / "predictions" / "better.json", iou=0.7, confidence=0.8)
    counts = {word: sum(int(np.sum(one == word)) for one in outcomes.values()) for word in ("TP", "FP", "FN")}
    assert counts["TP"] == 2 * report["metrics"]["true_positives"]
    assert counts["FP"] == report["metrics"]["false_positives"]
    assert counts["FN"] == report["metrics"]["false_negatives"]
    assert (settings_at(run, 0.7, None).iou, settings_at(run, None, None).iou) == (0.7, 0.5)


def test_what_cannot_be_matched(tmp_path: Path) -> None:
    place = write_scored(tmp_path / "alone")
    (place / "label.parquet").unlink()
    with pytest.raises(InputError, match="has no labels"):
        matched_run(open_run(place), None, None)
    with pytest.raises(InputError):
        matched_run(open_run(write_run(tmp_path / "run")), None, None)
