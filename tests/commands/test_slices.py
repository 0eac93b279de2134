"""qm slices from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qm_cli.main import run
from qm_cli.run import score
from tests.render.screens import rows_below

Captured = pytest.CaptureFixture[str]
SAMPLE = Path(__file__).parent.parent.parent / "sample_data"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(score(SAMPLE, tmp_path_factory.mktemp("scored") / "run", model="better").path)


def test_table_and_json_agree(place: str, tmp_path: Path, capsys: Captured) -> None:
    manifest = tmp_path / "slices.json"
    manifest.write_text('{"first": [6, 10, "nobody"], "small": "object.width < 20"}')
    arguments = ["slices", place, "--slices", str(manifest), "--by", "weather,annotator", "--slice", "wide=width > 300"]
    assert run([*arguments, "--resamples", "20"]) == 0
    text = capsys.readouterr().out
    assert run([*arguments, "--resamples", "20", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    names = [row["name"] for row in report["slices"]]
    assert names[:3] == ["first", "small", "wide"]
    assert [row[0] for row in rows_below(text, "slice  ")] == ["all", *names]
    assert report["findings"][0]["code"] == "slice-unknown-image"
    assert "nobody" in text
    assert "labels that are" in text


def test_discovery(place: str, capsys: Captured) -> None:
    assert run(["slices", place, "--discover", "--level", "label", "--metrics", "weather,site"]) == 0
    text = capsys.readouterr().out
    assert run(["slices", place, "--discover", "--level", "label", "--metrics", "weather,site", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["slices"][0]["definition"] == "image.weather = 'fog'"
    assert [row[0] for row in rows_below(text, "slice  ")] == [row["definition"] for row in report["slices"]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "no slice named"),
        (["--discover", "--by", "weather"], "does not go with"),
        (["--discover", "--iou", "0.7"], "own outcomes"),
        (["--by", "wether"], "did you mean weather"),
        (["--slice", "dark=widht < 3"], "did you mean width"),
        (["--slices", "nowhere.json"], "cannot be read"),
        (["--discover", "--depth", "4"], "depth"),
        (["--by", "weather", "--model", "worst"], "no model"),
    ],
)
def test_refusals(place: str, arguments: list[str], words: str, capsys: Captured) -> None:
    assert run(["slices", place, *arguments]) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.out == ""
