"""The confusion matrix and its pairs against a plain loop, and cases worked by hand."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli.analysis.confusion import confused_pairs, confusion_matrix
from qm_cli.analysis.counts import Outcomes, outcomes
from qm_cli.matching import match_tables
from qm_cli.settings import Settings
from qm_cli.tables import Tables
from tests import builders
from tests.input_files import document, label, prediction
from tests.oracles import coco_loop, counts_loop
from tests.strategies import DetectionSet, detection_sets

Row = dict[str, Any]


def judged(labels: Row, predictions: list[Row], **chosen: Any) -> tuple[Tables, Outcomes, Settings]:
    tables, chosen_settings = builders.tables(labels, predictions), Settings(**chosen)
    return tables, outcomes(tables, match_tables(tables, chosen_settings), chosen_settings), chosen_settings


def matrix(labels: list[Row], predictions: list[Row], **chosen: Any) -> list[list[int]]:
    """Rows true, columns predicted: cat, dog, None."""
    found: list[list[int]] = confusion_matrix(*judged(document(labels=labels), predictions, **chosen)).tolist()
    return found


@given(detection_sets(), st.sampled_from([0.1, 0.3, 0.5, 1.0]), st.sampled_from([0.0, 0.5]))
@settings(max_examples=50, deadline=None)
def test_equal_to_the_loop(data: DetectionSet, iou: float, confidence: float) -> None:
    found = confusion_matrix(*judged(*data, iou=iou, confidence=confidence))
    expected = counts_loop.evaluate_counts(*data, iou=iou, confidence=confidence)["confusion"]["matrix"]
    assert found.dtype == np.int64
    assert found.tolist() == expected


@given(detection_sets(), st.sampled_from([0.1, 0.5]))
@settings(max_examples=40, deadline=None)
def test_pairs_are_of_one_image_two_categories_and_each_row_stands_once(data: DetectionSet, iou: float) -> None:
    tables, found, chosen = judged(*data, iou=iou, confidence=0.0)
    prediction_rows, label_rows = confused_pairs(tables, found, chosen)
    assert found.false_positive[prediction_rows].all()
    assert found.false_negative[label_rows].all()
    assert len(set(prediction_rows.tolist())) == len(set(label_rows.tolist())) == len(label_rows)
    overlaps = []
    for one, other in zip(prediction_rows.tolist(), label_rows.tolist(), strict=True):
        assert tables.values("prediction", "image_row")[one] == tables.values("label", "image_row")[other]
        assert tables.values("prediction", "category_row")[one] != tables.values("label", "category_row")[other]
        boxes = [tables.values(level, "bbox")[row].tolist() for level, row in (("prediction", one), ("label", other))]
        overlaps.append(coco_loop.box_iou(*boxes))
    assert all(one >= other for one, other in itertools.pairwise(overlaps))
    assert all(overlap >= iou for overlap in overlaps)


def test_nothing_but_hits() -> None:
    assert matrix([label(1), label(2, category_id=7)], [prediction(), prediction(category_id=7)]) == [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 0],
    ]


def test_a_dog_taken_for_a_cat() -> None:
    assert matrix([label(category_id=7)], [prediction()]) == [[0, 0, 0], [1, 0, 0], [0, 0, 0]]


def test_an_overlap_of_exactly_the_threshold_is_enough() -> None:
    half = [prediction(bbox=[10, 10, 20, 10])]
    assert matrix([label(category_id=7)], half) == [[0, 0, 0], [1, 0, 0], [0, 0, 0]]
    whole = [prediction()]
    assert matrix([label(category_id=7)], whole, iou=1.0) == [[0, 0, 0], [1, 0, 0], [0, 0, 0]]


def test_overlap_too_low_meets_none_on_both_sides() -> None:
    assert matrix([label(category_id=7)], [prediction(bbox=[10, 10, 20, 9])]) == [[0, 0, 0], [0, 0, 1], [1, 0, 0]]


def test_other_images_never_meet() -> None:
    assert matrix([label(category_id=7)], [prediction(image_id=2)]) == [[0, 0, 0], [0, 0, 1], [1, 0, 0]]


def test_the_own_category_goes_before_a_better_overlap() -> None:
    labels = [label(1, bbox=[10, 10, 20, 12], area=240), label(2, category_id=7)]
    assert matrix(labels, [prediction()]) == [[1, 0, 0], [0, 0, 1], [0, 0, 0]]


def test_a_label_is_confused_once_with_its_best_overlap() -> None:
    given_rows = [prediction(bbox=[10, 10, 20, 15], score=0.99), prediction(score=0.6)]
    tables, found, chosen = judged(document(labels=[label(category_id=7)]), given_rows)
    pairs = confused_pairs(tables, found, chosen)
    assert [rows.tolist() for rows in pairs] == [[1], [0]]
    assert matrix([label(category_id=7)], given_rows) == [[0, 0, 0], [1, 0, 0], [1, 0, 0]]


@pytest.mark.parametrize(("scores", "winner"), [([0.6, 0.9], 1), ([0.9, 0.6], 0), ([0.9, 0.9], 0)])
def test_equal_overlaps_go_by_score_then_by_input_order(scores: list[float], winner: int) -> None:
    given_rows = [prediction(score=score) for score in scores]
    pairs = confused_pairs(*judged(document(labels=[label(category_id=7)]), given_rows))
    assert [rows.tolist() for rows in pairs] == [[winner], [0]]


def test_crowds_and_what_they_swallow_are_left_out() -> None:
    labels = [label(1, iscrowd=1), label(2, iscrowd=1, category_id=7, image_id=2)]
    assert matrix(labels, [prediction(), prediction(image_id=2)]) == [[0, 0, 0], [0, 0, 0], [1, 0, 0]]


def test_nothing_at_all() -> None:
    assert matrix([], []) == [[0] * 3] * 3
    assert confusion_matrix(*judged(document(labels=[], categories=[]), [])).tolist() == [[0]]
