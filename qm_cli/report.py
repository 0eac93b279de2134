"""Report: the summary of an evaluation as data, no formatting. Undefined is None."""

from __future__ import annotations

from typing import Any

import numpy as np

from qm_cli.analysis.counts import Counts, category_counts, category_iou_sum
from qm_cli.analysis.summary_numbers import suffix
from qm_cli.count_report import (
    FloatArray,
    category_numbers,
    confusion_report,
    count_definitions,
    number,
    overall_numbers,
)
from qm_cli.evaluation import Evaluation, evaluate_tables
from qm_cli.settings import Settings
from qm_cli.subset import only_categories
from qm_cli.tables import Tables


def report_of(tables: Tables, settings: Settings) -> dict[str, Any]:
    """The evaluation report of tables, over the categories of the settings."""
    return evaluation_report(evaluate_tables(only_categories(tables, settings.categories), settings))


def evaluation_report(evaluation: Evaluation) -> dict[str, Any]:
    """The one object that `qm evaluate --json` prints and every table is rendered from."""
    settings, tables, numbers = evaluation.settings, evaluation.tables, evaluation.numbers
    counts = category_counts(tables, evaluation.outcomes)
    iou_sum = category_iou_sum(tables, settings.task, evaluation.outcomes)
    names = _category_names(evaluation)[1]
    return {
        "task": settings.task,
        "task_found": settings.measure.found,
        **settings.measure.parameters(),
        "convention": settings.convention,
        "iou": settings.iou,
        "confidence": settings.confidence,
        "beta": settings.beta,
        "max_detections": list(evaluation.max_detections),
        "area_ranges": _area_ranges(evaluation),
        "images": tables.count("image"),
        "labels": int(evaluation.outcomes.label_counts.sum()),
        "crowd": int((~evaluation.outcomes.label_counts).sum()),
        "predictions": tables.count("prediction"),
        "metrics": {**numbers.overall, **overall_numbers(counts, iou_sum, settings.beta)},
        "definitions": {
            **numbers.definitions,
            **count_definitions(evaluation.counted_at, settings.beta, settings.task),
        },
        "categories": _categories(evaluation, counts, iou_sum),
        "confusion": confusion_report(evaluation.confusion, names, settings.iou, settings.confidence),
        "findings": [finding.as_dict() for finding in tables.findings],
        "notes": _notes(evaluation),
    }


def _area_ranges(evaluation: Evaluation) -> list[dict[str, Any]]:
    """The areas that AP and AR are told apart by; none where the convention has no such numbers."""
    areas = evaluation.settings.area_ranges[1:] if evaluation.curves is not None else ()
    return [{"name": area.name, "low": area.low, "high": area.high, "suffix": suffix(area)} for area in areas]


def _categories(evaluation: Evaluation, counts: Counts, iou_sum: FloatArray) -> list[dict[str, Any]]:
    """One row per category, in the order of the label file."""
    tables = evaluation.tables
    labels = np.bincount(
        tables.values("label", "category_row")[evaluation.outcomes.label_counts], minlength=tables.count("category")
    )
    predictions = np.bincount(tables.values("prediction", "category_row"), minlength=tables.count("category"))
    counted = category_numbers(counts, iou_sum, evaluation.settings.beta)
    return [
        {
            "id": identifier,
            "name": name,
            "labels": int(labels[row]),
            "predictions": int(predictions[row]),
            **{metric: number(values[row]) for metric, values in evaluation.numbers.category.items()},
            **counted[row],
        }
        for row, (identifier, name) in enumerate(zip(*_category_names(evaluation), strict=True))
    ]


def _category_names(evaluation: Evaluation) -> tuple[list[int | str], list[str]]:
    category = evaluation.tables.category
    return category["id"].to_pylist(), category["name"].to_pylist()


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
