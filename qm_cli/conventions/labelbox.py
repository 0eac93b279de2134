"""Labelbox, as its product documentation says: pairs of any category by falling IoU, one-to-one, IoU > threshold."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.arrivals import Arrivals, by_overlap, sides_of
from qm_cli.analysis.best_label import excusable
from qm_cli.analysis.confusion import matrix_of
from qm_cli.analysis.counts import Outcomes
from qm_cli.analysis.overlap_lanes import ordered_pairs, overlap_lanes
from qm_cli.confidence_rules import told
from qm_cli.evaluated import Evaluation, Numbers
from qm_cli.label_flags import labels_that_count
from qm_cli.settings import Grid, Settings
from qm_cli.tables import Tables

RowArray = npt.NDArray[np.int64]


def evaluate(tables: Tables, settings: Settings) -> Evaluation:
    """Counts and confusion at the chosen IoU and confidence; no average precision. The grid's lanes are matched too."""
    grid = settings.grid or Grid((), ())
    confidences, ious = {settings.confidence, *grid.confidences}, {settings.iou, *grid.ious}
    lanes = overlap_lanes(tables, settings, sorted(confidences), sorted(ious))
    found, prediction, label = lanes.at(lanes.lane(settings.confidence), settings.iou)
    at = f"IoU > {settings.iou:g}, {told(settings)}, matched whatever the category"
    negatives = np.zeros(tables.count("category"), np.int64)
    return Evaluation(
        tables,
        settings,
        found,
        matrix_of(tables, found, prediction, label),
        Numbers({"true_negatives": 0}, {"true_negatives": negatives}, {"true_negatives": "always 0 for objects"}),
        at,
        overlap_lanes=lanes,
        confused=(prediction, label),
        at_any_confidence=lambda: _whole(tables, settings)[0],
        changes=lambda: _changes(tables, settings),
    )


def _whole(tables: Tables, settings: Settings) -> tuple[Outcomes, RowArray, RowArray]:
    """Outcomes and pairs of different categories where every prediction counts."""
    lanes = overlap_lanes(tables, settings, [-math.inf], [settings.iou])
    return lanes.at(lanes.lanes[0], settings.iou)


def _changes(tables: Tables, settings: Settings) -> Arrivals:
    """How the matches change from confidence to confidence."""
    counts = labels_that_count(tables, "ignore")
    pairs = ordered_pairs(tables, settings.task, settings.iou, counts)
    excused = excusable(tables, settings, counts)
    sides = sides_of(tables)
    return by_overlap(sides, pairs[0], pairs[1], sides.image, excused, counts)
