"""Answers as objects have them give the numbers that the evaluation of answers gives."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qm_cli.answer_evaluation import AnswerRequest, evaluate_answer_files
from qm_cli.classification_report import class_report
from qm_cli.classification_tables import evaluate_classes
from qm_cli.errors import InputError
from qm_cli.load_answers import AnswerSource
from qm_cli.load_dataset import load_tables
from qm_cli.settings import Settings
from qm_cli.tables import Tables
from tests.answer_files import document, label, lines
from tests.input_files import write

RANDOM = np.random.default_rng(0)


def both(labels: Path, predictions: Path, **how: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The report of the tables, and of the answers."""
    found = class_report(evaluate_classes(load_tables(labels, predictions, **how), Settings()))
    return found, evaluate_answer_files(AnswerRequest(AnswerSource(labels, predictions, **how)))[1]


def codes(tables: Tables) -> dict[str, int]:
    found: Counter[str] = Counter()
    for one in tables.findings:
        found[one.code] += one.count
    return dict(found)


def random_rows(count: int, names: list[str], **more: Any) -> list[dict[str, Any]]:
    picked = RANDOM.integers(0, len(names), count)
    return [{"id": f"r{n}", "category": names[c], **more} for n, c in enumerate(picked)]


def test_numbers_as_names_keep_their_order(tmp_path: Path) -> None:
    names = [str(n) for n in range(12)]
    labels = write(tmp_path / "l.jsonl", lines(random_rows(30, names)))
    values = RANDOM.random((30, 12))
    np.save(tmp_path / "p.npy", values / values.sum(1, keepdims=True))
    ours, theirs = both(labels, tmp_path / "p.npy")
    assert [row["name"] for row in ours["categories"]] == names
    assert ours["metrics"] == theirs["metrics"]
    assert ours["categories"] == theirs["categories"]


def test_several_questions_and_their_types(tmp_path: Path) -> None:
    rows = [
        *random_rows(20, ["sun", "rain"], question="weather"),
        *random_rows(20, ["dog", "cat"], question="animals"),
    ]
    content = {"data_rows": [{"id": f"r{n}"} for n in range(20)], "annotations": rows}
    content["questions"] = [{"name": "weather", "type": "radio"}, {"name": "animals", "type": "checklist"}]
    labels = write(tmp_path / "l.json", content)
    scored = [
        {**row, "score": float(RANDOM.random())}
        for row in (
            *random_rows(20, ["sun", "rain"], question="weather"),
            *random_rows(20, ["dog", "cat"], question="animals"),
        )
    ]
    ours, theirs = both(labels, write(tmp_path / "p.jsonl", lines(scored)))
    assert [one["kind"] for one in ours["questions"]] == ["radio", "checklist"]
    assert ours["questions"] == theirs["questions"]


def test_names_that_the_labels_do_not_list(tmp_path: Path) -> None:
    labels = write(tmp_path / "l.json", document([label(1, "a"), label(2, "b"), label(3, "x")], ["a", "b"]))
    rows = [{"id": 1, "category": "a"}, {"id": 2, "category": "zebra"}, {"id": 9, "category": "b"}]
    tables = load_tables(labels, write(tmp_path / "p.csv", "id,category\n1,a\n2,zebra\n9,b\n"))
    assert codes(tables) == {
        "label-unknown-category": 1,
        "prediction-unknown-category": 1,
        "prediction-unknown-image": 1,
        "prediction-filled-score": 3,
    }
    assert tables.count("prediction") == 1
    ours, theirs = both(labels, write(tmp_path / "p.json", rows))
    assert ours["metrics"] == theirs["metrics"]


def test_ids_of_categories_and_their_names_mean_the_same(tmp_path: Path) -> None:
    labels = write(tmp_path / "l.json", document([label(n + 1, "b") for n in range(3)], ["a", "b"]))
    by_id = load_tables(labels, write(tmp_path / "p.jsonl", lines([{"id": 1, "category_id": 2, "score": 0.5}])))
    by_name = load_tables(labels, write(tmp_path / "q.jsonl", lines([{"id": 1, "label": "b", "confidence": 0.5}])))
    assert by_id.prediction.equals(by_name.prediction)
    assert by_id.values("prediction", "category_row").tolist() == [1]


def test_free_text_has_no_samples(tmp_path: Path) -> None:
    labels = write(tmp_path / "l.jsonl", lines([{"id": 1, "category": "a"}, {"id": 1, "answer": "hi"}, {"id": 2}]))
    tables = load_tables(
        labels, write(tmp_path / "p.jsonl", lines([{"id": 1, "category": "a"}, {"id": 2, "answer": "x"}]))
    )
    assert {"answer-free-text": 2, "label-without-answer": 1}.items() <= codes(tables).items()
    assert (tables.count("image"), tables.count("label"), tables.count("prediction")) == (2, 1, 1)


def test_without_labels(tmp_path: Path) -> None:
    tables = load_tables(None, write(tmp_path / "p.csv", "id,prob_cat,prob_ant\nx,.25,.75\ny,.5,.5\n"))
    assert tables.category["name"].to_pylist() == ["cat", "ant"]
    assert tables.values("prediction", "probs").tolist() == [[0.25, 0.75], [0.5, 0.5]]
    assert tables.values("prediction", "score").tolist() == [0.75, 0.5]
    assert tables.image["id"].to_pylist() == ["x", "y"]


def test_probabilities_of_another_shape(tmp_path: Path) -> None:
    labels = write(tmp_path / "l.csv", "id,category\n1,a\n2,b\n")
    np.save(tmp_path / "p.npy", np.full((3, 2), 0.5))
    with pytest.raises(InputError, match="has 3 rows, the label file 2 data rows"):
        load_tables(labels, tmp_path / "p.npy")
    boxes = {"images": [{"id": 1}], "categories": [{"id": 1, "name": "a"}]}
    boxes |= {"annotations": [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1]}]}
    with pytest.raises(InputError, match="holds classes or text, and the labels have boxes"):
        load_tables(write(tmp_path / "boxes.json", boxes), write(tmp_path / "p.csv", "id,category\n1,a\n"))
