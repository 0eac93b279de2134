"""Classes in the tables of a dataset folder give the same report as their files, and an outcome a row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qm_cli.classification_report import class_report
from qm_cli.classification_tables import evaluate_classes, holds_classes, outcomes_of
from qm_cli.load import load_tables
from qm_cli.settings import Settings
from qm_cli.tables import Tables
from tests.answer_files import load, random_classes
from tests.input_files import document as boxes
from tests.input_files import image, prediction, write

TRUE, VALUES = random_classes(12, 3, 5)


def document(rows: list[Any], **more: Any) -> dict[str, Any]:
    categories = [{"id": n + 1, "name": name, **more} for n, name in enumerate("abc")]
    return {"images": [image(n) for n in range(12)], "categories": categories, "annotations": rows}


LABELS = document([{"id": n, "image_id": n, "category_id": int(c) + 1} for n, c in enumerate(TRUE)])
ANSWERS = [{"image_id": n, "category_id": int(row.argmax()) + 1, "probs": row.tolist()} for n, row in enumerate(VALUES)]


def tables(folder: Path, labels: Any, answers: Any) -> Tables:
    return load_tables(write(folder / "l.json", labels), write(folder / "p.json", answers), metadata=True)


def test_the_report_is_that_of_the_files(tmp_path: Path) -> None:
    from qm_cli.classification import ClassSettings, evaluate_answers

    found = class_report(evaluate_classes(tables(tmp_path, LABELS, ANSWERS), Settings()))
    files = class_report(evaluate_answers(load(tmp_path, LABELS, ANSWERS), ClassSettings()))
    assert found["metrics"] == files["metrics"]
    assert found["categories"] == files["categories"]
    assert found["confusion"] == files["confusion"]


def test_outcomes_are_those_of_each_row(tmp_path: Path) -> None:
    one = tables(tmp_path, LABELS, ANSWERS[::-1])
    found = outcomes_of(one, evaluate_classes(one, Settings()))
    assert found is not None
    right = VALUES.argmax(1) == TRUE
    assert found.counted.all()
    assert found.label_counts.all()
    assert (found.matched_label >= 0).tolist() == right.tolist()
    assert np.array_equal(found.matched_label, found.matched_prediction)


def test_outcomes_of_a_checklist_and_of_questions(tmp_path: Path) -> None:
    rows = [{"id": n, "image_id": 0, "category_id": n} for n in (1, 2)]
    ticks = [{"image_id": 0, "category_id": n, "score": score} for n, score in ((1, 0.9), (2, 0.3), (3, 0.8))]
    one = tables(tmp_path, document(rows), ticks)
    found = outcomes_of(one, evaluate_classes(one, Settings()))
    assert found is not None
    assert found.counted.tolist() == [True, False, True]
    assert found.matched_label.tolist() == [0, -1, -1]
    assert found.matched_prediction.tolist() == [0, -1]
    asked = [{**row, "question": question} for row, question in zip(rows, ("x", "y"), strict=True)]
    answers = [{"image_id": 0, "category_id": n, "question": q, "score": 1.0} for n, q in ((1, "x"), (3, "y"))]
    one = tables(tmp_path, document(asked), answers)
    evaluation = evaluate_classes(one, Settings())
    assert [result.question.name for result in evaluation.results] == ["x", "y"]
    found = outcomes_of(one, evaluation)
    assert found is not None
    assert found.matched_label.tolist() == [0, -1]


def test_ticks_by_probability_are_no_rows(tmp_path: Path) -> None:
    rows = [{"id": n, "image_id": 0, "category_id": n} for n in (1, 2)]
    one = tables(tmp_path, document(rows), [{"image_id": 0, "category_id": 1, "probs": [0.9, 0.8, 0.1]}])
    evaluation = evaluate_classes(one, Settings())
    assert class_report(evaluation)["metrics"]["accuracy"] == pytest.approx(1.0)
    assert outcomes_of(one, evaluation) is None


def test_categories_may_carry_the_question(tmp_path: Path) -> None:
    one = tables(tmp_path, {**LABELS, "categories": document([], question="which")["categories"]}, ANSWERS)
    assert evaluate_classes(one, Settings(answer_confidence=0.9)).results[0].question.name == "which"


def test_boxes_are_no_classes(tmp_path: Path) -> None:
    assert holds_classes(tables(tmp_path, LABELS, ANSWERS))
    assert not holds_classes(tables(tmp_path, boxes(), [prediction()]))
