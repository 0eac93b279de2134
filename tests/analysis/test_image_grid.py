"""Counts and mean rates of every image at every cell against the plain loop."""

from __future__ import annotations

from statistics import mean

import numpy as np
import pytest
from hypothesis import given, settings

from qm_cli.analysis.image_grid import image_grid
from qm_cli.matching import match_tables
from qm_cli.settings import Grid, Settings
from tests import builders
from tests.input_files import document, label, prediction
from tests.oracles import counts_loop
from tests.strategies import DetectionSet, detection_sets

GRID = Grid((0.0, 0.25, 0.5, 0.95), (0.3, 0.5, 0.8))


@given(detection_sets())
@settings(max_examples=30, deadline=None)
def test_every_cell_equals_the_loop(data: DetectionSet) -> None:
    tables = builders.tables(*data)
    found = list(image_grid(tables, match_tables(tables, Settings(grid=GRID)), "bbox", GRID))
    images = [image["id"] for image in data[0]["images"]]
    categories = [category["id"] for category in data[0]["categories"]]
    for lane, iou in enumerate(GRID.ious):
        for place, confidence in enumerate(GRID.confidences):
            expected = counts_loop.evaluate_counts(*data, iou=iou, confidence=confidence)
            for row, image in enumerate(images):
                cells = [expected["per_cell"][image, category] for category in categories]
                whole = expected["per_image"][image]
                own = found[lane]
                assert own.true_positives[row, place] == whole["tp"]
                assert own.false_positives[row, place] == whole["fp"]
                assert own.false_negatives[row, place] == whole["fn"]
                both = whole["tp"] + whole["fp"] and whole["tp"] + whole["fn"]
                for name in ("precision", "recall", "f1"):
                    values = [cell[name] for cell in cells if cell[name] is not None]
                    wanted = mean(values) if both and values else np.nan
                    assert getattr(own, name)[row, place] == pytest.approx(wanted, abs=1e-12, nan_ok=True)


def test_overlap_is_the_mean_of_the_categories_means() -> None:
    labels = [label(1), label(2, bbox=[50, 10, 20, 20]), label(3, category_id=7)]
    rows = [prediction(), prediction(bbox=[50, 10, 20, 10]), prediction(category_id=7, bbox=[10, 10, 20, 12])]
    tables = builders.tables(document(labels=labels), rows)
    grid = Grid((0.5,), (0.5,))
    [found] = image_grid(tables, match_tables(tables, Settings(grid=grid)), "bbox", grid)
    assert found.iou[:, 0].tolist() == [pytest.approx((0.75 + 0.6) / 2), pytest.approx(np.nan, nan_ok=True)]
