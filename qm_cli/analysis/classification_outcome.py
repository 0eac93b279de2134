"""What was answered to a question: the one category of a radio question, or all that are ticked."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.classification_questions import Question, first_of_runs
from qm_cli.analysis.probability_scan import Scan, scan

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
VALUES_AT_ONCE = 1 << 22


class Answered(Struct, frozen=True):
    """One answer a data row. true: int64[n]. predicted: −1 for none, int64[n]. score: NaN for none, float64[n].

    above: categories ranked before the true one, exact below `limit`; −1 where no ranking holds it: int64[n].
    of_true: the probability of the true category, NaN where none are given, float64[n]. odd, missing: data rows whose
    probabilities are no probabilities, or no numbers (then taken as not given): bool[n].
    """

    true: RowArray
    predicted: RowArray
    score: FloatArray
    above: RowArray
    of_true: FloatArray
    odd: BoolArray
    missing: BoolArray

    @property
    def correct(self) -> BoolArray:
        right: BoolArray = self.true == self.predicted
        return right

    def take(self, rows: RowArray) -> Answered:
        """The data rows at these places."""
        numbers = (self.true[rows], self.predicted[rows], self.score[rows], self.above[rows])
        return Answered(*numbers, self.of_true[rows], self.odd[rows], self.missing[rows])


def falls_short(score: FloatArray, confidence: float | FloatArray) -> BoolArray:
    """Answers below the confidence, of all or of each; inf keeps nothing, and else one without a score is kept.

    >>> falls_short(np.array([0.2, np.nan, np.nan]), np.array([0.5, 0.5, np.inf])).tolist()
    [True, False, True]
    """
    return np.asarray((score < confidence) | np.isposinf(confidence))


def answered(question: Question, confidence: float | FloatArray, limit: int) -> Answered:
    """The answer to a radio or text question: the category given, by the highest score where there are several, else
    the most probable one; none where its score is below the confidence.

    confidence: of all, or of each of the question's categories. limit: up to which place the true category is looked
    for, as in top-5.
    """
    count, true = len(question.rows), question.true
    given, found = _scanned(question, true, limit)
    predicted = _spread(np.append(question.column, -1).take(found.best), given, count, -1)
    above = _spread(np.where(found.missing, -1, found.above), given, count, -1)
    score, of_true = _spread(found.top, given, count, np.nan), _spread(found.of_true, given, count, np.nan)
    odd, missing = _spread(found.odd, given, count, False), _spread(found.missing, given, count, False)
    _take_named(question, true, predicted, score, above)
    least = np.append(confidence, 0.0)[predicted] if isinstance(confidence, np.ndarray) else confidence
    if np.any(np.greater(least, 0)):
        predicted[falls_short(score, least)] = -1
    return Answered(true, predicted, score, above, of_true, odd, missing)


def _scanned(question: Question, true: RowArray, limit: int) -> tuple[RowArray, Scan]:
    """The data rows that have probabilities, and what these say."""
    if question.probabilities is None:
        none = np.zeros(0, np.int64)
        return none, scan(np.zeros((0, 0)), none, none)
    column_of = np.full(question.categories + 1, -1, np.int64)
    column_of[question.column] = np.arange(len(question.column))
    deepest = min(limit, question.categories) if limit > 1 else 0
    given, rows = np.flatnonzero(question.probable >= 0), question.probable
    if len(given) < len(rows):
        rows, true = rows[given], true[given]
    return given, scan(question.probabilities.values, rows, column_of.take(true), deepest)


def _spread(values: npt.NDArray[Any], given: RowArray, count: int, none: float) -> npt.NDArray[Any]:
    """The values of the data rows given, none for the others; as they are where all are given."""
    if len(given) == count:
        return values
    found = np.full(count, none, values.dtype)
    found[given] = values
    return found


def _take_named(question: Question, true: RowArray, predicted: RowArray, score: FloatArray, above: RowArray) -> None:
    """The categories that the file names win over the most probable ones."""
    pairs = question.prediction
    if not len(pairs):
        return
    starts = first_of_runs(pairs)
    places = pairs.place[starts]
    predicted[places] = pairs.category[starts]
    named = pairs.score[starts]
    score[places] = np.where(np.isnan(named) & (predicted[places] >= 0), score[places], named)
    hits = np.flatnonzero(pairs.category == true[pairs.place])
    ranked = question.probable[pairs.place[hits]] < 0
    hits = hits[ranked]
    first = np.zeros(len(question.rows), np.int64)
    first[places] = starts
    above[pairs.place[hits]] = hits - first[pairs.place[hits]]


class Ticked(Struct, frozen=True):
    """Ticks of a checklist as sorted keys place · categories + category. true, predicted: int64[n].

    asked: data rows with an answer or probabilities, bool[rows]. odd, missing: as in `Answered`.
    """

    true: RowArray
    predicted: RowArray
    asked: BoolArray
    odd: BoolArray
    missing: BoolArray


def ticked(question: Question, confidence: float | FloatArray) -> Ticked:
    """What is ticked: probability or score ≥ confidence (of all, or of each category); an answer without a score is."""
    size = max(question.categories, 1)
    least = np.broadcast_to(np.asarray(confidence, np.float64), (size,))
    count = len(question.rows)
    asked, odd, missing = (np.zeros(count, bool) for _ in range(3))
    pairs = question.prediction
    asked[pairs.place] = True
    chosen = ~falls_short(pairs.score, least[pairs.category])
    parts = [pairs.place[chosen] * size + pairs.category[chosen]]
    if question.probabilities is not None:
        kind = question.probabilities.values.dtype
        cut = least[question.column].astype(kind) if isinstance(confidence, np.ndarray) else confidence
        values, step = question.probabilities.values, max(VALUES_AT_ONCE // size, 1)
        given = np.flatnonzero(question.probable >= 0)
        for first in range(0, len(given), step):
            places = given[first : first + step]
            block = values[question.probable[places]]
            with np.errstate(invalid="ignore"):
                missing[places] = ~np.isfinite(block.sum(1, dtype=np.float64))
                odd[places] = ((block < 0) | (block > 1)).any(1) & ~missing[places]
                row, column = np.nonzero((block >= cut) & ~missing[places][:, None])
            parts.append(places[row] * size + question.column[column])
        asked[given] = True
        asked[missing] = False
    predicted = np.unique(np.concatenate(parts))
    true = np.unique(question.label.place * size + question.label.category)
    return Ticked(true, predicted, asked, odd, missing)
