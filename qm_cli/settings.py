"""Settings of an evaluation; the defaults are COCO's (pycocotools 2.0.11) and conventions' common ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import replace

from qm_cli.errors import UsageError, nearest

IOU_THRESHOLDS = tuple(np.linspace(0.5, 0.95, 10).tolist())
RECALL_GRID: npt.NDArray[np.float64] = np.linspace(0.0, 1.0, 101)


CONVENTIONS = ("coco", "labelbox", "labelbox-sdk", "voc07", "voc12", "encord", "ultralytics", "lvis")
OF_CLASSES = ("sklearn",)
"""Conventions that have rules for classes alone."""
COMMON_THRESHOLDS = {"iou": 0.5, "confidence": 0.5}
OWN_THRESHOLDS = {"ultralytics": {"iou": 0.45, "confidence": 0.25}}
"""IoU and confidence of the counts and the confusion matrix, where a convention has others than the common ones."""
SCORED_WITHOUT = {"labelbox": 1.0, "labelbox-sdk": 1.0}
"""The score of a prediction that has none, in the conventions that know one."""
FLAGS = {"label": ("ignore",)}
FIELDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "labelbox": FLAGS,
    "labelbox-sdk": FLAGS,
    "voc07": {"label": ("difficult", "ignore")},
    "voc12": {"label": ("difficult", "ignore")},
    "encord": FLAGS,
    "ultralytics": FLAGS,
    "lvis": {
        "label": ("ignore",),
        "image": ("neg_category_ids", "not_exhaustive_category_ids"),
        "category": ("frequency",),
    },
}
"""Fields of the label file, by level, that a convention reads beside COCO's."""

CONVENTION_FIELDS = {
    level: tuple(dict.fromkeys(name for fields in FIELDS.values() for name in fields.get(level, ())))
    for level in ("image", "category", "label")
}
"""The same of all conventions together: what a run keeps, so that it can be evaluated by any of them."""


class AreaRange(Struct, frozen=True):
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
"""Tasks of objects, those with a geometry."""
COCO_SIGMAS = tuple(
    value / 10
    for value in (0.26, 0.25, 0.25, 0.35, 0.35, 0.79, 0.79, 0.72, 0.72, 0.62, 0.62, 1.07, 1.07, 0.87, 0.87, 0.89, 0.89)
)
MAX_DETECTIONS = (1, 10, 100)
KEYPOINT_DETECTIONS = (20,)


class Measure(Struct, frozen=True):
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

    def parameters(self) -> dict[str, Any]:
        """What the task is computed with, by name."""
        if self.task == "keypoints":
            return {"sigmas": list(self.sigmas), "pycocotools_area": self.pycocotools_area}
        if self.task == "segm":
            return {"pycocotools_area": self.pycocotools_area}
        if self.task == "obb":
            return {"angle": self.angle}
        return {"buffer": self.buffer} if self.task in ("polyline", "point") else {}


BOXES = Measure()


GRID_STEPS = tuple(step / 10 for step in range(11))


class Grid(Struct, frozen=True):
    """Thresholds at which everything is counted, each confidence with each IoU; ascending, each in [0, 1].

    images: count for every image as well.
    """

    confidences: tuple[float, ...] = GRID_STEPS
    ious: tuple[float, ...] = GRID_STEPS
    images: bool = False


