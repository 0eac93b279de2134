"""Which AP and AR numbers a report holds: COCO's twelve, or the like of them for other areas and max detections."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from qm_cli.settings import AREA_RANGES, IOU_THRESHOLDS, AreaRange, Settings, measure_name

MOST_DETECTIONS = 100
KEYPOINTS = "keypoints"


class SummaryNumber(Struct, frozen=True):
    """One number as a row of data. threshold: None is the mean over all; limit: max detections."""

    name: str
    kind: str
    threshold: float | None = None
    area: str = "all"
    limit: int = MOST_DETECTIONS


def summary_numbers(settings: Settings) -> tuple[SummaryNumber, ...]:
    """AP over all thresholds, at .5 and .75 and by area; AR by max detections and by area.

    The last three of them stand at the largest max detections, as every AP does.
    """
    limits = sorted(settings.max_detections)
    areas = settings.area_ranges[1:]
    return (
        SummaryNumber("AP", "precision", limit=limits[-1]),
        SummaryNumber("AP50", "precision", 0.5, limit=limits[-1]),
        SummaryNumber("AP75", "precision", 0.75, limit=limits[-1]),
        *(SummaryNumber(f"AP{suffix(area)}", "precision", area=area.name, limit=limits[-1]) for area in areas),
        *_recalls(limits, settings.task),
        *(SummaryNumber(f"AR{suffix(area)}", "recall", area=area.name, limit=limits[-1]) for area in areas),
    )


def _recalls(limits: Sequence[int], task: str) -> tuple[SummaryNumber, ...]:
    """AR at each of the limits; of keypoints at the last one, over all thresholds, at .5 and .75."""
    if task != KEYPOINTS:
        return tuple(SummaryNumber(f"AR{limit}", "recall", limit=limit) for limit in limits)
    thresholds = (("AR", None), ("AR50", 0.5), ("AR75", 0.75))
    return tuple(SummaryNumber(name, "recall", threshold, limit=limits[-1]) for name, threshold in thresholds)


def suffix(area: AreaRange) -> str:
    """What the numbers of an area end with: COCO's s, m, l, else the area's own name.

    >>> suffix(AREA_RANGES[1]), suffix(AreaRange("small", 0, 500))
    ('s', '_small')
    """
    return area.name[0] if area in AREA_RANGES[1:] else f"_{area.name}"


def last_recall(max_detections: Sequence[int], task: str = "bbox") -> str:
    """Name of the AR at the largest max detections; of keypoints it is AR alone.

    >>> last_recall([1, 10, 300]), last_recall([20], "keypoints")
    ('AR300', 'AR')
    """
    return "AR" if task == KEYPOINTS else f"AR{max(max_detections, default=MOST_DETECTIONS)}"


def averaged_by_category(settings: Settings) -> tuple[str, ...]:
    """Names of the numbers that each category has too."""
    return ("AP", "AP50", "AP75", last_recall(settings.max_detections, settings.task))


def definition(number: SummaryNumber, settings: Settings, capped: str) -> str:
    """What a number is the mean of, in words. capped: what max detections are counted in."""
    what = "average precision over 101 recalls" if number.kind == "precision" else "average recall"
    thresholds = settings.iou_thresholds if number.threshold is None else (number.threshold,)
    [area] = [area for area in settings.area_ranges if area.name == number.area]
    labels = "" if area == settings.area_ranges[0] else f", {area.name} labels ({_limits(area)})"
    return f"{what}, {reached(*thresholds, task=settings.task)}{labels}, best {number.limit} detections {capped}"


def reached(*thresholds: float, task: str = "bbox") -> str:
    """What an IoU, or the similarity of keypoints, has to be, in words; 0 is any overlap at all.

    >>> reached(0.5), reached(*IOU_THRESHOLDS), reached(0.0), reached(0.5, task="keypoints")
    ('IoU ≥ 0.5', 'IoU ≥ 0.5:0.05:0.95', 'IoU > 0', 'OKS ≥ 0.5')
    """
    name = measure_name(task)
    return f"{name} > 0" if thresholds == (0.0,) else f"{name} ≥ {_listed(thresholds)}"


def _listed(thresholds: Iterable[float]) -> str:
    values = tuple(thresholds)
    return "0.5:0.05:0.95" if values == IOU_THRESHOLDS else ", ".join(f"{value:g}" for value in values)


def _limits(area: AreaRange) -> str:
    return f"≥ {area.low:g} px²" if area.high == AREA_RANGES[0].high else f"{area.low:g} … {area.high:g} px²"
