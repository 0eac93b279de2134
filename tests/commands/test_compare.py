"""qm compare from the command line: tables, JSON, the changes in a file, refusals in one line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from qm_cli.main import run

Captured = pytest.CaptureFixture[str]
SAMPLE = Path(__file__).parent.parent.parent / "sample_data"
FILES = [str(SAMPLE / "labels.json"), *(str(SAMPLE / "predictions" / f"{name}.json") for name in ("worse", "better"))]
FEW = ["--resamples", "100"]


def test_tables(capsys: Captured) -> None:
    assert run(["compare", *FILES, *FEW]) == 0
    shown = capsys.readouterr().out
    assert "100 resamples of 96 images" in shown
    for word in ("detectable", "B − A", "fixed", "new false positive", "most regressed images", "< .001"):
        assert word in shown


def test_slices(tmp_path: Path, capsys: Captured) -> None:
    manifest = tmp_path / "slices.csv"
    manifest.write_text("slice,image\nfirst,6\nfirst,10\n")
    arguments = [*FILES, *FEW, "--by", "weather", "--slices", str(manifest), "--slice", "wide=width > 300"]
    assert run(["compare", *arguments, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    names = ["first", "wide", "weather=clear", "weather=fog", "weather=rain"]
    assert [row["name"] for row in report["slices"]] == names
    assert [row["name"] for row in report["changes"]["labels"]["by_slice"]] == names
    assert run(["compare", *arguments]) == 0
    shown = capsys.readouterr().out
    assert "slice: B − A" in shown
    assert shown.count("weather=fog") == 3


def test_json_is_the_same_each_time_and_follows_the_seed(capsys: Captured) -> None:
    texts = []
    for seed in ("0", "0", "1"):
        assert run(["compare", *FILES, *FEW, "--seed", seed, "--json"]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]
    first, other = (json.loads(text)["metrics"][0] for text in texts[1:])
    assert first["difference"] == other["difference"]
    assert first["error"] != other["error"]


def test_changes_in_a_file(tmp_path: Path, capsys: Captured) -> None:
    places = [tmp_path / f"changes.{suffix}" for suffix in ("csv", "jsonl", "parquet")]
    for place in places:
        assert run(["compare", *FILES, *FEW, "--changes", str(place), "--json"]) == 0
        counts = json.loads(capsys.readouterr().out)["changes"]
    rows = list(csv.DictReader(places[0].read_text().splitlines()))
    lines = [json.loads(line) for line in places[1].read_text().splitlines()]
    assert len(rows) == len(lines) == pq.read_table(places[2]).num_rows
    for kind, tally in (("label", counts["labels"]), ("detection", counts["detections"])):
        for word, count in tally["total"].items():
            assert sum(row["object"] == kind and row["change"] == word for row in rows) == count


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([*FILES, FILES[1]], "4 targets"),
        ([*FILES, "--changes", "x.txt"], "neither .csv, .jsonl nor .parquet"),
        ([*FILES, "--resamples", "5"], "--resamples"),
        ([*FILES, "--cluster", "weathr"], "did you mean weather"),
        ([*FILES, "--by", "weathr"], "did you mean weather"),
        ([*FILES, "--slice", "a=widht < 3"], "did you mean width"),
        ([*FILES, "--slices", "nowhere.csv"], "cannot be read"),
        ([FILES[0]], "is a file"),
        (["nowhere"], "no qm run"),
        (["nowhere", "--task", "segm"], "--task: not for a run"),
    ],
)
def test_refused_in_one_line(arguments: list[str], told: str, capsys: Captured) -> None:
    assert run(["compare", *arguments]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert told in shown.err
