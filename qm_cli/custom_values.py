"""Custom metrics of a run: each value joined to its image, label or prediction, and put together per metric."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec.structs import replace

from qm_cli.arrays import compute as pc
from qm_cli.arrays import one_chunk, to_arrow
from qm_cli.errors import InputError
from qm_cli.findings import finding
from qm_cli.ingest.custom_metrics import KEYS, CustomValue
from qm_cli.kernels.aggregation import CONFUSION, COUNTS, aggregated, rates
from qm_cli.link_ids import linked
from qm_cli.tables import Tables

Rows = npt.NDArray[np.int64]
LABELBOX_NAMES = ("true_positive_count", "false_positive_count", "true_negative_count", "false_negative_count")
RESERVED = (*LABELBOX_NAMES, "precision", "recall", "f1", "iou")
LANE = ("metric", "level", "aggregation", "subclass", "confidence")
"""What one aggregated value is of, beside its category."""


def with_custom_values(
    tables: Tables, values: Sequence[CustomValue], path: Path, reserved: Collection[str] = ()
) -> Tables:
    """The tables with a column for each metric of whole images, and a finding for ids that are none of the data's.

    reserved: names of metrics, beside those Labelbox reserves. Raises InputError for a name that is taken, a metric
    with two aggregations and a value that stands there twice.
    """
    _refuse_names(values, path, reserved, tables.image.column_names)
    rows = _rows(tables, values)
    _refuse_twice(values, rows, path)
    unknown = [f"{one.key} {one.name}" for one, row in zip(values, rows.tolist(), strict=True) if row < 0]
    unknown = list(dict.fromkeys(unknown))
    image = tables.image
    whole = [n for n, one in enumerate(values) if _is_of_image(one) and rows[n] >= 0]
    for name in dict.fromkeys(values[n].metric for n in whole):
        own = [n for n in whole if values[n].metric == name]
        column = np.full(image.num_rows, np.nan)
        column[rows[own]] = [values[n].value for n in own]
        image = image.append_column(name, to_arrow(column))
    return replace(tables, image=image, _views={}).with_findings(finding("values-unknown-id", unknown))


def custom_table(tables: Tables, values: Sequence[CustomValue]) -> pa.Table:
    """One row a value of what the tables hold, in the order of the files.

    metric, level, id (as text), image_id, category, subclass, confidence, aggregation, and value or the four counts.
    """
    rows = _rows(tables, values)
    there = np.flatnonzero(rows >= 0)
    kept = [values[n] for n in there.tolist()]
    ids, images = _owners(tables, kept, rows[there])
    counts = np.array([one.counts or (None,) * len(COUNTS) for one in kept], object).reshape(-1, len(COUNTS))
    return pa.table(
        {
            "metric": pa.array([one.metric for one in kept], pa.string()),
            "level": pa.array([one.level for one in kept], pa.string()),
            "id": ids,
            "image_id": one_chunk(tables.image["id"]).take(pa.array(images, pa.int64())),
            "category": pa.array([one.feature for one in kept], pa.string()),
            "subclass": pa.array([one.subclass for one in kept], pa.string()),
            "confidence": pa.array([one.confidence for one in kept], pa.float64()),
            "aggregation": pa.array([one.aggregation for one in kept], pa.string()),
            "value": pa.array([one.value for one in kept], pa.float64()),
            **{name: pa.array(counts[:, place].tolist(), pa.int64()) for place, name in enumerate(COUNTS)},
        }
    )


def custom_report(table: pa.Table) -> list[dict[str, Any]]:
    """One row per metric and confidence, category null, then one per category, as its aggregation says.

    The row without a category is put together from the values without one; where there are none, from all. Counts come
    with precision, recall and F1.
    """
    if not table.num_rows:
        return []
    rows = []
    categories = np.array(pc.is_valid(one_chunk(table["category"])).to_pylist(), bool)
    for lane in _groups(table, LANE, np.arange(table.num_rows)):
        whole = lane[~categories[lane]]
        rows.append(_row(table, whole if len(whole) else lane, None))
        parts = _groups(table, ("category",), lane[categories[lane]])
        rows += [_row(table, part, table["category"][int(part[0])].as_py()) for part in parts]
    return sorted(rows, key=_place)


def _place(row: dict[str, Any]) -> tuple[Any, ...]:
    confidence = -1.0 if row["confidence"] is None else row["confidence"]
    return row["metric"], row["level"], row["subclass"] or "", row["category"] or "", confidence


def _row(table: pa.Table, rows: Rows, category: str | None) -> dict[str, Any]:
    facts = {name: table[name][int(rows[0])].as_py() for name in LANE}
    part = table.take(pa.array(rows))
    told: dict[str, Any] = {**facts, "category": category, "values": len(rows)}
    if facts["aggregation"] == CONFUSION:
        return told | rates(np.array([pc.sum(part[name]).as_py() for name in COUNTS], float))
    return told | {"value": aggregated(np.asarray(part["value"].to_pylist(), np.float64), facts["aggregation"])}


def _groups(table: pa.Table, names: Sequence[str], rows: Rows) -> list[Rows]:
    """The rows that agree in the named columns, each group in ascending order."""
    if not len(rows):
        return []
    codes = np.stack([_codes(one_chunk(table[name]).take(pa.array(rows))) for name in names])
    _, inverse = np.unique(codes, axis=1, return_inverse=True)
    inverse = inverse.reshape(-1)
    order = np.argsort(inverse, kind="stable")
    return np.split(rows[order], np.cumsum(np.bincount(inverse))[:-1])


def _codes(column: pa.Array) -> Rows:
    """A number for each value, −1 for null."""
    return np.array(pc.fill_null(column.dictionary_encode().indices, -1).to_pylist(), np.int64)


def _rows(tables: Tables, values: Sequence[CustomValue]) -> Rows:
    """Row of each value's sample at its level, −1 where there is none. An image_id may be a file name as well."""
    rows = np.full(len(values), -1, np.int64)
    for key, level in KEYS.items():
        places = np.array([n for n, one in enumerate(values) if one.key == key], np.int64)
        for column in ("id", "file_name") if key == "image_id" else ("file_name",) if key == "file_name" else ("id",):
            left = places[rows[places] < 0]
            names = pa.array([str(values[n].name) for n in left.tolist()], pa.string())
            rows[left] = linked(names, one_chunk(tables.table(level)[column]))[0]
    return rows


