"""What counts as what, row by row, against a plain loop; ratios and their undefined ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli.analysis.counts import Counts, Outcomes, category_counts, matched_iou, outcomes, ratio
from qm_cli.matching import match_tables
from qm_cli.settings import Settings
from qm_cli.tables import Tables
from tests import builders
from tests.input_files import document, label, prediction
from tests.oracles import counts_loop
from tests.strategies import DetectionSet, detection_sets


def found_in(tables: Tables, **chosen: Any) -> Outcomes:
    return outcomes(tables, match_tables(tables, Settings(**chosen)), Settings(**chosen))


def none_if(value: int) -> int | None:
    return None if value < 0 else value


@given(detection_sets(), st.sampled_from([0.3, 0.5, 0.62, 1.0]), st.sampled_from([0.0, 0.1, 0.5, 1.0]))
@settings(max_examples=50, deadline=None)
def test_every_row_equals_the_loop(data: DetectionSet, iou: float, confidence: float) -> None:
    tables = builders.tables(*data)
    found = found_in(tables, iou=iou, confidence=confidence)
    overlap = matched_iou(tables, "bbox", found)
    expected, expected_labels = counts_loop.judge(*data, iou=iou, confidence=confidence)
    source = {level: tables.values(level, "source_row").tolist() for level in ("label", "prediction")}
    for row, place in enumerate(source["prediction"]):
        kinds = [name for name in ("true_positive", "false_positive", "ignored") if getattr(found, name)[row]]
        wanted = {"TP": ["true_positive"], "FP": ["false_positive"], "ignored": ["ignored"], "below": []}
        assert kinds == wanted[expected[place]["outcome"]]
        assert found.counted[row] == bool(kinds)
        match = none_if(found.matched_label[row])
        assert (None if match is None else source["label"][match]) == expected[place]["label"]
        assert np.isnan(overlap[row]) if match is None else overlap[row] == expected[place]["iou"]
    for row, place in enumerate(source["label"]):
        match = none_if(found.matched_prediction[row])
        assert (None if match is None else source["prediction"][match]) == expected_labels[place]["prediction"]
        assert found.label_counts[row] == (expected_labels[place]["outcome"] != "ignored")
        assert found.false_negative[row] == (expected_labels[place]["outcome"] == "missed")


@given(detection_sets(), st.sampled_from([0.0, 0.5]))
@settings(max_examples=25, deadline=None)
def test_category_counts(data: DetectionSet, confidence: float) -> None:
    tables = builders.tables(*data)
    counts = category_counts(tables, found_in(tables, confidence=confidence))
    expected = counts_loop.evaluate_counts(*data, confidence=confidence)["per_category"]
    for row, identifier in enumerate(tables.category["id"].to_pylist()):
        one = expected[identifier]
        assert [counts.true_positives[row], counts.false_positives[row], counts.false_negatives[row]] == [
            one["tp"],
            one["fp"],
            one["fn"],
        ]
        for name in ("precision", "recall", "f1"):
            value = getattr(counts, name)[row].item()
            assert (None if np.isnan(value) else value) == one[name]


@pytest.mark.parametrize(
    ("counts", "precision", "recall", "f1"),
    [
        ((3, 1, 2), 0.75, 0.6, 2 / 3),
        ((0, 4, 0), 0.0, None, 0.0),
        ((0, 0, 4), None, 0.0, 0.0),
        ((0, 0, 0), None, None, None),
        ((2**40, 2**40, 0), 0.5, 1.0, 2 / 3),
    ],
)
def test_ratios(counts: tuple[int, int, int], precision: float, recall: float, f1: float) -> None:
    made = Counts(*(np.array([value]) for value in counts))
    for name, expected in (("precision", precision), ("recall", recall), ("f1", f1)):
        value = getattr(made, name)[0]
        assert np.isnan(value) if expected is None else value == expected, name


def test_total_is_the_sum_of_the_groups() -> None:
    total = Counts(np.array([1, 2]), np.array([0, 5]), np.array([7, 0])).total()
    assert [total.true_positives.tolist(), total.false_positives.tolist(), total.false_negatives.tolist()] == [
        [3],
        [5],
        [7],
    ]
    none = Counts(*[np.zeros(0, np.int64)] * 3).total()
    assert np.isnan([none.precision[0], none.recall[0], none.f1[0]]).all()


def test_ratio_of_nothing() -> None:
    assert ratio(np.zeros(0), np.zeros(0)).tolist() == []


def test_a_prediction_at_the_confidence_counts() -> None:
    tables = builders.tables(document(), [prediction(score=0.5), prediction(image_id=2, score=np.nextafter(0.5, 0))])
    found = found_in(tables)
    assert found.counted.tolist() == [True, False]
    assert found.true_positive.tolist() == [True, False]
    assert found.false_negative.tolist() == [False, True]
    assert found.matched_label.tolist() == [0, -1]


def test_what_takes_a_crowd_is_ignored_and_the_crowd_is_not_missed() -> None:
    labels = [label(1, bbox=[0, 0, 80, 80], area=6400, iscrowd=1), label(2, image_id=2)]
    tables = builders.tables(document(labels=labels), [prediction(), prediction(score=0.7)])
    found = found_in(tables)
    assert found.ignored.tolist() == [True, True]
    assert not found.true_positive.any()
    assert not found.false_positive.any()
    assert found.matched_label.tolist() == [0, 0]
    assert found.matched_prediction.tolist() == [-1, -1]
    assert found.false_negative.tolist() == [False, True]
    assert matched_iou(tables, "bbox", found).tolist() == [1.0, 1.0]


def test_all_predictions_count_however_many() -> None:
    many = [prediction(bbox=[60, 60, 5, 5], score=0.6) for _ in range(150)]
    found = found_in(builders.tables(document(), [*many, prediction(score=0.55)]))
    assert (found.false_positive.sum(), found.true_positive.sum()) == (150, 1)


def test_no_rows() -> None:
    tables = builders.tables(document(labels=[]), [])
    found = found_in(tables)
    assert (len(found.counted), len(found.label_counts), len(found.ignored)) == (0, 0, 0)
    assert matched_iou(tables, "bbox", found).tolist() == []
    assert category_counts(tables, found).true_positives.tolist() == [0, 0]
