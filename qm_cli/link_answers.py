"""Raw answers → Answers: ids, categories and questions become numbers; what cannot be used becomes a finding."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct

from qm_cli import link_images
from qm_cli.answers import KINDS, Answers, FloatArray, Given, Probabilities, RowArray, question_categories
from qm_cli.arrays import compute, one_chunk, to_arrow, to_numpy, valid
from qm_cli.errors import InputError
from qm_cli.findings import Finding, finding, flagged
from qm_cli.link_answer_categories import (
    column_categories,
    derived,
    listed,
    names_a_category,
    question_rows,
    questions_of,
    refuse_other_shape,
    rows_of_categories,
    width_of,
)
from qm_cli.link_ids import Mask, distinct, first_of_each, linked, shown
from qm_cli.link_predictions import Linking
from qm_cli.raw import Columns, RawLabels, RawPredictions

Matrix = npt.NDArray[Any]
HINT = "see qm evaluate --help for the columns of answers"


class _Scope(Struct, frozen=True):
    """What answers refer to. image: id and file_name; place: of each data row in the label file."""

    image: pa.Table
    place: RowArray
    category: pa.Table
    category_question: RowArray
    questions: tuple[str | None, ...]


def link(
    labels: RawLabels,
    kinds: dict[str, str],
    predictions: RawPredictions | Matrix,
    where: str,
    options: Linking,
    names: tuple[str, ...] = (),
    unscored: float | None = None,
) -> Answers:
    """The answers of a label file and of a prediction file, or of a matrix of class probabilities.

    kinds: the declared type of questions. names: the categories in the order of the probabilities; empty for the order
    of the categories. unscored: as in `load_answers.AnswerSource`. Raises InputError when no data row or no category
    is of both files, and for a number of probabilities or rows that is not that of the categories or data rows.
    """
    scope, found = _scope(labels, kinds, predictions, names)
    label, more = _label_side(labels, scope)
    found += more
    if isinstance(predictions, RawPredictions):
        prediction, probabilities, more = _prediction_side(predictions, scope, label, options, names, unscored)
        found += more
    else:
        prediction = empty()
        probabilities = (_of_matrix(predictions, scope, where, len(labels.image.get("id", scope.place)), names),)
    return Answers(
        one_chunk(scope.image["id"]),
        one_chunk(scope.image["text"]),
        scope.category["id"].to_pylist(),
        scope.category["name"].to_pylist(),
        scope.category_question,
        scope.questions,
        kinds,
        label,
        prediction,
        probabilities,
        found,
    )


def empty() -> Given:
    """No answers."""
    rows, numbers = np.zeros(0, np.int64), np.zeros(0)
    return Given(rows, rows, rows, numbers, pa.nulls(0, pa.string()), numbers, numbers, rows)


def _scope(
    labels: RawLabels, kinds: dict[str, str], predictions: RawPredictions | Matrix, names: tuple[str, ...]
) -> tuple[_Scope, list[Finding]]:
    for name, kind in kinds.items():
        if kind not in KINDS:
            message = f"{labels.where}: question {name!r} is of the type {kind!r}"
            raise InputError(message, f"write one of {', '.join(KINDS)}")
    image, place, found = _data_rows(labels)
    if len(labels.category.get("id", ())):
        category, more = listed(labels)
    else:
        sides = [labels.label, *([predictions.columns] if isinstance(predictions, RawPredictions) else [])]
        category, more = derived(sides, names, width_of(predictions))
    questions = questions_of(labels, category, kinds)
    own = category["question"].to_pylist()
    category_question = np.array([-1 if one is None else questions.index(one) for one in own], np.int64)
    return _Scope(image, place, category, category_question, questions), [*found, *labels.findings, *more]


def _data_rows(labels: RawLabels) -> tuple[pa.Table, RowArray, list[Finding]]:
    """The data rows, every id once, and the place of each in the file."""
    if labels.derived:
        ids = _in_order(labels.label["image_id"])
        content = {"id": ids, "file_name": pa.nulls(len(ids), pa.string()), "text": pa.nulls(len(ids), pa.string())}
        table, keep, found = pa.table(content), np.ones(len(ids), bool), []
    else:
        ids = labels.image["id"]
        keep = valid(ids) & first_of_each(ids)
        table = pa.table(labels.image).filter(to_arrow(keep)).combine_chunks()
        found = flagged("image-missing-id", to_arrow(np.arange(len(ids))), ~valid(ids))
        found += flagged("image-duplicate-id", ids, valid(ids) & ~keep)
    if table.num_rows == 0:
        raise InputError(f"{labels.where}: there is no data row in it", "list every data row of the set")
    return table, np.flatnonzero(keep), found


def _in_order(ids: pa.Array) -> pa.Array:
    """Each id once, in the order of the file."""
    if ids.type == pa.int64() and ids.null_count == 0 and bool((np.diff(to_numpy(ids)) > 0).all()):
        return ids
    return distinct(ids)


def _label_side(labels: RawLabels, scope: _Scope) -> tuple[Given, list[Finding]]:
    columns = labels.label
    ids = columns.get("id", columns["image_id"])
    row, as_text = linked(columns["image_id"], one_chunk(scope.image["id"]))
    category, found = rows_of_categories(columns, labels.where, scope.category)
    found += finding("ids-differ-in-type", [labels.where] if as_text and not found else [])
    named = names_a_category(columns)
    _refuse_none(labels.where, "data row", columns["image_id"], row >= 0, scope.image["id"])
    _refuse_none(labels.where, "category", _called(columns), category[named] >= 0, scope.category["name"])
    question = question_rows(columns, category, scope.category_question, scope.questions)
    unknown = named & (category < 0)
    found += flagged("label-unknown-image", ids, row < 0)
    found += flagged("label-unknown-category", ids, unknown & (row >= 0))
    found += flagged("answer-unknown-question", ids, (question < 0) & (row >= 0) & ~unknown)
    given = _given(columns, row.astype(np.int64), category, question)
    blank = (category < 0) & ~named & ~valid(given.text) & np.isnan(given.start)
    found += flagged("label-without-answer", ids, blank & (row >= 0))
    return given.take((row >= 0) & ~unknown & (question >= 0)), found


def _prediction_side(
    raw: RawPredictions, scope: _Scope, label: Given, options: Linking, names: tuple[str, ...], unscored: float | None
) -> tuple[Given, tuple[Probabilities, ...], list[Finding]]:
    columns = raw.columns
    if raw.count == 0:
        return empty(), (), []
    ids = columns.get("id", columns["image_id"])
    row, found = link_images.image_rows(raw, scope.image, options.match_by)
    unknown_row = (row < 0) & valid(columns["image_id"])
    if unknown_row.any():
        detail, other = link_images.unmatched(raw, scope.image, row, options.match_by, options.tolerant)
        found += [*flagged("prediction-unknown-image", columns["image_id"], unknown_row, detail), *other]
    found += flagged("prediction-missing-image-id", ids, ~valid(columns["image_id"]))
    category, more = rows_of_categories(columns, raw.where, scope.category, options.map_categories)
    found += [one for one in more if one not in found]
    named = names_a_category(columns)
    _refuse_none(raw.where, "category", _called(columns), category[named] >= 0, scope.category["name"])
    question = question_rows(columns, category, scope.category_question, scope.questions)
    unknown = named & (category < 0)
    given = _given(columns, row.astype(np.int64), category, question)
    probable = valid(columns["probs"]) if "probs" in columns else np.zeros(raw.count, bool)
    nothing = (category < 0) & ~named & ~probable & ~valid(given.text)
    if nothing.all():
        raise InputError(f"{raw.where}: {raw.lacking('category', ('class', 'class_id', 'prediction'))}", HINT)
    found += flagged("prediction-unknown-category", _called(columns), unknown & (row >= 0))
    found += flagged("prediction-missing-category-id", ids, nothing & (row >= 0))
    found += flagged("answer-unknown-question", ids, (question < 0) & (row >= 0) & ~unknown)
    unscorable = probable | (valid(given.text) & (category < 0))
    score, left_out, more = _scores(given.score, ids, unscorable, options.missing_score, unscored)
    keep = (row >= 0) & ~unknown & ~nothing & (question >= 0) & ~left_out
    given = Given(given.row, question, category, score, given.text, given.start, given.end, given.source)
    usable = keep & probable
    probabilities = _of_lists(raw, given, usable, scope, label, names) if usable.any() else ()
    return given.take(keep), probabilities, [*found, *more]


def _called(columns: Columns) -> pa.Array:
    """What the file calls each answer's category."""
    name = next((name for name in ("category_id", "category_name") if name in columns), None)
    return columns[name] if name else pa.nulls(len(columns["image_id"]), pa.string())


