"""The tables of a run folder, put together from input tables, scores and the evaluation; rows in the input's order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec.structs import replace

from qm_cli.analysis.counts import matched_iou
from qm_cli.arrays import strings_to_arrow, to_arrow, to_numpy, vectors_to_arrow
from qm_cli.engine import Scores
from qm_cli.error_names import KINDS
from qm_cli.evaluation import Evaluation
from qm_cli.pairs import Pairs
from qm_cli.run_folder import Run
from qm_cli.schema import SHAPES, TABLES
from qm_cli.scores import described, input_order, metric_field, with_metrics
from qm_cli.settings import CONVENTION_FIELDS, RECALL_GRID, Settings, measure_name
from qm_cli.tables import Tables

RowArray = npt.NDArray[np.int64]
OBJECTS = ("label", "prediction")
CLASS_FIELDS = {"category": ("question",), "label": ("question", "question_type"), "prediction": ("question", "probs")}
OUTCOMES = ("TP", "FP", "ignored", "FN")


def sample_tables(tables: Tables, scores: Scores, base: bool) -> Iterator[tuple[str, pa.Table]]:
    """prediction, label, image_category, image and category with one column per metric, each made when asked for.

    With `base` the input's own columns are there too; without, only the id and the metrics (a model's part of a run).
    """
    for level in ("prediction", "label"):
        yield from _level_table(tables, scores, level, base)
    yield from _cell_table(tables, scores)
    for level in ("image", "category"):
        yield from _level_table(tables, scores, level, base)


def _level_table(tables: Tables, scores: Scores, level: str, base: bool) -> Iterator[tuple[str, pa.Table]]:
    """The table of a level, nothing where it has no rows by nature or only ids to tell."""
    if (level == "label" and not tables.has_labels) or (level == "prediction" and not tables.has_predictions):
        return
    whole = base or level == "prediction"
    table = _own_columns(tables, level) if whole else tables.table(level).select(["id"])
    if level == "image" and whole:
        table = _with_sizes(table, scores)
    table = _scored(table, level, scores)
    if table.num_columns > 1:
        ordered = _in_order(table, input_order(tables.values(level, "source_row"))) if level in OBJECTS else table
        yield level, described(level, ordered)


def _in_order(table: pa.Table, order: RowArray) -> pa.Table:
    """The rows in this order."""
    return table if _ascending(order) else table.take(to_arrow(order))


def _ascending(order: RowArray) -> bool:
    return bool((order[1:] > order[:-1]).all())


def _output_rows(tables: Tables, level: str) -> RowArray:
    """Where each row stands in the written table: int64[n]."""
    order = input_order(tables.values(level, "source_row"))
    rows = np.empty(len(order), np.int64)
    rows[order] = np.arange(len(order))
    return rows


def _own_columns(tables: Tables, level: str) -> pa.Table:
    """The input's columns; links also as the ids and names people search by."""
    table = tables.table(level)
    if level in OBJECTS:
        for name, parent, column in (("image_id", "image", "id"), ("category", "category", "name")):
            rows = to_arrow(tables.values(level, f"{parent}_row"))
            table = table.append_column(name, tables.table(parent)[column].take(rows))
    return table


def _with_sizes(table: pa.Table, scores: Scores) -> pa.Table:
    """Width and height of the files where the label file has none."""
    for place, name in enumerate(("width", "height")):
        given = to_numpy(table[name])
        sizes = np.where(np.isnan(given), scores.sizes[:, place], given)
        table = table.set_column(table.schema.get_field_index(name), name, to_arrow(sizes))
    return table


def _scored(table: pa.Table, level: str, scores: Scores) -> pa.Table:
    columns = scores.columns.get(level, {})
    return with_metrics(table, columns, {name: scores.metrics[level, name] for name in columns})


def vector_tables(tables: Tables, scores: Scores) -> dict[str, pa.Table]:
    """A table of id and value per column of vectors or bytes, called after it: `embedding`, `label_embedding`, …"""
    return {
        name: table if order is None else table.take(to_arrow(order))
        for name, table, order in vectors_by_row(tables, scores)
    }


