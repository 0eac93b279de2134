"""What became of every label and every detection between two models on the same labels."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import replace

from qm_cli.analysis.counts import Outcomes
from qm_cli.arrays import to_arrow
from qm_cli.kernels.assignment import greedy_one_to_one
from qm_cli.kernels.segments import expand
from qm_cli.overlap import overlap, prediction_areas
from qm_cli.settings import Settings
from qm_cli.tables import Tables

RowArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
CodeArray = npt.NDArray[np.int8]

LABEL_CHANGES = ("still_found", "fixed", "broken", "still_missed")
DETECTION_CHANGES = ("kept", "flipped_category", "new_false_positive", "gone_false_positive")
KEPT, FLIPPED, NEW, GONE = range(4)
PAIRS_AT_ONCE = 1 << 20


class Changes(Struct, frozen=True):
    """Codes are places in LABEL_CHANGES and DETECTION_CHANGES, −1 for what does not count.

    label: int8[labels]; first, second: int8[predictions] of either model.
    partner: the first model's detection that each of the second's stands for, −1 for none, int64[second's].
    """

    label: CodeArray
    first: CodeArray
    second: CodeArray
    partner: RowArray


def changes(a: Tables, b: Tables, found_a: Outcomes, found_b: Outcomes, settings: Settings) -> Changes:
    """Labels by who found them; detections by their partner: one-to-one by falling IoU, of the same category first.

    A false positive is new (or gone) unless the other model has it too; what changed nothing but its category is
    flipped.
    """
    beside = _beside(a, b)
    same_a, same_b = _partners(beside, np.flatnonzero(found_a.counted), np.flatnonzero(found_b.counted), settings.iou)
    rest_a, rest_b = _without(found_a.counted, same_a), _without(found_b.counted, same_b)
    flip_a, flip_b = _partners(beside, rest_a, rest_b, settings.iou, across=True)
    first = _detections(found_a, same_a, found_b.false_positive[same_b], flip_a, GONE)
    second = _detections(found_b, same_b, found_a.false_positive[same_a], flip_b, NEW)
    partner = np.full(len(second), -1, np.int64)
    partner[same_b], partner[flip_b] = same_a, flip_a
    return Changes(_labels(found_a, found_b), first, second, partner)


def _labels(found_a: Outcomes, found_b: Outcomes) -> CodeArray:
    before, after = found_a.matched_prediction >= 0, found_b.matched_prediction >= 0
    code = np.where(before, np.where(after, 0, 2), np.where(after, 1, 3)).astype(np.int8)
    code[~found_a.label_counts] = -1
    return code


def _detections(found: Outcomes, paired: RowArray, wrong_too: BoolArray, flipped: RowArray, alone: int) -> CodeArray:
    """Codes of one model's detections; wrong_too: whether the partner of each paired one is a false positive too."""
    unshared = found.false_positive.copy()
    unshared[paired[wrong_too]] = False
    code = np.where(found.counted, np.where(unshared, alone, KEPT), -1).astype(np.int8)
    code[flipped] = FLIPPED
    return code


def _without(counted: BoolArray, taken: RowArray) -> RowArray:
    left = counted.copy()
    left[taken] = False
    return np.flatnonzero(left)


def _beside(a: Tables, b: Tables) -> Tables:
    """The first model's predictions in the place of labels, so that overlaps of both are the task's own."""
    place = a.prediction.append_column("area", to_arrow(prediction_areas(a)))
    place = place.append_column("iscrowd", to_arrow(np.zeros(len(place), bool)))
    views = {key: view for key, view in b._views.items() if key[0] == "prediction"}
    return replace(b, label=place, _views=views)


def _partners(
    beside: Tables, rows_a: RowArray, rows_b: RowArray, iou: float, across: bool = False
) -> tuple[RowArray, RowArray]:
    """Rows of both that stand for each other. across: pairs of any category instead of the same one."""
    sides = (("label", rows_a), ("prediction", rows_b))
    cell_a, cell_b = (_cells(beside, level, rows, across) for level, rows in sides)
    by_cell = np.argsort(cell_a, kind="stable")
    rows_a, cell_a = rows_a[by_cell], cell_a[by_cell]
    start = np.searchsorted(cell_a, cell_b, side="left")
    counts = np.searchsorted(cell_a, cell_b, side="right") - start
    total = np.cumsum(counts)
    whole = int(total[-1]) if len(total) else 0
    bounds = np.unique(np.append(np.searchsorted(total, np.arange(0, whole, PAIRS_AT_ONCE)), len(rows_b)))
    stretches = [slice(low, high) for low, high in pairwise(bounds)]
    parts = [
        _near(beside, rows_a[expand(start[part], counts[part])], np.repeat(rows_b[part], counts[part]), iou)
        for part in stretches
    ]
    if not parts:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    left, right, overlap = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((left, right, -beside.values("prediction", "score")[right], -overlap))
    left, right = left[order], right[order]
    taken = greedy_one_to_one(left, right)
    return left[taken], right[taken]


def _cells(tables: Tables, level: str, rows: RowArray, across: bool) -> RowArray:
    image = tables.values(level, "image_row")[rows].astype(np.int64)
    if across:
        return image
    cells: RowArray = image * tables.count("category") + tables.values(level, "category_row")[rows]
    return cells


def _near(
    beside: Tables, left: RowArray, right: RowArray, iou: float
) -> tuple[RowArray, RowArray, npt.NDArray[np.float64]]:
    least = min(iou, 1 - 1e-10)
    found = overlap(beside, beside.measure.task, left, right, lowest=least)
    near = np.flatnonzero(found >= least)
    return left[near], right[near], found[near]


def size_of(area: npt.NDArray[np.float64], settings: Settings) -> npt.NDArray[np.int64]:
    """Place in `settings.area_ranges` of the first named range an area lies in, 0 where none: int64[n]."""
    size = np.zeros(len(area), np.int64)
    for place in range(len(settings.area_ranges) - 1, 0, -1):
        limits = settings.area_ranges[place]
        size[(area >= limits.low) & (area <= limits.high)] = place
    return size
