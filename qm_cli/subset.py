"""A part of the tables: some images, or some categories."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec.structs import replace

from qm_cli.arrays import to_arrow
from qm_cli.confidence_rules import counting
from qm_cli.errors import UsageError, nearest, some
from qm_cli.tables import Tables

BoolArray = npt.NDArray[np.bool_]


def first_images(tables: Tables, limit: int | None) -> Tables:
    """The first `limit` images of the file with their labels and predictions."""
    if limit is None or limit >= tables.count("image"):
        return tables
    label, prediction = (
        tables.table(level).slice(0, int(tables.offsets(level)[limit])) for level in ("label", "prediction")
    )
    return replace(tables, image=tables.image.slice(0, limit), label=label, prediction=prediction, _views={})


def only_images(tables: Tables, kept: BoolArray) -> Tables:
    """Some images with their labels and predictions. kept: bool[images]."""
    number = np.cumsum(kept) - 1
    parts = {}
    for level in ("label", "prediction"):
        image = tables.values(level, "image_row")
        rows = np.flatnonzero(kept[image])
        table = tables.table(level).take(pa.array(rows))
        place = table.schema.get_field_index("image_row")
        parts[level] = table.set_column(place, "image_row", to_arrow(number[image[rows]].astype(np.int32)))
    return replace(tables, image=tables.image.take(pa.array(np.flatnonzero(kept))), **parts, _views={})


def only_confident(tables: Tables, convention: str, confidence: npt.NDArray[np.float64]) -> Tables:
    """The predictions alone that count at their category's confidence: float64[categories], inf for none."""
    own = confidence[tables.values("prediction", "category_row")]
    kept = counting(convention, tables.values("prediction", "score"), own)
    if kept.all():
        return tables
    return replace(tables, prediction=tables.prediction.take(to_arrow(np.flatnonzero(kept))), _views={})


def only_categories(tables: Tables, names: tuple[str, ...]) -> Tables:
    """Labels and predictions of the named categories alone, by name or id; none named means all.

    Raises UsageError for a name that is no category, with the nearest.
    """
    if not names:
        return tables
    return of_categories(tables, _kept_rows(tables, names))


def of_categories(tables: Tables, keep: npt.NDArray[np.int64]) -> Tables:
    """Labels and predictions of some category rows alone, ascending."""
    number = np.full(tables.count("category"), -1, np.int32)
    number[keep] = np.arange(len(keep))
    label, prediction = (_of_categories(tables, level, number) for level in ("label", "prediction"))
    category = tables.category.take(to_arrow(keep))
    return replace(tables, category=category, label=label, prediction=prediction, _views={})


def _kept_rows(tables: Tables, names: tuple[str, ...]) -> npt.NDArray[np.int64]:
    known = tables.category["name"].to_pylist()
    ids = [str(identifier) for identifier in tables.category["id"].to_pylist()]
    unknown = [name for name in names if name not in known and name not in ids]
    if unknown:
        hint = nearest(unknown[0], known) or f"there are {some(known)}"
        raise UsageError(f"--categories: no category {unknown[0]!r}", hint)
    return np.array([row for row, pair in enumerate(zip(known, ids, strict=True)) if set(pair) & set(names)], np.int64)


def _of_categories(tables: Tables, level: str, number: npt.NDArray[np.int32]) -> pa.Table:
    table = tables.table(level)
    rows = number[tables.values(level, "category_row")]
    kept = np.flatnonzero(rows >= 0)
    table = table.take(to_arrow(kept))
    return table.set_column(table.schema.get_field_index("category_row"), "category_row", to_arrow(rows[kept]))
