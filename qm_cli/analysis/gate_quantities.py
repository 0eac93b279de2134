"""Which number of an evaluation a check is about, with every threshold settled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.gate_checks import Check, Scope, ThresholdFile, is_count
from qm_cli.analysis.summary_numbers import summary_numbers
from qm_cli.errors import UsageError, nearest
from qm_cli.settings import AreaRange, Settings

MACRO = "_macro"
RATES = ("precision", "recall", "f1")
OUTCOME_COUNTS = ("true_positives", "false_positives", "false_negatives")
SCOPED_COUNTS = ("images", "labels", "predictions", *OUTCOME_COUNTS)
MEASURED_RATES = (*RATES, *(f"{name}{MACRO}" for name in RATES))
AP, AR = "AP", "AR"
LABEL_NUMBERS = ("recall", f"recall{MACRO}", "labels", "true_positives", "false_negatives", AR)
"""What is told where nothing is known of predictions that match nothing."""


class CurveNumber(Struct, frozen=True):
    """A number read off precision and recall over all scores. threshold: None is the mean over all; size: a name."""

    kind: str
    threshold: float | None = None
    size: str | None = None


AT_IOU = {"AP_at_iou": AP, "AR_at_iou": AR}


def curve_numbers(settings: Settings) -> dict[str, CurveNumber]:
    """The report's AP and AR numbers by name, but for those at fewer detections than the most.

    >>> list(curve_numbers(Settings()))
    ['AP', 'AP50', 'AP75', 'APs', 'APm', 'APl', 'AR100', 'ARs', 'ARm', 'ARl']
    """
    most, whole = max(settings.max_detections), settings.area_ranges[0].name
    return {
        one.name: CurveNumber(
            AP if one.kind == "precision" else AR, one.threshold, None if one.area == whole else one.area
        )
        for one in summary_numbers(settings)
        if one.limit == most
    }


def measured_names(settings: Settings) -> tuple[str, ...]:
    """Every number that can be told of a slice or a size."""
    return (*curve_numbers(settings), *AT_IOU, *MEASURED_RATES, *SCOPED_COUNTS)


class Population(Struct, frozen=True):
    """Which labels count: those of a size, in a slice (None is all); predictions as they match, or by their own."""

    size: AreaRange
    slice: str | None = None


Confidences = tuple[float | None, ...]
"""The lowest score that counts of each category, None where none serves."""


def lowest_scores(own: Confidences) -> npt.NDArray[np.float64]:
    """The same as numbers, inf where nothing is kept: float64[categories].

    >>> lowest_scores((0.5, None)).tolist()
    [0.5, inf]
    """
    return np.array([np.inf if one is None else one for one in own], np.float64)


class Quantity(Struct, frozen=True):
    """kind: AP, AR, one of MEASURED_RATES or SCOPED_COUNTS; thresholds: of AP and AR; iou, confidence: of the rest.

    category: row, None for all. confidence: of all categories, or each its own; a category without one keeps nothing
    and has no number of its own.
    """

    kind: str
    population: Population
    category: int | None = None
    thresholds: tuple[float, ...] = ()
    iou: float = 0.5
    confidence: float | Confidences = 0.5

    @property
    def is_curve(self) -> bool:
        return self.kind in (AP, AR)

    @property
    def has_interval(self) -> bool:
        return not is_count(self.kind)

    @property
    def is_unserved(self) -> bool:
        """Whether it is of a category that has no confidence."""
        if self.category is None or not isinstance(self.confidence, tuple):
            return False
        return self.confidence[self.category] is None


def quantity_of(
    check: Check, settings: Settings, category: int | None, own: Mapping[ThresholdFile, Confidences] | None = None
) -> Quantity | None:
    """What to measure for a check; None for a number that only the report has. Raises UsageError for idle scopes.

    An IoU makes of AP and AR those at that IoU alone; a size makes of AP what the report calls APs and the like.
    own: what the files of thresholds say that checks name.
    """
    metric, scope = check.metric, check.scope
    if is_count(metric) or metric in MEASURED_RATES:
        return _counted(check, settings, category, own or {})
    if metric in AT_IOU or metric in curve_numbers(settings):
        return _curve(check, settings, category)
    for name in ("slice", "size"):
        if getattr(scope, name) is not None:
            known = measured_names(settings)
            hint = nearest(metric, list(known)) or f"there are {', '.join(known)}"
            raise UsageError(f"{check.where}: {metric} cannot be told of a {name}", hint)
    return None


def _counted(
    check: Check, settings: Settings, category: int | None, own: Mapping[ThresholdFile, Confidences]
) -> Quantity | None:
    scope = check.scope
    if check.metric not in measured_names(settings):
        if scope.slice is not None or scope.size is not None:
            raise UsageError(f"{check.where}: {check.metric} cannot be told of a slice or size", "leave it out")
        return None
    if check.metric.endswith(MACRO) and category is not None:
        raise UsageError(
            f"{check.where}: {check.metric} is a mean over categories",
            f"of one category write {check.metric.removesuffix(MACRO)}",
        )
    return Quantity(
        check.metric,
        Population(size_named(check, settings), scope.slice),
        category,
        iou=settings.iou if scope.iou is None else scope.iou,
        confidence=_confidence(scope, settings, own),
    )


def _confidence(scope: Scope, settings: Settings, own: Mapping[ThresholdFile, Confidences]) -> float | Confidences:
    if isinstance(scope.confidence, ThresholdFile):
        return own[scope.confidence]
    return settings.confidence if scope.confidence is None else scope.confidence


def _curve(check: Check, settings: Settings, category: int | None) -> Quantity:
    metric, scope = check.metric, check.scope
    if scope.confidence is not None:
        raise UsageError(f"{check.where}: {metric} is of all confidences", "leave confidence out")
    if metric in AT_IOU:
        at = settings.iou if scope.iou is None else scope.iou
        return Quantity(AT_IOU[metric], Population(size_named(check, settings), scope.slice), category, (at,))
    number = curve_numbers(settings)[metric]
    if number.threshold is not None and scope.iou is not None:
        fixed = f"{metric} is at {scope.measure} {number.threshold:g}"
        raise UsageError(f"{check.where}: {fixed}", f"write AP for one at another {scope.measure}")
    if number.size is not None and scope.size is not None:
        raise UsageError(f"{check.where}: {metric} has a size", f"write {number.kind} for one of another size")
    if number.threshold is not None:
        thresholds: tuple[float, ...] = (number.threshold,)
    else:
        thresholds = settings.iou_thresholds if scope.iou is None else (scope.iou,)
    size = size_named(check, settings) if number.size is None else _size(check, settings, number.size)
    return Quantity(number.kind, Population(size, scope.slice), category, thresholds)


def size_named(check: Check, settings: Settings) -> AreaRange:
    """The size of a check's labels; the first of the settings, all, where it names none."""
    size = check.scope.size
    if isinstance(size, AreaRange):
        return size
    return settings.area_ranges[0] if size is None else _size(check, settings, size)


def _size(check: Check, settings: Settings, name: str) -> AreaRange:
    known = {limits.name: limits for limits in settings.area_ranges}
    if name not in known:
        raise UsageError(f"{check.where}: there is no size {name!r}", _sizes_hint(name, list(known)))
    return known[name]


def _sizes_hint(name: str, known: Sequence[str]) -> str:
    return nearest(name, list(known)) or f"there are {', '.join(known)}; or write [low, high] in square pixels"
