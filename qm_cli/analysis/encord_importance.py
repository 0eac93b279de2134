"""Importance as Encord Active computes it, to compare with: raw nats, missing values as zeros, no chance taken off."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.samples import Judged, Measure

FloatArray = npt.NDArray[np.float64]
MOST_ROWS, STATE = 60_000, 42
NEEDED = 4
"""Rows that the three nearest neighbours of the estimate ask for."""


def encord_importances(judged: Judged, target: FloatArray, measures: Sequence[Measure]) -> list[float | None]:
    """mutual_info_regression of each measure with `target` (IoU·TP, per judged row); None where rows are too few."""
    from sklearn.feature_selection import mutual_info_regression

    if len(target) < NEEDED:
        return [None] * len(measures)
    chosen = np.arange(len(target))
    if len(target) > MOST_ROWS:
        chosen = np.sort(np.random.default_rng(STATE).choice(len(target), MOST_ROWS, replace=False))
    found: list[float | None] = []
    for measure in measures:
        values = judged.row_values(measure)[chosen]
        values = np.where(np.isfinite(values), values, 0.0)
        found.append(float(mutual_info_regression(values[:, None], target[chosen], random_state=STATE)[0]))
    return found
