"""Why a prediction is a false positive, in the three words users of Encord Active know."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.counts import Outcomes
from qm_cli.error_names import NONE
from qm_cli.kernels.greedy import MATCH_BOUND


def false_positive_reasons(
    found: Outcomes, best_iou: npt.NDArray[np.float64], threshold: float
) -> npt.NDArray[np.int8]:
    """Place in REASONS of each false positive, −1 for every other prediction: int8[predictions].

    best_iou: the largest IoU with a label of its category that is no crowd, NaN where the image has none. A false
    positive that overlaps one enough can only have come too late for it.
    """
    reason = np.where(best_iou > 0, np.where(best_iou >= min(threshold, MATCH_BOUND), 2, 1), 0)
    return np.where(found.false_positive, reason, NONE).astype(np.int8)
