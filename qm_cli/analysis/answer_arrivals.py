"""What is kept and found of classes and text entities as the confidence falls.

An answer without a score counts at every confidence: it stands at the top, at 1 or the largest score there is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.arrivals import Arrivals, Sides, by_overlap
from qm_cli.analysis.classification_outcome import answered
from qm_cli.analysis.classification_questions import Question
from qm_cli.analysis.text_spans import Matched, Overlaps, Spans, by_iou
from qm_cli.answers import CHECKLIST, FREE_TEXT
from qm_cli.errors import UsageError
from qm_cli.kernels.order import order_by_score

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
TICKS_AT_MOST = 5_000_000


def of_questions(questions: Sequence[Question], *, answered_alone: bool = False) -> Arrivals:
    """All questions together, their categories one after another; free texts as one category behind the last.

    An image is a data row. answered_alone: a data row counts from its first answer down, as Labelbox has it: then all
    its labels are sought, and answers to data rows without a label never count. Raises UsageError where no answer has a
    score, and for more ticks than 5,000,000.
    """
    starts = np.append(0, np.cumsum([0 if one.kind == FREE_TEXT else one.categories for one in questions]))
    parts, labels, rows = [], [], 0
    for question, start in zip(questions, starts, strict=False):
        place, category, score, found = ticks(question) if question.kind == CHECKLIST else best_answers(question)
        free = question.kind == FREE_TEXT
        codes = [np.full(len(of), starts[-1]) if free else of + start for of in (category, question.label.category)]
        parts.append((score, question.rows[place], codes[0], found, place + rows))
        labels.append((question.rows[question.label.place], codes[1], question.label.place + rows))
        rows += len(question.rows)
    score, image, category, found, asked = (np.concatenate(column) for column in zip(*parts, strict=True))
    label_image, label_category, wanted = (np.concatenate(column) for column in zip(*labels, strict=True))
    sides = Sides(scored(score), image, category, label_image, label_category, int(starts[-1]) + 1)
    return _answered_alone(sides, found, asked, wanted, rows) if answered_alone else ranked(sides, found)


def _answered_alone(sides: Sides, found: RowArray, asked: RowArray, wanted: RowArray, rows: int) -> Arrivals:
    """asked, wanted: data row and question of each answer and each label, as one number below `rows`."""
    first = np.full(rows, -np.inf)
    np.maximum.at(first, asked, sides.score)
    labelled = np.zeros(rows, bool)
    labelled[wanted] = True
    own, sought = np.flatnonzero(labelled[asked]), np.flatnonzero(np.isfinite(first[wanted]))
    score = np.concatenate([sides.score[own], first[wanted[sought]]])
    image, category = (
        np.concatenate([of[own], labels[sought]])
        for of, labels in ((sides.image, sides.label_image), (sides.category, sides.label_category))
    )
    order = order_by_score(category, sides.groups, score)
    answers = np.arange(len(order)) < len(own)
    hits = np.concatenate([found[own], np.zeros(len(sought), np.int64)])
    nothing = np.zeros(0, np.int64)
    kept, come = answers[order].astype(np.int64), (~answers)[order].astype(np.int64)
    return Arrivals(score[order], image[order], category[order], hits[order], kept, nothing, nothing, come)


def best_answers(question: Question) -> tuple[RowArray, RowArray, FloatArray, RowArray]:
    """The answer to each data row: its place, category and score (NaN for none), and whether it is right (1 or 0)."""
    found = answered(question, 0.0, 1)
    place = np.flatnonzero(found.predicted >= 0)
    return place, found.predicted[place], found.score[place], found.correct[place].astype(np.int64)


def ticks(question: Question) -> tuple[RowArray, RowArray, FloatArray, RowArray]:
    """Every tick of a checklist with a score above 0 or none: place, category, score, and whether it is right."""
    size = max(question.categories, 1)
    pairs = question.prediction
    parts = [(pairs.place * size + pairs.category, np.where(np.isnan(pairs.score), np.inf, pairs.score))]
    if question.probabilities is not None:
        given = np.flatnonzero(question.probable >= 0)
        if len(given) * len(question.column) > TICKS_AT_MOST:
            raise UsageError(
                f"--thresholds: {len(given):,} × {len(question.column):,} probabilities of a checklist are too many",
                f"at most {TICKS_AT_MOST:,} are tried: take a part of the data rows",
            )
        block = np.asarray(question.probabilities.values[question.probable[given]], np.float64)
        block[~np.isfinite(block.sum(1))] = 0
        row, column = np.nonzero(block > 0)
        parts.append((given[row] * size + question.column[column], block[row, column]))
    key, score = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((-score, key))
    key, score = key[order], score[order]
    first = np.append(True, key[1:] != key[:-1])[: len(key)]
    key, score = key[first], score[first]
    right = np.isin(key, question.label.place * size + question.label.category)
    return key // size, key % size, np.where(np.isinf(score), np.nan, score), right.astype(np.int64)


def of_spans(label: Spans, prediction: Spans, pairs: Overlaps, matched: Matched, threshold: float | None) -> Arrivals:
    """Text entities; label, prediction: all of them. threshold: pairs of any category go by falling IoU above it, as
    Labelbox matches; None: `matched`, which lower scores do not change, says it all.
    """
    groups = int(max(label.category.max(initial=-1), prediction.category.max(initial=-1))) + 1
    sides = Sides(
        scored(prediction.score), prediction.row, prediction.category, label.row, label.category, max(groups, 1)
    )
    if threshold is None:
        return ranked(sides, (matched.label >= 0).astype(np.int64))
    order = by_iou(prediction, pairs, np.flatnonzero(pairs.iou > threshold))
    excused, counts = np.zeros(len(prediction), bool), np.ones(len(label), bool)
    return by_overlap(sides, pairs.prediction[order], pairs.label[order], prediction.row, excused, counts)


def ranked(sides: Sides, found: RowArray) -> Arrivals:
    """Predictions that lower scores do not change, all of which count. found: 1 for a true positive, else 0."""
    order = order_by_score(sides.category, sides.groups, sides.score)
    changes = sides.score[order], sides.image[order], sides.category[order], found[order], np.ones_like(found)
    return Arrivals(*changes, sides.label_image, sides.label_category)


def scored(score: FloatArray) -> FloatArray:
    """Scores, the top one where there is none. Raises UsageError where there are predictions and no score at all.

    >>> scored(np.array([0.5, np.nan])).tolist()
    [0.5, 1.0]
    """
    none = np.isnan(score)
    if len(score) and none.all():
        raise UsageError("--thresholds: no answer has a score", "give each a score, or class probabilities")
    return np.where(none, max(1.0, float(score[~none].max(initial=1.0))), score)
