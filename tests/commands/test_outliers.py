"""qm outliers from the command line."""

from __future__ import annotations

import json

import pytest

from qm_cli.main import run
from tests.made_run import write_run
from tests.scored_run import write_scored

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_scored(tmp_path_factory.mktemp("made") / "run"))


def test_table_and_json(place: str, capsys: Captured) -> None:
    assert run(["outliers", place]) == 0
    text = capsys.readouterr().out
    assert "\nbrightness" in text
    assert "outliers in two metrics or more" in text
    assert run(["outliers", place, "--top", "1", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert len(report["samples"]) == 1
    assert report["metrics"][0]["severe"] >= 1


def test_by_category(place: str, capsys: Captured) -> None:
    assert run(["outliers", place, "--level", "label", "--by", "category"]) == 0
    out = capsys.readouterr().out
    assert "labels by category" in out
    assert "20 values are needed" in out


def test_a_small_run_is_undefined_and_not_zero(tmp_path_factory: pytest.TempPathFactory, capsys: Captured) -> None:
    small = write_run(tmp_path_factory.mktemp("small") / "run")
    assert run(["outliers", str(small)]) == 0
    assert "20 values are needed, there are 6" in capsys.readouterr().out


def test_unknown_names(place: str, capsys: Captured) -> None:
    assert run(["outliers", place, "--metrics", "blurr"]) == 2
    assert "did you mean" in capsys.readouterr().err
