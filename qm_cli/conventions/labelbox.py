"""Labelbox, as its product documentation says: pairs of any category by falling IoU, one-to-one, IoU > threshold."""

from __future__ import annotations

import numpy as np

from qm_cli.analysis.confusion import matrix_of
from qm_cli.analysis.overlap_lanes import overlap_lanes
from qm_cli.evaluated import Evaluation, Numbers
from qm_cli.settings import Grid, Settings
from qm_cli.tables import Tables


def evaluate(tables: Tables, settings: Settings) -> Evaluation:
    """Counts and confusion at the chosen IoU and confidence; no average precision. The grid's lanes are matched too."""
    grid = settings.grid or Grid((), ())
    confidences, ious = {settings.confidence, *grid.confidences}, {settings.iou, *grid.ious}
    lanes = overlap_lanes(tables, settings, sorted(confidences), sorted(ious))
    found, prediction, label = lanes.at(lanes.lane(settings.confidence), settings.iou)
    at = f"IoU > {settings.iou:g}, confidence ≥ {settings.confidence:g}, matched whatever the category"
    negatives = np.zeros(tables.count("category"), np.int64)
    return Evaluation(
        tables,
        settings,
        found,
        matrix_of(tables, found, prediction, label),
        Numbers({"true_negatives": 0}, {"true_negatives": negatives}, {"true_negatives": "always 0 for objects"}),
        at,
        overlap_lanes=lanes,
    )
