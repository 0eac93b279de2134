"""Report: the summary of an evaluation as data, no formatting. Undefined is None."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.average_precision import AveragePrecision
from qm_cli.analysis.counts import category_counts
from qm_cli.evaluation import Evaluation, evaluate_tables
from qm_cli.matching import within_max_detections
from qm_cli.settings import Settings, recall_name
from qm_cli.subset import only_categories
from qm_cli.tables import Tables

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SummaryNumber:
    """One of COCO's twelve numbers as a row of data. threshold: None is the mean over all; limit: max detections."""

    name: str
    kind: str
    threshold: float | None = None
    area: str = "all"
    limit: int = 100


COCO_NUMBERS = (
    SummaryNumber("AP", "precision"),
    SummaryNumber("AP50", "precision", 0.5),
    SummaryNumber("AP75", "precision", 0.75),
    SummaryNumber("APs", "precision", area="small"),
    SummaryNumber("APm", "precision", area="medium"),
    SummaryNumber("APl", "precision", area="large"),
    SummaryNumber("AR1", "recall", limit=1),
    SummaryNumber("AR10", "recall", limit=10),
    SummaryNumber("AR100", "recall"),
    SummaryNumber("ARs", "recall", area="small"),
    SummaryNumber("ARm", "recall", area="medium"),
    SummaryNumber("ARl", "recall", area="large"),
)
KEYPOINT_NUMBERS = (
    SummaryNumber("AP", "precision"),
    SummaryNumber("AP50", "precision", 0.5),
    SummaryNumber("AP75", "precision", 0.75),
    SummaryNumber("APm", "precision", area="medium"),
    SummaryNumber("APl", "precision", area="large"),
    SummaryNumber("AR", "recall", limit=20),
    SummaryNumber("AR50", "recall", 0.5, limit=20),
    SummaryNumber("AR75", "recall", 0.75, limit=20),
    SummaryNumber("ARm", "recall", area="medium", limit=20),
    SummaryNumber("ARl", "recall", area="large", limit=20),
)


def summary_rows(settings: Settings) -> tuple[SummaryNumber, ...]:
    """pycocotools' numbers of the task: twelve, or ten of keypoints."""
    return KEYPOINT_NUMBERS if settings.task == "keypoints" else COCO_NUMBERS


def report_of(tables: Tables, settings: Settings) -> dict[str, Any]:
    """The evaluation report of tables, over the categories of the settings."""
    return evaluation_report(evaluate_tables(only_categories(tables, settings.categories), settings))


def evaluation_report(evaluation: Evaluation) -> dict[str, Any]:
    """The one object that `qm evaluate --json` prints and every table is rendered from."""
    settings, tables = evaluation.settings, evaluation.tables
    return {
        "task": settings.task,
        "task_found": settings.measure.found,
        **_parameters(settings),
        "convention": settings.convention,
        "iou": settings.iou,
        "confidence": settings.confidence,
        "max_detections": list(settings.max_detections),
        "images": tables.count("image"),
        "labels": int(evaluation.outcomes.label_counts.sum()),
        "crowd": int((~evaluation.outcomes.label_counts).sum()),
        "predictions": tables.count("prediction"),
        "metrics": {**_summary_numbers(evaluation), **_count_numbers(evaluation)},
        "categories": _categories(evaluation),
        "confusion": _confusion(evaluation),
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
    return {n.name: _mean(_values(curves, n, evaluation)) for n in (*summary_rows(settings), *chosen)}


def _parameters(settings: Settings) -> dict[str, Any]:
    """What else the task is computed with."""
    measure = settings.measure
    if settings.task == "keypoints":
        return {"sigmas": list(measure.sigmas), "pycocotools_area": measure.pycocotools_area}
    if settings.task == "segm":
        return {"pycocotools_area": measure.pycocotools_area}
    if settings.task == "obb":
        return {"angle": measure.angle}
    return {"buffer": measure.buffer} if settings.task in ("polyline", "point") else {}


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


def _mean(values: FloatArray) -> float | None:
    """Mean of the defined values, summed in pycocotools' order; None when there are none."""
    defined = values[~np.isnan(values)]
    return float(np.mean(defined)) if len(defined) else None


def _count_numbers(evaluation: Evaluation) -> dict[str, float | int | None]:
    counts = category_counts(evaluation.tables, evaluation.outcomes)
    total = counts.total()
    micro = {name: _number(getattr(total, name)[0]) for name in ("precision", "recall", "f1")}
    macro = {f"{name}_macro": _mean(getattr(counts, name)) for name in ("precision", "recall", "f1")}
    sums = {name: int(getattr(total, name)[0]) for name in ("true_positives", "false_positives", "false_negatives")}
    return {**micro, **macro, **sums}


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _categories(evaluation: Evaluation) -> list[dict[str, Any]]:
    """One row per category, in the order of the label file."""
    tables, curves = evaluation.tables, evaluation.average_precision
    counts = category_counts(tables, evaluation.outcomes)
    labels = np.bincount(
        tables.values("label", "category_row")[evaluation.outcomes.label_counts], minlength=tables.count("category")
    )
    predictions = np.bincount(tables.values("prediction", "category_row"), minlength=tables.count("category"))
    numbers = {number.name: number for number in summary_rows(evaluation.settings)}
    shown = ("AP", "AP50", "AP75", recall_name(evaluation.settings.task))
    means = {name: _category_means(_values(curves, numbers[name], evaluation)) for name in shown}
    rates = {name: getattr(counts, name) for name in ("precision", "recall", "f1")}
    sums = {name: getattr(counts, name) for name in ("true_positives", "false_positives", "false_negatives")}
    return [
        {
            "id": identifier,
            "name": name,
            "labels": int(labels[row]),
            "predictions": int(predictions[row]),
            **{metric: _number(values[row]) for metric, values in {**means, **rates}.items()},
            **{metric: int(values[row]) for metric, values in sums.items()},
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
    if not evaluation.outcomes.label_counts.any():
        notes.append("no label counts: AP, AR and recall are undefined")
    if tables.count("prediction") == 0:
        zeros = "AP and recall are 0, " if evaluation.outcomes.label_counts.any() else ""
        notes.append(f"no predictions: {zeros}precision is undefined")
    limit = max(settings.max_detections)
    kept = within_max_detections(tables, evaluation.matches.order, limit)
    cut = 0 if kept is None else int(np.count_nonzero(~kept))
    if cut:
        notes.append(f"{cut} predictions beyond {limit} an image and category are left out of AP and AR")
    if settings.categories:
        notes.append(f"only the categories {', '.join(settings.categories)}")
    return notes
