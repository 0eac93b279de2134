"""What became of every answer between two models: right or wrong before, right or wrong after."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.classification_outcome import Answered, Ticked
from qm_cli.analysis.weighted_counts import Countable
from qm_cli.kernels.weighted import runs_by_group

RowArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

CHANGES = ("still_right", "fixed", "broken", "still_wrong", "changed_wrong")
"""still_wrong: the same wrong answer, or none in both; changed_wrong: another wrong answer than before."""


class Cells(Struct, frozen=True):
    """One model's answers to a question. rows: how many data rows there are.

    row, true, predicted, score: of each answer judged; −1 and NaN for none. Of a checklist a row is one tick, of the
    labels, of the model or of both, and what is not ticked is −1.
    """

    rows: int
    row: RowArray
    true: RowArray
    predicted: RowArray
    score: FloatArray
    wholes: tuple[RowArray, RowArray]

    @property
    def right(self) -> BoolArray:
        same: BoolArray = self.true == self.predicted
        return same


def cells_of_answers(found: Answered, rows: RowArray, category: RowArray, count: int) -> Cells:
    """rows: data row of each; category: the number of each of the question's categories; count: of all data rows."""
    own = np.append(category, -1)
    right = np.bincount(rows[found.correct], minlength=count)
    wholes = (right, np.bincount(rows, minlength=count))
    return Cells(count, rows, own[found.true], own[found.predicted], found.score, wholes)


def cells_of_ticks(found: Ticked, rows: RowArray, judged: RowArray, category: RowArray, count: int) -> Cells:
    """rows: data row of each place; judged: places that count; otherwise as `cells_of_answers`."""
    size = max(len(category), 1)
    keys = np.union1d(found.true, found.predicted)
    keys = keys[np.isin(keys // size, judged)]
    place, number = keys // size, np.append(category, -1)[keys % size]
    true, predicted = (np.where(np.isin(keys, one), number, -1) for one in (found.true, found.predicted))
    wrong = np.bincount(rows[place[true != predicted]], minlength=count) > 0
    whole = np.bincount(rows[judged], minlength=count)
    return Cells(count, rows[place], true, predicted, np.full(len(keys), np.nan), (whole * ~wrong, whole))


def countable(cells: Cells, categories: int) -> Countable:
    """What is counted of them under weights of data rows."""
    right, named = cells.right, cells.predicted >= 0
    labelled = cells.true >= 0
    return Countable(
        runs_by_group(cells.row[right], cells.true[right], categories),
        runs_by_group(cells.row[~right & named], cells.predicted[~right & named], categories),
        runs_by_group(cells.row[~right & labelled], cells.true[~right & labelled], categories),
        *cells.wholes,
    )


class Changed(Struct, frozen=True):
    """Answers of both models side by side: int64[n] each, −1 for none. code: place in CHANGES."""

    row: RowArray
    true: RowArray
    first: RowArray
    second: RowArray
    code: RowArray
    score_a: FloatArray
    score_b: FloatArray


def changed_answers(first: Cells, second: Cells) -> Changed:
    """Answers to a question that takes one: a data row that one model did not answer counts as wrong there."""
    row = np.union1d(first.row, second.row)
    sides = [_spread(cells, np.searchsorted(row, cells.row), len(row)) for cells in (first, second)]
    true = np.maximum(sides[0][0], sides[1][0])
    return _changed(row, true, sides[0][1], sides[1][1], sides[0][2], sides[1][2])


def changed_ticks(first: Cells, second: Cells) -> Changed:
    """Ticks of a checklist, of the labels or of either model."""
    named = [np.maximum(cells.true, cells.predicted) for cells in (first, second)]
    width = max(int(one.max(initial=0)) for one in named) + 1
    keys = [cells.row * width + one for cells, one in zip((first, second), named, strict=True)]
    both = np.union1d(*keys)
    sides = [
        _spread(cells, np.searchsorted(both, own), len(both)) for cells, own in zip((first, second), keys, strict=True)
    ]
    true = np.maximum(sides[0][0], sides[1][0])
    return _changed(both // width, true, sides[0][1], sides[1][1], sides[0][2], sides[1][2])


def _spread(cells: Cells, place: RowArray, count: int) -> tuple[RowArray, RowArray, FloatArray]:
    """True and predicted categories and scores at places of a longer column."""
    true, predicted, score = np.full(count, -1, np.int64), np.full(count, -1, np.int64), np.full(count, np.nan)
    true[place], predicted[place], score[place] = cells.true, cells.predicted, cells.score
    return true, predicted, score


def _changed(
    row: RowArray, true: RowArray, first: RowArray, second: RowArray, score_a: FloatArray, score_b: FloatArray
) -> Changed:
    before, after = first == true, second == true
    wrong = np.where(first == second, 3, 4)
    code = np.where(before, np.where(after, 0, 2), np.where(after, 1, wrong))
    return Changed(row, true, first, second, code.astype(np.int64), score_a, score_b)
