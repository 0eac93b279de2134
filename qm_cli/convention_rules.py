"""Every convention as settings of the same parameters, so that a gap between two can be walked one parameter at a time.

A parameter is a field of `Rules`; the order of the fields is the order of every walk.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from qm_cli.confidence_rules import sign
from qm_cli.conventions import lvis
from qm_cli.settings import AREA_RANGES, IOU_THRESHOLDS, Settings

PRECISION, COUNTED = "average precision", ("precision", "recall", "f1")
"""The numbers that gaps are told of."""
CELL, IMAGE = "an image and category", "an image"
COCO_POINTS, SEVEN_POINTS, TWELVE_POINTS = "101 recalls", "11 recalls", "all recalls"
ENCORD_POINTS, ULTRALYTICS_POINTS = "101 recalls with an epsilon", "101 recalls, straight lines"
NO_CURVE = "no curve"
ONE_EACH, MANY, ALIKE = "one each, crowds any number", "any number", "tried like the others"
ANY_AREA, FIELD_AREA = "any area", f"area ≤ {AREA_RANGES[0].high:g} px²"
FILLED_AREA = f"0 < {FIELD_AREA}"
BOUNDED, REACHED, ABOVE = "IoU ≥ min(t, 1 − 1e-10)", "IoU ≥ t", "IoU > t"
FREE, BEST = "any that is free", "only the one overlapped most"
BY_SCORE, BY_OVERLAP = "predictions by falling score", "pairs by falling overlap"
LATER, EARLIER, LABEL_FIRST = "score, then later label", "score, then earlier label", "earlier label, then prediction"


class Rules(Struct, frozen=True):
    """How a number comes about; a field is a parameter.

    thresholds: of IoU. points: how the curve becomes a number. most: predictions taken, of what (0: all). minimum: the
    sign and the score that predictions must have, None for any. uncounted: flags of labels that do not count.
    ignoring: how many predictions one of those excuses. judged: LVIS's judged and open categories. area: the labels
    that count, by their area. pixel: boxes hold their last pixel. reach: the IoU that matches. crossing: pairs of
    different categories are matched too, and both ends are wrong. tries: the labels a prediction can take. order: who
    chooses first. ties: who comes first among equal overlaps.
    """

    thresholds: tuple[float, ...] = IOU_THRESHOLDS
    points: str = COCO_POINTS
    most: tuple[int, str] = (100, CELL)
    minimum: tuple[str, float] | None = None
    uncounted: tuple[str, ...] = ("iscrowd",)
    ignoring: str = ONE_EACH
    judged: bool = False
    area: str = FIELD_AREA
    pixel: bool = False
    reach: str = BOUNDED
    crossing: bool = False
    tries: str = FREE
    order: str = BY_SCORE
    ties: str = LATER


ALL = (0, IMAGE)
_ENCORD = Rules(
    (0.5,), ENCORD_POINTS, ALL, None, ("iscrowd", "ignore"), MANY, False, ANY_AREA, False, REACHED, False, BEST
)
_VOC = replace(
    _ENCORD, uncounted=("iscrowd", "difficult", "ignore"), ignoring=ALIKE, pixel=True, reach=ABOVE, ties=EARLIER
)
_LABELBOX = replace(_ENCORD, points=NO_CURVE, reach=ABOVE, crossing=True, tries=FREE, order=BY_OVERLAP, ties=EARLIER)
RULES = {
    "coco": Rules(),
    "voc07": replace(_VOC, points=SEVEN_POINTS),
    "voc12": replace(_VOC, points=TWELVE_POINTS),
    "encord": replace(_ENCORD, ties=EARLIER),
    "ultralytics": replace(_ENCORD, thresholds=IOU_THRESHOLDS, points=ULTRALYTICS_POINTS),
    "lvis": Rules(most=(lvis.BEST_OF_IMAGE, IMAGE), uncounted=("ignore",), judged=True, area=FILLED_AREA),
}
"""Average precision of the conventions that define it. VOC and Encord have one threshold, that of the settings."""
COUNT_RULES = {
    **{name: replace(rules, points=NO_CURVE) for name, rules in RULES.items()},
    "coco": Rules(points=NO_CURVE, most=ALL),
    "labelbox": _LABELBOX,
    "labelbox-sdk": replace(_LABELBOX, crossing=False, ties=LABEL_FIRST),
    "ultralytics": replace(_ENCORD, points=NO_CURVE, reach=ABOVE, crossing=True, order=BY_OVERLAP),
}
"""Precision, recall and F1 of every convention; IoU and confidence are those of the settings."""

LABELS = {
    "thresholds": "IoU thresholds",
    "points": "interpolation",
    "most": "max detections",
    "minimum": "minimum score",
    "uncounted": "labels left out",
    "ignoring": "predictions such a label excuses",
    "judged": "categories judged in an image",
    "area": "area rule",
    "pixel": "box arithmetic",
    "reach": "IoU rule",
    "crossing": "categories matched",
    "tries": "labels a prediction tries",
    "order": "matching order",
    "ties": "tie order of equal overlaps",
}
"""What each parameter is called, in the order of the fields."""
SCORE_TIES = ("tie order of equal scores", "image id, then input order")
ALONE = "categories with predictions only"
SAME_EVERYWHERE = {
    PRECISION: {SCORE_TIES[0]: SCORE_TIES[1], ALONE: "left out"},
    **{number: {SCORE_TIES[0]: SCORE_TIES[1], ALONE: "false positives"} for number in COUNTED},
}
"""Parameters that have one value under all conventions, by number."""
_TEXTS: dict[str, Callable[[Any], str]] = {
    "thresholds": lambda value: "0.5:0.05:0.95" if value == IOU_THRESHOLDS else f"{value[0]:g}",
    "most": lambda value: f"{value[0]} of {value[1]}" if value[0] else "all",
    "minimum": lambda value: f"{value[0]} {value[1]:g}" if value else "none",
    "uncounted": ", ".join,
    "judged": lambda value: "listed ones" if value else "all",
    "pixel": lambda value: "one pixel added" if value else "plain",
    "crossing": lambda value: "any" if value else "own",
}


def shown(rules: Rules, name: str) -> str:
    """The value of a parameter, in words.

    >>> shown(Rules(), "most"), shown(Rules(), "minimum")
    ('100 of an image and category', 'none')
    """
    value = getattr(rules, name)
    return _TEXTS[name](value) if name in _TEXTS else str(value)


def parameters(number: str) -> tuple[str, ...]:
    """The parameters that a number has, in the order of a walk."""
    return tuple(name for name in Rules.__struct_fields__ if name != "points" or number == PRECISION)


def precision_rules(settings: Settings) -> Rules | None:
    """What the settings' convention computes average precision by; None where it defines none."""
    rules = RULES.get(settings.convention)
    if rules is None:
        return None
    rules = rules if len(rules.thresholds) > 1 else replace(rules, thresholds=(settings.iou,))
    return _of_kit(rules, settings)


def count_rules(settings: Settings) -> Rules:
    """What the settings' convention counts by, at their IoU and confidence."""
    minimum = sign(settings.convention), settings.confidence
    return _of_kit(replace(COUNT_RULES[settings.convention], thresholds=(settings.iou,), minimum=minimum), settings)


def _of_kit(rules: Rules, settings: Settings) -> Rules:
    return replace(rules, reach=REACHED) if settings.voc_devkit else rules


def walk(first: Rules, last: Rules) -> list[tuple[str, Rules]]:
    """The rules after each parameter that differs is set to the last one's value, with its name."""
    steps, rules = [], first
    for name in Rules.__struct_fields__:
        if getattr(rules, name) != getattr(last, name):
            rules = replace(rules, **{name: getattr(last, name)})
            steps.append((name, rules))
    return steps
