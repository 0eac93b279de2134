"""The report of an evaluation of classes as data, no formatting. Undefined is None."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.classification_counts import averages, mean, wrong_ticks
from qm_cli.analysis.classification_outcome import Answered, Ticked
from qm_cli.analysis.counts import ratio
from qm_cli.answers import FREE_TEXT, RADIO
from qm_cli.arrays import number_or_none
from qm_cli.classification import LABELBOX, SKLEARN, ClassEvaluation, QuestionResult

FloatArray = npt.NDArray[np.float64]
CELLS_KEPT = 10_000
COUNTS = ("true_positives", "false_positives", "false_negatives", "true_negatives")
BEST_ANSWER = "the best answer counts whatever its score; --confidence drops those below it"
RULES = {
    SKLEARN: "as scikit-learn, but undefined is null and leaves the means, where scikit-learn warns and takes 0",
    LABELBOX: "as Labelbox: data rows without an answer or a label have no value; IoU is 0",
}


def class_report(evaluation: ClassEvaluation) -> dict[str, Any]:
    """The one object that `qm evaluate --json` prints for classes and every table is rendered from.

    With several questions `metrics` are the means over the questions that have them (counts are sums), and `questions`
    holds each one's own.
    """
    settings, results = evaluation.settings, evaluation.results
    reports = [_question_report(evaluation, result) for result in results]
    several = len(reports) > 1
    top = {} if several else reports[0]
    confidences = {result.confidence for result in results}
    return {
        "task": evaluation.task,
        "convention": settings.convention,
        "iou": None,
        "confidence": confidences.pop() if len(confidences) == 1 else settings.confidence,
        "top_k": list(settings.top_k),
        "images": evaluation.answers.rows,
        "labels": sum(len(result.question.label) for result in results),
        "crowd": 0,
        "predictions": sum(report["predictions"] for report in reports),
        "metrics": _mean_metrics(reports) if several else top["metrics"],
        "categories": [row for report in reports for row in report["categories"]],
        "confusion": None if several else top["confusion"],
        "questions": reports if several else [],
        "findings": [finding.as_dict() for finding in evaluation.findings],
        "notes": _notes(evaluation),
    }


def _question_report(evaluation: ClassEvaluation, result: QuestionResult) -> dict[str, Any]:
    question = result.question
    ticks = isinstance(result.found, Ticked)
    answers = len(result.found.predicted) if ticks else int((result.found.predicted >= 0).sum())
    return {
        "question": question.name,
        "kind": question.kind,
        "confidence": result.confidence,
        "data_rows": len(result.judged),
        "labels": len(question.label),
        "predictions": answers,
        "metrics": _ticked(result) if isinstance(result.found, Ticked) else _answered(evaluation, result, result.found),
        "categories": [] if question.kind == FREE_TEXT else _categories(evaluation, result),
        "confusion": _confusion(evaluation, result),
    }


def _answered(evaluation: ClassEvaluation, result: QuestionResult, found: Answered) -> dict[str, float | int | None]:
    """Numbers of a question that takes one answer."""
    rows = len(found.true)
    accuracy = _share(found.correct.sum(), rows)
    if result.question.kind == FREE_TEXT:
        wrong = int((found.predicted >= 0).sum() - found.correct.sum())
        hits = int(found.correct.sum())
        return {"accuracy": accuracy, "true_positives": hits, "false_positives": wrong, "false_negatives": rows - hits}
    places = {
        f"top_{k}": _share(((found.above >= 0) & (found.above < k)).sum(), rows) if result.ranked else None
        for k in evaluation.settings.top_k
    }
    if evaluation.settings.convention == LABELBOX:
        own = {f"{name}_data_row": accuracy for name in ("precision", "recall", "f1")}
        return {"accuracy": accuracy, **averages(result.counts), **own, **_sums(result)}
    return {
        "accuracy": accuracy,
        **places,
        "balanced_accuracy": mean(result.counts.recall),
        **averages(result.counts),
        **_curve_means(result),
        "log_loss": _log_loss(found, result),
        **_sums(result),
    }


def _share(part: np.integer | int, whole: int) -> float | None:
    return float(part) / whole if whole else None


def _log_loss(found: Answered, result: QuestionResult) -> float | None:
    """−mean log p of the true category; p kept from 0 and 1 by its dtype's epsilon, as scikit-learn's log_loss."""
    given = result.question.probabilities
    own = found.of_true[~np.isnan(found.of_true)]
    if given is None or not len(own):
        return None
    epsilon = float(np.finfo(given.values.dtype).eps) if given.values.dtype.kind == "f" else float(np.finfo(float).eps)
    return float(-np.log(np.clip(own, epsilon, 1 - epsilon)).mean())


def _ticked(result: QuestionResult) -> dict[str, float | int | None]:
    """Numbers of a checklist: accuracy is that of whole sets (subset accuracy)."""
    found, question = result.found, result.question
    assert isinstance(found, Ticked)
    rows, size = len(result.judged), question.categories
    wrong = wrong_ticks(found, len(question.rows), size)[result.judged]
    return {
        "accuracy": _share((wrong == 0).sum(), rows),
        "hamming_loss": _share(wrong.sum(), rows * size),
        **averages(result.counts),
        **_curve_means(result),
        **_row_means(found, result),
        **_sums(result),
    }


def _row_means(found: Ticked, result: QuestionResult) -> dict[str, float | None]:
    """Precision, recall and F1 of each data row, and their means over the rows that have them."""
    size, rows = max(result.question.categories, 1), len(result.question.rows)
    hits = np.bincount(np.intersect1d(found.true, found.predicted, True) // size, minlength=rows)[result.judged]
    true, predicted = (
        np.bincount(keys // size, minlength=rows)[result.judged] for keys in (found.true, found.predicted)
    )
    return {
        "precision_data_row": mean(ratio(hits, predicted)),
        "recall_data_row": mean(ratio(hits, true)),
        "f1_data_row": mean(ratio(2 * hits, true + predicted)),
    }


def _curve_means(result: QuestionResult) -> dict[str, float | None]:
    lines, support = result.curves, result.counts.support
    found: dict[str, float | None] = {}
    for name in ("roc_auc", "average_precision"):
        values = np.full(len(support), np.nan) if lines is None else getattr(lines, name)
        found |= {f"{name}_macro": mean(values), f"{name}_weighted": mean(values, support)}
    return found


def _sums(result: QuestionResult) -> dict[str, float | int | None]:
    return {name: int(getattr(result.counts, name).sum()) for name in COUNTS}


def _categories(evaluation: ClassEvaluation, result: QuestionResult) -> list[dict[str, Any]]:
    """One row per category, in their order."""
    answers, question, counts = evaluation.answers, result.question, result.counts
    empty = np.full(question.categories, np.nan)
    lines = {
        name: empty if result.curves is None else getattr(result.curves, name)
        for name in ("roc_auc", "average_precision")
    }
    rates = {name: getattr(counts, name) for name in ("precision", "recall", "f1")} | lines
    predictions = counts.true_positives + counts.false_positives
    named = {} if question.name is None else {"question": question.name}
    return [
        {
            "id": answers.category_ids[row],
            "name": answers.category_names[row],
            **named,
            "labels": int(counts.support[place]),
            "predictions": int(predictions[place]),
            **{name: number_or_none(values[place]) for name, values in rates.items()},
            **{name: int(getattr(counts, name)[place]) for name in COUNTS},
        }
        for place, row in enumerate(question.category.tolist())
    ]


def _confusion(evaluation: ClassEvaluation, result: QuestionResult) -> dict[str, Any] | None:
    """The matrix as its filled cells, largest first; None stands for no answer."""
    cells = result.confusion
    if cells is None or result.question.kind != RADIO:
        return None
    names: list[str | None] = [evaluation.answers.category_names[row] for row in result.question.category.tolist()]
    names.append(None)
    order = np.lexsort((cells.predicted, cells.true, -cells.count))[:CELLS_KEPT]
    rows = zip(cells.true[order].tolist(), cells.predicted[order].tolist(), cells.count[order].tolist(), strict=True)
    return {
        "orientation": "rows true, columns predicted",
        "confidence": result.confidence,
        "filled": len(cells.count),
        "cells": [{"true": names[true], "predicted": names[other], "count": count} for true, other, count in rows],
    }


def _mean_metrics(reports: list[dict[str, Any]]) -> dict[str, float | int | None]:
    """Means over the questions that have a number; counts are sums."""
    names = dict.fromkeys(name for report in reports for name in report["metrics"])
    found: dict[str, float | int | None] = {}
    for name in names:
        values = [report["metrics"][name] for report in reports if report["metrics"].get(name) is not None]
        found[name] = sum(values) if name in COUNTS else float(np.mean(values)) if values else None
    return found


def _notes(evaluation: ClassEvaluation) -> list[str]:
    """What a reader must know to read the numbers right."""
    notes = [finding.sentence() for finding in evaluation.findings]
    notes.append(RULES[evaluation.settings.convention])
    notes += evaluation.notes
    for result in evaluation.results:
        called = "" if result.question.name is None else f"question {result.question.name!r}: "
        notes += [called + note for note in result.notes]
        if evaluation.settings.confidence is None and result.question.kind == RADIO and BEST_ANSWER not in notes:
            notes.append(BEST_ANSWER)
        if not len(result.question.label):
            notes.append(f"{called}no labels: recall is undefined")
        elif len(result.judged) and not result.counts.true_positives.sum() + result.counts.false_positives.sum():
            notes.append(f"{called}no predictions that count: precision is undefined")
        if result.confusion is not None and len(result.confusion.count) > CELLS_KEPT:
            left = len(result.confusion.count) - CELLS_KEPT
            notes.append(f"{called}the confusion's {left:,} smallest cells are left out; -o writes all")
    if len(evaluation.results) > 1:
        notes.append("several questions: every metric is the mean over those that have it")
    return notes
