"""Counts and costs of the error kinds as data, overall and per category."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.error_impact import ErrorImpact
from qm_cli.analysis.error_kinds import BACKGROUND_IOU, DETECTIONS_PER_IMAGE, ErrorKinds
from qm_cli.arrays import number_or_none
from qm_cli.error_names import KINDS, MISSED, REASONS
from qm_cli.settings import Settings
from qm_cli.tables import Tables


def error_report(
    tables: Tables, kinds: ErrorKinds, impact: ErrorImpact, reasons: npt.NDArray[np.int8], settings: Settings
) -> dict[str, Any]:
    """Per kind how many errors there are and the AP that mending them alone would add.

    A category's predictions are counted under the category they name, a missed label under its own.
    """
    counts = _counts(tables, kinds)
    gains = impact.category_gains
    identity = zip(tables.category["id"].to_pylist(), tables.category["name"].to_pylist(), strict=True)
    categories = [
        {
            "id": identifier,
            "name": name,
            "AP": number_or_none(impact.precision[row]),
            "kinds": _kinds(counts[:, row], gains[:, row]),
        }
        for row, (identifier, name) in enumerate(identity)
    ]
    why = np.bincount(reasons[reasons >= 0], minlength=len(REASONS)).tolist()
    return {
        "iou": settings.iou,
        "background_iou": BACKGROUND_IOU,
        "max_detections": DETECTIONS_PER_IMAGE,
        "AP": number_or_none(impact.mean),
        "kinds": _kinds(counts.sum(axis=1), impact.gains),
        "categories": categories,
        "false_positive_reasons": [
            {"reason": reason, "count": count} for reason, count in zip(REASONS, why, strict=True)
        ],
    }


def _counts(tables: Tables, kinds: ErrorKinds) -> npt.NDArray[np.int64]:
    """Errors of each kind and category: int64[kinds, categories]."""
    categories = tables.count("category")
    wrong = np.flatnonzero(kinds.prediction_kind >= 0)
    cell = kinds.prediction_kind[wrong] * np.int64(categories) + tables.values("prediction", "category_row")[wrong]
    counts = np.bincount(cell, minlength=len(KINDS) * categories).reshape(len(KINDS), categories)
    missed = tables.values("label", "category_row")[kinds.label_kind == MISSED]
    counts[MISSED] = np.bincount(missed, minlength=categories)
    return counts


def _kinds(counts: npt.NDArray[np.int64], gains: npt.NDArray[np.float64]) -> list[dict[str, Any]]:
    return [
        {"kind": kind, "count": int(counts[place]), "delta_AP": number_or_none(gains[place])}
        for place, kind in enumerate(KINDS)
    ]
