"""Thresholds to deploy as a JSON file: what `qm evaluate --thresholds-out` writes and production or a gate reads.

{
  "format": "qm-thresholds", "schema_version": 1,
  "qm": "0.1.0", "task": "bbox", "convention": "coco", "iou": 0.5,
  "predictions": {"name": "better.json", "sha256": "…"},    null hash for what was read from a stream
  "rule": "a prediction counts if its score is ≥ the confidence",    ">" under conventions that cut so
  "folds": 5, "seed": 0, "images": 500,
  "targets": [
    {
      "target": "precision=0.9",
      "overall": 0.41,                        keep predictions as the rule says; null where nothing serves
      "categories": {"dog": 0.37, "cat": null},     question/name where there are questions
      "estimates": {"overall": {"precision": {"value": 0.89, "low": 0.86, "high": 0.92}, …}, "categories": {…}}
    }
  ]
}
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from qm_cli import __version__
from qm_cli.confidence_rules import rule_of
from qm_cli.errors import InputError, UsageError
from qm_cli.output import deliver
from qm_cli.render.as_json import as_json
from qm_cli.run_folder import sha256_of

FORMAT, VERSION = "qm-thresholds", 1
WAY_OUT = "write it with qm evaluate --thresholds … --thresholds-out"


class Thresholds(Struct, frozen=True):
    """The confidences of one target. overall and categories: None where no confidence serves.

    target: as asked for, such as "precision=0.9". facts: everything else in the file: convention, iou, hash of the
    predictions, and so on.
    """

    target: str
    overall: float | None
    categories: Mapping[str, float | None]
    facts: Mapping[str, Any]

    def of(self, category: str) -> float | None:
        """The confidence of a category; the overall one for a category that the file does not know."""
        return self.categories.get(category, self.overall)


def write_thresholds(report: Mapping[str, Any], predictions: Path, place: Path) -> None:
    """Write the thresholds of a report; predictions: the file that they were chosen on. `-` is stdout."""
    digest = sha256_of(predictions) if predictions.is_file() else None
    document = threshold_document(report, {"name": predictions.name, "sha256": digest})
    deliver(as_json(document), place)


def threshold_document(report: Mapping[str, Any], predictions: Mapping[str, Any]) -> dict[str, Any]:
    """The content of the file, from a report that holds thresholds; predictions: name and sha256 of the file."""
    found = report["thresholds"]
    return {
        "format": FORMAT,
        "schema_version": VERSION,
        "qm": __version__,
        **{name: report[name] for name in ("task", "convention", "iou")},
        "predictions": dict(predictions),
        "rule": rule_of(report["convention"]),
        **{name: found[name] for name in ("folds", "seed")},
        "images": report["images"],
        "targets": [_target(one) for one in found["targets"]],
    }


def _target(one: Mapping[str, Any]) -> dict[str, Any]:
    names = [category_key(row) for row in one["categories"]]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"two categories are called {twice[0]!r}", "thresholds are kept by name: rename one")
    return {
        "target": one["target"],
        "overall": one["overall"]["confidence"],
        "categories": dict(zip(names, (row["confidence"] for row in one["categories"]), strict=True)),
        "estimates": {
            "overall": one["overall"]["held_out"],
            "categories": dict(zip(names, (row["held_out"] for row in one["categories"]), strict=True)),
        },
    }


def category_key(row: Mapping[str, Any]) -> str:
    """What a category of a report is called in the file: its name, with its question where it has one."""
    return f"{row['question']}/{row['name']}" if "question" in row else str(row["name"])


def read_thresholds(path: Path, target: str | None = None) -> Thresholds:
    """The thresholds of a file: its only target, or the one named.

    Raises InputError for a file that is none of these, UsageError where the target is not (or not uniquely) said.
    """
    document = _document(path)
    targets = {one["target"]: one for one in document["targets"]}
    if target is None and len(targets) != 1:
        raise UsageError(f"{path}: holds thresholds for {', '.join(targets)}", "name one of them")
    wanted = next(iter(targets)) if target is None else target.replace(" ", "")
    if wanted not in targets:
        raise UsageError(f"{path}: has no thresholds for {target!r}", f"it has {', '.join(targets)}")
    facts = {name: value for name, value in document.items() if name != "targets"}
    return Thresholds(wanted, targets[wanted]["overall"], targets[wanted]["categories"], facts)


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}", WAY_OUT) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: is no JSON: {error}", WAY_OUT) from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InputError(f"{path}: is no file of thresholds", WAY_OUT)
    if document.get("schema_version") != VERSION:
        version = document.get("schema_version")
        raise InputError(f"{path}: has schema version {version}, this qm reads {VERSION}", "write it anew")
    if not _sound(document.get("targets")):
        raise InputError(f"{path}: a threshold in it is no number, or something is missing", WAY_OUT)
    return document


def _sound(targets: Any) -> bool:
    """Whether every target has its thresholds, all of them numbers or null."""
    if not isinstance(targets, list) or not targets:
        return False
    for one in targets:
        if not (isinstance(one, dict) and isinstance(one.get("target"), str) and "overall" in one):
            return False
        if not isinstance(one.get("categories"), dict):
            return False
        values = [one["overall"], *one["categories"].values()]
        if not all(value is None or _is_finite(value) for value in values):
            return False
    return True


def _is_finite(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) <= sys.float_info.max