def _refuse_none(where: str, level: str, given: pa.Array, hits: Mask, known: pa.ChunkedArray) -> None:
    """Raise InputError when there are names and none of them is known."""
    if hits.any():
        return
    names = distinct(given)
    if not len(names):
        return
    there, plural = one_chunk(known), "categories" if level == "category" else "data rows"
    message = f"{where}: none of its {len(names)} {plural} ({shown(names)}) is among the {len(there)} ({shown(there)})"
    raise InputError(message, "the files must be of one set")


def _given(columns: Columns, row: RowArray, category: RowArray, question: RowArray) -> Given:
    count = len(row)
    none = np.full(count, np.nan)
    score, start, end = (_floats(columns, name, none) for name in ("score", "start", "end"))
    text = columns.get("answer", pa.nulls(count, pa.string()))
    return Given(row, question, category, score, text, start, end, np.arange(count))


def _floats(columns: Columns, name: str, none: FloatArray) -> FloatArray:
    return np.asarray(to_numpy(columns[name]), np.float64) if name in columns else none


def _scores(
    score: FloatArray, ids: pa.Array, probable: Mask, fill: float | None, unscored: float | None
) -> tuple[FloatArray, Mask, list[Finding]]:
    """Scores, and the answers left out for having none where others have one.

    probable: those that need none, free text and those with probabilities.
    """
    missing = np.isnan(score) & ~probable
    found = flagged("prediction-score-range", ids, (score < 0) | (score > 1))
    if fill is None and not (missing.all() or np.isnan(score).all()):
        fill = unscored
    if fill is not None:
        found += flagged("prediction-filled-score", ids, missing)
        return np.where(missing, fill, score), np.zeros(len(score), bool), found
    if missing.all() or not missing.any() or np.isnan(score).all():
        return score, np.zeros(len(score), bool), found
    return score, missing, found + flagged("prediction-missing-score", ids, missing)


