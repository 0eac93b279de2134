"""Report: the summary of an evaluation as data, no formatting. Undefined is None."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from qm_cli.analyses import analysed
from qm_cli.analysis.coco_numbers import mean_of_defined
from qm_cli.analysis.counts import Counts, category_counts
from qm_cli.evaluation import Evaluation, evaluate_tables
from qm_cli.settings import Settings
from qm_cli.subset import only_categories
from qm_cli.tables import Tables

RATES = ("precision", "recall", "f1")
SUMS = ("true_positives", "false_positives", "false_negatives")


def report_of(tables: Tables, settings: Settings, analyses: Iterable[str] = ()) -> dict[str, Any]:
    """The evaluation report of tables, over the categories of the settings, with the named analyses."""
    return evaluation_report(evaluate_tables(only_categories(tables, settings.categories), settings), analyses)


def evaluation_report(evaluation: Evaluation, analyses: Iterable[str] = ()) -> dict[str, Any]:
    """The one object that `qm evaluate --json` prints and every table is rendered from."""
    settings, tables = evaluation.settings, evaluation.tables
    counts = category_counts(tables, evaluation.outcomes)
    parts, notes = analysed(evaluation, analyses)
    return {
        "task": settings.task,
        "convention": settings.convention,
        "iou": settings.iou,
        "confidence": settings.confidence,
        "max_detections": list(evaluation.max_detections),
        "images": tables.count("image"),
        "labels": int(evaluation.outcomes.label_counts.sum()),
        "crowd": int((~evaluation.outcomes.label_counts).sum()),
        "predictions": tables.count("prediction"),
        "metrics": {**evaluation.numbers.overall, **_count_numbers(counts)},
        "definitions": {**evaluation.numbers.definitions, **_count_definitions(evaluation)},
        "categories": _categories(evaluation, counts),
        "confusion": _confusion(evaluation),
        **parts,
        "findings": [finding.as_dict() for finding in tables.findings],
        "notes": [*_notes(evaluation), *notes],
    }


def _count_numbers(counts: Counts) -> dict[str, float | int | None]:
    total = counts.total()
    micro = {name: _number(getattr(total, name)[0]) for name in RATES}
    macro = {f"{name}_macro": mean_of_defined(getattr(counts, name)) for name in RATES}
    sums = {name: int(getattr(total, name)[0]) for name in SUMS}
    return {**micro, **macro, **sums}


def _count_definitions(evaluation: Evaluation) -> dict[str, str]:
    at = evaluation.counted_at
    formulas = {"precision": "TP / (TP + FP)", "recall": "TP / (TP + FN)", "f1": "2 TP / (2 TP + FP + FN)"}
    macro = {f"{name}_macro": f"mean of the categories' {name}, undefined ones left out; {at}" for name in RATES}
    return {**{name: f"{formula}; {at}" for name, formula in formulas.items()}, **macro, **dict.fromkeys(SUMS, at)}


def _number(value: np.generic) -> float | int | None:
    """A NumPy number as a plain one, None for NaN."""
    number: float | int = value.item()
    return None if number != number else number


def _categories(evaluation: Evaluation, counts: Counts) -> list[dict[str, Any]]:
    """One row per category, in the order of the label file."""
    tables = evaluation.tables
    labels = np.bincount(
        tables.values("label", "category_row")[evaluation.outcomes.label_counts], minlength=tables.count("category")
    )
    predictions = np.bincount(tables.values("prediction", "category_row"), minlength=tables.count("category"))
    rates = {name: getattr(counts, name) for name in RATES}
    return [
        {
            "id": identifier,
            "name": name,
            "labels": int(labels[row]),
            "predictions": int(predictions[row]),
            **{metric: _number(values[row]) for metric, values in {**evaluation.numbers.category, **rates}.items()},
            **{metric: int(getattr(counts, metric)[row]) for metric in SUMS},
        }
        for row, (identifier, name) in enumerate(zip(*_category_names(evaluation), strict=True))
    ]


def _category_names(evaluation: Evaluation) -> tuple[list[int | str], list[str]]:
    category = evaluation.tables.category
    return category["id"].to_pylist(), category["name"].to_pylist()


def _confusion(evaluation: Evaluation) -> dict[str, Any]:
    """The matrix as its filled cells, largest first; None stands for no label or no prediction."""
    names: list[str | None] = [*_category_names(evaluation)[1], None]
    true, predicted = np.nonzero(evaluation.confusion)
    counts = evaluation.confusion[true, predicted]
    cells = [
        {"true": names[true[place]], "predicted": names[predicted[place]], "count": int(counts[place])}
        for place in np.lexsort((predicted, true, -counts))
    ]
    return {
        "orientation": "rows true, columns predicted",
        "iou": evaluation.settings.iou,
        "confidence": evaluation.settings.confidence,
        "cells": cells,
    }


def _notes(evaluation: Evaluation) -> list[str]:
    """What a reader must know to read the numbers right."""
    tables, settings = evaluation.tables, evaluation.settings
    notes = [finding.sentence() for finding in tables.findings]
    ranked = [name for name in ("AP", "AR") if any(name in one for one in evaluation.numbers.definitions)]
    counted = bool(evaluation.outcomes.label_counts.any())
    if not counted:
        notes.append(f"no label counts: {_are([*ranked, 'recall'])} undefined")
    if tables.count("prediction") == 0:
        zeros = f"{_are([*ranked[:1], 'recall'])} 0, " if counted else ""
        notes.append(f"no predictions: {zeros}precision is undefined")
    notes += evaluation.notes
    if settings.categories:
        notes.append(f"only the categories {', '.join(settings.categories)}")
    return notes


def _are(names: list[str]) -> str:
    """Names as the subject of a sentence.

    >>> _are(["AP", "AR", "recall"]), _are(["recall"])
    ('AP, AR and recall are', 'recall is')
    """
    return f"{', '.join(names[:-1])} and {names[-1]} are" if len(names) > 1 else f"{names[0]} is"
