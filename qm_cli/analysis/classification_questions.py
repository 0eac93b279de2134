"""Answers → one question at a time: which data rows are judged, what is true of each and what was answered."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct

from qm_cli.answers import CHECKLIST, FREE_TEXT, RADIO, Answers, Given, Probabilities, RowArray, question_categories
from qm_cli.arrays import compute, to_arrow, to_numpy, valid
from qm_cli.findings import Finding, flagged
from qm_cli.kernels.segments import starts_of

FloatArray = npt.NDArray[np.float64]
KIND_OF_TASK = {"classification": RADIO, "multilabel": CHECKLIST}


class Pairs(Struct, frozen=True):
    """Answers as pairs of the place of a data row among those judged and of a category: int64[n]; score NaN for none.

    source: place in the file. Sorted by place, then falling score (none last), then the order of the file.
    """

    place: RowArray
    category: RowArray
    score: FloatArray
    source: RowArray

    def __len__(self) -> int:
        return len(self.place)


class Question(Struct, frozen=True):
    """kind: radio | checklist | text. category: rows of the category table; the places among them are its categories.

    rows: the data rows judged, ascending. Of a radio question those with a label, of a checklist all of them.
    label, prediction: what was answered; of free text the categories are the different texts.
    probabilities: None where none are given. probable: their row for each data row judged, −1 for none.
    column: the category of each column. texts: of free text, its categories.
    """

    name: str | None
    kind: str
    category: RowArray
    rows: RowArray
    label: Pairs
    prediction: Pairs
    probabilities: Probabilities | None
    probable: RowArray
    column: RowArray
    texts: pa.Array | None = None

    @property
    def categories(self) -> int:
        return len(self.category)

    @property
    def true(self) -> RowArray:
        """The one category of each data row of a radio or text question: int64[rows]."""
        return self.label.category


def questions(answers: Answers, task: str | None) -> tuple[list[Question], list[Finding], list[str]]:
    """Every question with its findings, and notes on what was taken for what.

    A question is of the type that the label file declares; else of free text where its labels name no category; else
    as the task says; else a checklist where a data row has several labels.
    """
    found: list[Finding] = []
    notes: list[str] = []
    result = []
    for number, name in enumerate(answers.questions):
        label, prediction = (side.take(side.question == number) for side in (answers.label, answers.prediction))
        if name is None and len(answers.questions) > 1 and not len(label):
            continue
        kind = _kind(answers, number, label, task, notes)
        probabilities = next((one for one in answers.probabilities if one.question == number), None)
        if kind == FREE_TEXT:
            question, more = _free_text(answers, name, label, prediction)
        else:
            question, more = _classes(answers, number, kind, label, prediction, probabilities)
        result.append(question)
        found += more
    return result, found, notes


def _kind(answers: Answers, number: int, label: Given, task: str | None, notes: list[str]) -> str:
    name = answers.questions[number]
    if name is not None and name in answers.kinds:
        return answers.kinds[name]
    if (label.category < 0).all() and valid(label.text).any():
        return FREE_TEXT
    if task is not None:
        return KIND_OF_TASK[task]
    several = len(np.unique(label.row[_repeated(label, len(answers.category_names))]))
    if several:
        called = "" if name is None else f"question {name!r}: "
        notes.append(
            f"{called}{several:,} data rows have several labels, so all that apply are asked for; "
            "--task classification takes one each and counts them as faults"
        )
    return CHECKLIST if several else RADIO


def _repeated(label: Given, categories: int) -> npt.NDArray[np.bool_]:
    """Labels of a data row that has several different ones: bool[n]."""
    if _once(label):
        return np.zeros(len(label), bool)
    named = label.category >= 0
    pairs = np.unique(label.row[named] * max(categories, 1) + label.category[named]) // max(categories, 1)
    rows, counts = np.unique(pairs, return_counts=True)
    return np.isin(label.row, rows[counts > 1])


def _classes(
    answers: Answers,
    number: int,
    kind: str,
    label: Given,
    prediction: Given,
    probabilities: Probabilities | None,
) -> tuple[Question, list[Finding]]:
    category = question_categories(number, len(answers.questions), answers.category_question, label, prediction)
    place_of = np.full(len(answers.category_names) + 1, -1, np.int64)
    place_of[category] = np.arange(len(category))
    label = label.take(place_of[label.category] >= 0)
    found = []
    label, repeated = _distinct(label, len(answers.category_names))
    found += _rows_found("label-duplicate-answer", answers, repeated)
    if kind == RADIO:
        several = _repeated(label, len(answers.category_names))
        found += _rows_found("label-several-answers", answers, np.unique(label.row[several]))
        label = label.take(~several)
        rows = _ascending(label.row)
    else:
        rows = np.arange(answers.rows)
    given, more = _answered(answers, rows, prediction.take(place_of[prediction.category] >= 0), place_of)
    found += more
    probable, column = np.full(len(rows), -1, np.int64), np.zeros(0, np.int64)
    if probabilities is not None:
        probable, column = probabilities.row[rows], place_of[probabilities.category]
        judged = np.zeros(answers.rows, bool)
        judged[rows] = True
        found += _rows_found("prediction-without-label", answers, np.flatnonzero(~judged & (probabilities.row >= 0)))
    pairs = _pairs(label, _places(rows, label.row), place_of[label.category])
    name = answers.questions[number]
    return Question(name, kind, category, rows, pairs, given, probabilities, probable, column), found


def _answered(answers: Answers, rows: RowArray, given: Given, place_of: RowArray) -> tuple[Pairs, list[Finding]]:
    """The predictions for the data rows judged, each answer once: the one with the highest score."""
    if not len(given):
        return Pairs(given.row, given.category, given.score, given.source), []
    place = np.full(answers.rows, -1, np.int64)
    place[rows] = np.arange(len(rows))
    places = place[given.row]
    found = _rows_found("prediction-without-label", answers, np.unique(given.row[places < 0]))
    given, places = given.take(places >= 0), places[places >= 0]
    order = _pairs(given, places, place_of[given.category])
    key = order.place * max(len(place_of), 1) + order.category
    _, first = np.unique(key, return_index=True)
    if len(first) < len(key):
        twice = np.setdiff1d(np.arange(len(key)), first)
        found += _rows_found("prediction-duplicate-answer", answers, rows[order.place[twice]])
        first = np.sort(first)
        order = Pairs(order.place[first], order.category[first], order.score[first], order.source[first])
    return order, found


def _ascending(rows: RowArray) -> RowArray:
    """Data rows that differ, in order; as they are where they stand so already, as in most files."""
    return rows if bool((rows[1:] > rows[:-1]).all()) else np.sort(rows)


def _places(rows: RowArray, asked: RowArray) -> RowArray:
    """The place of each data row asked for among ascending rows, which hold it: int64[n]."""
    return np.arange(len(rows)) if asked is rows else np.searchsorted(rows, asked)


def _pairs(given: Given, place: RowArray, category: RowArray) -> Pairs:
    if bool((place[1:] > place[:-1]).all()):
        return Pairs(place, category, given.score, given.source)
    order = np.lexsort((np.arange(len(place)), -np.nan_to_num(given.score, nan=-np.inf), place))
    return Pairs(place[order], category[order], given.score[order], given.source[order])


def _once(label: Given) -> bool:
    """Whether no data row has two labels."""
    return int(np.bincount(label.row).max(initial=0)) < 2


def _distinct(label: Given, categories: int) -> tuple[Given, RowArray]:
    """Each label once, the first; and the data rows of the others."""
    if _once(label):
        return label, np.zeros(0, np.int64)
    _, first = np.unique(label.row * max(categories, 1) + label.category, return_index=True)
    if len(first) == len(label):
        return label, np.zeros(0, np.int64)
    twice = np.setdiff1d(np.arange(len(label)), first)
    return label.take(np.sort(first)), label.row[twice]


def _free_text(answers: Answers, name: str | None, label: Given, prediction: Given) -> tuple[Question, list[Finding]]:
    """Texts are compared as they are: each different text is a category."""
    label, prediction = label.take(valid(label.text)), prediction.take(valid(prediction.text))
    encoded = compute.dictionary_encode(pa.concat_arrays([label.text, prediction.text]))
    codes = np.asarray(to_numpy(encoded.indices), np.int64)
    count = len(encoded.dictionary)
    label, prediction = _coded(label, codes[: len(label)]), _coded(prediction, codes[len(label) :])
    label, repeated = _distinct(label, count)
    found = _rows_found("label-duplicate-answer", answers, repeated)
    several = _repeated(label, count)
    found += _rows_found("label-several-answers", answers, np.unique(label.row[several]))
    label = label.take(~several)
    rows = _ascending(label.row)
    given, more = _answered(answers, rows, prediction, np.arange(count))
    pairs = _pairs(label, _places(rows, label.row), label.category)
    none = np.full(len(rows), -1, np.int64)
    texts = encoded.dictionary
    return Question(name, FREE_TEXT, np.arange(count), rows, pairs, given, None, none, none[:0], texts), [*found, *more]


def _coded(given: Given, codes: RowArray) -> Given:
    return Given(given.row, given.question, codes, given.score, given.text, given.start, given.end, given.source)


def _rows_found(code: str, answers: Answers, rows: RowArray) -> list[Finding]:
    """A finding that names data rows."""
    if not len(rows):
        return []
    return flagged(code, answers.row_ids.take(to_arrow(np.asarray(rows, np.int64))), np.ones(len(rows), bool))


def first_of_runs(pairs: Pairs) -> RowArray:
    """Where each data row's answers begin: its best answer. int64[data rows that have one]."""
    return np.asarray(starts_of(pairs.place), np.int64)