def _of_lists(
    raw: RawPredictions, given: Given, usable: Mask, scope: _Scope, label: Given, names: tuple[str, ...]
) -> tuple[Probabilities, ...]:
    """The probabilities of each question; the first row of a data row counts."""
    lists = raw.columns["probs"]
    lengths = np.nan_to_num(to_numpy(compute.list_value_length(lists))).astype(np.int64)
    flat = to_numpy(lists.flatten())
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    found = []
    for question in range(len(scope.questions)):
        rows = np.flatnonzero(usable & (given.question == question))
        if not len(rows):
            continue
        order = question_categories(question, len(scope.questions), scope.category_question, label, given)
        if names:
            order = order[column_categories(names, scope.category.take(to_arrow(order)), raw.where)]
        wrong = rows[lengths[rows] != len(order)]
        if len(wrong):
            message = f"[{wrong[0]}].probs has {lengths[wrong[0]]} numbers, there are {len(order)} categories"
            raise InputError(
                f"{raw.where}: {message}", "one number per category, in their order; see --prob-categories"
            )
        whole = len(rows) == len(lists)
        values = flat.reshape(-1, len(order)) if whole else flat[starts[rows][:, None] + np.arange(len(order))]
        place = np.full(scope.image.num_rows, -1, np.int64)
        place[given.row[rows][::-1]] = np.arange(len(rows))[::-1]
        found.append(Probabilities(question, values, place, order))
    return tuple(found)


def _of_matrix(matrix: Matrix, scope: _Scope, where: str, listed_rows: int, names: tuple[str, ...]) -> Probabilities:
    """A file of class probabilities alone: rows as the label file's data rows, columns as its categories."""
    if len(scope.questions) > 1:
        message = f"{where}: class probabilities of one question, the labels have {len(scope.questions)}"
        raise InputError(message, "write predictions as JSONL or Parquet with `question` and `probs`")
    refuse_other_shape(matrix.shape, where, listed_rows, scope.category.num_rows, names)
    order = column_categories(names, scope.category, where) if names else np.arange(matrix.shape[1])
    return Probabilities(0, matrix, scope.place, order)
