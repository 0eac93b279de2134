"""The run folder of answers: what its tables hold, and that other commands can read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qm_cli import run_folder
from qm_cli.answer_evaluation import AnswerRequest, evaluate_answer_files
from qm_cli.answer_writing import write_answers
from qm_cli.errors import InputError
from qm_cli.load_answers import AnswerSource
from tests.answer_files import document, label, lines
from tests.input_files import write

ROWS = [label(1, "a"), label(2, "b"), label(3, "a")]
ANSWERS = [{"id": 1, "probs": [0.9, 0.1]}, {"id": 2, "probs": [0.7, 0.3]}]


def written(folder: Path, labels: Any, answers: list[Any], **how: Any) -> run_folder.Run:
    source = AnswerSource(write(folder / "l.json", labels), write(folder / "better.jsonl", lines(answers)))
    evaluation, report = evaluate_answer_files(AnswerRequest(source, **how))
    write_answers(folder / "run", evaluation, report, source, 0.0)
    run = run_folder.open_run(folder / "run")
    assert run.evaluation() == report
    assert run.models == ["better"]
    assert run.changed_inputs() == []
    return run


def test_one_question(tmp_path: Path) -> None:
    run = written(tmp_path, document(ROWS, ["a", "b"]), ANSWERS)
    assert run.table("image").to_pydict() == {
        "id": [1, 2, 3],
        "true_positives": [1, 0, 0],
        "false_positives": [0, 1, 0],
        "false_negatives": [0, 1, 1],
    }
    answer = run.table("answer").to_pydict()
    assert answer["prediction"] == ["a", "a", None]
    assert answer["label"] == ["a", "b", "a"]
    assert answer["correct"] == [True, False, False]
    assert run.table("confusion").to_pylist()[1] == {"question": None, "true": "a", "predicted": None, "count": 1}
    assert run.table("category")["recall"].to_pylist() == [0.5, 0]
    assert run.table("precision_recall").num_rows == 2 * 101


def test_questions_of_every_kind(tmp_path: Path) -> None:
    rows = [label(1, "a", question="x"), label(1, "b", question="y"), label(1, "a", question="y")]
    rows.append({"data_row_id": 1, "question": "z", "answer": "hello"})
    answers = [{"id": 1, "category": "a", "question": q} for q in ("x", "y")]
    answers.append({"id": 1, "question": "z", "answer": "bye"})
    run = written(tmp_path, document(rows, ["a", "b"], 1), answers)
    counts = run.table("image").to_pydict()
    assert [counts[name] for name in ("true_positives", "false_positives", "false_negatives")] == [[2], [1], [2]]
    answer = run.table("answer").to_pylist()
    assert [(one["question"], one["label"], one["prediction"]) for one in answer] == [
        ("x", "a", "a"),
        ("z", "hello", "bye"),
    ]


def test_text_entities(tmp_path: Path) -> None:
    rows = [label(1, "a", start=0, end=4), label(2, "b", start=0, end=4)]
    answers = [{"id": 1, "category": "a", "span": [0, 3], "score": 0.9}, {"id": 1, "category": "b", "span": [5, 6]}]
    run = written(tmp_path, document(rows, ["a", "b"]), answers, convention="labelbox")
    assert run.table("prediction")["outcome"].to_pylist() == ["TP", "FP"]
    assert run.table("label")["outcome"].to_pylist() == ["TP", "FN"]
    assert run.table("image")["f1"].to_pylist() == [0.5, None, None]


def test_nothing_is_written_where_something_else_is(tmp_path: Path) -> None:
    write(tmp_path / "run" / "precious.txt", "mine")
    with pytest.raises(InputError, match="something else"):
        written(tmp_path, document(ROWS, ["a", "b"]), ANSWERS)
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["precious.txt"]


def test_empty_everything(tmp_path: Path) -> None:
    run = written(tmp_path, document([], ["a"]), [])
    assert run.table("image")["true_positives"].to_pylist() == [0, 0, 0]
    assert run.evaluation()["metrics"]["accuracy"] is None