def _owners(tables: Tables, values: Sequence[CustomValue], rows: Rows) -> tuple[pa.Array, Rows]:
    """The id of each value's sample as text, and the row of its image."""
    ids = np.full(len(values), None, object)
    images = rows.copy()
    for level in dict.fromkeys(KEYS.values()):
        own = np.array([n for n, one in enumerate(values) if one.level == level], np.int64)
        names = one_chunk(tables.table(level)["id"]).take(pa.array(rows[own]))
        ids[own] = [str(name) for name in names.to_pylist()]
        if level != "image":
            images[own] = tables.values(level, "image_row")[rows[own]]
    return pa.array(ids.tolist(), pa.string()), images


def _is_of_image(one: CustomValue) -> bool:
    """A number of a whole image, at every confidence."""
    of_part = one.feature is not None or one.subclass is not None or one.confidence is not None
    return one.level == "image" and one.counts is None and not of_part


def _refuse_names(values: Sequence[CustomValue], path: Path, reserved: Collection[str], columns: list[str]) -> None:
    taken = {*RESERVED, *reserved}
    of_image = {one.metric for one in values if _is_of_image(one)}
    for name in dict.fromkeys(one.metric for one in values):
        if name.lower() in taken:
            raise InputError(f"{path}: the metric name {name!r} is reserved", "call the metric otherwise")
        if name in of_image and name in columns:
            raise InputError(f"{path}: image has a column {name!r} already", "call the metric otherwise")
        known = dict.fromkeys(one.aggregation for one in values if one.metric == name)
        if len(known) > 1:
            raise InputError(f"{path}: {name!r} has the aggregations {', '.join(known)}", "give a metric one")


def _refuse_twice(values: Sequence[CustomValue], rows: Rows, path: Path) -> None:
    seen: set[Any] = set()
    for one, row in zip(values, rows.tolist(), strict=True):
        sample = (row, None if row >= 0 else str(one.name))
        key = (one.metric, one.level, sample, one.feature, one.subclass, one.confidence)
        if key in seen:
            raise InputError(f"{path}: {one.metric!r} of {one.key} {one.name} stands there twice", "keep one of them")
        seen.add(key)
