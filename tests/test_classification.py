"""The evaluation of classes: which data rows are judged, what is found, when curves are computed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qm_cli import classification
from qm_cli.classification import ClassEvaluation, ClassSettings, evaluate_answers
from tests.answer_files import class_names, document, label, load, random_classes

TRUE, VALUES = random_classes(40, 4, 1)
LABELS = document([label(n + 1, f"c{c}") for n, c in enumerate(TRUE)], class_names(4), 40)


def rows(values: Any) -> list[dict[str, Any]]:
    return [{"id": n + 1, "probs": row.tolist()} for n, row in enumerate(np.asarray(values))]


def evaluated(folder: Path, labels: Any, predictions: Any, **settings: Any) -> ClassEvaluation:
    return evaluate_answers(load(folder, labels, predictions), ClassSettings(**settings))


def test_probabilities_at_fault_are_counted_and_used_as_given(tmp_path: Path) -> None:
    values = VALUES.copy()
    values[3] *= 2
    values[5, 0] = -0.5
    found = evaluated(tmp_path, LABELS, rows(values))
    assert {one.code: (one.count, one.examples) for one in found.findings} == {"prediction-probs-sum": (2, ("4", "6"))}
    plain = evaluated(tmp_path, LABELS, rows(VALUES))
    assert found.results[0].found.predicted[3] == plain.results[0].found.predicted[3]


def test_curves_of_many_scores_only_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classification, "CURVE_VALUES", 100)
    result = evaluated(tmp_path, LABELS, rows(VALUES)).results[0]
    assert result.curves is None
    assert "ROC-AUC and AP are left out for 40 × 4 scores: --auc computes them" in result.notes
    assert evaluated(tmp_path, LABELS, rows(VALUES), auc=True).results[0].curves is not None
    listed = [{"id": 1, "category": "c0", "score": 0.5}]
    result = evaluated(tmp_path, LABELS, listed, task="multilabel", auc=True).results[0]
    assert result.curves is None


def test_curves_take_the_rows_with_probabilities_alone(tmp_path: Path) -> None:
    part = evaluated(tmp_path, LABELS, rows(VALUES[:30])).results[0].curves
    alone = {**LABELS, "annotations": LABELS["annotations"][:30]}
    whole = evaluated(tmp_path, alone, rows(VALUES[:30])).results[0].curves
    assert part is not None
    assert whole is not None
    assert np.array_equal(part.roc_auc, whole.roc_auc, equal_nan=True)
    assert np.array_equal(part.average_precision, whole.average_precision, equal_nan=True)


def test_labelbox_judges_the_rows_with_both_alone(tmp_path: Path) -> None:
    result = evaluated(tmp_path, LABELS, rows(VALUES[:30]), convention="labelbox").results[0]
    assert len(result.judged) == 30
    assert result.counts.true_negatives.sum() == 0
    checklist = evaluated(tmp_path, LABELS, rows(VALUES[:30]), convention="labelbox", task="multilabel").results[0]
    assert (checklist.found.predicted // 4 < 30).all()
    assert len(checklist.judged) <= 30


def test_the_task_is_that_of_the_questions(tmp_path: Path) -> None:
    assert evaluated(tmp_path, LABELS, rows(VALUES)).task == "classification"
    assert evaluated(tmp_path, LABELS, rows(VALUES), task="multilabel").task == "multilabel"


def test_without_probabilities_or_scores_a_note_says_what_is_undefined(tmp_path: Path) -> None:
    hard = [{"id": 1, "category": "c0"}]
    assert "no class probabilities" in evaluated(tmp_path, LABELS, hard).results[0].notes[0]
    assert "no scores" in evaluated(tmp_path, LABELS, hard, task="multilabel").results[0].notes[0]
