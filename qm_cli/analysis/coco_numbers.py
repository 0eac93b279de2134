"""COCO's twelve numbers as rows of data, and how each is read off the precision and recall arrays."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.average_precision import AveragePrecision
from qm_cli.settings import IOU_THRESHOLDS, Settings

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SummaryNumber:
    """threshold: None is the mean over all; limit: max detections."""

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


def summary_values(curves: AveragePrecision, number: SummaryNumber, settings: Settings) -> FloatArray:
    """The part of the precision or recall array a number is the mean of; the category axis is the last."""
    area = [limits.name for limits in settings.area_ranges].index(number.area)
    thresholds = settings.iou_thresholds if number.threshold is None else (number.threshold,)
    lanes = [
        lane for lane in range(len(curves.area)) if curves.area[lane] == area and curves.threshold[lane] in thresholds
    ]
    if number.kind == "precision":
        return curves.precision[lanes]
    recall: FloatArray = curves.recall[settings.max_detections.index(number.limit)][lanes]
    return recall


def mean_of_defined(values: FloatArray) -> float | None:
    """Mean of the defined values, summed in pycocotools' order; None when there are none.

    >>> mean_of_defined(np.array([1.0, np.nan])), mean_of_defined(np.array([np.nan]))
    (1.0, None)
    """
    defined = values[~np.isnan(values)]
    return float(np.mean(defined)) if len(defined) else None


def category_means(values: FloatArray) -> FloatArray:
    """Mean over thresholds and recall grid per category; NaN where the category has no label: float64[categories]."""
    flat = values.reshape(math.prod(values.shape[:-1]), values.shape[-1])
    undefined = np.isnan(flat).all(0)
    means = np.where(undefined, 0.0, flat).mean(0) if len(flat) else np.full(values.shape[-1], np.nan)
    return np.where(undefined, np.nan, means)


def definition(number: SummaryNumber, settings: Settings, capped: str) -> str:
    """What a number is the mean of, in words. capped: what max detections are counted in."""
    what = "average precision over 101 recalls" if number.kind == "precision" else "average recall"
    thresholds = settings.iou_thresholds if number.threshold is None else (number.threshold,)
    area = "" if number.area == "all" else f", {number.area} labels"
    return f"{what}, IoU ≥ {_listed(thresholds)}{area}, best {number.limit} detections {capped}"


def _listed(thresholds: Iterable[float]) -> str:
    values = tuple(thresholds)
    return "0.5:0.05:0.95" if values == IOU_THRESHOLDS else ", ".join(f"{value:g}" for value in values)
