"""Evaluations of two models' answers → what is compared of them, one part a question or all text entities."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct

from qm_cli.analysis import answer_changes, changes
from qm_cli.analysis.answer_changes import Cells
from qm_cli.analysis.classification_outcome import Answered
from qm_cli.analysis.text_spans import Spans
from qm_cli.analysis.weighted_counts import Countable
from qm_cli.answers import CHECKLIST, FREE_TEXT, Answers
from qm_cli.arrays import strings_to_arrow, to_arrow
from qm_cli.classification import ClassEvaluation, QuestionResult
from qm_cli.errors import InputError
from qm_cli.kernels.weighted import Runs, runs_by_group
from qm_cli.text_entities import SpanEvaluation

RowArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
ANSWER, LABEL, ENTITY = "answers", "labels", "entities"
KEPT, FLIPPED, NEW, GONE = range(4)


class Tally(Struct, frozen=True):
    """What became of answers of one kind. words: the changes; code: place in them; category: −1 for none.

    row: its data row. before, after: whether it is an error of the first and of the second model.
    """

    kind: str
    words: tuple[str, ...]
    code: RowArray
    category: RowArray
    row: RowArray
    before: npt.NDArray[np.bool_]
    after: npt.NDArray[np.bool_]


class Part(Struct, frozen=True):
    """One question, or all text entities. categories: their names; labels: what is true, by category.

    models: what is counted of either; table: a row for each change that is listed.
    """

    question: str | None
    kind: str
    categories: tuple[str, ...]
    models: tuple[Countable, Countable]
    labels: Runs
    tallies: tuple[Tally, ...]
    table: pa.Table


def question_parts(a: ClassEvaluation, b: ClassEvaluation) -> list[Part]:
    """Every question that both models have; `questions_of_one` are the others.

    Raises InputError where there is none, and for a question that takes one answer in one of them alone.
    """
    other = {result.question.name: result for result in b.results}
    found = []
    for result in a.results:
        name = result.question.name
        if name not in other:
            continue
        if (result.question.kind == CHECKLIST) != (other[name].question.kind == CHECKLIST):
            called = "" if name is None else f"question {name!r} "
            raise InputError(f"{called}takes one answer in one of A and B alone", "add --task")
        found.append(_question(a.answers, b.answers, result, other[name]))
    if not found:
        asked = [", ".join(repr(one.question.name) for one in side.results) or "none" for side in (a, b)]
        raise InputError(f"A and B share no question: {asked[0]} and {asked[1]}", "compare models of one set of them")
    return found


def questions_of_one(a: ClassEvaluation, b: ClassEvaluation) -> list[dict[str, Any]]:
    """The questions that one model alone has: `question`, `model` (A or B) and how many `answers` it gives."""
    found = []
    for side, own, other in (("A", a, b), ("B", b, a)):
        known = {result.question.name for result in other.results}
        found += [
            {"question": result.question.name, "model": side, "answers": _given(own.answers, result.question.name)}
            for result in own.results
            if result.question.name not in known
        ]
    return found


def _given(answers: Answers, question: str | None) -> int:
    """How many answers are predicted, or how many data rows have probabilities, whatever the labels."""
    number = answers.questions.index(question)
    probable = (one.row for one in answers.probabilities if one.question == number)
    return int((answers.prediction.question == number).sum()) or sum(int((row >= 0).sum()) for row in probable)


def countables(found: ClassEvaluation) -> list[Countable]:
    """What is counted of each question of one model."""
    return [_own_countable(result, found.answers.rows) for result in found.results]


def _own_countable(result: QuestionResult, count: int) -> Countable:
    free = result.question.kind == FREE_TEXT
    texts = result.question.texts
    names = len(result.question.category) if texts is None else len(texts)
    return _countable(_cells(result, np.arange(names), count), 0 if free else names)


def _question(first: Answers, second: Answers, a: QuestionResult, b: QuestionResult) -> Part:
    number: dict[str, int] = {}
    own = [
        np.array([number.setdefault(name, len(number)) for name in _names(answers, result)], np.int64)
        for answers, result in ((first, a), (second, b))
    ]
    cells = [_cells(result, category, first.rows) for result, category in zip((a, b), own, strict=True)]
    found = (answer_changes.changed_ticks if a.question.kind == CHECKLIST else answer_changes.changed_answers)(*cells)
    free = a.question.kind == FREE_TEXT
    names = strings_to_arrow([*number])
    groups = 0 if free else len(number)
    models = tuple(_countable(one, groups) for one in cells)
    tally = Tally(
        ANSWER,
        answer_changes.CHANGES,
        found.code,
        np.where(found.true >= 0, found.true, np.maximum(found.first, found.second)),
        found.row,
        found.first != found.true,
        found.second != found.true,
    )
    table = pa.table(
        {
            "object": strings_to_arrow(["answer"] * len(found.row)),
            "change": strings_to_arrow(answer_changes.CHANGES).take(to_arrow(found.code)),
            "data_row_id": first.row_ids.take(to_arrow(found.row)),
            "question": strings_to_arrow([a.question.name] * len(found.row)),
            **{
                name: names.take(_nullable(values))
                for name, values in (("label", found.true), ("answer_a", found.first), ("answer_b", found.second))
            },
            "score_a": _floats(found.score_a),
            "score_b": _floats(found.score_b),
            "start": pa.nulls(len(found.row), pa.int64()),
            "end": pa.nulls(len(found.row), pa.int64()),
        }
    )
    truth = cells[0].true >= 0
    labels = runs_by_group(cells[0].row[truth], np.where(free, 0, cells[0].true[truth]), max(groups, 1))
    kind, categories = a.question.kind, () if free else tuple(number)
    return Part(a.question.name, kind, categories, (models[0], models[1]), labels, (tally,), table)


def _names(answers: Answers, result: QuestionResult) -> list[str]:
    if result.question.texts is not None:
        return [str(one) for one in result.question.texts.to_pylist()]
    return [answers.category_names[row] for row in result.question.category.tolist()]


def _cells(result: QuestionResult, category: RowArray, count: int) -> Cells:
    rows = result.question.rows
    if isinstance(result.found, Answered):
        return answer_changes.cells_of_answers(result.found, rows[result.judged], category, count)
    return answer_changes.cells_of_ticks(result.found, rows, result.judged, category, count)


def _countable(cells: Cells, groups: int) -> Countable:
    """Of free text, which has no categories, accuracy alone."""
    if groups:
        return answer_changes.countable(cells, groups)
    nothing = runs_by_group(np.zeros(0, np.int64), np.zeros(0, np.int64), 0)
    return Countable(nothing, nothing, nothing, *cells.wholes)


def entity_part(a: SpanEvaluation, b: SpanEvaluation) -> Part:
    """The text entities of both models, on the same labels."""
    number: dict[str, int] = {}
    own = [
        np.array([number.setdefault(name, len(number)) for name in one.answers.category_names], np.int64)
        for one in (a, b)
    ]
    models = []
    for one, category in zip((a, b), own, strict=True):
        runs = [
            runs_by_group(spans.row[mask], category[spans.category[mask]], len(number))
            for spans, mask in (
                (one.prediction, one.true_positive),
                (one.prediction, ~one.true_positive),
                (one.label, ~one.found),
            )
        ]
        models.append(Countable(runs[0], runs[1], runs[2]))
    label = own[0][a.label.category]
    before, after = a.found, b.found
    code = np.where(before, np.where(after, 0, 2), np.where(after, 1, 3))
    labels = Tally(LABEL, changes.LABEL_CHANGES, code, label, a.label.row, ~before, ~after)
    entities, places = _entities(a, b, own)
    tables = [
        _entity_table(a.answers, "label", labels, a.label, np.arange(len(a.label)), list(number)),
        *(
            _entity_table(one.answers, "entity", entities, one.prediction, place, list(number), part)
            for one, (place, part) in zip((b, a), places, strict=True)
        ),
    ]
    truth = runs_by_group(a.label.row, label, len(number))
    return Part(
        None, "text", tuple(number), (models[0], models[1]), truth, (labels, entities), pa.concat_tables(tables)
    )


def _entities(a: SpanEvaluation, b: SpanEvaluation, own: list[RowArray]) -> tuple[Tally, list[tuple[RowArray, slice]]]:
    """The second model's entities, then the first's errors that are gone; two are the same when their places are."""
    category = [own[side][one.prediction.category] for side, one in enumerate((a, b))]
    wrong = [~one.true_positive for one in (a, b)]
    place = [_keys(one.prediction, None) for one in (a, b)]
    exact = [_keys(one.prediction, named) for one, named in zip((a, b), category, strict=True)]
    shared = _in(exact[1], exact[0][wrong[0]])
    moved = ~_in(exact[1], exact[0]) & _in(place[1], place[0][~_in(exact[0], exact[1])])
    code = np.where(moved, FLIPPED, np.where(wrong[1] & ~shared, NEW, KEPT))
    gone = np.flatnonzero(wrong[0] & ~_in(exact[0], exact[1][wrong[1]]) & ~_in(place[0], place[1][moved]))
    count = len(code)
    tally = Tally(
        ENTITY,
        changes.DETECTION_CHANGES,
        np.concatenate([code, np.full(len(gone), GONE)]),
        np.concatenate([category[1], category[0][gone]]),
        np.concatenate([b.prediction.row, a.prediction.row[gone]]),
        np.concatenate([np.zeros(count, bool), np.ones(len(gone), bool)]),
        np.concatenate([wrong[1], np.zeros(len(gone), bool)]),
    )
    return tally, [(np.arange(count), slice(0, count)), (gone, slice(count, None))]


def _keys(spans: Spans, category: RowArray | None) -> npt.NDArray[np.void]:
    """Where entities stand, and of which category, as values that compare."""
    columns = [spans.row, spans.start, spans.end, *([] if category is None else [category])]
    stacked = np.ascontiguousarray(np.stack(columns, 1))
    return stacked.view([("", np.int64)] * len(columns)).ravel()


def _in(values: npt.NDArray[np.void], known: npt.NDArray[np.void]) -> npt.NDArray[np.bool_]:
    _, codes = np.unique(np.concatenate([values, known]), return_inverse=True)
    return np.isin(codes[: len(values)], codes[len(values) :])


def _entity_table(
    answers: Answers,
    kind: str,
    tally: Tally,
    spans: Spans,
    place: RowArray,
    names: list[str],
    part: slice = slice(None),
) -> pa.Table:
    label = kind == "label"
    category = strings_to_arrow(names).take(to_arrow(tally.category[part]))
    nothing = pa.nulls(len(place), pa.string())
    gone = not label and part.stop is None
    return pa.table(
        {
            "object": strings_to_arrow([kind] * len(place)),
            "change": strings_to_arrow(tally.words).take(to_arrow(tally.code[part])),
            "data_row_id": answers.row_ids.take(to_arrow(spans.row[place])),
            "question": nothing,
            "label": category if label else nothing,
            "answer_a": category if gone else nothing,
            "answer_b": category if not (label or gone) else nothing,
            "score_a": _floats(spans.score[place] if gone else np.full(len(place), np.nan)),
            "score_b": _floats(spans.score[place] if not (label or gone) else np.full(len(place), np.nan)),
            "start": to_arrow(spans.start[place]),
            "end": to_arrow(spans.end[place]),
        }
    )


def _nullable(rows: RowArray) -> pa.Array:
    """Row numbers with null for −1."""
    return to_arrow(np.where(rows < 0, np.nan, rows)).cast(pa.int64())


def _floats(values: FloatArray) -> pa.Array:
    return to_arrow(values).cast(pa.float64())
