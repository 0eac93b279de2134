"""What is wrong with files of answers: counted where rows can be done without, refused in a line where they cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qm_cli.answers import Answers
from qm_cli.errors import InputError
from qm_cli.link_answers import empty
from qm_cli.load_answers import AnswerSource, load_answers
from tests.answer_files import document, label, load
from tests.input_files import write

LABELS = document([label(1, "a"), label(2, "b"), label(3, "a")], ["a", "b"])


def codes(answers: Answers) -> dict[str, int]:
    return {found.code: found.count for found in answers.findings}


def matrix(folder: Path, values: Any, labels: Any = LABELS, **how: Any) -> Answers:
    np.save(folder / "p.npy", values)
    return load_answers(AnswerSource(write(folder / "l.json", labels), folder / "p.npy", **how))


def test_sound_files_have_no_findings(tmp_path: Path) -> None:
    answers = load(tmp_path, LABELS, [{"id": 1, "category": "a"}, {"id": 2, "category_id": 2}])
    assert codes(answers) == {}
    assert answers.prediction.category.tolist() == [0, 1]


def test_rows_that_cannot_be_used_are_counted_and_left_out(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "category": "a"},
        {"id": 99, "category": "a"},
        {"id": 2, "category": "c"},
        {"id": 3, "category": "a", "question": "which?"},
        {"id": 3},
    ]
    answers = load(tmp_path, LABELS, rows)
    assert codes(answers) == {
        "prediction-unknown-image": 1,
        "prediction-unknown-category": 1,
        "answer-unknown-question": 1,
        "prediction-missing-category-id": 1,
    }
    assert len(answers.prediction) == 1


def test_labels_that_cannot_be_used(tmp_path: Path) -> None:
    rows = [label(1, "a"), label(99, "a"), label(2, "c"), {"data_row_id": 3}]
    answers = load(tmp_path, document(rows, ["a", "b"]), [{"id": 1, "category": "a"}])
    assert codes(answers) == {"label-unknown-image": 1, "label-unknown-category": 1, "label-without-answer": 1}
    assert answers.label.row.tolist() == [0, 2]


def test_listed_twice(tmp_path: Path) -> None:
    labels = {**LABELS, "data_rows": [{"id": 1}, {"id": 2}, {"id": 2}, {"id": 3}, {}]}
    labels["categories"] = [*LABELS["categories"], {"id": 2, "name": "again"}]
    answers = load(tmp_path, labels, [{"id": 3, "category": "a"}])
    assert codes(answers) == {"image-missing-id": 1, "image-duplicate-id": 1, "category-duplicate-id": 1}
    assert answers.prediction.row.tolist() == [2]
    given = matrix(tmp_path, np.arange(10.0).reshape(5, 2), labels)
    assert given.probabilities[0].row.tolist() == [0, 1, 3]


def test_ids_of_another_type_are_matched_as_text_and_told(tmp_path: Path) -> None:
    answers = load(tmp_path, LABELS, [{"id": "1", "category": "a"}, {"id": "3", "category": "b"}])
    assert answers.prediction.row.tolist() == [0, 2]
    assert codes(answers) == {"ids-differ-in-type": 1}


def test_scores(tmp_path: Path) -> None:
    rows = [{"id": 1, "category": "a", "score": 1.5}, {"id": 2, "category": "a"}]
    answers = load(tmp_path, LABELS, rows)
    assert codes(answers) == {"prediction-score-range": 1, "prediction-missing-score": 1}
    assert answers.prediction.row.tolist() == [0]
    filled = load(tmp_path, LABELS, rows, missing_score=0.25)
    assert filled.prediction.score.tolist() == [1.5, 0.25]
    assert "prediction-filled-score" in codes(filled)


@pytest.mark.parametrize(
    "predictions, words",
    [
        ([{"id": 77, "category": "a"}], "none of its 1 image ids"),
        ([{"id": 1, "category": "x"}], r"none of its 1 categories \(x\) is among the 2 \(a, b\)"),
        ([{"id": 1, "score": 0.5}], "no prediction has a category; the fields are"),
        ([{"id": 1, "probs": [0.2, 0.3, 0.5]}], r"\[0\].probs has 3 numbers, there are 2 categories"),
        ("id,prob_a,prob_x\n1,0.5,0.5\n", "'x' is no category"),
        ("id,prob_a\n1,0.5\n", "class probabilities of 1 categories, the labels have 2"),
    ],
)
def test_files_that_are_not_meant_for_each_other_are_refused(predictions: Any, words: str, tmp_path: Path) -> None:
    name = "p.csv" if isinstance(predictions, str) else "p.jsonl"
    with pytest.raises(InputError, match=words):
        load(tmp_path, LABELS, predictions, ("l.json", name))


def test_matrices_of_another_shape_are_refused_with_both_numbers(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has 3 columns, there are 2 categories"):
        matrix(tmp_path, np.zeros((3, 3)))
    with pytest.raises(InputError, match="has 4 rows, the label file 3 data rows"):
        matrix(tmp_path, np.zeros((4, 2)))
    with pytest.raises(InputError, match="--prob-categories: 3 names for 2 columns"):
        matrix(tmp_path, np.zeros((3, 2)), prob_categories=("a", "b", "c"))
    questions = document([label(1, "a", question="x"), label(2, "b", question="y")], ["a", "b"])
    with pytest.raises(InputError, match="of one question, the labels have 2"):
        matrix(tmp_path, np.zeros((3, 2)), questions)


@pytest.mark.parametrize(
    "labels, words",
    [
        ({"data_rows": [], "categories": [], "annotations": []}, "there is no data row"),
        (document([label(9, "a")], ["a"]), r"none of its 1 data rows \(9\) is among the 3 \(1, 2, 3\)"),
        (document([label(1, "x")], ["a"]), r"none of its 1 categories \(x\) is among the 1 \(a\)"),
        (document([], ["a"], questions=[{"name": "q", "type": "dropdown"}]), "'dropdown'"),
    ],
)
def test_labels_that_make_no_set_are_refused(labels: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        load(tmp_path, labels, [{"id": 1, "category": "a"}])


def test_no_answers() -> None:
    assert len(empty()) == 0


def test_probabilities_of_several_questions(tmp_path: Path) -> None:
    categories = [{"id": n, "name": name, "question": q} for n, (name, q) in enumerate(["ax", "bx", "cy", "dy", "ey"])]
    rows = [{"id": 1, "question": "x", "probs": [0.1, 0.9]}, {"id": 1, "question": "y", "probs": [0.1, 0.2, 0.7]}]
    rows += [{"id": 1, "question": "y", "probs": [0.7, 0.2, 0.1]}, {"id": 2, "question": "x", "probs": [0.5, 0.5]}]
    answers = load(tmp_path, document([label(1, "a"), label(1, "c")], categories), rows)
    first, second = answers.probabilities
    assert (first.category.tolist(), second.category.tolist()) == ([0, 1], [2, 3, 4])
    assert first.row.tolist() == [0, 1, -1]
    assert second.values[second.row[0]].tolist() == [0.1, 0.2, 0.7]
