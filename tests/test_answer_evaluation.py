"""Files of answers → the report their task and convention ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qm_cli.answer_evaluation import AnswerRequest, evaluate_answer_files, places_of
from qm_cli.errors import InputError, UsageError
from qm_cli.load_answers import AnswerSource
from tests.answer_files import document, label, lines
from tests.input_files import write

LABELS = document([label(1, "a"), label(2, "b")], ["a", "b"], 2)
SPANS = document([label(1, "a", start=0, end=2)], ["a", "b"], 2)


def evaluated(folder: Path, labels: Any, answers: list[Any], **how: Any) -> dict[str, Any]:
    source = AnswerSource(write(folder / "l.json", labels), write(folder / "p.jsonl", lines(answers)))
    return evaluate_answer_files(AnswerRequest(source, **how))[1]


def test_spans_on_either_side_make_text_entities(tmp_path: Path) -> None:
    plain, span = [{"id": 1, "category": "a"}], [{"id": 1, "category": "a", "span": [0, 2]}]
    assert evaluated(tmp_path, LABELS, plain)["task"] == "classification"
    assert evaluated(tmp_path, SPANS, span)["task"] == "text"
    for labels, answers, side in ((LABELS, span, "labels"), (SPANS, plain, "predictions")):
        with pytest.raises(InputError, match=f"{side} is a text entity that can be used"):
            evaluated(tmp_path, labels, answers)
    assert evaluated(tmp_path, SPANS, span, task="classification")["task"] == "classification"


@pytest.mark.parametrize("labels, default", [(LABELS, "sklearn"), (SPANS, "coco")])
def test_conventions(labels: Any, default: str, tmp_path: Path) -> None:
    place = {"span": [0, 2]} if labels is SPANS else {}
    for convention in (None, "labelbox"):
        found = evaluated(tmp_path, labels, [{"id": 1, "category": "a", **place}], convention=convention)
        assert found["convention"] == (convention or default)


def test_only_labelbox_takes_a_missing_score_for_one(tmp_path: Path) -> None:
    answers = [{"id": 1, "category": "a"}, {"id": 2, "category": "b", "score": 0.9}]
    assert evaluated(tmp_path, LABELS, answers)["metrics"]["accuracy"] == 0.5
    assert evaluated(tmp_path, LABELS, answers, convention="labelbox")["metrics"]["accuracy"] == 1.0


def test_what_is_not_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--convention voc07: has no rule for classes"):
        evaluated(tmp_path, LABELS, [], convention="voc07")
    with pytest.raises(UsageError, match="--convention sklearn: has no rule for text entities"):
        evaluated(tmp_path, SPANS, [], convention="sklearn")
    with pytest.raises(UsageError, match="--task segm"):
        evaluated(tmp_path, LABELS, [], task="segm")


def test_places() -> None:
    assert places_of("1, 3,3") == (1, 3)
    for text in ("", "0", "a", "-1", "1.5"):
        with pytest.raises(UsageError, match="--top-k"):
            places_of(text)


def test_text_asked_for_where_none_is(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no entity with start and end"):
        evaluated(tmp_path, LABELS, [{"id": 1, "category": "a"}], task="text")
