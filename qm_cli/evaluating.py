"""Evaluate files, loaded tables or a finished run: the report that everything about one model is read from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qm_cli.evaluation import evaluate_tables
from qm_cli.load import load_tables
from qm_cli.report import evaluation_report
from qm_cli.settings import Settings
from qm_cli.subset import only_categories
from qm_cli.tables import Tables


def evaluate(labels: Path | str, predictions: Path | str, **chosen: Any) -> dict[str, Any]:
    """The evaluation report of a prediction file against a label file; options are those of `Settings`."""
    return report_of(load_tables(Path(labels), Path(predictions)), Settings(**chosen))


def report_of(tables: Tables, settings: Settings) -> dict[str, Any]:
    """The evaluation report of tables, over the categories of the settings."""
    return evaluation_report(evaluate_tables(only_categories(tables, settings.categories), settings))
