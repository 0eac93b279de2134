"""One label tried: the best of a cell by a plain loop, ties, crowds, and who takes what."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli import pairs
from qm_cli.analysis.best_label import BestLabels, best_labels, excused_by, first_takers
from tests import builders
from tests.input_files import document, image, label, prediction
from tests.oracles.coco_loop import box_iou
from tests.strategies import DetectionSet, detection_sets


@given(detection_sets(comparable=True), st.booleans(), st.booleans(), st.sampled_from([1, 7, 1 << 21]))
@settings(max_examples=40, deadline=None)
def test_equals_a_loop(data: DetectionSet, any_category: bool, last: bool, at_once: int) -> None:
    """Whatever the stretches; overlaps with crowds are shares of the prediction."""
    tables = builders.tables(*data)
    among = np.arange(tables.count("label")) % 3 > 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs, "PAIRS_AT_ONCE", at_once)
        found = best_labels(tables, "bbox", among, any_category=any_category, last=last)
    rows = {level: tables.table(level).to_pylist() for level in ("label", "prediction")}
    for i, own in enumerate(rows["prediction"]):
        values = {
            j: box_iou(own["bbox"], one["bbox"], one["iscrowd"])
            for j, one in enumerate(rows["label"])
            if among[j]
            and one["image_row"] == own["image_row"]
            and (any_category or one["category_row"] == own["category_row"])
        }
        if not values:
            assert (found.label[i], found.iou[i]) == (-1, 0.0)
            continue
        top = max(values.values())
        best = [j for j, value in values.items() if value == top]
        assert (found.label[i], found.iou[i]) == (best[-1] if last else best[0], top)


def test_an_overlap_of_its_own() -> None:
    tables = builders.tables(document([image(1)], [label(1), label(2)]), [prediction()])
    found = best_labels(tables, "bbox", np.ones(2, bool), measure=lambda rows, _: rows / 2.0)
    assert (found.label.tolist(), found.iou.tolist()) == ([1], [0.5])


def test_the_first_that_passes_takes_a_label() -> None:
    best = BestLabels(np.array([0, 0, 0, 1, -1]), np.zeros(5))
    passes = np.array([True, True, False, True, True])
    order = np.array([2, 1, 0, 3, 4])
    assert first_takers(best, passes, order, np.array([True, True])).tolist() == [-1, 0, -1, 1, -1]
    assert first_takers(best, passes, order, np.array([False, True])).tolist() == [0, 0, -1, 1, -1]


def test_labels_that_do_not_count_excuse_what_takes_none() -> None:
    ignored = BestLabels(np.array([5, 5, -1]), np.zeros(3))
    assert excused_by(np.array([2, -1, -1]), ignored, np.ones(3, bool)).tolist() == [2, 5, -1]
    assert excused_by(np.array([2, -1, -1]), ignored, np.zeros(3, bool)).tolist() == [2, -1, -1]
