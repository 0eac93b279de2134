"""qm drift from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qm_cli.main import run

Captured = pytest.CaptureFixture[str]
SAMPLE = Path(__file__).parent.parent.parent / "sample_data"
FILES = [str(SAMPLE / "predictions" / f"{name}.json") for name in ("worse", "better")]


def test_tables(capsys: Captured) -> None:
    assert run(["drift", *FILES]) == 0
    shown = capsys.readouterr().out
    assert "prediction.score" in shown
    assert "above the noise floor" in shown
    assert "categories of predictions" in shown


def test_json_and_metrics(capsys: Captured) -> None:
    assert run(["drift", *FILES, "--metrics", "prediction.score", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    (row,) = report["metrics"]
    assert row["metric"] == "prediction.score"
    assert row["drifted"]
    assert {"ks", "ks_floor", "p", "wasserstein", "wasserstein_floor", "psi", "psi_floor"} <= set(row)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([*FILES, "--metrics", "prediction.scor"], "did you mean prediction.score"),
        ([*FILES, "--model", "x"], "leave it out"),
        (["nowhere", FILES[0]], "no qm run"),
        ([FILES[0]], "Missing argument"),
    ],
)
def test_refused_in_one_line(arguments: list[str], told: str, capsys: Captured) -> None:
    assert run(["drift", *arguments]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert told in shown.err
