"""What tests of conventions share: evaluations of data that went through files, and parts as the oracles name them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qm_cli.evaluation import Evaluation, evaluate_tables
from qm_cli.load import load_tables
from qm_cli.report import evaluation_report
from qm_cli.settings import missing_score, settings_at
from qm_cli.tables import Tables
from tests import builders

Row = dict[str, Any]
EXACT = 1e-12


def loaded(labels: Row, predictions: list[Row], convention: str) -> Tables:
    settings = settings_at(convention)
    with tempfile.TemporaryDirectory() as folder:
        files = builders.write(Path(folder), labels, predictions)
        return load_tables(*files, fields=settings.fields, missing_score=missing_score(convention, None))


def evaluated(labels: Row, predictions: list[Row], convention: str, **chosen: Any) -> Evaluation:
    return evaluate_tables(loaded(labels, predictions, convention), settings_at(convention, **chosen))


def reported(labels: Row, predictions: list[Row], convention: str, **chosen: Any) -> Row:
    return evaluation_report(evaluated(labels, predictions, convention, **chosen))


def close(value: float | None) -> Any:
    """Equal to within 1e-12; None is None."""
    return None if value is None else pytest.approx(value, abs=EXACT, rel=0)


def by_category(found: Row, name: str) -> Row:
    """A number of each category by its id."""
    return {row["id"]: row[name] for row in found["categories"]}


def outcome_names(evaluation: Evaluation) -> list[str | None]:
    """TP, FP, ignored or None (not counted) of each prediction, in the input's order."""
    found, tables = evaluation.outcomes, evaluation.tables
    names = np.where(found.true_positive, "TP", np.where(found.false_positive, "FP", "ignored")).astype(object)
    names[~found.counted] = None
    placed = np.full(len(names), None, object)
    placed[tables.values("prediction", "source_row")] = names
    return list(placed)


def confusion_cells(evaluation: Evaluation) -> dict[tuple[Any, Any], int]:
    """Counts by (true, predicted) category id, None for neither."""
    ids = [*evaluation.tables.category["id"].to_pylist(), None]
    true, predicted = np.nonzero(evaluation.confusion)
    return {
        (ids[row], ids[column]): int(evaluation.confusion[row, column])
        for row, column in zip(true, predicted, strict=True)
    }


def hold_invariants(evaluation: Evaluation) -> None:
    """Rows sum to the labels that count, columns to the predictions kept, the diagonal is the true positives."""
    found, tables, matrix = evaluation.outcomes, evaluation.tables, evaluation.confusion
    count = tables.count("category")
    labels = np.bincount(tables.values("label", "category_row")[found.label_counts], minlength=count)
    kept = found.counted & ~found.ignored
    predictions = np.bincount(tables.values("prediction", "category_row")[kept], minlength=count)
    assert matrix[:count].sum(1).tolist() == labels.tolist()
    assert matrix[:, :count].sum(0).tolist() == predictions.tolist()
    assert np.trace(matrix) == found.true_positive.sum()
    assert (found.matched_prediction >= 0).sum() == found.true_positive.sum()
