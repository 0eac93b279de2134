"""qm importance from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qm_cli.main import run
from tests.made_run import write_run
from tests.scored_run import write_scored

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_scored(tmp_path_factory.mktemp("made") / "run"))


def test_table_and_json_agree(place: str, capsys: Captured) -> None:
    arguments = ["importance", place, "--by", "label", "--permutations", "60"]
    assert run(arguments) == 0
    text = capsys.readouterr().out
    assert run([*arguments, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["metrics"]
    lines = [line.split()[0] for line in text.splitlines()[2:] if line.strip()]
    defined = [row["metric"] for row in rows if row["reason"] is None]
    assert lines[: len(defined)] == defined
    assert defined[0] == "label.size"


def test_the_seed_decides(place: str, capsys: Captured) -> None:
    found = []
    for seed in ("1", "1", "2"):
        run(["importance", place, "--by", "image", "--seed", seed, "--permutations", "40", "--json"])
        found.append(json.loads(capsys.readouterr().out)["metrics"])
    assert found[0] == found[1] != found[2]


def test_along_a_metric(place: str, capsys: Captured) -> None:
    assert run(["importance", place, "--metric", "blur", "--bins", "4", "--equal-width"]) == 0
    text = capsys.readouterr().out
    assert "true-positive rate" in text
    assert "false-negative rate" in text
    assert run(["importance", place, "--metric", "blur", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["bins"]) == 10


def test_along_every_metric(place: str, capsys: Captured) -> None:
    assert run(["importance", place, "--performance", "--metrics", "blur,size", "--by-category"]) == 0
    text = capsys.readouterr().out
    assert text.count("true-positive rate  ") >= 2
    assert "dog" in text
    assert run(["importance", place, "--performance", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["metrics"]) > 5


def test_encords(place: str, capsys: Captured) -> None:
    assert run(["importance", place, "--compat", "encord"]) == 0
    assert "nats" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--bins", "3"], "go with --metric"),
        (["--by-category"], "go with --metric"),
        (["--metric", "blur", "--performance"], "do not go together"),
        (["--metric", "blur", "--compat", "encord"], "not go together"),
        (["--metrics", "blurr"], "did you mean blur"),
        (["--cluster", "videoid"], "did you mean video_id"),
        (["--categories", "cta"], "did you mean cat"),
        (["--model", "on"], "did you mean one"),
    ],
)
def test_refusals(place: str, arguments: list[str], words: str, capsys: Captured) -> None:
    assert run(["importance", place, *arguments]) == 2
    assert words in capsys.readouterr().err


def test_a_run_too_small_says_so(tmp_path: Path, capsys: Captured) -> None:
    assert run(["importance", str(write_run(tmp_path / "run")), "--by", "prediction"]) == 0
    assert "40 predictions are needed, there are 5" in capsys.readouterr().out
