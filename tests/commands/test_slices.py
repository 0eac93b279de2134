"""qm slices from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qm_cli.main import run
from qm_cli.run import score
from tests.input_files import write
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


def test_run_plainly_it_finds_the_planted_slice_at_any_thresholds(place: str, capsys: Captured) -> None:
    reports = []
    for arguments in ([], ["--discover"], ["--iou", "0.75", "--confidence", "0.6"]):
        assert run(["slices", place, *arguments, "--json"]) == 0
        reports.append(json.loads(capsys.readouterr().out))
    plain, asked, strict = reports
    assert plain == asked
    assert [report["slices"][0]["definition"] for report in reports] == ["image.weather = 'fog'"] * 3
    assert [(report["iou"], report["confidence"]) for report in reports] == [(0.5, 0.5), (0.5, 0.5), (0.75, 0.6)]
    assert strict["samples"] != plain["samples"]
    assert run(["slices", place]) == 0
    assert rows_below(capsys.readouterr().out, "slice  ")[0][:2] == ["image.weather = 'fog'", "weak"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--discover", "--by", "weather"], "does not go with"),
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


def test_classes(tmp_path: Path, capsys: Captured) -> None:
    """Slices of a run of classes; of results alone there are none."""
    images = [
        {"id": place, "file_name": f"{place}.jpg", "weather": "fog" if place < 6 else "sun"} for place in range(20)
    ]
    rows = [{"image_id": place, "category_id": 1 + place % 2} for place in range(20)]
    categories = [{"id": 1, "name": "ant"}, {"id": 2, "name": "bee"}]
    annotations = [{"id": place, **row} for place, row in enumerate(rows)]
    labels = write(tmp_path / "labels.json", {"images": images, "categories": categories, "annotations": annotations})
    wrong = [{**row, "category_id": 1, "score": 0.9} if row["image_id"] < 6 else {**row, "score": 0.9} for row in rows]
    predictions = write(tmp_path / "predictions.json", wrong)
    assert run(["score", str(tmp_path), "--kind", "model", "-q"]) == 0
    capsys.readouterr()
    assert run(["slices", str(tmp_path), "--by", "weather", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(row["name"], row["metrics"][0]["value"]) for row in found["slices"]] == [
        ("weather=fog", 0.5),
        ("weather=sun", 1),
    ]
    assert run(["evaluate", str(labels), str(predictions), "-o", str(tmp_path / "results"), "-q"]) == 0
    assert run(["slices", str(tmp_path / "results"), "--by", "weather"]) == 2
    assert "results of answers and not the answers — score the dataset" in capsys.readouterr().err
