"""A gate made from a run is valid and the run passes it, whatever its categories are called."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from qm_cli.deciding import decide
from qm_cli.errors import InputError
from qm_cli.gate_file import read_gate
from qm_cli.gate_subject import of_run
from qm_cli.gate_writing import gate_text
from qm_cli.run import score
from tests.sample_run import BETTER, LABELS, sample_run


def test_the_run_passes_its_own_gate(tmp_path: Path) -> None:
    text, checks = gate_text(sample_run(), "better", tmp_path)
    path = tmp_path / "gate.toml"
    path.write_text(text, "utf-8")
    gate = read_gate(path)
    verdict = decide(gate, of_run(gate.run or tmp_path, gate))
    assert (verdict["verdict"], len(verdict["checks"])) == ("passed", checks)
    assert checks == 4 + 2 * 5 + 3
    table = tomllib.loads(text)
    assert table["data"] == {"exact_duplicates": 3, "near_duplicates": 7, "unreadable": 0}
    worse, _ = gate_text(sample_run(), "worse", tmp_path)
    assert tomllib.loads(worse)["check"][0]["min"] < table["check"][0]["min"]
    strict = path.with_name("strict.toml")
    strict.write_text("confidence_level = 0.95\n" + text, "utf-8")
    gate = read_gate(strict)
    assert decide(gate, of_run(gate.run or tmp_path, gate))["verdict"] == "passed"


def test_odd_names_and_lost_rows(tmp_path: Path) -> None:
    labels, predictions = json.loads(LABELS.read_text()), json.loads(BETTER.read_text())
    names = ['a "b"\\', "tab\there\x7f", "twice", "twice", "ümläut]"]
    for category, name in zip(labels["categories"], names, strict=True):
        category["name"] = name
    predictions.append({**predictions[0], "image_id": 987654})
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    (tmp_path / "odd.json").write_text(json.dumps(predictions))
    place = tmp_path / "a run"
    score(tmp_path, place, labels=tmp_path / "labels.json", predictions=(tmp_path / "odd.json",), kinds=("label",))
    text, _ = gate_text(place, None, tmp_path)
    path = tmp_path / "gate.toml"
    path.write_text(text, "utf-8")
    gate = read_gate(path)
    assert gate.allow_findings == ("prediction-unknown-image",)
    assert decide(gate, of_run(gate.run or tmp_path, gate))["verdict"] == "passed"


def test_too_few_images(tmp_path: Path) -> None:
    labels = json.loads(LABELS.read_text())
    labels["images"] = labels["images"][:5]
    ids = {one["id"] for one in labels["images"]}
    labels["annotations"] = [one for one in labels["annotations"] if one["image_id"] in ids]
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    rows = [one for one in json.loads(BETTER.read_text()) if one["image_id"] in ids]
    (tmp_path / "few.json").write_text(json.dumps(rows))
    score(
        tmp_path,
        tmp_path / "run",
        labels=tmp_path / "labels.json",
        predictions=(tmp_path / "few.json",),
        kinds=("label",),
    )
    with pytest.raises(InputError, match="an interval needs 10 images, there are 5"):
        gate_text(tmp_path / "run", None, tmp_path)
