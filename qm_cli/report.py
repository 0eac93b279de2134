"""Report: the summary of an evaluation as data, no formatting. Undefined is None."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.average_precision import AveragePrecision
from qm_cli.analysis.counts import Counts, category_counts, category_iou_sum
from qm_cli.analysis.max_detections import cut_by_max_detections
from qm_cli.analysis.summary_numbers import SummaryNumber, last_recall, suffix, summary_numbers
from qm_cli.count_report import category_numbers, confusion_report, mean, number, overall_numbers
from qm_cli.evaluation import Evaluation, evaluate_tables
from qm_cli.settings import Settings
from qm_cli.subset import only_categories
from qm_cli.tables import Tables

FloatArray = npt.NDArray[np.float64]


def report_of(tables: Tables, settings: Settings) -> dict[str, Any]:
    """The evaluation report of tables, over the categories of the settings."""
    return evaluation_report(evaluate_tables(only_categories(tables, settings.categories), settings))


def evaluation_report(evaluation: Evaluation) -> dict[str, Any]:
    """The one object that `qm evaluate --json` prints and every table is rendered from."""
    settings, tables = evaluation.settings, evaluation.tables
    counts = category_counts(tables, evaluation.outcomes)
    iou_sum = category_iou_sum(tables, settings.task, evaluation.outcomes)
    return {
        "task": settings.task,
        "convention": settings.convention,
        "iou": settings.iou,
        "confidence": settings.confidence,
        "beta": settings.beta,
        "max_detections": list(settings.max_detections),
        "area_ranges": [
            {"name": area.name, "low": area.low, "high": area.high, "suffix": suffix(area)}
            for area in settings.area_ranges[1:]
        ],
        "images": tables.count("image"),
        "labels": int(evaluation.outcomes.label_counts.sum()),
        "crowd": int((~evaluation.outcomes.label_counts).sum()),
        "predictions": tables.count("prediction"),
        "metrics": {**_summary_numbers(evaluation), **overall_numbers(counts, iou_sum, settings.beta)},
        "categories": _categories(evaluation, counts, iou_sum),
        "confusion": confusion_report(
            evaluation.confusion, _category_names(evaluation)[1], settings.iou, settings.confidence
        ),
        "findings": [finding.as_dict() for finding in tables.findings],
        "notes": _notes(evaluation),
    }


def _summary_numbers(evaluation: Evaluation) -> dict[str, float | None]:
    curves, settings = evaluation.average_precision, evaluation.settings
    limit = max(settings.max_detections)
    chosen = (
        SummaryNumber("AP_at_iou", "precision", settings.iou),
        SummaryNumber("AR_at_iou", "recall", settings.iou, limit=limit),
    )
    return {number.name: mean(_values(curves, number, evaluation)) for number in (*summary_numbers(settings), *chosen)}


def _values(curves: AveragePrecision, number: SummaryNumber, evaluation: Evaluation) -> FloatArray:
    """The part of the precision or recall array a summary number is the mean of; the category axis is the last."""
    settings = evaluation.settings
    area = [limits.name for limits in settings.area_ranges].index(number.area)
    thresholds = settings.iou_thresholds if number.threshold is None else (number.threshold,)
    lanes = [
        lane for lane in range(len(curves.area)) if curves.area[lane] == area and curves.threshold[lane] in thresholds
    ]
    if number.kind == "precision":
        return curves.precision[lanes]
    recall: FloatArray = curves.recall[settings.max_detections.index(number.limit)][lanes]
    return recall


def _categories(evaluation: Evaluation, counts: Counts, iou_sum: FloatArray) -> list[dict[str, Any]]:
    """One row per category, in the order of the label file."""
    tables, curves = evaluation.tables, evaluation.average_precision
    labels = np.bincount(
        tables.values("label", "category_row")[evaluation.outcomes.label_counts], minlength=tables.count("category")
    )
    predictions = np.bincount(tables.values("prediction", "category_row"), minlength=tables.count("category"))
    columns = {number.name: _values(curves, number, evaluation) for number in summary_numbers(evaluation.settings)}
    averaged = ("AP", "AP50", "AP75", last_recall(evaluation.settings.max_detections))
    means = {name: _category_means(columns[name]) for name in averaged}
    counted = category_numbers(counts, iou_sum, evaluation.settings.beta)
    return [
        {
            "id": identifier,
            "name": name,
            "labels": int(labels[row]),
            "predictions": int(predictions[row]),
            **{metric: number(values[row]) for metric, values in means.items()},
            **counted[row],
        }
        for row, (identifier, name) in enumerate(zip(*_category_names(evaluation), strict=True))
    ]


def _category_names(evaluation: Evaluation) -> tuple[list[int | str], list[str]]:
    category = evaluation.tables.category
    return category["id"].to_pylist(), category["name"].to_pylist()


def _category_means(values: FloatArray) -> FloatArray:
    """Mean over thresholds and recall grid per category; NaN where the category has no label."""
    flat = values.reshape(math.prod(values.shape[:-1]), values.shape[-1])
    undefined = np.isnan(flat).all(0)
    means = np.where(undefined, 0.0, flat).mean(0) if len(flat) else np.full(values.shape[-1], np.nan)
    return np.where(undefined, np.nan, means)


def _notes(evaluation: Evaluation) -> list[str]:
    """What a reader must know to read the numbers right."""
    tables, settings = evaluation.tables, evaluation.settings
    notes = [finding.sentence() for finding in tables.findings]
    if not evaluation.outcomes.label_counts.any():
        notes.append("no label counts: AP, AR and recall are undefined")
    if tables.count("prediction") == 0:
        zeros = "AP and recall are 0, " if evaluation.outcomes.label_counts.any() else ""
        notes.append(f"no predictions: {zeros}precision is undefined")
    cut = cut_by_max_detections(tables, evaluation.matches, settings)
    if cut:
        beyond = f"{cut.predictions} predictions beyond {max(settings.max_detections)} an image and category"
        lost = f"images: {cut.images}, true positives lost at IoU {settings.iou:g}: {cut.true_positives}"
        notes.append(f"{beyond} are left out of AP and AR ({lost})")
    if settings.categories:
        notes.append(f"only the categories {', '.join(settings.categories)}")
    return notes
