"""qm describe from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qm_cli.main import run
from tests.made_run import write_run

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def place(tmp_path: Path) -> str:
    return str(write_run(tmp_path / "run"))


def test_table_and_json(place: str, capsys: Captured) -> None:
    assert run(["describe", place, "--metrics", "brightness,odd,weather"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("6 images\n")
    assert run(["describe", place, "--metrics", "brightness,odd,weather", "--json"]) == 0
    rows = {row["metric"]: row for row in json.loads(capsys.readouterr().out)["metrics"]}
    assert rows["image.brightness"]["groups"][0]["median"] == pytest.approx(0.35)
    assert rows["image.odd"]["groups"][0]["nulls"] == 2
    assert rows["image.weather"]["groups"][0]["values"] == {"fog": 3, "sun": 2}
    assert "0.35" in text


def test_side_by_side(place: str, capsys: Captured) -> None:
    assert run(["describe", place, "--by", "weather"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [lines[2][1], lines[3][0], lines[4][0]] == ["fog", "sun", "(none)"]


def test_unknown_names(place: str, capsys: Captured) -> None:
    assert run(["describe", place, "--by", "wether"]) == 2
    assert "did you mean weather" in capsys.readouterr().err
    assert run(["describe", place, "--metrics", "brigtness"]) == 2
    assert "brightness" in capsys.readouterr().err
    assert run(["describe", place, "--level", "label", "--metrics", "nothing"]) == 2
