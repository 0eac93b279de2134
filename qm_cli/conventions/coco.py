"""COCO (reference: pycocotools 2.0.11): greedy by score within image and category, 101-point AP, mean recall."""

from __future__ import annotations

from qm_cli.analysis.average_precision import AveragePrecision, average_precision, category_means, summary_values
from qm_cli.analysis.confusion import confusion_matrix
from qm_cli.analysis.counts import mean_of_defined, outcomes
from qm_cli.analysis.max_detections import cut_by_max_detections
from qm_cli.analysis.summary_numbers import (
    SummaryNumber,
    averaged_by_category,
    definition,
    reached,
    summary_numbers,
)
from qm_cli.confidence_rules import told
from qm_cli.evaluated import Evaluation, Numbers
from qm_cli.matching import Matches, match_tables
from qm_cli.settings import Settings, measure_name
from qm_cli.tables import Tables


def evaluate(tables: Tables, settings: Settings) -> Evaluation:
    """Match once, then read everything off the matches."""
    matches = match_tables(tables, settings)
    curves = average_precision(tables, matches, settings)
    found = outcomes(tables, matches, settings)
    return Evaluation(
        tables,
        settings,
        found,
        confusion_matrix(tables, found, settings),
        _numbers(curves, settings),
        f"{reached(settings.iou, task=settings.task)}, {told(settings)}",
        coco=matches,
        curves=curves,
        max_detections=settings.max_detections,
        notes=_notes(tables, matches, settings),
    )


def _numbers(curves: AveragePrecision, settings: Settings) -> Numbers:
    limit = max(settings.max_detections)
    numbers = (
        *summary_numbers(settings),
        SummaryNumber("AP_at_iou", "precision", settings.iou, limit=limit),
        SummaryNumber("AR_at_iou", "recall", settings.iou, limit=limit),
    )
    values = {number.name: summary_values(curves, number, settings) for number in numbers}
    return Numbers(
        {name: mean_of_defined(part) for name, part in values.items()},
        {name: category_means(values[name]) for name in averaged_by_category(settings)},
        {number.name: definition(number, settings, "an image and category") for number in numbers},
    )


def _notes(tables: Tables, matches: Matches, settings: Settings) -> tuple[str, ...]:
    cut = cut_by_max_detections(tables, matches, settings)
    if cut is None:
        return ()
    beyond = f"{cut.predictions} predictions beyond {max(settings.max_detections)} an image and category"
    at = f"{measure_name(settings.task)} {settings.iou:g}"
    lost = f"images: {cut.images}, true positives lost at {at}: {cut.true_positives}"
    return (f"{beyond} are left out of AP and AR ({lost})",)
