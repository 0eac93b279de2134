"""The pair table against a plain loop over every label and prediction of every image."""

import numpy as np
import pytest
from hypothesis import given, settings

from qm_cli import pairs
from qm_cli.tables import Tables
from tests import builders
from tests.strategies import detection_sets


def expected(tables: Tables) -> tuple[list[tuple[int, int]], list[float]]:
    labels = [
        {key: tables.values("label", key)[row] for key in ("image_row", "category_row", "bbox", "iscrowd")}
        for row in range(tables.count("label"))
    ]
    found, best = [], []
    for row in range(tables.count("prediction")):
        x, y, w, h = tables.values("prediction", "bbox")[row]
        own = float("nan")
        for number, label in enumerate(labels):
            if label["image_row"] != tables.values("prediction", "image_row")[row]:
                continue
            lx, ly, lw, lh = label["bbox"]
            inter = max(min(x + w, lx + lw) - max(x, lx), 0) * max(min(y + h, ly + lh) - max(y, ly), 0)
            union = w * h if label["iscrowd"] else w * h + lw * lh - inter
            iou = inter / union if inter > 0 and union > 0 else 0.0
            if iou >= 0.1:
                found.append((row, number))
            if label["category_row"] == tables.values("prediction", "category_row")[row] and not label["iscrowd"]:
                own = max(iou, own) if own == own else iou
        best.append(own)
    return found, best


@given(detection_sets())
@settings(max_examples=60, deadline=None)
def test_pairs_and_best_iou(data: tuple) -> None:
    tables = builders.tables(*data)
    for at_once in (1, 7, 1 << 20):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pairs, "PAIRS_AT_ONCE", at_once)
            found = pairs.overlapping_pairs(tables)
        rows, best = expected(tables)
        assert list(zip(found.prediction_row.tolist(), found.label_row.tolist(), strict=True)) == rows
        np.testing.assert_allclose(found.best_iou, best, rtol=0, atol=1e-15)
