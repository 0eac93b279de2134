"""Settings of an evaluation; the defaults are COCO's (pycocotools 2.0.11) and conventions' common ones."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

IOU_THRESHOLDS = tuple(np.linspace(0.5, 0.95, 10).tolist())
RECALL_GRID: npt.NDArray[np.float64] = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True)
class AreaRange:
    """Label areas in square pixels, closed at both ends."""

    name: str
    low: float
    high: float


AREA_RANGES = (
    AreaRange("all", 0.0, 1e10),
    AreaRange("small", 0.0, 32.0**2),
    AreaRange("medium", 32.0**2, 96.0**2),
    AreaRange("large", 96.0**2, 1e10),
)
TASKS = ("bbox", "segm", "keypoints", "obb", "polyline", "point")
COCO_SIGMAS = tuple(
    value / 10
    for value in (0.26, 0.25, 0.25, 0.35, 0.35, 0.79, 0.79, 0.72, 0.72, 0.62, 0.62, 1.07, 1.07, 0.87, 0.87, 0.89, 0.89)
)
MAX_DETECTIONS = (1, 10, 100)
KEYPOINT_DETECTIONS = (20,)


@dataclass(frozen=True)
class Measure:
    """What two objects are compared by.

    task: one of TASKS; found: how it was chosen, in words. sigmas: falloff of each keypoint. buffer: px around
    polylines and points. pycocotools_area: a prediction's area is its box's where the first prediction has one.
    angle: "degrees", counter-clockwise, or "radians", clockwise, of rotated boxes.
    """

    task: str = "bbox"
    found: str = "default"
    sigmas: tuple[float, ...] = COCO_SIGMAS
    buffer: float = 70.0
    pycocotools_area: bool = False
    angle: str = "degrees"


BOXES = Measure()


@dataclass(frozen=True)
class Settings:
    """What an evaluation is computed with. Echoed in every output.

    iou: threshold of precision, recall, F1, counts and confusion, in (0, 1].
    confidence: predictions with a lower score do not count there, in [0, 1]; AP and AR use every prediction.
    categories: names or ids to keep; empty means all. task, measure: those of the tables (see `of`).
    """

    task: str = "bbox"
    convention: str = "coco"
    iou: float = 0.5
    confidence: float = 0.5
    iou_thresholds: tuple[float, ...] = IOU_THRESHOLDS
    area_ranges: tuple[AreaRange, ...] = AREA_RANGES
    max_detections: tuple[int, ...] = MAX_DETECTIONS
    categories: tuple[str, ...] = ()
    measure: Measure = BOXES

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Settings:
        """The settings that `as_dict` gave, after a round trip through JSON."""
        known = {field.name for field in fields(cls)}
        plain: dict[str, Any] = {
            name: tuple(v) if isinstance(v, list) else v for name, v in values.items() if name in known
        }
        ranges = tuple(AreaRange(**area) for area in values.get("area_ranges", ()))
        plain["area_ranges"] = ranges or AREA_RANGES
        measure = values.get("measure", {})
        plain["measure"] = Measure(**{**measure, "sigmas": tuple(measure.get("sigmas", COCO_SIGMAS))})
        return cls(**plain)

    def of(self, measure: Measure) -> Settings:
        """These settings for what the tables are compared by; COCO's defaults become those of keypoints."""
        changed: dict[str, Any] = {"task": measure.task, "measure": measure}
        if measure.task == "keypoints":
            if self.area_ranges == AREA_RANGES:
                changed["area_ranges"] = tuple(one for one in AREA_RANGES if one.name != "small")
            if self.max_detections == MAX_DETECTIONS:
                changed["max_detections"] = KEYPOINT_DETECTIONS
        return replace(self, **changed)

    def match_thresholds(self) -> tuple[float, ...]:
        """The IoU thresholds matching runs at: COCO's, then `iou` if it is none of them."""
        return self.iou_thresholds if self.iou in self.iou_thresholds else (*self.iou_thresholds, self.iou)


def recall_name(task: str) -> str:
    """What average recall at the most detections is called: AR100; of keypoints, which have 20 of them, AR."""
    return "AR" if task == "keypoints" else "AR100"
