"""The samples of a cell: as many as the matrix says, each where it belongs, the surest first."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from qm_cli.analysis.confusion import confused_pairs, confusion_matrix
from qm_cli.analysis.confusion_examples import confusion_samples, samples_of
from qm_cli.analysis.counts import outcomes
from qm_cli.matching import match_tables
from qm_cli.settings import Settings
from tests import builders
from tests.input_files import document, label, prediction
from tests.oracles import coco_loop
from tests.strategies import DetectionSet, detection_sets


@given(detection_sets())
@settings(max_examples=40, deadline=None)
def test_every_cell_lists_what_the_matrix_counts(data: DetectionSet) -> None:
    tables, chosen = builders.tables(*data), Settings(confidence=0.2)
    found = outcomes(tables, match_tables(tables, chosen), chosen)
    matrix = confusion_matrix(tables, found, chosen)
    samples = confusion_samples(tables, found, confused_pairs(tables, found, chosen), "bbox")
    sides: list[int | None] = [*range(len(matrix) - 1), None]
    for true in sides:
        for predicted in sides:
            own = samples_of(tables, samples, predicted, true)
            place = tuple(len(matrix) - 1 if one is None else one for one in (true, predicted))
            assert len(own.label) == matrix[place]
            assert ((own.prediction < 0) == (predicted is None)).all()
            for row, other, iou in zip(own.prediction, own.label, own.iou, strict=True):
                boxes = [
                    tables.values(level, "bbox")[one].tolist()
                    for level, one in (("prediction", row), ("label", other))
                    if one >= 0
                ]
                wanted = coco_loop.box_iou(*boxes) if len(boxes) == 2 else np.nan
                assert iou == pytest.approx(wanted, nan_ok=True)
            score = np.append(tables.values("prediction", "score"), 0.0)[own.prediction]
            assert (np.diff(score) <= 0).all()


def test_a_cell_by_hand() -> None:
    labels = [label(1, category_id=7), label(2, image_id=2, category_id=7)]
    rows = [prediction(score=0.6), prediction(image_id=2, score=0.8), prediction(bbox=[60, 60, 9, 9], score=0.7)]
    tables, chosen = builders.tables(document(labels=labels), rows), Settings()
    found = outcomes(tables, match_tables(tables, chosen), chosen)
    samples = confusion_samples(tables, found, confused_pairs(tables, found, chosen), "bbox")
    dogs_taken_for_cats = samples_of(tables, samples, 0, 1)
    sources = tables.values("prediction", "source_row")[dogs_taken_for_cats.prediction]
    assert (sources.tolist(), dogs_taken_for_cats.label.tolist()) == ([1, 0], [1, 0])
    assert len(samples_of(tables, samples, 0, None).label) == 1
