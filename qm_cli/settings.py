"""Settings of an evaluation; the defaults are COCO's (pycocotools 2.0.11) and conventions' common ones."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

IOU_THRESHOLDS = tuple(np.linspace(0.5, 0.95, 10).tolist())
OBJECT_HEADLINES = ("AP", "AP50", "AP75", "AR100", "precision", "recall", "f1")
HEADLINES = {
    "classification": ("accuracy", "balanced_accuracy", "precision_macro", "recall_macro", "f1_macro"),
    "multilabel": ("accuracy", "hamming_loss", "precision", "recall", "f1", "f1_macro"),
    "text": ("precision", "recall", "f1", "precision_exact", "recall_exact", "f1_exact"),
}
"""The metrics that stand for an evaluation where several are shown side by side; of objects where no task is named."""
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


@dataclass(frozen=True)
class Settings:
    """What an evaluation is computed with. Echoed in every output.

    iou: threshold of precision, recall, F1, counts and confusion, in (0, 1].
    confidence: predictions with a lower score do not count there, in [0, 1]; AP and AR use every prediction.
    categories: names or ids to keep; empty means all.
    answer_confidence: of classes; None is .5 where all that apply are asked for, and 0 where the best answer counts.
    """

    task: str = "bbox"
    convention: str = "coco"
    iou: float = 0.5
    confidence: float = 0.5
    iou_thresholds: tuple[float, ...] = IOU_THRESHOLDS
    area_ranges: tuple[AreaRange, ...] = AREA_RANGES
    max_detections: tuple[int, ...] = (1, 10, 100)
    categories: tuple[str, ...] = ()
    answer_confidence: float | None = None

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
        return cls(**plain)

    def match_thresholds(self) -> tuple[float, ...]:
        """The IoU thresholds matching runs at: COCO's, then `iou` if it is none of them."""
        return self.iou_thresholds if self.iou in self.iou_thresholds else (*self.iou_thresholds, self.iou)
