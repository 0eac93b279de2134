"""Files of answers without geometry → their evaluation report: classes, checklists, free text, text entities."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from qm_cli import text_entities
from qm_cli.answer_details import answer_details
from qm_cli.answer_task import TASKS, TEXT
from qm_cli.classification import CONVENTIONS, LABELBOX, ClassEvaluation, ClassSettings, evaluate_answers
from qm_cli.classification_report import class_report
from qm_cli.errors import InputError, UsageError, refuse_options
from qm_cli.evaluation_options import Questions
from qm_cli.load_answers import AnswerSource, load_answers
from qm_cli.own_answers import own_answer_cells
from qm_cli.settings import task_convention
from qm_cli.text_entities import SpanEvaluation, evaluate_spans, span_report


class AnswerRequest(Struct, frozen=True):
    """What to evaluate, and how. None stands for what the data or the task says (see `ClassSettings`).

    at: files of thresholds to count at as well, `confidence=t.json#f1` each.
    """

    source: AnswerSource
    task: str | None = None
    convention: str | None = None
    iou: float | None = None
    confidence: float | None = None
    top_k: str | None = None
    auc: bool = False
    questions: Questions | None = None
    at: tuple[str, ...] = ()


def places_of(text: str | None) -> tuple[int, ...]:
    """The places of --top-k; None is 1 and 5.

    >>> places_of("1, 5")
    (1, 5)
    """
    if text is None:
        return ClassSettings().top_k
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or not all(part.isdecimal() and 0 < int(part) < 1 << 31 for part in parts):
        raise UsageError(f"--top-k {text!r}: expected whole numbers from 1", "write --top-k 1,5")
    return tuple(dict.fromkeys(int(part) for part in parts))


def evaluate_answer_files(request: AnswerRequest) -> tuple[ClassEvaluation | SpanEvaluation, dict[str, Any]]:
    """The evaluation of two files of answers, and its report with the answers to the questions of the request.

    Raises InputError and UsageError, one line with the way out, for what cannot be used.
    """
    evaluation, report = _evaluated(request)
    if request.at:
        report = {**report, "cells": own_answer_cells(evaluation, report, request.at)}
    if request.questions is None:
        return evaluation, report
    return evaluation, {**report, **answer_details(request.questions, evaluation, report)}


def _evaluated(request: AnswerRequest) -> tuple[ClassEvaluation | SpanEvaluation, dict[str, Any]]:
    _refuse_unknown(request)
    source = replace(request.source, unscored=1.0) if request.convention == LABELBOX else request.source
    answers = load_answers(source)
    if request.task == TEXT or (request.task is None and answers.has_spans):
        refuse_options("text entities", {"top_k": request.top_k, "auc": request.auc})
        if not answers.has_spans:
            raise InputError(
                f"{source.labels}: no entity with start and end, there or in the predictions", "see --task"
            )
        convention = task_convention(request.convention, text_entities.CONVENTIONS, "text entities")
        iou = 0.5 if request.iou is None else request.iou
        confidence = 0.5 if request.confidence is None else request.confidence
        spans = evaluate_spans(answers, convention, iou, confidence)
        return spans, span_report(spans)
    refuse_options("classes", {"iou": request.iou})
    convention = task_convention(request.convention, CONVENTIONS, "classes")
    settings = ClassSettings(request.task, convention, request.confidence, places_of(request.top_k), request.auc)
    classes = evaluate_answers(answers, settings)
    return classes, class_report(classes)


def _refuse_unknown(request: AnswerRequest) -> None:
    if request.task is not None and request.task not in TASKS:
        raise UsageError(f"--task {request.task}: is no task of answers", f"there are {', '.join(TASKS)}")
