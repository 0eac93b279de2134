"""Every cell of the grid against the plain loop at that confidence and IoU, and what must hold whatever the cell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli.analysis import grid_confusion
from qm_cli.analysis.counts import Counts
from qm_cli.analysis.grid import GridCounts, coco_counts
from qm_cli.matching import match_tables
from qm_cli.pairs import overlapping_pairs
from qm_cli.settings import Grid, Settings
from tests import builders
from tests.input_files import document, label, prediction
from tests.oracles import counts_loop
from tests.strategies import SCORES, DetectionSet, detection_sets

Row = dict[str, Any]
ANY_OVERLAP = float(np.nextafter(0, 1))
IOUS = st.lists(st.sampled_from([0.0, 0.1, 1 / 3, 0.5, 0.6, 0.75, 1.0]), min_size=1, max_size=4, unique=True)
CONFIDENCES = st.lists(st.sampled_from([*SCORES, 0.3, 0.95]), min_size=1, max_size=5, unique=True)


def counted(data: DetectionSet, ious: list[float], confidences: list[float]) -> GridCounts:
    grid = Grid(tuple(sorted(confidences)), tuple(sorted(ious)))
    tables = builders.tables(*data)
    return coco_counts(
        tables, match_tables(tables, Settings(grid=grid)), "bbox", grid, overlapping_pairs(tables).across
    )


@given(detection_sets(), IOUS, CONFIDENCES)
@settings(max_examples=60, deadline=None)
def test_every_cell_equals_the_loop(data: DetectionSet, ious: list[float], confidences: list[float]) -> None:
    found = counted(data, ious, confidences)
    for lane, iou in enumerate(found.grid.ious):
        for place, confidence in enumerate(found.grid.confidences):
            expected = counts_loop.evaluate_counts(*data, iou=iou or ANY_OVERLAP, confidence=confidence)
            assert found.confusion(lane, place).tolist() == expected["confusion"]["matrix"], (iou, confidence)
            overlaps: dict[Any, list[float]] = {}
            for row, verdict in zip(data[1], expected["predictions"], strict=True):
                if verdict["outcome"] == "TP":
                    overlaps.setdefault(row["category_id"], []).append(verdict["iou"])
            for category, (identifier, wanted) in enumerate(expected["per_category"].items()):
                cell = (lane, place, category)
                assert found.true_positives[cell] == wanted["tp"]
                assert found.false_positives[cell] == wanted["fp"]
                assert found.false_negatives[cell] == wanted["fn"]
                for name in ("precision", "recall", "f1"):
                    value = getattr(found, name)[cell]
                    assert (None if np.isnan(value) else value) == wanted[name]
                own = overlaps.get(identifier)
                assert found.mean_iou[cell] == pytest.approx(np.mean(own) if own else np.nan, abs=1e-12, nan_ok=True)
            micro = found.total()
            assert micro.true_positives[lane, place, 0] == expected["micro"]["tp"]
            assert micro.false_positives[lane, place, 0] == expected["micro"]["fp"]
            assert micro.false_negatives[lane, place, 0] == expected["micro"]["fn"]


@given(detection_sets(), IOUS, CONFIDENCES)
@settings(max_examples=30, deadline=None)
def test_sums_of_the_matrix_and_the_way_along_the_axes(
    data: DetectionSet, ious: list[float], confidences: list[float]
) -> None:
    found = counted(data, ious, confidences)
    for lane in range(len(ious)):
        for place in range(len(confidences)):
            matrix = found.confusion(lane, place)
            assert matrix[:-1].sum(1).tolist() == found.labels.tolist()
            assert matrix[:, :-1].sum(0).tolist() == found.kept[lane, place].tolist()
            assert (matrix >= 0).all()
            assert matrix[-1, -1] == 0
    assert (np.diff(found.true_positives, axis=1) <= 0).all()
    assert (np.diff(found.kept, axis=1) <= 0).all()


@given(detection_sets(max_images=8), st.sampled_from([1, 3, 50]))
@settings(max_examples=20, deadline=None)
def test_any_stretches_give_the_same(data: DetectionSet, pairs: int) -> None:
    whole = counted(data, [0.0, 0.5], [0.0, 0.5]).confused
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grid_confusion, "PAIRS_AT_ONCE", pairs)
        parts = counted(data, [0.0, 0.5], [0.0, 0.5]).confused
    assert whole is not None
    assert parts is not None
    for name in ("iou", "confidence", "true", "predicted", "count"):
        assert getattr(whole, name).tolist() == getattr(parts, name).tolist()


def test_more_confidences_than_a_word_has_bits() -> None:
    labels = [label(number, category_id=7, bbox=[number * 30, 0, 20, 20]) for number in range(3)]
    rows = [prediction(bbox=[number * 30, 0, 20, 20], score=score) for number, score in enumerate((0.2, 0.645, 1))]
    many = [step / 200 for step in range(201)]
    found = counted((document(labels=labels), rows), [0.5], many)
    off_diagonal = [int(found.confusion(0, place)[1, 0]) for place in range(len(many))]
    assert off_diagonal == [sum(score >= one for score in (0.2, 0.645, 1)) for one in many]


def test_worked_by_hand() -> None:
    """A cat found well and a dog taken for a cat; at a low confidence the dog is found after all."""
    labels = [label(1), label(2, category_id=7, bbox=[50, 10, 20, 20])]
    rows = [
        prediction(bbox=[10, 10, 20, 16], score=0.9),
        prediction(bbox=[50, 10, 20, 20], score=0.6),
        prediction(bbox=[50, 10, 20, 15], category_id=7, score=0.3),
    ]
    found = counted((document(labels=labels), rows), [0.5, 0.78], [0.25, 0.5, 0.95])
    assert found.confusion(0, 0).tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 0]]
    assert found.confusion(0, 1).tolist() == [[1, 0, 0], [1, 0, 0], [0, 0, 0]]
    assert found.confusion(0, 2).tolist() == [[0, 0, 1], [0, 0, 1], [0, 0, 0]]
    assert found.confusion(1, 0).tolist() == [[1, 0, 0], [1, 0, 0], [0, 1, 0]]
    assert found.mean_iou[0, 0].tolist() == [0.8, 0.75]
    assert found.f_beta(2.0)[0, 0, 0] == pytest.approx(5 * 1 / (5 * 1 + 1 + 0))


def test_at_iou_0_any_overlap_is_enough_and_touching_is_none() -> None:
    labels = [label(1), label(2, image_id=2)]
    rows = [prediction(bbox=[29, 29, 20, 20]), prediction(image_id=2, bbox=[30, 10, 20, 20])]
    found = counted((document(labels=labels), rows), [0.0], [0.0])
    assert found.true_positives[0, 0].tolist() == [1, 0]
    assert found.false_positives[0, 0].tolist() == [1, 0]


@pytest.mark.parametrize("data", [(document(labels=[]), [prediction()]), (document(), []), (document(labels=[]), [])])
def test_nothing_on_one_side(data: DetectionSet) -> None:
    found = counted(data, [0.0, 0.5], [0.0, 0.5])
    assert found.true_positives.sum() == 0
    assert np.isnan(found.mean_iou).all()
    assert found.kept[:, 0, 0].tolist() == [len(data[1])] * 2
    assert found.confusion(1, 1).sum() == len(data[0]["annotations"]) + len(data[1])


def test_one_cell_is_what_an_evaluation_counts() -> None:
    labels = [label(number, bbox=[number * 9, 0, 20, 20]) for number in range(5)]
    rows = [prediction(bbox=[number * 8, 0, 20, 20], score=number / 10) for number in range(9)]
    found = counted((document(labels=labels), rows), [0.5], [0.3])
    one = Counts(*(values[0, 0] for values in (found.true_positives, found.false_positives, found.false_negatives)))
    assert one.f1.tolist() == pytest.approx(found.f1[0, 0].tolist(), nan_ok=True)
