"""Counts of classes and text entities at every confidence are the sums of the changes down to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from qm_cli.analysis.answer_arrivals import TICKS_AT_MOST, of_questions, of_spans, scored
from qm_cli.analysis.arrivals import Arrivals
from qm_cli.analysis.text_spans import overlaps
from qm_cli.classification import ClassSettings, evaluate_answers
from qm_cli.classification_report import class_report
from qm_cli.errors import UsageError
from qm_cli.text_entities import evaluate_spans, span_report
from tests.answer_files import Row, document, label, load

NAMES = ["a", "b", "c"]
COUNTS = ("true_positives", "false_positives", "false_negatives")


def counts_at(found: Arrivals, confidence: float) -> list[list[int]]:
    there = found.score >= confidence
    hits, kept = (np.bincount(found.category[there], one[there], 3)[:3] for one in (found.found, found.kept))
    labels = np.bincount(found.label_category, minlength=3)[:3]
    if found.sought is not None:
        labels = labels + np.bincount(found.category[there], found.sought[there], 3)[:3]
    return [column.astype(int).tolist() for column in (hits, kept - hits, labels - hits)]


def told(report: dict[str, Any]) -> list[list[int]]:
    return [[row[name] for row in report["categories"]] for name in COUNTS]


def class_rows(seed: int, several: bool, listed: bool) -> tuple[Row, list[Row]]:
    random = np.random.default_rng(seed)
    labels = [
        label(n + 1, one) for n in range(40) for one in random.permutation(NAMES)[: 1 + several * (n % 2)].tolist()
    ]
    given: list[Row] = []
    for n in range(40):
        if listed:
            chosen = random.permutation(NAMES)[: 1 + n % 3].tolist()
            given += [{"id": n + 1, "category": one, "score": round(float(random.random()), 2)} for one in chosen]
        else:
            given.append({"id": n + 1, "probs": random.dirichlet(np.ones(3)).round(2).tolist()})
    return document(labels, NAMES, 40), given


@pytest.mark.parametrize("convention", ["sklearn", "labelbox"])
@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("listed", [False, True])
def test_classes(several: bool, listed: bool, convention: str, tmp_path: Path) -> None:
    labels, given = class_rows(3, several, listed)
    labels["annotations"] = [one for one in labels["annotations"] if one["data_row_id"] % 7]
    answers = load(tmp_path, labels, given)
    task = "multilabel" if several else "classification"
    settings = ClassSettings(task, convention)
    results = evaluate_answers(answers, settings).results
    found = of_questions([one.question for one in results], answered_alone=convention == "labelbox")
    for confidence in np.unique(found.score):
        report = class_report(evaluate_answers(answers, replace(settings, confidence=float(confidence))))
        assert counts_at(found, confidence) == told(report)


@pytest.mark.parametrize("convention", ["coco", "labelbox"])
def test_text_entities(convention: str, tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    labels = [
        label(n % 6 + 1, NAMES[int(random.integers(3))], start=int(start), end=int(start) + int(random.integers(3, 9)))
        for n, start in enumerate(random.integers(0, 30, 60))
    ]
    given = [
        {"id": n % 6 + 1, "category": NAMES[int(random.integers(3))], "start": int(start), "end": int(start) + 6}
        | ({} if n == 7 else {"score": round(float(random.random()), 2)})
        for n, start in enumerate(random.integers(0, 30, 90))
    ]
    answers = load(tmp_path, document(labels, NAMES, 6), given)
    every = evaluate_spans(answers, convention, 0.3, -1.0)
    pairs = overlaps(every.label, every.prediction, answers.rows)
    found = of_spans(every.label, every.prediction, pairs, every.matched, 0.3 if convention == "labelbox" else None)
    for confidence in np.unique(found.score):
        assert counts_at(found, confidence) == told(span_report(evaluate_spans(answers, convention, 0.3, confidence)))


def test_several_questions_stand_one_after_another(tmp_path: Path) -> None:
    categories = [
        {"id": n, "name": name, "question": q} for n, (name, q) in enumerate([("a", "x"), ("b", "x"), ("c", "y")])
    ]
    rows = [label(1, "b", question="x"), label(1, "c", question="y"), label(2, None, question="z", answer="free")]
    given = [
        {"id": 1, "category": "a", "question": "x", "score": 0.4},
        {"id": 1, "category": "c", "question": "y", "score": 0.6},
        {"id": 2, "question": "z", "answer": "free", "score": 0.9},
    ]
    answers = load(tmp_path, document(rows, categories, 2), given)
    found = of_questions([one.question for one in evaluate_answers(answers, ClassSettings()).results])
    assert [found.category.tolist(), found.found.tolist(), found.image.tolist()] == [[0, 2, 3], [0, 1, 1], [0, 0, 1]]
    assert sorted(found.label_category.tolist()) == [1, 2, 3]


def test_scores() -> None:
    assert scored(np.array([np.nan, 7.0])).tolist() == [7.0, 7.0]
    assert scored(np.zeros(0)).tolist() == []
    with pytest.raises(UsageError, match="no answer has a score"):
        scored(np.array([np.nan]))


def test_too_many_ticks_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert TICKS_AT_MOST >= 1_000_000
    monkeypatch.setattr("qm_cli.analysis.answer_arrivals.TICKS_AT_MOST", 100)
    answers = load(tmp_path, *class_rows(1, True, False))
    with pytest.raises(UsageError, match="40 × 3 probabilities of a checklist are too many"):
        of_questions([one.question for one in evaluate_answers(answers, ClassSettings("multilabel")).results])
