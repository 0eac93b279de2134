"""Classes in the tables of a dataset folder: evaluated as answers, and the outcome of each label and prediction."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qm_cli.analysis.classification_outcome import Answered
from qm_cli.analysis.classification_questions import first_of_runs
from qm_cli.analysis.counts import Outcomes
from qm_cli.answer_objects import QUESTION_TYPE
from qm_cli.answers import Answers, Given, Probabilities, question_categories
from qm_cli.arrays import one_chunk, strings_to_arrow, valid
from qm_cli.classification import CONVENTIONS, ClassEvaluation, ClassSettings, QuestionResult, evaluate_answers
from qm_cli.errors import UsageError
from qm_cli.link_answer_categories import question_rows
from qm_cli.settings import Grid, Settings, task_convention
from qm_cli.tables import Tables

RowArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
QUESTION = "question"


def holds_classes(tables: Tables) -> bool:
    """Whether there are labels and predictions, and not one of them has a box."""
    if not (tables.has_labels and tables.has_predictions) or not tables.count("label"):
        return False
    return all(tables.table(level)["bbox"].null_count == tables.count(level) for level in ("label", "prediction"))


def evaluate_classes(tables: Tables, settings: Settings) -> ClassEvaluation:
    """The evaluation of classes, with the tables' own findings."""
    if settings.grid not in (None, Grid()):
        raise UsageError("--confidences, --ious, --image-grid: not for classes", "leave them out")
    convention = task_convention(settings.answer_convention, CONVENTIONS, "classes")
    chosen = ClassSettings(settings.answer_task, convention, settings.answer_confidence)
    return evaluate_answers(answers_of(tables), chosen)


def answers_of(tables: Tables) -> Answers:
    """The tables as answers; `question` is a metadata column of labels, predictions or categories."""
    category_question, questions = _questions(tables)
    label, prediction = (_side(tables, level, category_question, questions) for level in ("label", "prediction"))
    count = tables.count("image")
    return Answers(
        one_chunk(tables.image["id"]),
        pa.nulls(count, pa.string()),
        tables.category["id"].to_pylist(),
        tables.category["name"].to_pylist(),
        category_question,
        questions,
        _kinds(tables),
        label,
        prediction,
        _probabilities(tables, category_question, questions, label, prediction),
        list(tables.findings),
    )


def _texts(tables: Tables, level: str, column: str = QUESTION) -> pa.Array | None:
    table = tables.table(level)
    if column not in table.column_names or table[column].type != pa.string():
        return None
    return one_chunk(table[column])


def _questions(tables: Tables) -> tuple[RowArray, tuple[str | None, ...]]:
    own, ours = _texts(tables, "category"), _texts(tables, "label")
    of_category = own.to_pylist() if own is not None else [None] * tables.count("category")
    named = [one for one in of_category if one is not None]
    named += [] if ours is None else [one for one in ours.unique().to_pylist() if one is not None]
    questions: tuple[str | None, ...] = tuple(dict.fromkeys(named))
    unnamed = ours is None or ours.null_count > 0
    if unnamed and (not questions or None in of_category):
        questions = (*questions, None)
    return np.array([-1 if one is None else questions.index(one) for one in of_category], np.int64), questions


def _kinds(tables: Tables) -> dict[str, str]:
    """The declared type of each question, where its labels tell it."""
    names, types = _texts(tables, "label"), _texts(tables, "label", QUESTION_TYPE)
    if names is None or types is None:
        return {}
    pairs = pa.table({"name": names, "type": types}).drop_null().group_by(["name", "type"]).aggregate([])
    return dict(zip(pairs["name"].to_pylist(), pairs["type"].to_pylist(), strict=True))


def _side(tables: Tables, level: str, category_question: RowArray, questions: tuple[str | None, ...]) -> Given:
    count = tables.count(level)
    row, category = (tables.values(level, f"{name}_row").astype(np.int64) for name in ("image", "category"))
    texts = _texts(tables, level)
    columns = {"image_id": strings_to_arrow([""] * count)} | ({} if texts is None else {QUESTION: texts})
    question = question_rows(columns, category, category_question, questions)
    score = tables.values(level, "score").astype(np.float64) if level == "prediction" else np.full(count, np.nan)
    none = np.full(count, np.nan)
    return Given(row, question, category, score, pa.nulls(count, pa.string()), none, none, np.arange(count))


def _probabilities(
    tables: Tables, category_question: RowArray, questions: tuple[str | None, ...], label: Given, prediction: Given
) -> tuple[Probabilities, ...]:
    """The first row of each image with probabilities, where one question is asked: they are over all categories."""
    if len(questions) != 1 or "probs" not in tables.prediction.column_names or not len(prediction):
        return ()
    there = np.flatnonzero(valid(one_chunk(tables.prediction["probs"])))[::-1]
    place = np.full(tables.count("image"), -1, np.int64)
    place[prediction.row[there]] = there
    order = question_categories(0, 1, category_question, label, prediction)
    return (Probabilities(0, tables.values("prediction", "probs"), place, order),)


def outcomes_of(tables: Tables, evaluation: ClassEvaluation) -> Outcomes | None:
    """The outcome of each label and prediction; counted are those that answer a labelled question.

    None where a checklist is answered by probabilities, which are no rows of the prediction table.
    """
    labels, predictions = tables.count("label"), tables.count("prediction")
    found = Outcomes(
        counted=np.zeros(predictions, bool),
        matched_label=np.full(predictions, -1, np.int64),
        matched_prediction=np.full(labels, -1, np.int64),
        label_counts=np.zeros(labels, bool),
    )
    for result in evaluation.results:
        if not isinstance(result.found, Answered) and result.question.probabilities is not None:
            return None
        _fill(found, result)
    return found


def _fill(found: Outcomes, result: QuestionResult) -> None:
    question, pairs = result.question, result.question.prediction
    answer = np.arange(len(pairs))
    if isinstance(result.found, Answered):
        answer = first_of_runs(pairs) if len(pairs) else answer
    answer = answer[~(pairs.score[answer] < result.confidence)]
    size = max(question.categories, 1)
    keys = question.label.place * size + question.label.category
    order = np.argsort(keys)
    wanted = pairs.place[answer] * size + pairs.category[answer]
    place = np.minimum(np.searchsorted(keys[order], wanted), max(len(keys) - 1, 0))
    hit = keys[order][place] == wanted if len(keys) else np.zeros(len(wanted), bool)
    prediction, label = pairs.source[answer], question.label.source[order][place[hit]]
    found.counted[prediction] = True
    found.matched_label[prediction[hit]] = label
    found.matched_prediction[label] = prediction[hit]
    found.label_counts[question.label.source] = True
