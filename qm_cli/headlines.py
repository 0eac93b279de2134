"""Which numbers of an evaluation report are shown where not all of them fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qm_cli.analysis.summary_numbers import last_recall
from qm_cli.settings import measure_name

RATES = ("precision", "recall", "f1")
COUNTED = (*RATES, "f_beta", "mean_iou", "true_positives", "false_positives", "false_negatives")
OF_ANSWERS = {
    "classification": ("accuracy", "balanced_accuracy", "precision_macro", "recall_macro", "f1_macro"),
    "multilabel": ("accuracy", "hamming_loss", "precision", "recall", "f1", "f1_macro"),
    "text": ("precision", "recall", "f1", "precision_exact", "recall_exact", "f1_exact"),
}
OF_ANSWER_CATEGORIES = ("precision", "recall", "f1", "roc_auc", "average_precision")
OWN_CONFIDENCE = "each question's own confidence"


def own_numbers(report: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the numbers that the report's convention defines itself, beside what all of them count."""
    return tuple(name for name in report["definitions"] if name.removesuffix("_macro") not in COUNTED)


def headline(report: Mapping[str, Any], values: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the numbers to show, of those in `values` (the report's metrics, or the row of a category).

    Of classes and text entities the task's; of COCO the usual ones; of every other convention the ones it defines;
    and precision, recall and F1.

    >>> headline({"task": "bbox", "convention": "voc12", "definitions": {"mAP": "", "AP": ""}}, {"AP": 1.0})
    ('AP', 'precision', 'recall', 'f1')
    >>> headline({"task": "bbox", "convention": "coco", "max_detections": [1, 300]}, {})
    ('AP', 'AP50', 'AP75', 'AR300', 'precision', 'recall', 'f1')
    """
    if report["task"] in OF_ANSWERS:
        return tuple(name for name in OF_ANSWERS[report["task"]] if name in values)
    if report["convention"] == "coco":
        return ("AP", "AP50", "AP75", last_recall(report["max_detections"], report["task"]), *RATES)
    own = (name for name in own_numbers(report) if name in values)
    return (*(name for name in own if not name.startswith(("true_", "false_"))), *RATES)


def category_headline(report: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the numbers to show of each category; of classes and text entities a category may lack some."""
    rows = report["categories"]
    if report["task"] in OF_ANSWERS:
        return tuple(name for name in OF_ANSWER_CATEGORIES if any(name in row for row in rows))
    return headline(report, rows[0] if rows else {})


def thresholds(report: Mapping[str, Any]) -> str:
    """The IoU (of keypoints the similarity) and the confidence that counts are at, those there are.

    >>> thresholds({"iou": 0.5, "confidence": 0.25}), thresholds({"task": "keypoints", "iou": 0.5, "confidence": None})
    ('IoU 0.5, confidence 0.25', 'OKS 0.5')
    """
    named = ((measure_name(report.get("task")), report["iou"]), ("confidence", report["confidence"]))
    return ", ".join(f"{name} {value:g}" for name, value in named if value is not None) or OWN_CONFIDENCE
