"""What the largest max detections leaves out of AP and AR."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from qm_cli.matching import Matches, within_max_detections
from qm_cli.settings import Settings
from qm_cli.tables import Tables


class Cut(Struct, frozen=True):
    """Predictions beyond the limit of their image and category; images that have some; true positives among them."""

    predictions: int
    images: int
    true_positives: int


def cut_by_max_detections(tables: Tables, matches: Matches, settings: Settings) -> Cut | None:
    """True positives are told at the settings' IoU, over all confidences; None where nothing is left out."""
    kept = within_max_detections(tables, matches.order, max(settings.max_detections))
    if kept is None or kept.all():
        return None
    label = matches.label[matches.lane(settings.iou)]
    true = (label >= 0) & ~np.append(matches.ignored[0], True)[label]
    images = np.bincount(tables.values("prediction", "image_row")[~kept])
    return Cut(
        int(np.count_nonzero(~kept)), int(np.count_nonzero(images)), int(np.count_nonzero(true & ~kept[matches.row]))
    )