def vectors_by_row(tables: Tables, scores: Scores) -> Iterator[tuple[str, pa.Table, RowArray | None]]:
    """The same, each sorted by image and without a copy, with the order of the input; None where it is that."""
    for (level, name), vectors in scores.vectors.items():
        ids = tables.table(level)["id"]
        bytes_alone = vectors.dtype == object
        array = pa.array(vectors.tolist(), pa.large_binary()) if bytes_alone else vectors_to_arrow(vectors)
        metric = scores.metrics.get((level, name))
        field = metric_field(name, array, metric) if metric else pa.field(name, array.type)
        table = pa.table([ids, array], schema=pa.schema([pa.field("id", ids.type), field]))
        order = input_order(tables.values(level, "source_row")) if level in OBJECTS else None
        ordered = order is None or _ascending(order)
        yield name if level == "image" else f"{level}_{name}", described(level, table), None if ordered else order


def _cell_table(tables: Tables, scores: Scores) -> Iterator[tuple[str, pa.Table]]:
    """One row per (image, category) with a label or prediction: the feature of each data row."""
    columns = scores.columns.get("image_category", {})
    if not columns:
        return
    image_row, category_row = scores.image_row, scores.category_row
    keys = {
        "image_row": to_arrow(image_row.astype(np.int32)),
        "category_row": to_arrow(category_row.astype(np.int32)),
        "image_id": tables.image["id"].take(to_arrow(image_row)),
        "category": tables.category["name"].take(to_arrow(category_row)),
    }
    yield "image_category", described("image_category", _scored(pa.table(keys), "image_category", scores))


def settings_of_run(run: Run) -> Settings:
    """What a run was evaluated with; without its grid, which nothing that is computed anew needs."""
    return replace(Settings.from_dict(run.manifest["settings"]), grid=None)


def tables_of_run(run: Run, more: Iterable[str] = (), classes: bool = False) -> Tables:
    """The labels and predictions of a run as tables again, sorted as they must be, to evaluate at other settings.

    more: columns that are kept as well, where they are there. classes: with what answers to questions are told by.
    """
    parts = {}
    measure = Settings.from_dict(run.manifest["settings"]).measure
    shapes = [*SHAPES, "num_keypoints", "shape_area"] if measure.task != "bbox" else []
    for level in ("image", "category", *OBJECTS):
        there = run.columns(level)
        further = (*shapes, *CONVENTION_FIELDS.get(level, ()), *(CLASS_FIELDS.get(level, ()) if classes else ()), *more)
        names = [*TABLES[level], *(name for name in further if name in there)]
        table = run.table(level, names)
        if level in OBJECTS:
            order = np.argsort(to_numpy(table["image_row"]), kind="stable")
            table = table.take(to_arrow(order)).combine_chunks()
        parts[level] = table.cast(pa.schema([(field.name, field.type) for field in table.schema]))
    return Tables(**parts, measure=measure)


def evaluation_tables(evaluation: Evaluation, analyses: Iterable[str] = ()) -> dict[str, pa.Table]:
    """pair, match and precision_recall: who overlaps, who matched whom (with "errors" also why not), COCO's curves."""
    tables = evaluation.tables
    rows = {level: _output_rows(tables, level) for level in OBJECTS}
    pair = _pair_table(evaluation.pairs, rows, evaluation.settings.task)
    found = {"pair": pair, "match": _match_table(evaluation, rows, "errors" in analyses)}
    return found if evaluation.curves is None else {**found, "precision_recall": _curve_table(evaluation)}


def _pair_table(pairs: Pairs, rows: dict[str, RowArray], task: str) -> pa.Table:
    """Overlaps ≥ .1 of any category, by prediction and label row of the written tables."""
    label, prediction = rows["label"][pairs.label_row], rows["prediction"][pairs.prediction_row]
    order = np.lexsort((label, prediction))
    table = _table(label_row=label[order], prediction_row=prediction[order], iou=pairs.iou[order])
    return _measured(table, task)


