"""Which numbers of an evaluation report are shown where not all of them fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RATES = ("precision", "recall", "f1")
COUNTED = (*RATES, "f_beta", "mean_iou", "true_positives", "false_positives", "false_negatives")


def own_numbers(report: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the numbers that the report's convention defines itself, beside what all of them count."""
    return tuple(name for name in report["definitions"] if name.removesuffix("_macro") not in COUNTED)


def headline(report: Mapping[str, Any], values: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the numbers to show, of those in `values` (the report's metrics, or the row of a category).

    Of COCO the usual ones; of every other convention the ones it defines; and precision, recall and F1.

    >>> headline({"convention": "voc12", "definitions": {"mAP": "", "AP": "", "f1": ""}}, {"AP": 1.0, "f1": 1.0})
    ('AP', 'precision', 'recall', 'f1')
    >>> headline({"convention": "coco", "max_detections": [1, 300]}, {})
    ('AP', 'AP50', 'AP75', 'AR300', 'precision', 'recall', 'f1')
    """
    if report["convention"] == "coco":
        return ("AP", "AP50", "AP75", f"AR{max(report['max_detections'])}", *RATES)
    own = (name for name in own_numbers(report) if name in values)
    return (*(name for name in own if not name.startswith(("true_", "false_"))), *RATES)
