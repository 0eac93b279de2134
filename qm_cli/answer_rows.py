"""The rows of a JSON file of answers, and those that Labelbox folds into one: an answer with questions below it."""

from __future__ import annotations

from typing import Any

import msgspec

from qm_cli.nested_answers import Nested, Option, below

Identifier = int | str | None
NAMES = ("category", "category_name", "label")


class Entry(msgspec.Struct, gc=False):
    """A data row: image, text, video, document, audio, conversation, tile."""

    id: Identifier = None
    file_name: str | None = None
    text: str | None = None


class Category(msgspec.Struct, gc=False):
    id: Identifier = None
    name: str | None = None
    question: str | None = None


class Question(msgspec.Struct, gc=False):
    name: str
    type: str


class DataRow(msgspec.Struct, gc=False, rename="camel"):
    id: Identifier = None
    global_key: str | None = None


class Row(msgspec.Struct, gc=False):
    """One answer or one text entity; start and end are character offsets, end exclusive, span is both.

    Labelbox's rows name their question by `name` and their data row by `dataRow`; an answer is a name, with the
    questions below it, or several. An entity's `name` is its category, and its `location` ends with its last character.
    """

    id: Identifier = None
    image_id: Identifier = None
    data_row_id: Identifier = None
    category_id: Identifier = None
    category: Identifier = None
    category_name: str | None = None
    label: Identifier = None
    question: str | None = None
    answer: str | Option | list[Option] | None = None
    classifications: list[Nested] | None = None
    name: str | None = None
    dataRow: DataRow | None = None  # noqa: N815  (as Labelbox writes it)
    score: float | None = None
    confidence: float | None = None
    probs: list[float | None] | None = None
    start: float | None = None
    end: float | None = None
    span: list[float] | None = None
    location: Any = None


class Document(msgspec.Struct):
    images: list[Entry | None] | None = None
    data_rows: list[Entry | None] | None = None
    categories: list[Category | None] | None = None
    annotations: list[Row | None] | None = None
    predictions: list[Row | None] | None = None
    questions: list[Question] | None = None


def unfolded(rows: list[Row], kinds: dict[str, str]) -> list[Row]:
    """A row for each answer, those of questions below an answer too: they are called `question/answer/question`.

    Where any row is unfolded, all name their data row by `data_row_id`. kinds: gets the questions that take all that
    apply, which are those with a list of answers.
    """
    if not any(is_folded(row) for row in rows):
        return rows
    by_id = not any(_data_row(row) is not None for row in rows)
    found: list[Row] = []
    for row in rows:
        if is_folded(row):
            found += _unfolded(row, kinds)
        else:
            place = row.id if by_id else _data_row(row)
            found.append(msgspec.structs.replace(row, image_id=None, data_row_id=place))
    return found


def _data_row(row: Row) -> Identifier:
    """What a row calls its data row, its own id apart."""
    place = row.dataRow or DataRow()
    return next(
        (one for one in (row.image_id, row.data_row_id, place.id, place.global_key) if one is not None),
        None,
    )


def _unfolded(row: Row, kinds: dict[str, str]) -> list[Row]:
    """The answer itself, which keeps its place in the text and its probabilities, then those of the questions below."""
    own = _data_row(row)
    own = row.id if own is None else own
    question = row.name if row.question is None and not is_located(row) else row.question
    score = row.confidence if row.score is None else row.score
    named = first_name(row)
    if row.answer is None or isinstance(row.answer, str):
        answers = [(question, named, row.answer, score)]
    else:
        answers = below(question, row.answer, score, kinds)
    called = "/".join(one for one in (question, named) if one is not None)
    for nested in row.classifications or []:
        path = f"{called}/{nested.name}" if called else nested.name
        answers += below(path, nested.answer, nested.confidence, kinds)
    found = [
        Row(data_row_id=own, category_name=name, question=asked, answer=text, score=sure)
        for asked, name, text, sure in answers
    ]
    first = {name: getattr(row, name) for name in ("probs", "start", "end", "span", "location")}
    return [msgspec.structs.replace(one, **first) if place == 0 else one for place, one in enumerate(found)]


def is_folded(row: Row) -> bool:
    """Whether a row is written as Labelbox does, so that it may stand for several answers."""
    return bool(row.classifications) or row.dataRow is not None or isinstance(row.answer, Option | list)


def is_located(row: Row) -> bool:
    """Whether a row is a text entity as Labelbox writes it, its offsets in `location`."""
    return isinstance(row.location, dict) and not row.location.keys().isdisjoint(("start", "end"))


def first_name(row: Row) -> str | None:
    """What a row calls its category."""
    found: Any = next((value for name in NAMES if (value := getattr(row, name)) is not None), None)
    if found is None and is_located(row):
        found = row.name
    return None if found is None else str(found)
