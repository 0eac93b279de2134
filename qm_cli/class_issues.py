"""Labels of whole images that class probabilities speak against: confident learning."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.classification_outcome import Answered
from qm_cli.classification import ClassEvaluation, QuestionResult
from qm_cli.kernels.confident_learning import find_label_issues, own_and_other
from qm_cli.tables import Tables

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ClassIssues:
    """own, other: p(label) and the largest p of another class, float64[labels], NaN where none are given.

    issue: confident learning calls it wrong, bool[labels]. likely: the category row of the largest p, the first of
    equals, −1 where none are given, int64[labels].
    """

    own: FloatArray
    other: FloatArray
    issue: npt.NDArray[np.bool_]
    likely: RowArray


def class_issues(tables: Tables, evaluation: ClassEvaluation) -> ClassIssues | None:
    """Of every question with one answer and probabilities; None where there is no such question."""
    count = tables.count("label")
    none = np.full(count, np.nan)
    found = ClassIssues(none, none.copy(), np.zeros(count, bool), np.full(count, -1, np.int64))
    asked = [one for one in evaluation.results if isinstance(one.found, Answered) and len(one.question.column) > 1]
    asked = [one for one in asked if one.question.probabilities is not None]
    for result in asked:
        _fill(found, result)
    return found if asked else None


def _fill(found: ClassIssues, result: QuestionResult) -> None:
    """Labels whose class has a column, in images whose probabilities are numbers."""
    question = result.question
    assert question.probabilities is not None
    columns = np.flatnonzero(question.column >= 0)
    column_of = np.full(question.categories, -1, np.int64)
    column_of[question.column[columns]] = np.arange(len(columns))
    given = column_of[question.label.category]
    row = question.probable[question.label.place]
    usable = np.flatnonzero((given >= 0) & (row >= 0))
    values = np.asarray(question.probabilities.values[row[usable]], np.float64)
    values = values if len(columns) == len(question.column) else values[:, columns]
    numbers = np.isfinite(values).all(axis=1)
    values, usable = values[numbers], usable[numbers]
    label = question.label.source[usable]
    found.own[label], found.other[label] = own_and_other(given[usable], values)
    found.issue[label] = find_label_issues(given[usable], values)
    found.likely[label] = question.category[question.column[columns][values.argmax(axis=1)]]
