"""What is compared of two models' answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from qm_cli.answer_comparing import compare_answers
from qm_cli.answer_parts import question_parts, questions_of_one
from qm_cli.answer_sides import Asked, Side, sides_of_files
from qm_cli.classification import ClassEvaluation, ClassSettings, evaluate_answers
from qm_cli.comparing import Request, compare
from qm_cli.errors import InputError
from qm_cli.load_answers import AnswerSource, load_answers
from tests.answer_files import document, label
from tests.input_files import write


def evaluations(folder: Path, first: str, second: str, task: str | None = None) -> list[ClassEvaluation]:
    labels = write(folder / "l.csv", "id,category\n1,a\n2,b\n3,b\n")
    files = (write(folder / "p.csv", first), write(folder / "q.csv", second))
    found = [side.found for side in sides_of_files(labels, files, Asked(task), {})]
    return [one for one in found if isinstance(one, ClassEvaluation)]


def test_categories_of_either_model_stand_side_by_side(tmp_path: Path) -> None:
    (part,) = question_parts(*evaluations(tmp_path, "id,category\n1,zoo\n2,b\n", "id,category\n1,a\n2,a\n3,b\n"))
    assert sorted(part.categories) == ["a", "b", "zoo"]
    changes = dict(zip(part.table["data_row_id"].to_pylist(), part.table["change"].to_pylist(), strict=True))
    assert changes == {1: "fixed", 2: "broken", 3: "fixed"}
    answers = [part.table[name].to_pylist() for name in ("label", "answer_a", "answer_b")]
    assert list(zip(*answers, strict=True)) == [("a", "zoo", "a"), ("b", "b", "a"), ("b", None, "b")]


def test_questions_of_different_kinds(tmp_path: Path) -> None:
    content = "id,category\n1,a\n2,b\n3,b\n"
    radio = evaluations(tmp_path, content, content)[0]
    checklist = evaluations(tmp_path, content, content, "multilabel")[1]
    with pytest.raises(InputError, match="takes one answer in one of A and B alone"):
        question_parts(radio, checklist)


def test_a_question_of_one_model_alone_is_told(tmp_path: Path) -> None:
    """Label files of the same labels that list different questions."""
    found = []
    for other, rows in (("mood", "2,mood,sad\n"), ("size", "1,size,big\n2,size,small\n")):
        listed = [{"name": name, "question": "kind"} for name in "ab"]
        listed += [{"name": name, "question": other} for name in ("sad", "big", "small")]
        labels = [label(1, "a", question="kind"), label(2, "b", question="kind")]
        places = (
            write(tmp_path / f"{other}.json", document(labels, [{"id": n, **one} for n, one in enumerate(listed)])),
            write(tmp_path / f"{other}.csv", "id,question,category\n1,kind,a\n" + rows),
        )
        found.append(evaluate_answers(load_answers(AnswerSource(*places)), ClassSettings()))
    a, b = found
    assert [part.question for part in question_parts(a, b)] == ["kind"]
    assert questions_of_one(a, b) == [
        {"question": "mood", "model": "A", "answers": 1},
        {"question": "size", "model": "B", "answers": 2},
    ]
    report, _ = compare_answers(Side("a", "a", a), Side("b", "b", b), np.arange(3), 100, 0)
    assert report["left_out"] == questions_of_one(a, b)
    assert "question 'size' is of B alone, with 2 answers: it is not compared" in report["notes"]


def test_answers_to_a_question_that_the_labels_do_not_have_are_told(tmp_path: Path) -> None:
    labels = write(tmp_path / "l.csv", "id,question,category\n1,kind,a\n2,kind,b\n")
    rows = ("1,kind,a\n2,mood,sad\n", "1,kind,b\n1,size,big\n2,size,small\n")
    paths = [write(tmp_path / f"{n}.csv", "id,question,category\n" + one) for n, one in enumerate(rows)]
    notes = compare(Request((labels, paths[0], paths[1]), resamples=100))[0]["notes"]
    told = [note.partition(" (")[0] for note in notes if "answer-unknown-question" in note]
    assert told == [
        f"{side}: answer-unknown-question: {count} × answer to a question that the labels do not have, left out"
        for side, count in (("A", 1), ("B", 2))
    ]


def test_no_question_of_both(tmp_path: Path) -> None:
    content = "id,category\n1,a\n2,b\n3,b\n"
    [one, other] = evaluations(tmp_path, content, content)
    with pytest.raises(InputError, match="share no question: None and none"):
        question_parts(one, replace(other, results=()))
