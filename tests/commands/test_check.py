"""qm check from the shell: exit codes, findings by file, a mended copy that is sound."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from qm_cli import main

SAMPLE = Path(__file__).parents[2] / "sample_data"


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    folder = tmp_path / "set"
    shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("*.py", "qm-run*", "__pycache__"))
    return folder


def spoil(folder: Path) -> None:
    """Two faults of the label file, one of a prediction file, one of the images."""
    labels = json.loads((folder / "labels.json").read_text())
    labels["annotations"][0]["category_id"] = 4711
    labels["annotations"][1]["bbox"] = [1, 1, -5, 5]
    (folder / "labels.json").write_text(json.dumps(labels))
    predictions = json.loads((folder / "predictions" / "worse.json").read_text())
    predictions[0]["image_id"] = 4711
    (folder / "predictions" / "worse.json").write_text(json.dumps(predictions))
    next(iter(sorted((folder / "images").glob("*.jpg")))).unlink()


def codes(capsys: pytest.CaptureFixture[str]) -> dict[str, set[str]]:
    found = json.loads(capsys.readouterr().out)["findings"]
    return {name: {finding["code"] for finding in rows} for name, rows in found.items()}


def test_sound_input_leaves_with_zero(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["check", str(SAMPLE)]) == 0
    assert "label-outside-image" in capsys.readouterr().out


def test_errors_leave_with_one_and_stand_with_their_file(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(dataset)
    assert main.run(["check", str(dataset), "--json"]) == 1
    found = codes(capsys)
    assert {"label-unknown-category", "label-bad-box", "image-missing-file"} <= found["data"]
    assert found["worse"] == {"prediction-unknown-image"}
    assert "better" not in found


def test_two_files_are_checked_without_a_folder(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(dataset)
    files = [str(dataset / "labels.json"), str(dataset / "predictions" / "worse.json")]
    assert main.run(["check", *files, "--json"]) == 1
    assert "prediction-unknown-image" in codes(capsys)["worse"]


def test_mended_copy_keeps_only_what_no_file_can_mend(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(dataset)
    before = (dataset / "labels.json").read_bytes()
    assert main.run(["check", str(dataset), "--fix", str(dataset / "mended"), "--json"]) == 1
    assert {entry["code"] for entry in json.loads(capsys.readouterr().out)["mended"]} >= {"label-unknown-category"}
    assert (dataset / "labels.json").read_bytes() == before
    assert main.run(["check", str(dataset / "mended"), "--json"]) == 1
    assert codes(capsys) == {"data": {"image-missing-file", "image-without-label"}}


def test_another_set_is_recognised(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads((dataset / "predictions" / "worse.json").read_text())
    other = [{**row, "image_id": row["image_id"] + 100_000} for row in rows]
    (dataset / "predictions" / "worse.json").write_text(json.dumps(other))
    assert main.run(["check", str(dataset), "--json"]) == 1
    assert "prediction-other-set" in codes(capsys)["worse"]


def test_all_there_is_to_know_is_shown_whole(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads((dataset / "predictions" / "worse.json").read_text())
    stems = {one["id"]: one["file_name"] for one in json.loads((dataset / "labels.json").read_text())["images"]}
    other = [{**row, "image_id": stems[row["image_id"]]} for row in rows]
    (dataset / "predictions" / "worse.json").write_text(json.dumps(other))
    assert main.run(["check", str(dataset)]) == 1
    out = capsys.readouterr().out
    assert f"worse ({dataset}/predictions/worse.json)\n" in out
    assert re.search(r"^  error   prediction-other-set: [0-9]+ × image id in a prediction file", out, re.MULTILINE)
    assert "image ids match; --match-by file_name would match" in out
    assert "way out: check that both files are of one set, or see --match-by\n" in out
    number = len(json.loads((dataset / "predictions" / "better.json").read_text()))
    counts = f"96 images, 5 categories, 561 labels, {number} predictions"
    sums = f"{counts}; kinds of finding: 2 errors, 2 warnings, 1 info"
    assert out.splitlines()[-1] == sums


def test_a_score_of_another_name_is_recognised(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads((dataset / "predictions" / "worse.json").read_text())
    renamed = [{("conf" if key == "score" else key): value for key, value in row.items()} for row in rows]
    (dataset / "predictions" / "worse.json").write_text(json.dumps(renamed))
    assert main.run(["check", str(dataset)]) == 1
    assert "`conf` looks like one: call it `score`" in capsys.readouterr().out


def test_a_mended_copy_replaces_only_an_earlier_one(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = dataset.parent / "mended"
    target.mkdir()
    (target / "thesis.tex").write_text("mine")
    assert main.run(["check", str(dataset), "--fix", str(target)]) == 2
    assert "the folder holds thesis.tex" in capsys.readouterr().err
    (target / "thesis.tex").unlink()
    for _ in range(2):
        assert main.run(["check", str(dataset), "--fix", str(target)]) == 0
    (dataset.parent / "file").write_text("mine")
    assert main.run(["check", str(dataset), "--fix", str(dataset.parent / "file")]) == 2
