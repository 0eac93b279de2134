"""Labels of whole images that class probabilities speak against: confident learning."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.classification_outcome import Answered
from qm_cli.analysis.suspicions import CLASS_REASONS, EVERY_REASON, Suspicions
from qm_cli.classification import ClassEvaluation, QuestionResult
from qm_cli.kernels.confident_learning import find_label_issues, normalized_margin, own_and_other
from qm_cli.tables import Tables

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]


class ClassIssues(Struct, frozen=True):
    """own, other: p(label) and the largest p of another class, float64[labels], NaN where none are given.

    issue: confident learning calls it wrong, bool[labels]. likely: the category row of the largest p, the first of
    equals; by: the prediction row that gives them; −1 where none are given, int64[labels].
    """

    own: FloatArray
    other: FloatArray
    issue: npt.NDArray[np.bool_]
    likely: RowArray
    by: RowArray


def class_issues(tables: Tables, evaluation: ClassEvaluation) -> ClassIssues | None:
    """Of every question with one answer and probabilities; None where there is no such question."""
    count = tables.count("label")
    none = np.full(count, np.nan)
    rows = np.full(count, -1, np.int64)
    found = ClassIssues(none, none.copy(), np.zeros(count, bool), rows, rows.copy())
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
    found.by[label] = row[usable]
    found.issue[label] = find_label_issues(given[usable], values)
    found.likely[label] = question.category[question.column[columns][values.argmax(axis=1)]]


def class_suspicions(tables: Tables, found: ClassIssues, least: float) -> Suspicions:
    """Labels that another class leads, those that confident learning calls wrong first, then the most suspicious.

    Suspicion is 1 − the normalized margin, 0..1, above .5 where another class leads. Ties by label row.
    """
    given = tables.values("label", "category_row")
    suspicion = 1 - normalized_margin(found.own, found.other)
    rows = np.flatnonzero((found.likely >= 0) & (found.likely != given) & (suspicion >= least))
    rows = rows[np.lexsort((rows, -suspicion[rows], ~found.issue[rows]))]
    first = EVERY_REASON.index(CLASS_REASONS[0])
    reason = np.where(found.issue[rows], first, first + 1)
    nothing = np.zeros(len(rows), bool)
    return Suspicions(reason, suspicion[rows], rows, found.by[rows], found.likely[rows], nothing, found.issue[rows])


def leading_share(tables: Tables, found: ClassIssues) -> float:
    """Share of the labels with probabilities whose own class leads: accuracy, NaN without any."""
    known = found.likely >= 0
    return (
        float((found.likely == tables.values("label", "category_row"))[known].mean()) if known.any() else float("nan")
    )