class Settings(Struct, frozen=True):
    """What an evaluation is computed with. Echoed in every output.

    iou: threshold of precision, recall, F1, counts and confusion, in [0, 1]; 0 means any overlap at all.
    confidence: predictions with a lower score do not count there, in [0, 1]; AP and AR use every prediction.
    categories: names or ids to keep; empty means all. task, measure: those of the tables (see `of`).
    calibration_bins: bins of confidence; of equal width, or with calibration_quantiles of equal count.
    voc_devkit: VOC's IoU ≥ threshold of the MATLAB kit, instead of the Python code's > threshold.
    answer_convention, answer_confidence, answer_task: as asked for, of classes and text; None is the task's own, and
    what the files hold.
    beta: of an F-beta beside F1; None for none. grid: further thresholds that are matched; None for none.
    Raises UsageError for a convention that is none.
    """

    task: str = "bbox"
    convention: str = "coco"
    iou: float = COMMON_THRESHOLDS["iou"]
    confidence: float = COMMON_THRESHOLDS["confidence"]
    iou_thresholds: tuple[float, ...] = IOU_THRESHOLDS
    area_ranges: tuple[AreaRange, ...] = AREA_RANGES
    max_detections: tuple[int, ...] = MAX_DETECTIONS
    categories: tuple[str, ...] = ()
    measure: Measure = BOXES
    calibration_bins: int = 10
    calibration_quantiles: bool = False
    voc_devkit: bool = False
    answer_convention: str | None = None
    answer_confidence: float | None = None
    answer_task: str | None = None

    def __post_init__(self) -> None:
        known = (*CONVENTIONS, *OF_CLASSES)
        if self.convention not in known:
            hint = nearest(self.convention, list(known)) or f"there are {', '.join(known)}"
            raise UsageError(f"--convention: there is no {self.convention!r}", hint)
        if self.voc_devkit and not self.convention.startswith("voc"):
            raise UsageError(f"--voc-devkit: convention {self.convention} knows no such kit", "add --convention voc12")

    beta: float | None = None
    grid: Grid | None = None

    def as_dict(self) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Settings:
        """The settings that `as_dict` gave, after a round trip through JSON."""
        known = set(cls.__struct_fields__)
        plain: dict[str, Any] = {
            name: tuple(v) if isinstance(v, list) else v for name, v in values.items() if name in known
        }
        ranges = tuple(AreaRange(**area) for area in values.get("area_ranges", ()))
        plain["area_ranges"] = ranges or AREA_RANGES
        measure = values.get("measure", {})
        plain["measure"] = Measure(**{**measure, "sigmas": tuple(measure.get("sigmas", COCO_SIGMAS))})
        grid = values.get("grid")
        plain["grid"] = Grid(tuple(grid["confidences"]), tuple(grid["ious"]), grid["images"]) if grid else None
        return cls(**plain)

    def of(self, measure: Measure) -> Settings:
        """These settings for what the tables are compared by; COCO's defaults become those of keypoints.

        Raises UsageError for a convention that does not compare such objects.
        """
        if not compares(self.convention, measure.task):
            raise UsageError(f"convention {self.convention} does not compare {measure.task}", "use --convention coco")
        changed: dict[str, Any] = {"task": measure.task, "measure": measure}
        if measure.task == "keypoints":
            if self.area_ranges == AREA_RANGES:
                changed["area_ranges"] = tuple(one for one in AREA_RANGES if one.name != "small")
            if self.max_detections == MAX_DETECTIONS:
                changed["max_detections"] = KEYPOINT_DETECTIONS
        return replace(self, **changed)

    def at(
        self,
        convention: str | None = None,
        iou: float | None = None,
        confidence: float | None = None,
        *,
        voc_devkit: bool = False,
    ) -> Settings:
        """These settings with what is given; between conventions of other thresholds the new one's take over."""
        chosen = convention or self.convention
        moved = OWN_THRESHOLDS.get(chosen) != OWN_THRESHOLDS.get(self.convention)
        own = OWN_THRESHOLDS.get(chosen, COMMON_THRESHOLDS) if moved else {}
        return replace(
            self,
            convention=chosen,
            iou=own.get("iou", self.iou) if iou is None else iou,
            confidence=own.get("confidence", self.confidence) if confidence is None else confidence,
            voc_devkit=voc_devkit or (self.voc_devkit and chosen.startswith("voc")),
        )

    @property
    def fields(self) -> Mapping[str, tuple[str, ...]]:
        """Fields of the label file, by level, that the convention reads beside COCO's."""
        return FIELDS.get(self.convention, {})

    def match_thresholds(self) -> tuple[float, ...]:
        """The IoU thresholds matching runs at: COCO's, then `iou` and the grid's if they are none of them."""
        more = (self.iou, *(self.grid.ious if self.grid else ()))
        return (*self.iou_thresholds, *dict.fromkeys(iou for iou in more if iou not in self.iou_thresholds))


def compares(convention: str, task: str) -> bool:
    """Whether a convention says how the objects of a task are compared: VOC knows boxes alone, COCO alone keypoints.

    >>> compares("voc12", "segm"), compares("lvis", "segm"), compares("lvis", "keypoints")
    (False, True, False)
    """
    return task == "bbox" if convention in ("voc07", "voc12") else task != "keypoints" or convention == "coco"


def measure_name(task: str | None) -> str:
    """What the overlap of two objects of a task is called: of keypoints their similarity.

    >>> measure_name("keypoints"), measure_name("segm"), measure_name(None)
    ('OKS', 'IoU', 'IoU')
    """
    return "OKS" if task == "keypoints" else "IoU"


def settings_at(
    convention: str | None = None, iou: float | None = None, confidence: float | None = None, **more: Any
) -> Settings:
    """Settings of a convention, COCO's if none is named; IoU and confidence are its own where they are not given.

    >>> settings_at("ultralytics").iou, settings_at("ultralytics", 0.6).iou, settings_at("coco").iou
    (0.45, 0.6, 0.5)
    """
    chosen = convention or Settings().convention
    given = {name: value for name, value in (("iou", iou), ("confidence", confidence)) if value is not None}
    return Settings(convention=chosen, **{**OWN_THRESHOLDS.get(chosen, {}), **given, **more})


def task_convention(asked: str | None, known: Sequence[str], what: str) -> str:
    """The convention asked for, else the first of those that have rules for `what`. Raises UsageError for another.

    >>> task_convention(None, ["sklearn", "labelbox"], "classes")
    'sklearn'
    """
    if asked is not None and asked not in known:
        raise UsageError(f"--convention {asked}: has no rule for {what}", f"there are {', '.join(known)}")
    return asked or known[0]


def missing_score(convention: str, given: float | None) -> float | None:
    """The score of predictions that have none: as given, else the convention's, if it knows one.

    >>> missing_score("labelbox", None), missing_score("coco", None), missing_score("coco", 0.5)
    (1.0, None, 0.5)
    """
    return SCORED_WITHOUT.get(convention) if given is None else given
