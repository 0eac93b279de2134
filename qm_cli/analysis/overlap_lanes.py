"""Pairs of any category matched one-to-one by falling IoU, a lane per confidence, good for every IoU threshold.

The pairs of an image are computed and sorted once; every confidence is a lane over them, and in a lane every IoU
threshold is a prefix.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.best_label import BestLabels, best_labels, excused_by
from qm_cli.analysis.counts import Outcomes, outcomes_of
from qm_cli.kernels.assignment import greedy_one_to_one
from qm_cli.label_flags import labels_that_count
from qm_cli.pairs import pairs_above
from qm_cli.settings import Settings
from qm_cli.tables import Tables

BoolArray = npt.NDArray[np.bool_]
RowArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


class Lane(Struct, frozen=True):
    """The pairs matched among the predictions of at least a confidence, by falling IoU: rows int64[n], iou float64[n].

    Categories may differ. Those matched at an IoU threshold are the first `count(threshold)`.
    """

    confidence: float
    prediction: RowArray
    label: RowArray
    iou: FloatArray

    def count(self, threshold: float) -> int:
        """How many pairs have an IoU > threshold."""
        return int(np.searchsorted(-self.iou, -threshold, side="left"))


class OverlapLanes(Struct, frozen=True):
    """What all lanes of one set of tables share.

    counts: labels that are neither crowd nor ignored, bool[labels]; ignored: of each prediction the best label of its
    category that does not count, None where all labels count.
    """

    tables: Tables
    lanes: tuple[Lane, ...]
    counts: BoolArray
    ignored: BestLabels | None

    def lane(self, confidence: float) -> Lane:
        """The lane of a confidence. Raises KeyError where there is none."""
        for lane in self.lanes:
            if lane.confidence == confidence:
                return lane
        raise KeyError(confidence)

    def same_category(self, lane: Lane) -> BoolArray:
        """Which pairs of a lane are of one category: bool[pairs]."""
        own = self.tables.values("prediction", "category_row").take(lane.prediction)
        same: BoolArray = self.tables.values("label", "category_row").take(lane.label) == own
        return same

    def at(self, lane: Lane, threshold: float) -> tuple[Outcomes, RowArray, RowArray]:
        """Outcomes at a confidence and an IoU; prediction and label rows of the pairs of different categories.

        Such a pair is a false positive of the one category and a false negative of the other.
        """
        end = lane.count(threshold)
        prediction, label, same = lane.prediction[:end], lane.label[:end], self.same_category(lane)[:end]
        counted = self.tables.values("prediction", "score") >= lane.confidence
        matched = np.full(len(counted), -1, np.int64)
        matched[prediction] = label
        if self.ignored is not None:
            matched = excused_by(matched, self.ignored, self.ignored.iou > threshold)
        matched[prediction[~same]] = -1
        return outcomes_of(matched, counted, self.counts), prediction[~same], label[~same]


def ordered_pairs(tables: Tables, task: str, lowest: float, counts: BoolArray) -> tuple[RowArray, RowArray, FloatArray]:
    """Pairs of any category with IoU > lowest, in the order in which they are tried: prediction, label, IoU."""
    prediction, label, iou = pairs_above(tables, task, lowest, counts)
    order = np.lexsort((-tables.values("prediction", "score")[prediction], -iou))
    return prediction[order], label[order], iou[order]


def overlap_lanes(
    tables: Tables, settings: Settings, confidences: Sequence[float], ious: Sequence[float]
) -> OverlapLanes:
    """A lane per confidence, in the order given, good for every one of the IoU thresholds.

    Ties of IoU end by higher score, then input order of the predictions, then of the labels.
    """
    counts = labels_that_count(tables, "ignore")
    score = tables.values("prediction", "score")
    prediction, label, iou = ordered_pairs(tables, settings.task, min(ious), counts)
    lanes = []
    for confidence in confidences:
        there = np.flatnonzero(score[prediction] >= confidence)
        taken = there[greedy_one_to_one(prediction[there], label[there])]
        lanes.append(Lane(confidence, prediction[taken], label[taken], iou[taken]))
    ignored = None if counts.all() else best_labels(tables, settings.task, ~counts)
    return OverlapLanes(tables, tuple(lanes), counts, ignored)
