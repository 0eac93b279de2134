"""Settings of an evaluation; the defaults are COCO's (pycocotools 2.0.11) and conventions' common ones."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
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


GRID_STEPS = tuple(step / 10 for step in range(11))


@dataclass(frozen=True)
class Grid:
    """Thresholds at which everything is counted, each confidence with each IoU; ascending, each in [0, 1].

    images: count for every image as well.
    """

    confidences: tuple[float, ...] = GRID_STEPS
    ious: tuple[float, ...] = GRID_STEPS
    images: bool = False


@dataclass(frozen=True)
class Settings:
    """What an evaluation is computed with. Echoed in every output.

    iou: threshold of precision, recall, F1, counts and confusion, in [0, 1]; 0 means any overlap at all.
    confidence: predictions with a lower score do not count there, in [0, 1]; AP and AR use every prediction.
    categories: names or ids to keep; empty means all.
    beta: of an F-beta beside F1; None for none. grid: further thresholds that are matched; None for none.
    """

    task: str = "bbox"
    convention: str = "coco"
    iou: float = 0.5
    confidence: float = 0.5
    iou_thresholds: tuple[float, ...] = IOU_THRESHOLDS
    area_ranges: tuple[AreaRange, ...] = AREA_RANGES
    max_detections: tuple[int, ...] = (1, 10, 100)
    categories: tuple[str, ...] = ()
    beta: float | None = None
    grid: Grid | None = None

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
        grid = values.get("grid")
        plain["grid"] = Grid(tuple(grid["confidences"]), tuple(grid["ious"]), grid["images"]) if grid else None
        return cls(**plain)

    def match_thresholds(self) -> tuple[float, ...]:
        """The IoU thresholds matching runs at: COCO's, then `iou` and the grid's if they are none of them."""
        more = (self.iou, *(self.grid.ious if self.grid else ()))
        return (*self.iou_thresholds, *dict.fromkeys(iou for iou in more if iou not in self.iou_thresholds))