def _match_table(evaluation: Evaluation, rows: dict[str, RowArray], errors: bool) -> pa.Table:
    """One row per prediction that counts, with its label if it took one, then one per label that was missed."""
    found = evaluation.outcomes
    counted = np.flatnonzero(found.counted)
    missed = np.flatnonzero(found.false_negative)
    label = found.matched_label[counted]
    iou = matched_iou(evaluation.tables, evaluation.settings.task, found)[counted]
    outcome = np.where(found.ignored[counted], 2, np.where(found.true_positive[counted], 0, 1))
    order = np.argsort(rows["prediction"][counted])
    missed = missed[np.argsort(rows["label"][missed])]
    label_row = np.concatenate([_or_null(rows["label"], label)[order], rows["label"][missed]])
    prediction_row = np.concatenate([rows["prediction"][counted][order], np.full(len(missed), np.nan)])
    table = _table(iou=np.concatenate([iou[order], np.full(len(missed), np.nan)]))
    outcome = np.append(outcome[order], np.full(len(missed), OUTCOMES.index("FN")))
    outcomes = strings_to_arrow(OUTCOMES).take(to_arrow(outcome))
    kinds = _kind_column(evaluation, counted[order], missed) if errors else {}
    keys = {"prediction_row": to_arrow(prediction_row), "label_row": to_arrow(label_row)}
    columns = {name: column.cast(pa.int64()) for name, column in keys.items()}
    found = pa.table({**columns, "iou": table["iou"], "outcome": outcomes, **kinds})
    return _measured(found, evaluation.settings.task)


def _measured(table: pa.Table, task: str) -> pa.Table:
    """The table with a note on its column `iou`: of keypoints it holds OKS."""
    measure, place = measure_name(task), table.schema.get_field_index("iou")
    facts = {"unit": measure, "meaning": f"{measure} of the prediction with the label"}
    return table.set_column(place, table.schema.field(place).with_metadata(facts), table["iou"])


def _kind_column(evaluation: Evaluation, predictions: RowArray, labels: RowArray) -> dict[str, pa.Array]:
    """The error kind of these predictions, then of these labels; null for none."""
    kinds = evaluation.error_kinds
    if kinds is None:
        return {"error_kind": pa.nulls(len(predictions) + len(labels), pa.string())}
    codes = np.concatenate([kinds.prediction_kind[predictions], kinds.label_kind[labels]])
    return {"error_kind": strings_to_arrow([*KINDS, None]).take(to_arrow(codes % (len(KINDS) + 1)))}


def _or_null(rows: RowArray, chosen: RowArray) -> npt.NDArray[np.float64]:
    """rows[chosen], NaN where nothing was chosen (−1)."""
    return np.where(chosen >= 0, np.append(rows, 0)[chosen], np.nan)


def _curve_table(evaluation: Evaluation) -> pa.Table:
    """Interpolated precision and the confidence that reaches it, per IoU threshold, category and recall."""
    curves = evaluation.average_precision
    own = (*evaluation.settings.iou_thresholds, evaluation.settings.iou)
    lanes = np.flatnonzero((curves.area == 0) & np.isin(curves.threshold, own))
    names = evaluation.tables.category["name"]
    lane_count, categories, points = len(lanes), len(names), len(RECALL_GRID)
    category_row = np.tile(np.repeat(np.arange(categories), points), lane_count)
    columns = _table(
        iou=np.repeat(curves.threshold[lanes], categories * points),
        category_row=category_row.astype(np.int32),
        recall=np.tile(RECALL_GRID, lane_count * categories),
        precision=curves.precision[lanes].transpose(0, 2, 1).ravel(),
        confidence=curves.score[lanes].transpose(0, 2, 1).ravel(),
    )
    return columns.append_column("category", names.take(to_arrow(category_row)))


def _table(**columns: npt.NDArray[Any]) -> pa.Table:
    return pa.table({name: to_arrow(values) for name, values in columns.items()})
