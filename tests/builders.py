"""Tables and files from Python data, through the product's own way in: JSON on disk."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from qm_cli import link
from qm_cli.ingest import labels_json, predictions_json
from qm_cli.tables import Tables


def write(folder: Path, labels: dict[str, Any], predictions: list[dict[str, Any]]) -> tuple[Path, Path]:
    """labels.json and predictions.json in a folder."""
    label_file, prediction_file = folder / "labels.json", folder / "predictions.json"
    label_file.write_text(json.dumps(labels))
    prediction_file.write_text(json.dumps(predictions))
    return label_file, prediction_file


def tables(labels: dict[str, Any], predictions: list[dict[str, Any]]) -> Tables:
    """The tables of a label document and a results list."""
    with tempfile.TemporaryDirectory() as folder:
        label_file, prediction_file = write(Path(folder), labels, predictions)
        return link.tables(labels_json.read(label_file, True), predictions_json.read(prediction_file, True))
