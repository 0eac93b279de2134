"""Counts, rates and confusion as data, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from qm_cli.analysis.counts import Counts
from qm_cli.count_report import category_numbers, confusion_report, count_definitions, number, overall_numbers

COUNTS = Counts(np.array([3, 0]), np.array([1, 0]), np.array([0, 2]))
MATRIX = np.array([[3, 0, 1], [1, 0, 0], [2, 0, 0]])


def test_micro_macro_and_sums() -> None:
    found = overall_numbers(COUNTS, np.array([2.4, 0.0]), 2.0)
    assert (found["precision"], found["precision_macro"]) == (0.75, 0.75)
    assert (found["recall"], found["recall_macro"]) == (0.6, 0.5)
    assert (found["mean_iou"], found["mean_iou_macro"]) == (pytest.approx(0.8), pytest.approx(0.8))
    assert found["f_beta"] == pytest.approx(15 / (15 + 1 + 8))
    assert (found["true_positives"], found["false_positives"], found["false_negatives"]) == (3, 1, 2)
    assert "f_beta" not in overall_numbers(COUNTS, np.zeros(2), None)


def test_categories_and_what_is_undefined() -> None:
    rows = category_numbers(COUNTS, np.array([2.4, 0.0]), None)
    assert rows[0]["f1"] == pytest.approx(6 / 7)
    assert (rows[1]["precision"], rows[1]["recall"], rows[1]["mean_iou"]) == (None, 0.0, None)
    assert [number(value) for value in (np.nan, np.float64(0.5), np.int64(3))] == [None, 0.5, 3]


@pytest.mark.parametrize("beta", [None, 2.0])
def test_every_number_says_what_it_is(beta: float | None) -> None:
    told = count_definitions("IoU ≥ 0.5, confidence ≥ 0.25", beta)
    assert told.keys() == overall_numbers(COUNTS, np.zeros(2), beta).keys()
    assert all("confidence ≥ 0.25" in words for words in told.values())
    assert beta is None or told["f_beta"].startswith("(1 + 2²) TP / ((1 + 2²) TP + FP + 2² FN)")


@pytest.mark.parametrize(
    ("how", "shares"),
    [("true", [0.75, 1.0, 0.25, 1.0]), ("predicted", [0.5, 1 / 3, 1.0, 1 / 6]), ("all", [3 / 7, 2 / 7, 1 / 7, 1 / 7])],
)
def test_shares_of_rows_columns_or_all(how: str, shares: list[float]) -> None:
    found = confusion_report(MATRIX, ["cat", "dog"], 0.5, 0.25, how)
    assert [(cell["true"], cell["predicted"], cell["count"]) for cell in found["cells"]] == [
        ("cat", "cat", 3),
        (None, "cat", 2),
        ("cat", None, 1),
        ("dog", "cat", 1),
    ]
    assert [cell["share"] for cell in found["cells"]] == pytest.approx(shares)
    assert (found["orientation"], found["normalise"]) == ("rows true, columns predicted", how)


def test_without_shares_there_are_none() -> None:
    found = confusion_report(MATRIX, ["cat", "dog"], 0.5, 0.25)
    assert "normalise" not in found
    assert all("share" not in cell for cell in found["cells"])
