"""What was answered: by name, by probability, above a confidence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qm_cli.analysis.classification_outcome import Answered, answered, ticked
from qm_cli.analysis.classification_questions import questions
from tests.answer_files import document, label, load

LABELS = document([label(1, "a"), label(2, "b"), label(3, "c")], ["a", "b", "c"])


def found(folder: Path, answers: list[Any], confidence: float = 0.0, limit: int = 3) -> Answered:
    (question,), _, _ = questions(load(folder, LABELS, answers), "classification")
    return answered(question, confidence, limit)


def test_the_most_probable_category_unless_one_is_named(tmp_path: Path) -> None:
    rows = [{"id": 1, "probs": [0.2, 0.5, 0.3]}, {"id": 2, "category": "c", "score": 0.6, "probs": [0.1, 0.8, 0.1]}]
    one = found(tmp_path, rows)
    assert one.predicted.tolist() == [1, 2, -1]
    assert one.above.tolist() == [2, 0, -1]
    assert one.correct.tolist() == [False, False, False]
    assert one.score.tolist()[:2] == [0.5, 0.6]
    assert one.of_true[:2].tolist() == [0.2, 0.8]


def test_below_the_confidence_there_is_no_answer(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "category": "a", "score": 0.4},
        {"id": 2, "probs": [0.1, 0.6, 0.3]},
        {"id": 3, "probs": [0.5, 0, 0.5]},
    ]
    assert found(tmp_path, rows, 0.6).predicted.tolist() == [-1, 1, -1]


def test_rows_that_are_no_probabilities(tmp_path: Path) -> None:
    rows = [{"id": 1, "probs": [0.9, 0.9, 0.9]}, {"id": 2, "probs": [0.1, None, 0.2]}]
    one = found(tmp_path, rows)
    assert (one.odd.tolist(), one.missing.tolist()) == ([True, False, False], [False, True, False])
    assert one.predicted.tolist() == [0, -1, -1]
    assert one.take(np.array([1])).missing.tolist() == [True]


@pytest.mark.parametrize("confidence, expected", [(0.5, [0, 4, 8]), (0.3, [0, 1, 4, 6, 8])])
def test_all_that_reach_the_confidence_are_ticked(confidence: float, expected: list[int], tmp_path: Path) -> None:
    rows = [{"id": 1, "probs": [0.5, 0.3, 0.2]}, {"id": 2, "category": "b"}, {"id": 3, "category": "a", "score": 0.4}]
    rows += [{"id": 3, "category": "c", "score": 0.9}]
    (question,), _, _ = questions(load(tmp_path, LABELS, rows, missing_score=0.7), "multilabel")
    one = ticked(question, confidence)
    assert one.predicted.tolist() == expected
    assert one.true.tolist() == [0, 4, 8]
    assert one.asked.all()


def test_ticks_leave_out_what_is_no_number(tmp_path: Path) -> None:
    rows = [{"id": 1, "probs": [0.9, None, 0.9]}, {"id": 2, "probs": [1.5, 0.9, 0.0]}]
    (question,), _, _ = questions(load(tmp_path, LABELS, rows), "multilabel")
    one = ticked(question, 0.5)
    assert one.predicted.tolist() == [3, 4]
    assert (one.missing.tolist(), one.odd.tolist()) == ([True, False, False], [False, True, False])
    assert one.asked.tolist() == [False, True, False]
