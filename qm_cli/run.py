"""The whole way through, readable in one screen: what the commands and Python users call."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qm_cli import link
from qm_cli.evaluation import evaluate_tables
from qm_cli.ingest import labels_json, predictions_json
from qm_cli.report import evaluation_report
from qm_cli.settings import Settings


@dataclass(frozen=True)
class Mapping:
    """How predictions name images and categories, and the score of those that have none."""

    match_by: str = "id"
    categories: str | None = None
    missing_score: float | None = None


def evaluate_files(
    labels: Path, predictions: Path, settings: Settings, mapping: Mapping, output: Path | None
) -> dict[str, Any]:
    """The evaluation report of one prediction file against a label file."""
    tables = link.tables(labels_json.read(labels, False), predictions_json.read(predictions, False))
    return evaluation_report(evaluate_tables(tables, settings))
