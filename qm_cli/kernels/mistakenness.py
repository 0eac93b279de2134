"""How likely a label is a mistake, given what a model says with which confidence; 0..1, 1 = surely.

Reference: FiftyOne's mistakenness, with the confidence in the place of the model's certainty.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
LEAST_IOU = 0.5


def category_mistakenness(confidence: FloatArray, agrees: npt.NDArray[np.bool_]) -> FloatArray:
    """(1 − s) / 2 where the model says the same category with confidence s, (1 + s) / 2 where it says another.

    >>> category_mistakenness(np.array([0.8, 0.8]), np.array([True, False])).round(3).tolist()
    [0.1, 0.9]
    """
    return (np.where(agrees, -confidence, confidence) + 1) / 2


def place_mistakenness(confidence: FloatArray, iou: FloatArray) -> FloatArray:
    """(s · (2i − 1) + 1) / 2 with i = (1 − IoU) / .5, at most 1.

    >>> place_mistakenness(np.array([0.8, 0.8, 0.8]), np.array([1.0, 0.75, 0.5])).round(3).tolist()
    [0.1, 0.5, 0.9]
    """
    off = np.minimum((1 - iou) / LEAST_IOU, 1.0)
    mistakenness: FloatArray = (confidence * (2 * off - 1) + 1) / 2
    return mistakenness
