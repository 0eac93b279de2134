"""Which classes of a data row are its answers, and which questions take several."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from qm_cli.labelling_answers import Questions, answered, questions_of
from qm_cli.run import ScoredDataset

NONE: frozenset[str | None] = frozenset()


def row(number: int, score: float, question: str | None = None, box: Any = None) -> dict[str, Any]:
    return {"id": number, "score": score, "question": question, "bbox": box}


def ids(rows: list[dict[str, Any]]) -> list[int]:
    return [one["id"] for one in rows]


def test_one_answer_or_several() -> None:
    radio, checklist = Questions(NONE, NONE, False, None), Questions(NONE, NONE, True, None)
    rows = [row(1, 0.2), row(2, 0.4), row(3, 0.4)]
    assert ids(answered(rows, radio)) == [2]
    assert ids(answered(rows, checklist)) == []
    kept = answered([*rows, row(4, 0.5), row(5, 0.9)], checklist)
    assert [(one["id"], ids(one["answers"])) for one in kept] == [(4, [4, 5]), (5, [])]
    assert ids(answered(rows, Questions(NONE, NONE, False, 0.5))) == []
    assert ids(answered(rows, Questions(NONE, NONE, True, 0.3))) == [2, 3]


def test_objects_stay() -> None:
    boxed = [row(1, 0.1, box=[0, 0, 1, 1]), row(2, 0.1, box=[0, 0, 1, 1])]
    questions = Questions(NONE, NONE, False, None)
    assert answered(boxed, questions) is boxed
    assert ids(answered([boxed[0], row(3, 0.9), row(4, 0.8)], questions)) == [1, 3]


def table(**columns: list[Any]) -> pa.Table:
    return pa.table(columns)


@pytest.mark.parametrize("task", [None, "classification", "multilabel"])
def test_kinds_of_questions(task: str | None) -> None:
    """By the declared type, else the task, else where a data row has several different labels."""
    label = table(
        image_row=[0, 0, 0, 0, 1, 1],
        category_row=[0, 1, 2, 3, 2, 2],
        question=["a", "a", "b", None, "c", "c"],
        question_type=["radio", "radio", "checklist", None, None, None],
    )
    category = table(id=[0, 1, 2, 3], name=list("wxyz"), question=[None, None, None, "d"])
    found = questions_of(ScoredDataset({"label": label, "category": category}), task, None)
    several = {name for name in ("a", "b", "c", "d") if found.takes_several(name)}
    assert several == ({"b", "c", "d"} if task == "multilabel" else {"b"})
    twice = label.set_column(1, "category_row", pa.array([0, 1, 2, 3, 2, 1]))
    found = questions_of(ScoredDataset({"label": twice, "category": category}), task, None)
    several = {name for name in ("a", "b", "c", "d") if found.takes_several(name)}
    assert several == ({"b", "c", "d"} if task == "multilabel" else {"b"} if task else {"b", "c"})


def test_without_labels() -> None:
    source = ScoredDataset({"category": table(id=[1], name=["a"])})
    assert questions_of(source, "multilabel", 0.3).least(None) == 0.3
    assert not questions_of(source, None, None).takes_several(None)
