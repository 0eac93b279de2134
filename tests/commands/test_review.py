"""qm review from the command line."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from qm_cli.main import run
from qm_cli.run import score

Captured = pytest.CaptureFixture[str]
SAMPLE = Path(__file__).parents[2] / "sample_data"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(score(SAMPLE, tmp_path_factory.mktemp("scored") / "run", metrics=("image.area",)).path)


def test_table_and_json(place: str, capsys: Captured) -> None:
    assert run(["review", place, "--model", "better", "--top", "5", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert len(report["queue"]) == 5
    assert run(["review", place, "--model", "better", "--top", "5"]) == 0
    text = capsys.readouterr().out
    assert all(row["id"] in text for row in report["queue"])
    assert "… and 17 more" in text


def test_issues(place: str, capsys: Captured) -> None:
    assert run(["review", place, "--model", "better", "--issues", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert 0 < report["found"] == report["issues"] == sum(row["issue"] for row in report["queue"]) < 22


def test_patch_of_the_accepted(place: str, capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faults = {one["fault"]: one["ids"][0] for one in json.loads((SAMPLE / "planted.json").read_text())["faults"]}
    accepted = f"wrong-category:{faults['wrong_category']}\noverlooked:{faults['missing_label']}\n"
    stdin = io.TextIOWrapper(io.BytesIO(accepted.encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    target = tmp_path / "patched.json"
    arguments = ["review", place, "--model", "better", "--patch", str(target), "--accept", "-", "--json"]
    assert run(arguments) == 0
    patch = json.loads(capsys.readouterr().out)["patch"]
    assert (patch["accepted"], patch["add label"], patch["change category"]) == (2, 1, 1)
    assert len(json.loads(target.read_text())["annotations"]) == 562


def test_patch_without_loss(place: str, capsys: Captured, tmp_path: Path) -> None:
    """Suggestions that lower AP are counted and named, on the screen as in JSON."""
    target = tmp_path / "patched.json"
    arguments = ["review", place, "--model", "worse", "--min-suspicion", "0.05", "--top", "500", "--patch", str(target)]
    assert run([*arguments, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    losing = sum(row["delta_AP"] < 0 for row in report["queue"])
    assert report["patch"]["left_out"] == losing > 0
    assert run(arguments) == 0
    assert f"{losing} left out, since they would lower AP: --allow-loss" in capsys.readouterr().out
    assert run([*arguments, "--json", "--allow-loss"]) == 0
    patch = json.loads(capsys.readouterr().out)["patch"]
    assert patch["left_out"] == 0
    assert patch["accepted"] + patch["competing"] == len(report["queue"]) > patch["accepted"]
    ids = tmp_path / "ids.txt"
    ids.write_text("")
    assert run([*arguments, "--allow-loss", "--accept", str(ids)]) == 2
    assert run(["review", place, "--model", "worse", "--allow-loss"]) == 2


def test_refusals(place: str, capsys: Captured, tmp_path: Path) -> None:
    assert run(["review", place, "--model", "better", "--accept", "ids.txt"]) == 2
    assert "--accept goes with --patch" in capsys.readouterr().err
    assert run(["review", place, "--model", "better", "--where", "reson = 'x'"]) == 2
    assert "reason" in capsys.readouterr().err
    assert run(["review", place]) == 2
    assert run(["review", str(tmp_path)]) == 2
    missing = ["review", place, "--model", "better", "--patch", str(tmp_path / "a" / "b.json")]
    assert run(missing) == 2
    assert "b.json" in capsys.readouterr().err


def test_text_has_no_review(capsys: Captured, tmp_path: Path) -> None:
    entity = {"data_row_id": 1, "category_id": 1, "start": 0, "end": 3}
    labels = {"data_rows": [{"id": 1, "text": "Ann lives in Rome"}], "categories": [{"id": 1, "name": "person"}]}
    (tmp_path / "labels.json").write_text(json.dumps({**labels, "annotations": [{"id": 1, **entity}]}))
    (tmp_path / "predictions.json").write_text(json.dumps([{**entity, "score": 0.9}]))
    assert run(["score", str(tmp_path), "--quiet"]) == 0
    capsys.readouterr()
    assert run(["review", str(tmp_path)]) == 2
    assert "holds text, of which there is no review" in capsys.readouterr().err


def test_results_of_answers_have_no_review(capsys: Captured, tmp_path: Path) -> None:
    row = {"name": "sky", "answer": {"name": "rain", "confidence": 0.9}, "dataRow": {"globalKey": "a.jpg"}}
    files = [tmp_path / f"{name}.ndjson" for name in ("labels", "predictions")]
    for file in files:
        file.write_text(json.dumps(row) + "\n")
    assert run(["evaluate", *map(str, files), "-o", str(tmp_path / "run"), "--quiet"]) == 0
    capsys.readouterr()
    assert run(["review", str(tmp_path / "run")]) == 2
    assert "holds the results of answers and not the answers" in capsys.readouterr().err
    assert run(["score", str(tmp_path), "--quiet"]) == 0
    capsys.readouterr()
    assert run(["review", str(tmp_path)]) == 2
    assert "has no class probabilities to review labels by" in capsys.readouterr().err
