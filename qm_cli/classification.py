"""Evaluation of classes: every question of a set of answers, each number computed once."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import replace

from qm_cli.analysis.classification_counts import Cells, ClassCounts, of_answers, of_ticks
from qm_cli.analysis.classification_curves import Curves, curves
from qm_cli.analysis.classification_outcome import Answered, Ticked, answered, ticked
from qm_cli.analysis.classification_questions import Question, questions
from qm_cli.answers import CHECKLIST, RADIO, Answers
from qm_cli.arrays import to_arrow
from qm_cli.findings import Finding, flagged

BoolArray = npt.NDArray[np.bool_]
RowArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
SKLEARN, LABELBOX = "sklearn", "labelbox"
CONVENTIONS = (SKLEARN, LABELBOX)
CURVE_VALUES = 20_000_000
DEFAULT_CONFIDENCE = {CHECKLIST: 0.5}


class ClassSettings(Struct, frozen=True):
    """What classes are evaluated with, echoed in every output.

    task: classification (one answer a question) | multilabel (all that apply) | None: found from the data.
    confidence: answers below it do not count; None is .5 for checklists and 0 where the best answer counts.
    top_k: places among which the true category is looked for. auc: ROC-AUC and AP whatever the number of probabilities;
    otherwise up to 20 million. own: by question, the confidence of each of its categories instead (inf keeps nothing),
    float64[categories], or of a free text as a number.
    """

    task: str | None = None
    convention: str = SKLEARN
    confidence: float | None = None
    top_k: tuple[int, ...] = (1, 5)
    auc: bool = False
    own: Mapping[str | None, float | FloatArray] | None = None


class QuestionResult(Struct, frozen=True):
    """One question. confidence: NaN where each category has its own. judged: data rows that count, by place.

    found: the answers to a question that takes one, of the judged alone, or all ticks. counts and confusion (None for a
    checklist) are over the judged. curves: None where not computed. ranked: predictions say more than which answer is
    the best.
    """

    question: Question
    confidence: float
    judged: RowArray
    found: Answered | Ticked
    counts: ClassCounts
    confusion: Cells | None
    curves: Curves | None
    ranked: bool
    notes: tuple[str, ...]


class ClassEvaluation(Struct, frozen=True):
    """Everything a report of classes is made of."""

    answers: Answers
    settings: ClassSettings
    results: tuple[QuestionResult, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]

    @property
    def task(self) -> str:
        """multilabel where every question is a checklist, else classification."""
        kinds = {result.question.kind for result in self.results}
        return "multilabel" if kinds == {CHECKLIST} else "classification"


def evaluate_answers(answers: Answers, settings: ClassSettings) -> ClassEvaluation:
    """Every question evaluated by the convention of the settings."""
    asked, found, notes = questions(answers, settings.task)
    results, findings = [], [*answers.findings, *found]
    for question in asked:
        result, more = _result(question, settings)
        results.append(result)
        findings += [
            one
            for code, rows in more.items()
            for one in flagged(code, answers.row_ids.take(to_arrow(question.rows)), rows)
        ]
    return ClassEvaluation(answers, settings, tuple(results), tuple(findings), tuple(notes))


def _result(question: Question, settings: ClassSettings) -> tuple[QuestionResult, dict[str, BoolArray]]:
    confidence = settings.confidence
    if confidence is None:
        confidence = DEFAULT_CONFIDENCE.get(question.kind, 0.0)
    least = confidence if settings.own is None else settings.own[question.name]
    confidence = math.nan if isinstance(least, np.ndarray) else least
    if question.kind == CHECKLIST:
        return _checklist(question, settings, confidence, least)
    limit = max(settings.top_k, default=1)
    found = answered(question, least, limit)
    judged = np.arange(len(question.rows))
    if settings.convention == LABELBOX:
        judged = np.flatnonzero(found.predicted >= 0)
    of_judged = found if len(judged) == len(question.rows) else found.take(judged)
    counts, cells = of_answers(of_judged, question.categories)
    if settings.convention == LABELBOX:
        counts = replace(counts, true_negatives=np.zeros_like(counts.true_positives))
    lines, notes = _radio_curves(question, found, settings) if question.kind == RADIO else (None, ())
    listed = len(question.prediction) > len(np.unique(question.prediction.place))
    ranked = question.probabilities is not None or listed
    result = QuestionResult(question, confidence, judged, of_judged, counts, cells, lines, ranked, notes)
    return result, {"prediction-probs-sum": found.odd, "prediction-probs-null": found.missing}


def _checklist(
    question: Question, settings: ClassSettings, confidence: float, least: float | FloatArray
) -> tuple[QuestionResult, dict[str, BoolArray]]:
    found = ticked(question, least)
    size, rows = max(question.categories, 1), len(question.rows)
    judged = np.arange(rows)
    if settings.convention == LABELBOX:
        both = np.zeros((2, rows), bool)
        both[0, found.true // size] = both[1, found.predicted // size] = True
        judged = np.flatnonzero(both.all(0))
        true, predicted = (keys[np.isin(keys // size, judged)] for keys in (found.true, found.predicted))
        found = replace(found, true=true, predicted=predicted)
    counts = of_ticks(found, len(judged), question.categories)
    lines, notes = _checklist_curves(question, found, settings)
    result = QuestionResult(question, confidence, judged, found, counts, None, lines, False, notes)
    return result, {"prediction-probs-sum": found.odd, "prediction-probs-null": found.missing}


def _radio_curves(
    question: Question, found: Answered, settings: ClassSettings
) -> tuple[Curves | None, tuple[str, ...]]:
    usable = np.flatnonzero((question.probable >= 0) & ~found.missing)
    if question.probabilities is None or not len(usable):
        return None, ("no class probabilities: ROC-AUC, AP and log loss are undefined",)
    return _curves(question, usable, question.label.place, question.label.category, settings)


def _checklist_curves(
    question: Question, found: Ticked, settings: ClassSettings
) -> tuple[Curves | None, tuple[str, ...]]:
    if question.probabilities is not None:
        usable = np.flatnonzero((question.probable >= 0) & ~found.missing)
        return _curves(question, usable, question.label.place, question.label.category, settings)
    pairs = question.prediction
    if not len(pairs) or np.isnan(pairs.score).all():
        return None, ("no scores: ROC-AUC and AP are undefined",)
    rows = len(question.rows)
    if rows * question.categories > CURVE_VALUES:
        return None, (_skipped(rows, question.categories, "give class probabilities to have them computed"),)
    dense = np.zeros((rows, question.categories))
    dense[pairs.place, pairs.category] = pairs.score
    order = np.argsort(question.label.category, kind="stable")
    bounds = np.searchsorted(question.label.category[order], np.arange(question.categories + 1))
    places = question.label.place[order]
    lines = curves(
        dense,
        np.arange(rows),
        np.arange(question.categories),
        lambda one: places[bounds[one] : bounds[one + 1]],
    )
    return lines, ("ROC-AUC and AP take answers that are not listed as of score 0",)


def _curves(
    question: Question, usable: RowArray, label_place: RowArray, label_category: RowArray, settings: ClassSettings
) -> tuple[Curves | None, tuple[str, ...]]:
    assert question.probabilities is not None
    if not settings.auc and len(usable) * question.categories > CURVE_VALUES:
        return None, (_skipped(len(usable), question.categories, "--auc computes them"),)
    place = np.full(len(question.rows), -1, np.int64)
    place[usable] = np.arange(len(usable))
    kept = place[label_place] >= 0
    order = np.argsort(label_category[kept], kind="stable")
    places, categories = place[label_place[kept]][order], label_category[kept][order]
    bounds = np.searchsorted(categories, np.arange(question.categories + 1))
    column_of = np.empty(question.categories, np.int64)
    column_of[question.column] = np.arange(len(question.column))
    lines = curves(
        question.probabilities.values,
        question.probable[usable],
        column_of,
        lambda one: places[bounds[one] : bounds[one + 1]],
    )
    return lines, ()


def _skipped(rows: int, categories: int, way_out: str) -> str:
    return f"ROC-AUC and AP are left out for {rows:,} × {categories:,} scores: {way_out}"
