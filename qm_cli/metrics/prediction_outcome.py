"""What became of each prediction at the chosen IoU and confidence."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qm_cli.codes import Codes
from qm_cli.metric import metric

BoolArray = npt.NDArray[np.bool_]


@metric(level="prediction", kind="model", unit="code", better="neither")
def outcome(counted: BoolArray, matched_label_row: npt.NDArray[np.int64], label_counts: BoolArray) -> Codes:
    """TP for a prediction that found a label, FP for one that did not, "ignored" for one whose label does not count.

    At the run's IoU and confidence, by its matching convention. Crowd regions do not count. Null below the confidence.

    >>> outcome(np.array([True, True, True, False]), np.array([0, -1, 1, -1]), np.array([True, False])).tolist()
    ['TP', 'FP', 'ignored', None]
    """
    found = matched_label_row >= 0
    ignored = found & ~np.append(label_counts, True)[matched_label_row]
    place = np.where(found, np.int8(0), np.int8(1))
    place[ignored] = 2
    place[~counted] = -1
    return Codes(place, ("TP", "FP", "ignored"))


@metric(level="prediction", kind="model", unit="IoU", range=(0, 1), better="higher")
def iou(matched_iou: npt.NDArray[np.float64], best_iou: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """IoU with the label it matched, else the largest with a label of its category in the image, 0..1.

    0 where no such label overlaps; null where the dataset has no labels.

    >>> iou(np.array([0.8, np.nan]), np.array([0.9, 0.3])).tolist()
    [0.8, 0.3]
    """
    return np.where(np.isnan(matched_iou), best_iou, matched_iou)
