"""Thresholds on disk: what is written comes back, and what is none is refused in a line."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from qm_cli.errors import InputError, UsageError
from qm_cli.threshold_file import read_thresholds, threshold_document, write_thresholds


def row(confidence: float | None, **more: Any) -> dict[str, Any]:
    return {"confidence": confidence, "held_out": {"precision": {"value": 0.9, "low": 0.8, "high": None}}, **more}


def report(*targets: str) -> dict[str, Any]:
    categories = [row(0.25, id=1, name="cat"), row(None, id=7, name="dog")]
    found = [{"target": one, "overall": row(0.5), "categories": categories} for one in targets]
    facts = {"task": "bbox", "convention": "coco", "iou": 0.5, "images": 3}
    return {**facts, "thresholds": {"folds": 5, "seed": 2, "targets": found}}


def test_there_and_back(tmp_path: Path) -> None:
    predictions, place = tmp_path / "p.json", tmp_path / "t.json"
    predictions.write_bytes(b"[]")
    write_thresholds(report("f1", "precision=0.9"), predictions, place)
    found = read_thresholds(place, "precision = 0.9")
    assert (found.target, found.overall, dict(found.categories)) == ("precision=0.9", 0.5, {"cat": 0.25, "dog": None})
    assert (found.of("cat"), found.of("dog"), found.of("unheard of")) == (0.25, None, 0.5)
    assert found.facts["predictions"] == {"name": "p.json", "sha256": hashlib.sha256(b"[]").hexdigest()}
    assert (found.facts["convention"], found.facts["iou"], found.facts["seed"]) == ("coco", 0.5, 2)


def test_the_only_target_need_not_be_named(tmp_path: Path) -> None:
    place = tmp_path / "t.json"
    write_thresholds(report("f1"), Path("-"), place)
    assert read_thresholds(place).target == "f1"
    assert read_thresholds(place).facts["predictions"]["sha256"] is None
    with pytest.raises(UsageError, match="has no thresholds for 'f2'"):
        read_thresholds(place, "f2")
    write_thresholds(report("f1", "f2"), Path("-"), place)
    with pytest.raises(UsageError, match="holds thresholds for f1, f2"):
        read_thresholds(place)


def test_categories_of_one_name_are_refused() -> None:
    twice = report("f1")
    twice["thresholds"]["targets"][0]["categories"] = [row(0.1, name="cat"), row(0.2, name="cat")]
    with pytest.raises(UsageError, match="two categories are called 'cat'"):
        threshold_document(twice, {})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is no JSON"),
        ("[" * 200_000, "is no JSON"),
        ("[]", "is no file of thresholds"),
        ('{"format": "other"}', "is no file of thresholds"),
        ('{"format": "qm-thresholds", "schema_version": 9}', "schema version 9"),
        ('{"format": "qm-thresholds", "schema_version": 1}', "something is missing"),
        ('{"format": "qm-thresholds", "schema_version": 1, "targets": []}', "something is missing"),
    ],
)
def test_what_is_no_such_file_is_refused(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(content)
    with pytest.raises(InputError, match=said):
        read_thresholds(tmp_path / "t.json")
    with pytest.raises(InputError, match="cannot be read"):
        read_thresholds(tmp_path / "nowhere.json")


@pytest.mark.parametrize("value", ["0.5", True, [0.5], pytest.param(10**400, id="huge")])
def test_a_threshold_is_a_number(value: Any, tmp_path: Path) -> None:
    document = threshold_document(report("f1"), {})
    document["targets"][0]["categories"]["cat"] = value
    (tmp_path / "t.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match="is no number"):
        read_thresholds(tmp_path / "t.json")
