"""Answers → questions: their type, the data rows judged, and each answer once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qm_cli.analysis.classification_questions import Question, first_of_runs, questions
from tests.answer_files import document, label, load


def asked(folder: Path, rows: list[Any], answers: list[Any], task: str | None = None, **more: Any) -> Any:
    return questions(load(folder, document(rows, ["a", "b", "c"], **more), answers), task)


def only(folder: Path, *given: Any, **more: Any) -> tuple[Question, dict[str, int]]:
    (question,), found, _ = asked(folder, *given, **more)
    return question, {one.code: one.count for one in found}


def test_one_label_a_data_row_is_a_radio_question(tmp_path: Path) -> None:
    question, found = only(tmp_path, [label(3, "a"), label(1, "b")], [{"id": 1, "category": "c"}])
    assert (question.kind, question.rows.tolist(), question.true.tolist(), found) == ("radio", [0, 2], [1, 0], {})
    assert question.prediction.place.tolist() == [0]


def test_several_labels_make_a_checklist_unless_the_task_says_otherwise(tmp_path: Path) -> None:
    rows = [label(1, "a"), label(1, "b"), label(2, "c"), label(2, "c")]
    (question,), found, notes = asked(tmp_path, rows, [{"id": 2, "category": "c"}])
    assert question.kind == "checklist"
    assert question.rows.tolist() == [0, 1, 2]
    assert [one.code for one in found] == ["label-duplicate-answer"]
    assert "1 data rows have several labels" in notes[0]
    question, codes = only(tmp_path, rows, [{"id": 2, "category": "c"}, {"id": 1, "category": "a"}], "classification")
    assert question.rows.tolist() == [1]
    assert codes == {"label-duplicate-answer": 1, "label-several-answers": 1, "prediction-without-label": 1}
    question, _ = only(tmp_path, [label(1, "a")], [{"id": 1, "category": "a"}], "multilabel")
    assert question.kind == "checklist"


def test_the_label_file_may_say_the_type(tmp_path: Path) -> None:
    rows = [label(1, "a", question="q"), label(2, "b", question="q")]
    question, _ = only(tmp_path, rows, [{"id": 1, "category": "a"}], questions=[{"name": "q", "type": "checklist"}])
    assert (question.name, question.kind) == ("q", "checklist")


def test_each_answer_counts_once_the_best_first(tmp_path: Path) -> None:
    answers = [
        {"id": 1, "category": name, "score": score} for name, score in (("a", 0.2), ("b", 0.9), ("a", 0.95), ("c", 0.9))
    ]
    question, found = only(tmp_path, [label(1, "a"), label(2, "b")], answers)
    assert question.prediction.category.tolist() == [0, 1, 2]
    assert question.prediction.score.tolist() == [0.95, 0.9, 0.9]
    assert first_of_runs(question.prediction).tolist() == [0]
    assert found == {"prediction-duplicate-answer": 1}


@pytest.mark.parametrize("given, true, predicted", [("yes", [0, 1], [0]), ("Yes", [0, 1], [2])])
def test_texts_are_compared_as_they_are(given: str, true: list[int], predicted: list[int], tmp_path: Path) -> None:
    rows = [{"data_row_id": 1, "answer": "yes"}, {"data_row_id": 2, "answer": "no"}]
    question, _ = only(tmp_path, rows, [{"id": 1, "answer": given}])
    assert (question.kind, question.true.tolist(), question.prediction.category.tolist()) == ("text", true, predicted)
    assert question.texts is not None
    assert question.texts.to_pylist()[:2] == ["yes", "no"]
