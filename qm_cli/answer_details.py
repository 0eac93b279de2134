"""What else is asked of classes and text entities: the samples of a cell of the confusion matrix, and thresholds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.answer_arrivals import of_questions, of_spans
from qm_cli.analysis.arrivals import Arrivals
from qm_cli.analysis.classification_outcome import Answered, Ticked
from qm_cli.analysis.classification_questions import Question
from qm_cli.analysis.text_spans import Spans, overlaps
from qm_cli.answers import FREE_TEXT
from qm_cli.arrays import to_arrow
from qm_cli.classification import LABELBOX, ClassEvaluation, QuestionResult
from qm_cli.count_report import number
from qm_cli.errors import UsageError, nearest
from qm_cli.evaluation_options import NONE, Questions
from qm_cli.text_entities import SpanEvaluation, evaluate_spans
from qm_cli.threshold_report import threshold_report

RowArray = npt.NDArray[np.int64]
Row = dict[str, Any]
Cell = tuple[str | None, str | None]
ANSWERED_ALONE = (
    "a data row counts where it has an answer: its labels are to be found from its best answer's score down, so a "
    "category's numbers hold where all others are cut at the same confidence"
)


def answer_details(
    questions: Questions, evaluation: ClassEvaluation | SpanEvaluation, report: Mapping[str, Any]
) -> dict[str, Any]:
    """The parts `examples` and `thresholds` of the report, where they are asked for.

    Raises UsageError for categories that there are not and for what the task or convention cannot answer.
    """
    details: dict[str, Any] = {}
    if questions.examples:
        at = {name: report[name] for name in ("iou", "confidence")}
        details["examples"] = [
            {"predicted": cell[0], "true": cell[1], **at, "samples": _samples(evaluation, cell)}
            for cell in questions.examples
        ]
    if questions.targets:
        rows = report["categories"]
        details["thresholds"] = threshold_report(
            _arrivals(evaluation),
            [{name: row[name] for name in ("id", "name", "question") if name in row} for row in rows],
            report["images"],
            questions.targets,
            questions.seed,
            report["iou"],
            report["convention"],
        )
        if isinstance(evaluation, ClassEvaluation) and evaluation.settings.convention == LABELBOX:
            details["thresholds"]["matching"] = ANSWERED_ALONE
    return details


def _samples(evaluation: ClassEvaluation | SpanEvaluation, cell: Cell) -> list[Row]:
    if isinstance(evaluation, SpanEvaluation):
        return _span_samples(evaluation, cell)
    return _class_samples(evaluation, cell)


def _arrivals(evaluation: ClassEvaluation | SpanEvaluation) -> Arrivals:
    return _span_arrivals(evaluation) if isinstance(evaluation, SpanEvaluation) else _class_arrivals(evaluation)


def _class_arrivals(evaluation: ClassEvaluation) -> Arrivals:
    alone = evaluation.settings.convention == LABELBOX
    return of_questions([result.question for result in evaluation.results], answered_alone=alone)


def _span_arrivals(evaluation: SpanEvaluation) -> Arrivals:
    answers, convention, iou = evaluation.answers, evaluation.convention, evaluation.iou
    every = evaluate_spans(answers, convention, iou, -math.inf)
    pairs = overlaps(every.label, every.prediction, answers.rows)
    return of_spans(every.label, every.prediction, pairs, every.matched, iou if convention == LABELBOX else None)


def _class_samples(evaluation: ClassEvaluation, cell: Cell) -> list[Row]:
    """Samples of every question that has both categories, by falling score."""
    asked = [result for result in evaluation.results if result.question.kind != FREE_TEXT]
    if not asked:
        raise UsageError("--examples: free text has no categories to confuse", "see answer.parquet of -o")
    found: list[Row] = []
    known = False
    for result in asked:
        names = [evaluation.answers.category_names[row] for row in result.question.category.tolist()]
        ids = [str(evaluation.answers.category_ids[row]) for row in result.question.category.tolist()]
        places = [_place(name, names, ids) for name in cell]
        if -1 in places:
            continue
        known = True
        chosen = _answered if isinstance(result.found, Answered) else _ticked
        place, score = chosen(result, *places)
        found += _class_rows(evaluation, result, place, score)
    if not known:
        _refuse_unknown(cell, evaluation.answers.category_names)
    return sorted(found, key=lambda row: -math.inf if row["score"] is None else row["score"], reverse=True)


def _place(name: str | None, names: Sequence[str], ids: Sequence[str]) -> int | None:
    """Place of a category by name, else by id; None for none, −1 for an unknown one."""
    if name is None:
        return None
    return names.index(name) if name in names else ids.index(name) if name in ids else -1


def _refuse_unknown(cell: Cell, names: Sequence[str]) -> None:
    unknown = [name for name in cell if name is not None and name not in names]
    if not unknown:
        raise UsageError(f"--examples: no question has {' and '.join(map(str, cell))}", "name two of one question")
    hint = nearest(unknown[0], list(names)) or f"{NONE} stands for no category"
    raise UsageError(f"--examples: no category {unknown[0]!r}", hint)


def _answered(
    result: QuestionResult, predicted: int | None, true: int | None
) -> tuple[RowArray, npt.NDArray[np.float64]]:
    """Places among the judged data rows of a question that takes one answer, and the scores."""
    found = result.found
    assert isinstance(found, Answered)
    chosen = found.predicted == (-1 if predicted is None else predicted)
    place = np.flatnonzero(chosen & (found.true == (-1 if true is None else true)))
    return result.judged[place], found.score[place]


def _ticked(
    result: QuestionResult, predicted: int | None, true: int | None
) -> tuple[RowArray, npt.NDArray[np.float64]]:
    """Places of the data rows of a checklist in which a category is ticked rightly, wrongly or not at all."""
    found = result.found
    assert isinstance(found, Ticked)
    if None not in (predicted, true) and predicted != true:
        raise UsageError(
            "--examples: a checklist confuses no category with another", f"write {NONE} for one of the two"
        )
    size = max(result.question.categories, 1)
    ticks = found.true if predicted is None else found.predicted
    other = found.predicted if predicted is None else found.true
    own = ticks[ticks % size == (true if predicted is None else predicted)]
    hit = np.isin(own, other)
    own = own[hit if predicted == true else ~hit]
    return own // size, _scores(result.question, own)


def _scores(question: Question, ticks: RowArray) -> npt.NDArray[np.float64]:
    """The score or probability of ticks, given as in `Ticked`; NaN for none."""
    pairs, size = question.prediction, max(question.categories, 1)
    keys = pairs.place * size + pairs.category
    order = np.argsort(keys)
    at = np.searchsorted(keys[order], ticks)
    there = np.append(keys[order], -1)[at] == ticks
    score = np.where(there, np.append(pairs.score[order], np.nan)[at], np.nan)
    if question.probabilities is not None and len(ticks):
        row, column = question.probable[ticks // size], np.full(size, -1)
        column[question.column] = np.arange(len(question.column))
        given = (row >= 0) & (column[ticks % size] >= 0)
        own = question.probabilities.values[row[given], column[ticks[given] % size]]
        score[given] = np.fmax(score[given], own.astype(np.float64))
    return score


def _class_rows(
    evaluation: ClassEvaluation, result: QuestionResult, place: RowArray, score: npt.NDArray[np.float64]
) -> list[Row]:
    rows = evaluation.answers.row_ids.take(to_arrow(result.question.rows[place])).to_pylist()
    named = {} if result.question.name is None else {"question": result.question.name}
    return [{"data_row_id": row, **named, "score": number(one)} for row, one in zip(rows, score, strict=True)]


def _span_samples(evaluation: SpanEvaluation, cell: Cell) -> list[Row]:
    """Entities of a cell with where they are, by falling score."""
    answers = evaluation.answers
    ids = [str(one) for one in answers.category_ids]
    predicted, true = (_place(name, answers.category_names, ids) for name in cell)
    if -1 in (predicted, true):
        _refuse_unknown(cell, answers.category_names)
    label, prediction, matched = evaluation.label, evaluation.prediction, evaluation.matched
    hit = np.flatnonzero(evaluation.true_positive)
    crossed_labels, crossed = matched.crossed
    spurious, missed = ~evaluation.true_positive, ~evaluation.found
    spurious[crossed], missed[crossed_labels] = False, False
    alone, lost = np.flatnonzero(spurious), np.flatnonzero(missed)
    predictions = np.concatenate([hit, crossed, alone, np.full(len(lost), -1)])
    labels = np.concatenate([matched.label[hit], crossed_labels, np.full(len(alone), -1), lost])
    chosen = _is(prediction, predictions, predicted) & _is(label, labels, true)
    predictions, labels = predictions[chosen], labels[chosen]
    score = np.append(prediction.score, np.nan)[predictions]
    order = np.lexsort((labels, predictions, -score))
    return [
        _span_row(evaluation, int(one), int(other))
        for one, other in zip(predictions[order], labels[order], strict=True)
    ]


def _is(spans: Spans, rows: RowArray, category: int | None) -> npt.NDArray[np.bool_]:
    return np.asarray(np.append(spans.category, -1)[rows] == (-1 if category is None else category))


def _span_row(evaluation: SpanEvaluation, prediction: int, label: int) -> Row:
    given = (("label", evaluation.label, label), ("prediction", evaluation.prediction, prediction))
    there = {name: (spans, row) for name, spans, row in given if row >= 0}
    spans, row = next(iter(there.values()))
    ends = {
        f"{name}_{end}": int(getattr(there[name][0], end)[there[name][1]]) if name in there else None
        for name in ("label", "prediction")
        for end in ("start", "end")
    }
    score = number(evaluation.prediction.score[prediction]) if prediction >= 0 else None
    return {"data_row_id": evaluation.answers.row_ids[int(spans.row[row])].as_py(), **ends, "score": score}
