"""Files of answers without geometry → their evaluation report: classes, checklists, free text, text entities."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from qm_cli import text_entities
from qm_cli.classification import CONVENTIONS, LABELBOX, SKLEARN, ClassEvaluation, ClassSettings, evaluate_answers
from qm_cli.classification_report import class_report
from qm_cli.errors import UsageError
from qm_cli.load_answers import AnswerSource, load_answers
from qm_cli.text_entities import SpanEvaluation, evaluate_spans, span_report

CLASSES = ("classification", "multilabel")
TEXT = "text"
TASKS = (*CLASSES, TEXT)


@dataclass(frozen=True)
class AnswerRequest:
    """What to evaluate, and how. None stands for what the data or the task says (see `ClassSettings`)."""

    source: AnswerSource
    task: str | None = None
    convention: str | None = None
    iou: float = 0.5
    confidence: float | None = None
    top_k: tuple[int, ...] = (1, 5)
    auc: bool = False


def places_of(text: str) -> tuple[int, ...]:
    """The places of --top-k.

    >>> places_of("1, 5")
    (1, 5)
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or not all(part.isdecimal() and 0 < int(part) < 1 << 31 for part in parts):
        raise UsageError(f"--top-k {text!r}: expected whole numbers from 1", "write --top-k 1,5")
    return tuple(dict.fromkeys(int(part) for part in parts))


def evaluate_answer_files(request: AnswerRequest) -> tuple[ClassEvaluation | SpanEvaluation, dict[str, Any]]:
    """The evaluation of two files of answers, and its report.

    Raises InputError and UsageError, one line with the way out, for what cannot be used.
    """
    _refuse_unknown(request)
    source = replace(request.source, unscored=1.0) if request.convention == LABELBOX else request.source
    answers = load_answers(source)
    if request.task == TEXT or (request.task is None and answers.has_spans):
        convention = _convention(request, text_entities.CONVENTIONS, text_entities.COCO, "text entities")
        confidence = 0.5 if request.confidence is None else request.confidence
        spans = evaluate_spans(answers, convention, request.iou, confidence)
        return spans, span_report(spans)
    convention = _convention(request, CONVENTIONS, SKLEARN, "classes")
    settings = ClassSettings(request.task, convention, request.confidence, request.top_k, request.auc)
    classes = evaluate_answers(answers, settings)
    return classes, class_report(classes)


def _refuse_unknown(request: AnswerRequest) -> None:
    if request.task is not None and request.task not in TASKS:
        raise UsageError(f"--task {request.task}: is no task of answers", f"there are {', '.join(TASKS)}")


def _convention(request: AnswerRequest, known: tuple[str, ...], default: str, what: str) -> str:
    if request.convention is None:
        return default
    if request.convention not in known:
        raise UsageError(f"--convention {request.convention}: has no rule for {what}", f"there are {', '.join(known)}")
    return request.convention
