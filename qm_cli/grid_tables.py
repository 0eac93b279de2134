"""The tables of a run folder that hold the grid: counts by category, confusion, precision–recall curves, images."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec.structs import asdict

from qm_cli.analysis.grid import GridCounts
from qm_cli.analysis.grid_confusion import Confused
from qm_cli.analysis.pr_curve import OVERALL, precision_recall_points
from qm_cli.arrays import rows_to_arrow, to_arrow
from qm_cli.convention_grids import grid_counts, image_grids
from qm_cli.evaluation import Evaluation
from qm_cli.settings import Grid
from qm_cli.tables import Tables

RowArray = npt.NDArray[np.int64]


def grid_tables(evaluation: Evaluation) -> dict[str, pa.Table]:
    """grid, grid_confusion, pr_curve (COCO's alone) and image_grid where the settings want it; none without a grid."""
    tables, settings = evaluation.tables, evaluation.settings
    if settings.grid is None:
        return {}
    counts = grid_counts(evaluation)
    found = {"grid": _grid_table(tables, counts, settings.beta)}
    if evaluation.coco is not None:
        found["pr_curve"] = _curve_table(evaluation)
    if counts.confused is not None:
        found["grid_confusion"] = _confusion_table(tables, counts, counts.confused)
    if settings.grid.images:
        found["image_grid"] = _image_table(evaluation, settings.grid)
    return found


def _named(tables: Tables, rows: RowArray, prefix: str = "category") -> dict[str, pa.Array]:
    """Category row and name, null for −1."""
    row = rows_to_arrow(rows)
    return {f"{prefix}_row": row, prefix: tables.category["name"].combine_chunks().take(row)}


def _grid_table(tables: Tables, counts: GridCounts, beta: float | None) -> pa.Table:
    """A row per category, confidence and IoU, then those of all categories together, whose category is null."""
    categories = len(counts.labels)
    ious, confidences = len(counts.grid.ious), len(counts.grid.confidences)
    rows = np.repeat(np.append(np.arange(categories), OVERALL), ious * confidences)
    total = counts.total()

    def column(name: str) -> npt.NDArray[Any]:
        own, overall = (getattr(one, name) for one in (counts, total))
        return np.concatenate([own, overall], axis=2).transpose(2, 1, 0).ravel()

    names = ("true_positives", "false_positives", "false_negatives", "precision", "recall", "f1", "mean_iou")
    columns = {name: to_arrow(column(name)) for name in names}
    if beta is not None:
        values = np.concatenate([counts.f_beta(beta), total.f_beta(beta)], axis=2)
        columns["f_beta"] = to_arrow(values.transpose(2, 1, 0).ravel())
    axes = {
        "confidence": to_arrow(np.tile(np.repeat(counts.grid.confidences, ious), categories + 1)),
        "iou": to_arrow(np.tile(counts.grid.ious, confidences * (categories + 1))),
    }
    return pa.table({**_named(tables, rows), **axes, **columns})


def _confusion_table(tables: Tables, counts: GridCounts, confused: Confused) -> pa.Table:
    """The filled cells of every confusion matrix; null stands for no label or no prediction."""
    none = len(counts.labels)
    spurious = counts.false_positives - _sums(counts, confused, confused.predicted)
    missed = counts.false_negatives - _sums(counts, confused, confused.true)
    columns = [confused.iou, confused.confidence, confused.true, confused.predicted, confused.count]
    parts: list[list[RowArray]] = [columns]
    for values, has_true, has_predicted in (
        (counts.true_positives, True, True),
        (spurious, False, True),
        (missed, True, False),
    ):
        lane, level, category = np.nonzero(values)
        nothing = np.full(len(category), OVERALL)
        sides = [category if there else nothing for there in (has_true, has_predicted)]
        parts.append([lane, level, *sides, values[lane, level, category]])
    iou, confidence, true, predicted, count = (np.concatenate(column) for column in zip(*parts, strict=True))
    last = [np.where(rows < 0, none, rows) for rows in (true, predicted)]
    order = np.lexsort((last[1], last[0], iou, confidence))
    return pa.table(
        {
            "confidence": to_arrow(np.array(counts.grid.confidences)[confidence[order]]),
            "iou": to_arrow(np.array(counts.grid.ious)[iou[order]]),
            **_named(tables, true[order], "true"),
            **_named(tables, predicted[order], "predicted"),
            "count": to_arrow(count[order]),
        }
    )


def _sums(counts: GridCounts, confused: Confused, category: RowArray) -> RowArray:
    """Confused objects by cell and category: int64[ious, confidences, categories]."""
    shape = counts.true_positives.shape
    keys = (confused.iou * shape[1] + confused.confidence) * shape[2] + category
    sums = np.bincount(keys, confused.count, int(np.prod(shape))).reshape(shape)
    return sums.astype(np.int64)


def _curve_table(evaluation: Evaluation) -> pa.Table:
    """A row per distinct confidence of each category, then of all together, whose category is null."""
    settings = evaluation.settings
    points = precision_recall_points(evaluation.tables, evaluation.matches, settings)
    names = ("confidence", "precision", "recall", "true_positives", "false_positives")
    columns = {name: to_arrow(getattr(points, name)) for name in names}
    iou = to_arrow(np.full(len(points.category), settings.iou))
    return pa.table({**_named(evaluation.tables, points.category), "iou": iou, **columns})


def _image_table(evaluation: Evaluation, grid: Grid) -> pa.Table:
    """A row per IoU, image and confidence."""
    tables = evaluation.tables
    images, confidences = tables.count("image"), len(grid.confidences)
    row = pa.array(np.repeat(np.arange(images, dtype=np.int32), confidences))
    keys = {
        "image_row": row,
        "image_id": tables.image["id"].combine_chunks().take(row),
        "confidence": to_arrow(np.tile(grid.confidences, images)),
    }
    parts = []
    for iou, counts in zip(grid.ious, image_grids(evaluation), strict=True):
        columns = {name: to_arrow(values.ravel()) for name, values in asdict(counts).items()}
        columns["mean_iou"] = columns.pop("iou")
        parts.append(pa.table({**keys, "iou": to_arrow(np.full(images * confidences, iou)), **columns}))
    return pa.concat_tables(parts)
