"""Answers: classes, checklists, free texts and text entities of data rows, true and predicted, as linked columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct, field

from qm_cli.arrays import to_arrow
from qm_cli.findings import Finding

RowArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

RADIO, CHECKLIST, FREE_TEXT = "radio", "checklist", "text"
KINDS = (RADIO, CHECKLIST, FREE_TEXT)


class Given(Struct, frozen=True):
    """One side's answers in the order of the file, a row each.

    row: data row, int64[n]. question, category: −1 for none, int64[n]. score: NaN for none, float64[n].
    text: free-text answers, null for none. start, end: character offsets, NaN for none. source: place in the file.
    """

    row: RowArray
    question: RowArray
    category: RowArray
    score: FloatArray
    text: pa.Array
    start: FloatArray
    end: FloatArray
    source: RowArray

    def __len__(self) -> int:
        return len(self.row)

    def take(self, rows: npt.NDArray[Any]) -> Given:
        """The rows under a mask or at these places."""
        if rows.dtype == bool and rows.all():
            return self
        places = np.flatnonzero(rows) if rows.dtype == bool else rows
        return Given(
            self.row[places],
            self.question[places],
            self.category[places],
            self.score[places],
            self.text.take(to_arrow(places)),
            self.start[places],
            self.end[places],
            self.source[places],
        )


class Probabilities(Struct, frozen=True):
    """Class probabilities of one question. values: float[m, columns], perhaps mapped from a file.

    row: place in `values` of each data row, −1 for none, int64[data rows]. category: of each column, int64[columns].
    """

    question: int
    values: npt.NDArray[Any]
    row: RowArray
    category: RowArray


class Answers(Struct, frozen=True):
    """category_question: −1 for a category that names none. kinds: the declared type of a question, by its name."""

    row_ids: pa.Array
    texts: pa.Array
    category_ids: list[int | str]
    category_names: list[str]
    category_question: RowArray
    questions: tuple[str | None, ...]
    kinds: dict[str, str]
    label: Given
    prediction: Given
    probabilities: tuple[Probabilities, ...] = ()
    findings: list[Finding] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return len(self.row_ids)

    @property
    def has_spans(self) -> bool:
        """Whether an answer on either side is a text entity."""
        return any(bool((~np.isnan(side.start)).any()) for side in (self.label, self.prediction))


def question_categories(
    question: int, questions: int, category_question: RowArray, label: Given, prediction: Given
) -> RowArray:
    """The categories an answer may name: those of the question; where none names it, all of a single question, else
    those that its answers name. Rows of the category table, ascending: int64[categories]."""
    own = np.flatnonzero(category_question == question)
    if len(own):
        return own
    if questions == 1:
        return np.arange(len(category_question))
    used = [side.category[(side.question == question) & (side.category >= 0)] for side in (label, prediction)]
    return np.unique(np.concatenate(used))
