"""What became of each label at the chosen IoU and confidence."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qm_cli.codes import Codes
from qm_cli.metric import metric


@metric(level="label", kind="model", unit="code", better="neither")
def outcome(counts: npt.NDArray[np.bool_], matched_prediction_row: npt.NDArray[np.int64]) -> Codes:
    """TP for a label that a prediction found, FN for a missed one, "ignored" for one that does not count.

    At the run's IoU and confidence, by its matching convention. Crowd regions do not count.

    >>> outcome(np.array([True, True, False]), np.array([5, -1, -1])).tolist()
    ['TP', 'FN', 'ignored']
    """
    place = np.where(matched_prediction_row >= 0, np.int8(0), np.int8(1))
    place[~counts] = 2
    return Codes(place, ("TP", "FN", "ignored"))
