"""Classes that a model gives a data row → its answers to each question, as labelling tools take them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from qm_cli.answer_objects import QUESTION_TYPE
from qm_cli.answers import CHECKLIST
from qm_cli.row_fields import Source

QUESTION = "question"
MULTILABEL = "multilabel"
RADIO_CONFIDENCE, CHECKLIST_CONFIDENCE = 0.0, 0.5


class Questions(Struct, frozen=True):
    """Which questions take several answers, and from which confidence on an answer is given.

    checklists, others: questions known to be of the kind, None for the one without a name; what is in neither takes
    several answers if `several` says so. confidence: None is .5 for checklists and 0 where the best answer counts.
    """

    checklists: frozenset[str | None]
    others: frozenset[str | None]
    several: bool
    confidence: float | None

    def takes_several(self, question: str | None) -> bool:
        """Whether all answers that apply are given."""
        return question in self.checklists or (question not in self.others and self.several)

    def least(self, question: str | None) -> float:
        """The confidence from which on an answer is given."""
        if self.confidence is not None:
            return self.confidence
        return CHECKLIST_CONFIDENCE if self.takes_several(question) else RADIO_CONFIDENCE


def questions_of(source: Source, task: str | None, confidence: float | None) -> Questions:
    """As the evaluation tells them: by the declared type, else the task, else where a data row has several labels."""
    if "label" not in source.table_names():
        return Questions(frozenset(), frozenset(), task == MULTILABEL, confidence)
    known = source.columns("label")
    table = source.table("label", ["image_row", "category_row", *(n for n in (QUESTION, QUESTION_TYPE) if n in known)])
    table = table.append_column("asked", questions_of_rows(source, table))
    declared = {}
    if QUESTION_TYPE in known:
        pairs = table.select(["asked", QUESTION_TYPE]).group_by(["asked", QUESTION_TYPE]).aggregate([])
        declared = {row["asked"]: row[QUESTION_TYPE] for row in pairs.to_pylist() if row[QUESTION_TYPE] is not None}
    repeated: set[str | None] = set()
    if task is None:
        count = table.group_by(["image_row", "asked"]).aggregate([("category_row", "count_distinct")])
        repeated = set(count.filter(pc.greater(count["category_row_count_distinct"], 1))["asked"].to_pylist())
    checklists = {name for name, kind in declared.items() if kind == CHECKLIST} | (repeated - declared.keys())
    return Questions(frozenset(checklists), frozenset(declared.keys() - checklists), task == MULTILABEL, confidence)


def questions_of_rows(source: Source, table: pa.Table) -> pa.ChunkedArray:
    """The question of each row of labels or predictions: its own, else its category's, else null."""
    own = table[QUESTION] if QUESTION in table.column_names else None
    of_category = None
    if QUESTION in source.columns("category"):
        of_category = source.table("category", [QUESTION])[QUESTION].take(table["category_row"])
    given = [one for one in (own, of_category) if one is not None and pa.types.is_string(one.type)]
    return pc.coalesce(*given) if given else pa.chunked_array([pa.nulls(table.num_rows, pa.string())])


def answered(predictions: list[dict[str, Any]], questions: Questions) -> list[dict[str, Any]]:
    """The predictions of one image without the classes that are no answers, which have no bbox.

    Of a question that takes one answer the most confident is left, the first of equals. Each answer names those that
    go with it by `answers`: of a checklist the first all of them and the others none, else itself alone.
    """
    if all(one["bbox"] is not None for one in predictions):
        return predictions
    given: dict[str | None, list[dict[str, Any]]] = {}
    for one in predictions:
        if one["bbox"] is None and one["score"] >= questions.least(one.get(QUESTION)):
            given.setdefault(one.get(QUESTION), []).append(one)
    for question, answers in given.items():
        if questions.takes_several(question):
            for place, one in enumerate(answers):
                one["several"], one["answers"] = True, answers if place == 0 else []
        else:
            best = max(answers, key=lambda one: float(one["score"]))
            given[question] = [{**best, "several": False, "answers": [best]}]
    boxed = [one for one in predictions if one["bbox"] is not None]
    return [*boxed, *(one for answers in given.values() for one in answers)]
