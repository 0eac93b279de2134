"""What is compared of two models' answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from qm_cli.answer_parts import question_parts, questions_of_one
from qm_cli.answer_sides import Asked, sides_of_files
from qm_cli.classification import ClassEvaluation
from qm_cli.comparing import Request, compare
from qm_cli.errors import InputError
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
    """Labels without a list of questions: the second model answers another one as well, the first a third."""
    labels = write(tmp_path / "l.csv", "id,question,category\n1,kind,a\n2,kind,b\n")
    contents = ("1,kind,a\n2,mood,sad\n", "1,kind,b\n1,size,big\n2,size,small\n")
    paths = [write(tmp_path / f"{n}.csv", "id,question,category\n" + one) for n, one in enumerate(contents)]
    found = [side.found for side in sides_of_files(labels, (paths[0], paths[1]), Asked(), {})]
    a, b = (one for one in found if isinstance(one, ClassEvaluation))
    assert [part.question for part in question_parts(a, b)] == ["kind"]
    assert questions_of_one(a, b) == [
        {"question": "mood", "model": "A", "answers": 1},
        {"question": "size", "model": "B", "answers": 2},
    ]
    report, _ = compare(Request((labels, paths[0], paths[1]), resamples=100))
    assert report["left_out"] == questions_of_one(a, b)
    assert "question 'size' is of B alone, with 2 answers: it is not compared" in report["notes"]


def test_no_question_of_both(tmp_path: Path) -> None:
    content = "id,category\n1,a\n2,b\n3,b\n"
    [one, other] = evaluations(tmp_path, content, content)
    with pytest.raises(InputError, match="share no question: None and none"):
        question_parts(one, replace(other, results=()))
