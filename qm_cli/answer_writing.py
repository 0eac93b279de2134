"""An evaluation of answers → the files of its run folder."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qm_cli import __version__, dataset, run_folder
from qm_cli.analysis.classification_outcome import Answered, Ticked
from qm_cli.analysis.text_spans import Spans
from qm_cli.answer_evaluation import AnswerRequest, evaluate_answer_files
from qm_cli.answer_files import holds_text
from qm_cli.answers import FREE_TEXT, Answers
from qm_cli.arrays import strings_to_arrow, to_arrow
from qm_cli.classification import ClassEvaluation, QuestionResult
from qm_cli.console import FOREIGN
from qm_cli.dataset import DatasetFiles
from qm_cli.errors import UsageError
from qm_cli.load_answers import AnswerSource
from qm_cli.render.as_json import as_json
from qm_cli.render.summary_markdown import summary_markdown
from qm_cli.run_writing import input_facts
from qm_cli.schema import SCHEMA_VERSION
from qm_cli.scores import write_parquet
from qm_cli.settings import RECALL_GRID, Settings
from qm_cli.text_entities import SpanEvaluation, row_means


def answers_to_folder(request: AnswerRequest, output: Path) -> dict[str, Any]:
    """Evaluate files of answers into a run folder; the report."""
    started = time.perf_counter()
    evaluation, report = evaluate_answer_files(request)
    write_answers(output, evaluation, report, request.source, started)
    return report


def is_text(files: DatasetFiles) -> bool:
    """Whether a dataset holds free text or text entities alone, which are evaluated and have no samples to score."""
    if files.labels is None or not files.predictions or files.labels.is_dir():
        return False
    return all(holds_text(path) for path in (files.labels, *files.predictions.values()))


def text_to_folder(files: DatasetFiles, output: Path, settings: Settings, naming: Mapping[str, Any]) -> dict[str, Any]:
    """Evaluate the text of a dataset into a run folder; its summary. naming: as of `AnswerSource`."""
    if files.labels is None or len(files.predictions) != 1:
        names = ", ".join(files.predictions)
        raise UsageError(f"{files.root}: text is scored one model at a time, there are {names}", "name one --model")
    started = time.perf_counter()
    source = AnswerSource(files.labels, next(iter(files.predictions.values())), **naming)
    asked = (settings.answer_task, settings.answer_convention)
    request = AnswerRequest(source, *asked, confidence=settings.answer_confidence)
    evaluation, report = evaluate_answer_files(request)
    return write_answers(output, evaluation, report, source, started)


def write_answers(
    output: Path,
    evaluation: ClassEvaluation | SpanEvaluation,
    report: dict[str, Any],
    source: AnswerSource,
    started: float,
) -> dict[str, Any]:
    """Write the run folder `output`: tables, summary and manifest. The summary.

    image: TP, FP and FN of each data row. category: the report's. answer: a row a data row and question, of those that
    take one answer. confusion, precision_recall: of classes. label, prediction: text entities with their outcome.
    """
    with run_folder.writing(output) as folder:
        return _write(folder, evaluation, report, source, started)


def _write(
    folder: Path,
    evaluation: ClassEvaluation | SpanEvaluation,
    report: dict[str, Any],
    source: AnswerSource,
    started: float,
) -> dict[str, Any]:
    tables = _class_tables(evaluation) if isinstance(evaluation, ClassEvaluation) else _span_tables(evaluation)
    columns = {name: [row[name] for row in report["categories"]] for name in (report["categories"] or [{}])[0]}
    tables["category"] = pa.table({"id": [], "name": []} | {name: pa.array(rows) for name, rows in columns.items()})
    for name, table in tables.items():
        write_parquet(table, folder / f"{name}.parquet")
    model = dataset.model_name(source.predictions)
    summary = {
        "images": report["images"],
        "categories": len(report["categories"]),
        "labels": report["labels"],
        "models": {model: report},
        "metrics": [],
        "model_metrics": {},
        "skipped": [],
        "findings": report["findings"],
        "notes": [],
    }
    (folder / run_folder.SUMMARY).write_text(as_json(summary))
    (folder / "summary.md").write_text(summary_markdown(summary), errors=FOREIGN)
    (folder / run_folder.MANIFEST).write_text(
        as_json(_manifest(report, model, source, time.perf_counter() - started)), errors=FOREIGN
    )
    return summary


def _manifest(report: dict[str, Any], model: str, source: AnswerSource, seconds: float) -> dict[str, Any]:
    settings = Settings(task=report["task"], convention=report["convention"], iou=report["iou"] or 0.5).as_dict()
    return {
        "schema_version": SCHEMA_VERSION,
        "qm": __version__,
        "python": platform.python_version(),
        "models": [model],
        "inputs": {"labels": input_facts(source.labels), f"predictions {model}": input_facts(source.predictions)},
        "images": None,
        "settings": {**settings, "confidence": report["confidence"], "top_k": report.get("top_k")},
        "seed": 0,
        "findings": report["findings"],
        "seconds": round(seconds, 3),
    }


def _counts(rows: int, parts: dict[str, list[Any]]) -> dict[str, pa.Array]:
    """Counts of each data row: the rows that each part names, once a count."""
    found = {}
    for name, places in parts.items():
        total = np.zeros(rows, np.int64)
        for one in places:
            total += np.bincount(one, minlength=rows)
        found[name] = to_arrow(total)
    return found


def _class_tables(evaluation: ClassEvaluation) -> dict[str, pa.Table]:
    answers = evaluation.answers
    parts: dict[str, list[Any]] = {"true_positives": [], "false_positives": [], "false_negatives": []}
    given, cells, lines = [], [], []
    for result in evaluation.results:
        for name, rows in zip(parts, _outcomes(result), strict=True):
            parts[name].append(rows)
        if isinstance(result.found, Answered):
            given.append(_answer_table(answers, result, result.found))
        if result.confusion is not None and result.question.kind != FREE_TEXT:
            cells.append(_confusion_table(answers, result))
        if result.curves is not None:
            lines.append(_curve_table(answers, result))
    tables = {"image": pa.table({"id": answers.row_ids, **_counts(answers.rows, parts)})}
    for name, found in (("answer", given), ("confusion", cells), ("precision_recall", lines)):
        if found:
            tables[name] = pa.concat_tables(found)
    return tables


def _outcomes(result: QuestionResult) -> list[npt.NDArray[np.int64]]:
    """Data rows of right, wrong and missed answers, once for each."""
    found, question = result.found, result.question
    if isinstance(found, Ticked):
        size = max(question.categories, 1)
        hits = np.intersect1d(found.true, found.predicted, True)
        keys = (hits, np.setdiff1d(found.predicted, hits, True), np.setdiff1d(found.true, hits, True))
        return [question.rows[one // size] for one in keys]
    rows = question.rows[result.judged]
    return [rows[found.correct], rows[~found.correct & (found.predicted >= 0)], rows[~found.correct]]


def _named(question: str | None, count: int) -> pa.Array:
    return strings_to_arrow([question] * count)


def _answer_table(answers: Answers, result: QuestionResult, found: Answered) -> pa.Table:
    """label, prediction: names, or the texts themselves; prediction is null where there is no answer."""
    question, rows = result.question, result.question.rows[result.judged]
    names = _category_names(answers, result)
    return pa.table(
        {
            "image_row": to_arrow(rows),
            "image_id": answers.row_ids.take(to_arrow(rows)),
            "question": _named(question.name, len(rows)),
            "label": names.take(to_arrow(found.true)),
            "prediction": names.take(_or_null(found.predicted)),
            "score": _floats(found.score),
            "correct": to_arrow(found.correct),
        }
    )


def _category_names(answers: Answers, result: QuestionResult) -> pa.Array:
    if result.question.texts is not None:
        return result.question.texts
    return strings_to_arrow([answers.category_names[row] for row in result.question.category.tolist()])


def _or_null(rows: npt.NDArray[np.int64]) -> pa.Array:
    """Row numbers with null for −1."""
    return to_arrow(np.where(rows < 0, np.nan, rows)).cast(pa.int64())


def _floats(values: npt.NDArray[np.float64]) -> pa.Array:
    return to_arrow(values).cast(pa.float64())


def _confusion_table(answers: Answers, result: QuestionResult) -> pa.Table:
    """Every filled cell; predicted is null where there was no answer."""
    cells, names = result.confusion, _category_names(answers, result)
    assert cells is not None
    predicted = np.where(cells.predicted == len(names), -1, cells.predicted)
    return pa.table(
        {
            "question": _named(result.question.name, len(cells.count)),
            "true": names.take(to_arrow(cells.true)),
            "predicted": names.take(_or_null(predicted)),
            "count": to_arrow(cells.count),
        }
    )


def _curve_table(answers: Answers, result: QuestionResult) -> pa.Table:
    """Precision, and the confidence that reaches it, per category and recall."""
    lines, names = result.curves, _category_names(answers, result)
    assert lines is not None
    points = len(RECALL_GRID)
    place = np.repeat(np.arange(len(names)), points)
    return pa.table(
        {
            "question": _named(result.question.name, len(place)),
            "category_row": to_arrow(result.question.category[place].astype(np.int32)),
            "category": names.take(to_arrow(place)),
            "recall": to_arrow(np.tile(RECALL_GRID, len(names))),
            "precision": _floats(lines.precision.ravel()),
            "confidence": _floats(lines.confidence.ravel()),
        }
    )


def _span_tables(evaluation: SpanEvaluation) -> dict[str, pa.Table]:
    answers, label, prediction = evaluation.answers, evaluation.label, evaluation.prediction
    hit, found = evaluation.true_positive, evaluation.found
    parts = {
        "true_positives": [prediction.row[hit]],
        "false_positives": [prediction.row[~hit]],
        "false_negatives": [label.row[~found]],
    }
    image: dict[str, pa.Array] = {"id": answers.row_ids, **_counts(answers.rows, parts)}
    rows, means = row_means(evaluation)
    for name, values in means.items():
        column = np.full(answers.rows, np.nan)
        column[rows] = values
        image[name] = _floats(column)
    return {
        "image": pa.table(image),
        "label": _entities(answers, label, np.where(found, "TP", "FN")),
        "prediction": _entities(answers, prediction, np.where(hit, "TP", "FP")),
    }


def _entities(answers: Answers, spans: Spans, outcome: npt.NDArray[np.str_]) -> pa.Table:
    names = strings_to_arrow(answers.category_names)
    return pa.table(
        {
            "image_row": to_arrow(spans.row.astype(np.int32)),
            "image_id": answers.row_ids.take(to_arrow(spans.row)),
            "category_row": to_arrow(spans.category.astype(np.int32)),
            "category": names.take(to_arrow(spans.category)),
            "start": to_arrow(spans.start),
            "end": to_arrow(spans.end),
            "score": _floats(spans.score),
            "outcome": strings_to_arrow(outcome.tolist()),
        }
    )
