"""How much a label and a prediction overlap: one measure for each task."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.iou import box_iou
from qm_cli.tables import Tables

Rows = npt.NDArray[np.int64]


def overlap(
    tables: Tables, task: str, label: Rows, prediction: Rows, crowd: npt.NDArray[np.bool_] | None = None
) -> npt.NDArray[np.float64]:
    """Overlap of each label row with the prediction row in the same place: float64[n], 0..1.

    task: "bbox" is the IoU of axis-aligned boxes. crowd: pairs whose intersection is divided by the prediction's area
    alone, bool[n]; none by default. Pairs that stand together by image and label are quickest.
    """
    label_boxes = tables.values("label", "bbox").take(label, axis=0)
    boxes = tables.values("prediction", "bbox").take(prediction, axis=0)
    return box_iou(label_boxes, boxes, np.zeros(len(label), bool) if crowd is None else crowd)
