"""COCO (reference: pycocotools 2.0.11): greedy by score within image and category, 101-point AP, mean recall."""

from __future__ import annotations

from qm_cli.analysis.average_precision import AveragePrecision, average_precision
from qm_cli.analysis.coco_numbers import (
    COCO_NUMBERS,
    SummaryNumber,
    category_means,
    definition,
    mean_of_defined,
    summary_values,
)
from qm_cli.analysis.confusion import confusion_matrix
from qm_cli.analysis.counts import outcomes
from qm_cli.evaluated import Evaluation, Numbers
from qm_cli.matching import Matches, match_tables, within_max_detections
from qm_cli.settings import Settings
from qm_cli.tables import Tables

OF_CATEGORY = ("AP", "AP50", "AP75", "AR100")


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
        f"IoU ≥ {settings.iou:g}, confidence ≥ {settings.confidence:g}",
        coco=matches,
        curves=curves,
        max_detections=settings.max_detections,
        notes=_notes(tables, matches, settings),
    )


def _numbers(curves: AveragePrecision, settings: Settings) -> Numbers:
    chosen = (SummaryNumber("AP_at_iou", "precision", settings.iou), SummaryNumber("AR_at_iou", "recall", settings.iou))
    values = {number.name: summary_values(curves, number, settings) for number in (*COCO_NUMBERS, *chosen)}
    return Numbers(
        {name: mean_of_defined(part) for name, part in values.items()},
        {name: category_means(values[name]) for name in OF_CATEGORY},
        {number.name: definition(number, settings, "an image and category") for number in (*COCO_NUMBERS, *chosen)},
    )


def _notes(tables: Tables, matches: Matches, settings: Settings) -> tuple[str, ...]:
    limit = max(settings.max_detections)
    kept = within_max_detections(tables, matches.order, limit)
    cut = 0 if kept is None else int((~kept).sum())
    return (f"{cut} predictions beyond {limit} an image and category are left out of AP and AR",) if cut else ()
