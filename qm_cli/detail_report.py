"""The answers to an evaluation's further questions as data: cells of the grid, examples, thresholds to deploy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from qm_cli.analyses import with_analyses
from qm_cli.analysis.confusion_examples import CellSamples, confusion_samples, samples_of
from qm_cli.analysis.counts import mean_of_defined
from qm_cli.analysis.grid import GridCounts
from qm_cli.convention_grids import grid_counts
from qm_cli.count_report import category_numbers, confusion_report, number, overall_numbers
from qm_cli.errors import UsageError, nearest
from qm_cli.evaluation import Evaluation, evaluate_tables
from qm_cli.evaluation_options import NONE, Questions
from qm_cli.settings import Grid, Settings
from qm_cli.subset import only_categories
from qm_cli.tables import Tables
from qm_cli.threshold_report import threshold_report

FloatArray = npt.NDArray[np.float64]

GRID_ORIENTATION = "rows IoU, columns confidence"


def detailed_report(
    tables: Tables, settings: Settings, questions: Questions, analyses: Iterable[str] = ()
) -> dict[str, Any]:
    """The evaluation report, with the named analyses, and the answers to the questions beside it."""
    evaluation = evaluate_tables(only_categories(tables, settings.categories), settings)
    return {**with_analyses(evaluation, analyses), **answers_to(questions, evaluation)}


def answers_to(questions: Questions, evaluation: Evaluation) -> dict[str, Any]:
    """A key of the report for each kind of question that was asked. Raises UsageError for unknown categories."""
    answers: dict[str, Any] = {}
    names = evaluation.tables.category["name"].to_pylist()
    if questions.normalise is not None:
        at = evaluation.settings.iou, evaluation.settings.confidence
        answers["confusion"] = confusion_report(evaluation.confusion, names, *at, questions.normalise)
    if questions.at or questions.grid:
        counts = grid_counts(evaluation, confusion=bool(questions.at))
        if questions.at:
            answers["cells"] = [_cell(counts, evaluation, *point, questions.normalise) for point in questions.at]
        if questions.grid:
            answers["grid"] = _grid(counts, evaluation)
    if questions.examples:
        answers["examples"] = _examples(evaluation, questions.examples)
    if questions.targets:
        answers["thresholds"] = threshold_report(
            evaluation.arrivals,
            _categories(evaluation.tables),
            evaluation.tables.count("image"),
            questions.targets,
            questions.seed,
            evaluation.settings.iou,
            evaluation.settings.convention,
        )
    return answers


def _categories(tables: Tables) -> list[dict[str, Any]]:
    columns = (tables.category[name].to_pylist() for name in ("id", "name"))
    return [{"id": identifier, "name": name} for identifier, name in zip(*columns, strict=True)]


def _cell(
    counts: GridCounts, evaluation: Evaluation, confidence: float, iou: float, normalise: str | None
) -> dict[str, Any]:
    """Everything that is counted at one confidence and IoU."""
    place = counts.grid.ious.index(iou), counts.grid.confidences.index(confidence)
    own, iou_sum, beta = counts.cell(*place), counts.iou_sum[place], evaluation.settings.beta
    categories = _categories(evaluation.tables)
    rows = category_numbers(own, iou_sum, beta)
    names = [row["name"] for row in categories]
    return {
        "confidence": confidence,
        "iou": iou,
        "metrics": overall_numbers(own, iou_sum, beta),
        "categories": [{**category, **row} for category, row in zip(categories, rows, strict=True)],
        "confusion": confusion_report(counts.confusion(*place), names, iou, confidence, normalise),
    }


def _grid(counts: GridCounts, evaluation: Evaluation) -> dict[str, Any]:
    """Counts and rates of all cells, overall and by category, as lists of rows; COCO's AP at each IoU."""
    beta = evaluation.settings.beta
    overall, own = _average_precision(evaluation, counts.grid)
    return {
        "orientation": GRID_ORIENTATION,
        "confidences": list(counts.grid.confidences),
        "ious": list(counts.grid.ious),
        "beta": beta,
        "overall": {**overall, **_axes(counts.total(), 0, beta)},
        "categories": [
            {**category, **own[row], **_axes(counts, row, beta)}
            for row, category in enumerate(_categories(evaluation.tables))
        ],
    }


