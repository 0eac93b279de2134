"""Counts, rates and confusion as data. Undefined is None."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.counts import Counts, mean_of_defined, ratio
from qm_cli.settings import measure_name

FloatArray = npt.NDArray[np.float64]

COUNTS = ("true_positives", "false_positives", "false_negatives")
ORIENTATION = "rows true, columns predicted"
NORMALISATIONS = ("true", "predicted", "all")


def number(value: float | np.generic) -> float | int | None:
    """The value as a plain number, None for NaN."""
    plain: float | int = value.item() if isinstance(value, np.generic) else value
    return None if plain != plain else plain


def rates_of(counts: Counts, iou_sum: FloatArray, beta: float | None) -> dict[str, FloatArray]:
    """Precision, recall, F1, F-beta where a beta is given, and mean IoU of the true positives, per group."""
    rates = {name: getattr(counts, name) for name in ("precision", "recall", "f1")}
    f_beta = {} if beta is None else {"f_beta": counts.f_beta(beta)}
    return {**rates, **f_beta, "mean_iou": ratio(iou_sum, counts.true_positives)}


def overall_numbers(counts: Counts, iou_sum: FloatArray, beta: float | None) -> dict[str, float | int | None]:
    """Rates over all objects (micro), their means over categories (macro), and the sums of the counts."""
    total = counts.total()
    macro = {f"{name}_macro": mean_of_defined(values) for name, values in rates_of(counts, iou_sum, beta).items()}
    overall = rates_of(total, iou_sum.sum(keepdims=True), beta)
    micro = {name: number(values[0]) for name, values in overall.items()}
    return {**micro, **macro, **{name: int(getattr(total, name)[0]) for name in COUNTS}}


def count_definitions(at: str, beta: float | None, task: str = "bbox") -> dict[str, str]:
    """What each of the overall numbers is. at: the IoU and confidence they are counted at, in words."""
    formulas = {"precision": "TP / (TP + FP)", "recall": "TP / (TP + FN)", "f1": "2 TP / (2 TP + FP + FN)"}
    if beta is not None:
        weight = f"{beta:g}²"
        formulas["f_beta"] = f"(1 + {weight}) TP / ((1 + {weight}) TP + FP + {weight} FN)"
    formulas["mean_iou"] = f"mean {measure_name(task)} of the true positives with their labels"
    macro = {f"{name}_macro": f"mean of the categories' {name}, undefined ones left out; {at}" for name in formulas}
    return {**{name: f"{formula}; {at}" for name, formula in formulas.items()}, **macro, **dict.fromkeys(COUNTS, at)}


def category_numbers(counts: Counts, iou_sum: FloatArray, beta: float | None) -> list[dict[str, float | int | None]]:
    """Rates and counts of each category."""
    rates = rates_of(counts, iou_sum, beta)
    return [
        {
            **{name: number(values[row]) for name, values in rates.items()},
            **{name: int(getattr(counts, name)[row]) for name in COUNTS},
        }
        for row in range(len(counts.true_positives))
    ]


def confusion_report(
    matrix: npt.NDArray[np.int64], names: Sequence[str], iou: float, confidence: float, normalise: str | None = None
) -> dict[str, Any]:
    """The matrix as its filled cells, largest first; None stands for no label or no prediction.

    normalise: each cell's share of its row ("true"), its column ("predicted") or of everything ("all"), as `share`.
    """
    named: list[str | None] = [*names, None]
    true, predicted = np.nonzero(matrix)
    counts = matrix[true, predicted]
    wholes = {"true": matrix.sum(1)[true], "predicted": matrix.sum(0)[predicted], "all": matrix.sum()}
    shares = None if normalise is None else counts / wholes[normalise]
    cells = [
        {
            "true": named[true[place]],
            "predicted": named[predicted[place]],
            "count": int(counts[place]),
            **({} if shares is None else {"share": float(shares[place])}),
        }
        for place in np.lexsort((predicted, true, -counts))
    ]
    told = {} if normalise is None else {"normalise": normalise}
    return {"orientation": ORIENTATION, "iou": iou, "confidence": confidence, **told, "cells": cells}
