"""Which numbers of an evaluation report are shown where not all of them fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qm_cli.settings import recall_name

COCO = ("AP", "AP50", "AP75", "AR100", "precision", "recall", "f1")
COUNTED = ("_macro", "_positives", "_negatives")


def headline(report: Mapping[str, Any], values: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the numbers to show, of those in `values` (the report's metrics, or the row of a category).

    Of COCO the usual ones; of every other convention the ones it defines, and precision, recall and F1.

    >>> headline({"convention": "voc12", "definitions": {"mAP": "", "AP": "", "f1": ""}}, {"AP": 1.0, "f1": 1.0})
    ('AP', 'f1')
    """
    if report["convention"] == "coco":
        return tuple(recall_name(report["task"]) if name == "AR100" else name for name in COCO)
    names = (name for name in report["definitions"] if name in values)
    return tuple(name for name in names if not (name.endswith(COUNTED) or name.startswith("false_positives_")))