def _average_precision(evaluation: Evaluation, grid: Grid) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """AP at each IoU, overall and by category; nothing under a convention without it."""
    categories = range(evaluation.tables.count("category"))
    if evaluation.coco is None:
        return {}, [{} for _ in categories]
    curves = evaluation.average_precision
    precision = [curves.precision[evaluation.coco.lane(iou)] for iou in grid.ious]
    own = [{"AP": [mean_of_defined(one[:, row]) for one in precision]} for row in categories]
    return {"AP": [mean_of_defined(one) for one in precision]}, own


def _axes(counts: GridCounts, row: int, beta: float | None) -> dict[str, list[list[Any]]]:
    numbers = {name: getattr(counts, name) for name in ("true_positives", "false_positives", "false_negatives")}
    rates = {name: getattr(counts, name) for name in ("precision", "recall", "f1", "mean_iou")}
    rates |= {} if beta is None else {"f_beta": counts.f_beta(beta)}
    return {
        **{name: values[..., row].tolist() for name, values in numbers.items()},
        **{name: _or_none(values[..., row]) for name, values in rates.items()},
    }


def _or_none(values: FloatArray) -> list[Any]:
    """Nested lists, None for NaN."""
    filled: list[Any] = np.where(np.isnan(values), None, values.astype(object)).tolist()  # type: ignore[call-overload]
    return filled


def _examples(evaluation: Evaluation, cells: tuple[tuple[str | None, str | None], ...]) -> list[dict[str, Any]]:
    tables, settings = evaluation.tables, evaluation.settings
    rows = [(_category_row(tables, predicted), _category_row(tables, true)) for predicted, true in cells]
    samples = confusion_samples(tables, evaluation.outcomes, evaluation.confused_pairs, settings.task)
    names = tables.category["name"].to_pylist()
    return [
        {
            "predicted": None if predicted is None else names[predicted],
            "true": None if true is None else names[true],
            "iou": settings.iou,
            "confidence": settings.confidence,
            "samples": _sample_rows(tables, samples_of(tables, samples, predicted, true)),
        }
        for predicted, true in rows
    ]


def _category_row(tables: Tables, name: str | None) -> int | None:
    """The row of a category by name, else by id."""
    if name is None:
        return None
    names, ids = tables.category["name"].to_pylist(), [str(one) for one in tables.category["id"].to_pylist()]
    for known in (names, ids):
        if name in known:
            return known.index(name)
    raise UsageError(f"--examples: no category {name!r}", nearest(name, names) or f"{NONE} stands for no category")


def _sample_rows(tables: Tables, samples: CellSamples) -> list[dict[str, Any]]:
    """A row per sample: where it is, the label's and the prediction's ids, the prediction's place in its file."""
    image = np.where(
        samples.prediction >= 0,
        np.append(tables.values("prediction", "image_row"), -1)[samples.prediction],
        np.append(tables.values("label", "image_row"), -1)[samples.label],
    )
    columns = {
        "image_id": tables.image["id"].take(image).to_pylist(),
        "file_name": tables.image["file_name"].take(image).to_pylist(),
        "label_id": _taken(tables, "label", "id", samples.label),
        "prediction_id": _taken(tables, "prediction", "id", samples.prediction),
        "prediction_row": _taken(tables, "prediction", "source_row", samples.prediction),
        "score": _taken(tables, "prediction", "score", samples.prediction),
        "iou": [number(value) for value in samples.iou],
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _taken(tables: Tables, level: str, name: str, rows: Any) -> list[Any]:
    """Values of a column at rows, None at −1."""
    there = iter(tables.table(level)[name].take(rows[rows >= 0]).to_pylist())
    return [next(there) if row >= 0 else None for row in rows.tolist()]
