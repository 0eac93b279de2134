"""Labelbox's rows with questions below their answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qm_cli.answer_evaluation import AnswerRequest, evaluate_answer_files
from qm_cli.answer_rows import DataRow, Row, unfolded
from qm_cli.errors import InputError
from qm_cli.load_answers import AnswerSource, load_answers
from qm_cli.load_dataset import load_tables
from qm_cli.nested_answers import Nested, Option, below
from tests.answer_files import lines
from tests.input_files import write


def radio(key: str, name: str, *more: dict[str, Any], **score: float) -> dict[str, Any]:
    return {
        "name": "sky",
        "answer": {"name": name, "classifications": list(more), **score},
        "dataRow": {"globalKey": key},
    }


def strength(name: str) -> dict[str, Any]:
    return {"name": "strength", "answer": {"name": name}}


LABELS = [
    radio("a", "rain", strength("heavy")),
    radio("b", "rain", strength("light")),
    radio("c", "sun"),
    {"name": "seen", "answer": [{"name": "car", "classifications": [{"name": "colour", "answer": [{"name": "red"}]}]},
                                {"name": "dog"}], "dataRow": {"globalKey": "a"}},
    {"name": "note", "answer": "wet", "dataRow": {"globalKey": "a"}},
]  # fmt: skip
PREDICTIONS = [
    radio("a", "rain", strength("heavy"), confidence=0.9),
    radio("b", "rain", strength("heavy"), confidence=0.8),
    radio("c", "rain", strength("light"), confidence=0.7),
    {"name": "seen", "answer": [{"name": "car", "confidence": 0.9}], "dataRow": {"globalKey": "a"}},
    {"name": "note", "answer": "wet", "dataRow": {"globalKey": "a"}},
]


def test_every_level_is_a_question(tmp_path: Path) -> None:
    files = write(tmp_path / "l.ndjson", lines(LABELS)), write(tmp_path / "p.ndjson", lines(PREDICTIONS))
    report = evaluate_answer_files(AnswerRequest(AnswerSource(*files, missing_score=1.0)))[1]
    found = {one["question"]: one for one in report["questions"]}
    assert {name: one["kind"] for name, one in found.items()} == {
        "sky": "radio",
        "sky/rain/strength": "radio",
        "seen": "checklist",
        "seen/car/colour": "checklist",
        "note": "text",
    }
    assert found["sky"]["metrics"]["accuracy"] == pytest.approx(2 / 3)
    assert found["sky/rain/strength"]["metrics"]["accuracy"] == 0.5
    assert found["sky/rain/strength"]["data_rows"] == 2
    assert (found["seen"]["metrics"]["true_positives"], found["seen"]["metrics"]["false_negatives"]) == (1, 1)
    assert found["note"]["metrics"]["accuracy"] == 1.0
    tables = load_tables(*files)
    assert set(tables.label["question"].to_pylist()) == set(found) - {"note"}


def test_free_text_needs_no_score_where_others_have_one(tmp_path: Path) -> None:
    files = write(tmp_path / "l.ndjson", lines(LABELS)), write(tmp_path / "p.ndjson", lines(PREDICTIONS[-2:]))
    report = evaluate_answer_files(AnswerRequest(AnswerSource(*files)))[1]
    found = {one["question"]: one["metrics"]["accuracy"] for one in report["questions"]}
    assert found["note"] == 1.0


def test_deeper_levels_and_rows_of_ones_own() -> None:
    kinds: dict[str, str] = {}
    deep = Option("x", None, [Nested("q", [Option("y", 0.5, [Nested("r", "text")])])])
    assert below("p", deep, 0.25, kinds) == [
        ("p", "x", None, 0.25),
        ("p/x/q", "y", None, 0.5),
        ("p/x/q/y/r", None, "text", None),
    ]
    assert kinds == {"p/x/q": "checklist"}
    row = Row(id=1, category="car", question="seen", score=0.5, classifications=[Nested("colour", Option("red", 0.75))])
    found = [(one.data_row_id, one.question, one.category_name, one.score) for one in unfolded([row], {})]
    assert found == [(1, "seen", "car", 0.5), (1, "seen/car/colour", "red", 0.75)]
    plain = [Row(id=1, category="car")]
    assert unfolded(plain, {}) is plain


@pytest.mark.parametrize("field", ["image_id", "data_row_id", "id"])
def test_rows_with_and_without_levels_name_data_rows_alike(field: str, tmp_path: Path) -> None:
    """What names the data row of plain rows does so beside folded ones."""
    rows: list[dict[str, Any]] = [
        {field: "a", "question": "sky", "answer": {"name": "rain"}},
        {field: "b", "question": "sky", "category": "sun"},
        {field: "b", "question": "note", "answer": "wet"},
    ]
    files = write(tmp_path / "l.jsonl", lines(rows)), write(tmp_path / "p.jsonl", lines(rows))
    answers = load_answers(AnswerSource(*files))
    assert (answers.row_ids.to_pylist(), len(answers.label), len(answers.prediction)) == (["a", "b"], 3, 3)


def test_nothing_of_a_labelbox_row_is_lost() -> None:
    """Probabilities, places in a text, free text, and answers whose question has no name."""
    place = DataRow("a")
    rows = [
        Row(dataRow=place, name="sky", category="rain", probs=[0.25, 0.75]),
        Row(dataRow=place, category="person", start=3.0, end=9.0),
        Row(dataRow=place, category="city", span=[1.0, 2.0]),
        Row(dataRow=place, answer="wet"),
        Row(dataRow=place, answer=[Option("car"), Option("dog", 0.5, [Nested("colour", Option("red"))])]),
    ]
    found = unfolded(rows, {})
    assert [one.data_row_id for one in found] == ["a"] * 7
    assert found[0].probs == [0.25, 0.75]
    assert [(one.start, one.end, one.span) for one in found[1:3]] == [(3.0, 9.0, None), (None, None, [1.0, 2.0])]
    assert (found[3].answer, found[3].category_name) == ("wet", None)
    names = [(one.question, one.category_name) for one in found[4:]]
    assert names == [(None, "car"), (None, "dog"), ("dog/colour", "red")]


def test_a_malformed_answer_names_its_place(tmp_path: Path) -> None:
    labels = write(tmp_path / "l.json", [{"name": "sky", "answer": {"value": 1}, "dataRow": {"id": "a"}}])
    with pytest.raises(InputError, match=r"l.json: .*answer"):
        evaluate_answer_files(AnswerRequest(AnswerSource(labels, labels)))
