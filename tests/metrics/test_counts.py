from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from qm_cli.analysis.counts import outcomes
from qm_cli.matching import match_tables
from qm_cli.metrics import counts, label_outcome, prediction_outcome
from qm_cli.settings import Settings
from tests.builders import tables
from tests.metrics.examples import Example, check, complete, has_images, plain
from tests.oracles.counts_loop import evaluate_counts
from tests.strategies import DetectionSet, detection_sets

ROWS = {"prediction_parent_row": [0, 0, 0, 0, 2, 2], "row_count": 3}
FOUND = {"prediction_true_positive": np.array([True, False, False, True, False, False]), **ROWS}
WRONG = {"prediction_false_positive": np.array([False, True, False, False, False, True]), **ROWS}
MISSED = {
    "label_false_negative": np.array([False, True, False, True]),
    "label_parent_row": [0, 0, 1, 2],
    "row_count": 3,
}
TP, FP, FN = {"true_positives": [2, 0, 0]}, {"false_positives": [1, 0, 1]}, {"false_negatives": [1, 0, 1]}

EXAMPLES = [
    Example(counts.true_positives, FOUND, [2, 0, 0]),
    Example(counts.false_positives, WRONG, [1, 0, 1]),
    Example(counts.false_negatives, MISSED, [1, 0, 1]),
    Example(counts.precision, {**TP, **FP}, [2 / 3, None, 0.0]),
    Example(counts.recall, {**TP, **FN}, [2 / 3, None, 0.0]),
    Example(counts.f1, {**TP, **FP, **FN}, [2 / 3, None, 0.0]),
    Example(counts.iou, {**FOUND, "prediction_iou": [0.5, 1, 1, 0.75, 1, 1]}, [0.625, None, None]),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_examples(example: Example) -> None:
    check(example)


def test_every_metric_has_an_example() -> None:
    assert complete(counts, EXAMPLES)


@settings(max_examples=60, deadline=None)
@given(detection_sets().filter(has_images))
def test_equals_the_loop(case: DetectionSet) -> None:
    table, chosen = tables(*case), Settings()
    found = outcomes(table, match_tables(table, chosen), chosen)
    predicted = np.asarray(prediction_outcome.outcome(found.counted, found.matched_label, found.label_counts))
    labelled = np.asarray(label_outcome.outcome(found.label_counts, found.matched_prediction))
    assert found.true_positive.tolist() == (predicted == "TP").tolist()
    assert found.false_positive.tolist() == (predicted == "FP").tolist()
    assert found.false_negative.tolist() == (labelled == "FN").tolist()
    expected = evaluate_counts(*case)
    assert _by_group("image", table, predicted, labelled) == list(expected["per_image"].values())
    assert _by_group("category", table, predicted, labelled) == list(expected["per_category"].values())
    assert _by_group("dataset", table, predicted, labelled) == [expected["micro"]]


def _by_group(level: str, table: Any, predicted: Any, labelled: Any) -> list[dict[str, Any]]:
    """The three counts and the three ratios of each row of a level."""
    rows, groups = 1, {name: np.zeros(table.count(name), np.int64) for name in ("label", "prediction")}
    if level != "dataset":
        rows, groups = table.count(level), {name: table.values(name, f"{level}_row") for name in groups}
    tp = counts.true_positives(predicted == "TP", groups["prediction"], rows)
    fp = counts.false_positives(predicted == "FP", groups["prediction"], rows)
    fn = counts.false_negatives(labelled == "FN", groups["label"], rows)
    ratios = {"precision": counts.precision(tp, fp), "recall": counts.recall(tp, fn), "f1": counts.f1(tp, fp, fn)}
    columns = {"tp": tp, "fp": fp, "fn": fn, **ratios}
    return [dict(zip(columns, row, strict=True)) for row in zip(*map(plain, columns.values()), strict=True)]
