"""Raw columns → Tables: ids become row numbers, rows that cannot be used become findings, runs are sorted by image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from qm_cli import schema
from qm_cli.findings import Finding, finding
from qm_cli.raw import Columns, RawLabels, RawPredictions
from qm_cli.tables import Tables, list_column

DENSE_SPAN = 1 << 24
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Linked:
    """A table and what was found on the way to it."""

    table: pa.Table
    findings: list[Finding]


def tables(labels: RawLabels, predictions: RawPredictions | None, missing_score: float | None = None) -> Tables:
    """The checked tables of one label file and one model's predictions."""
    image = _entries(labels.image, "image")
    category = _entries(_named(labels.category), "category")
    label = _label_table(labels.label, image.table, category.table)
    prediction = prediction_table(predictions, image.table, category.table, missing_score)
    findings = (*image.findings, *category.findings, *label.findings, *prediction.findings)
    return Tables(
        image.table,
        category.table,
        label.table,
        prediction.table,
        findings,
        bool(labels.label),
        predictions is not None,
    )


def _entries(columns: Columns, level: str) -> Linked:
    """Images or categories: every id once; a later entry with a used id is left out."""
    table = pa.table(columns)
    ids = table.column("id").combine_chunks()
    findings = finding("image-missing-id", _places(ids.is_null())) if level == "image" else []
    present = ids.is_valid()
    first = _first_of_each(ids)
    repeated = pc.and_(present, pc.invert(first))
    if pc.any(repeated).as_py():
        findings += finding(f"{level}-duplicate-id", ids.filter(repeated).to_pylist())
    keep = pc.and_(present, first)
    if not pc.all(keep).as_py():
        table = table.filter(keep)
    if level == "image":
        missing = pc.or_(table["width"].is_null(), table["height"].is_null())
        findings += finding("image-missing-size", table["id"].filter(missing).to_pylist())
    name = "file_name" if level == "image" else "name"
    names = _combined(table[name])
    repeated = pc.and_(names.is_valid(), pc.invert(_first_of_each(names)))
    findings += finding(f"{level}-duplicate-{name.replace('_', '-')}", names.filter(repeated).to_pylist())
    return Linked(table.combine_chunks(), findings)


def _named(columns: Columns) -> Columns:
    """A category without a name is called by its id."""
    names = pc.coalesce(columns["name"], columns["id"].cast(pa.string()), pa.scalar(""))
    return {**columns, "name": names}


def _combined(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    if isinstance(column, pa.Array):
        return column
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _places(mask: pa.Array) -> list[int]:
    return np.flatnonzero(mask.to_numpy(zero_copy_only=False)).tolist()


def _first_of_each(values: pa.Array) -> pa.Array:
    """True at the first occurrence of each value."""
    encoded = values.dictionary_encode()
    codes = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy(zero_copy_only=False)
    first = np.zeros(len(codes), bool)
    first[np.unique(codes, return_index=True)[1]] = True
    return pa.array(first)


def rows_of(ids: pa.Array, known: pa.Array) -> Rows:
    """Row of each id among the known ids, −1 where it is not among them: int64[n]."""
    if ids.type == known.type == pa.int64() and ids.null_count == 0 and len(known):
        values, entries = ids.to_numpy(), known.to_numpy()
        low, high = int(entries.min()), int(entries.max())
        if high - low < DENSE_SPAN:
            return _dense_rows(values, entries, low, high)
    return np.asarray(pc.index_in(ids, value_set=known).fill_null(-1).to_numpy(), np.int64)


def _dense_rows(values: Rows, entries: Rows, low: int, high: int) -> Rows:
    table = np.full(high - low + 2, -1, np.int64)
    table[entries - low] = np.arange(len(entries))
    outside = (values < low) | (values > high)
    return table[np.where(outside, high + 1, values) - low] if outside.any() else table[values - low]


def aligned_ids(ids: pa.Array, known: pa.Array) -> tuple[pa.Array, bool]:
    """Ids in the type of the known ones; True where they had to be taken as text (one side integers, the other strings)."""
    if ids.type == known.type or len(ids) == ids.null_count:
        return ids.cast(known.type), False
    if known.type == pa.string():
        return ids.cast(pa.string()), True
    numeric = pc.match_substring_regex(ids, r"^-?(0|[1-9][0-9]{0,17})$")
    return pc.cast(pc.if_else(numeric, ids, None), pa.int64()), True


def _boxes(lists: pa.Array) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """float64[n, 4] and which rows hold 4 finite numbers with width and height ≥ 0."""
    if (
        lists.null_count == 0
        and len(lists.flatten()) == 4 * len(lists)
        and pc.all(pc.equal(pc.list_value_length(lists), 4)).as_py() is not False
    ):
        boxes = np.asarray(lists.flatten().to_numpy(zero_copy_only=False), np.float64).reshape(-1, 4)
    else:
        boxes = np.full((len(lists), 4), np.nan)
        fits = pc.fill_null(pc.equal(pc.list_value_length(lists), 4), False).to_numpy(zero_copy_only=False)
        boxes[fits] = lists.filter(pa.array(fits)).flatten().to_numpy(zero_copy_only=False).reshape(-1, 4)
    good = (boxes[:, 2] >= 0) & (boxes[:, 3] >= 0)
    if not np.isfinite(boxes.sum()):
        good &= np.isfinite(boxes).all(1)
    return boxes, good


def _metadata(columns: Columns, level: str) -> Columns:
    known = schema.known_columns(level)
    return {
        name: column
        for name, column in columns.items()
        if name not in known and name not in ("image_id", "category_id")
    }


def _ids_or_places(columns: Columns, count: int) -> pa.Array:
    ids = columns.get("id")
    if ids is None or ids.null_count == len(ids):
        return pa.array(np.arange(count))
    if ids.null_count == 0:
        return ids
    return pc.coalesce(ids, pa.array(np.arange(count)).cast(ids.type))


def _sorted_by_image(columns: dict[str, Any], keep: npt.NDArray[np.bool_], image_row: Rows) -> pa.Table:
    """The kept rows, stably sorted by image; nothing is copied when they already are as they must be."""
    table = pa.table(columns)
    if not keep.all():
        places = np.flatnonzero(keep)
        places = places[np.argsort(image_row[places], kind="stable")]
        return table.take(pa.array(places)).combine_chunks()
    if (image_row[1:] < image_row[:-1]).any():
        return table.take(pa.array(np.argsort(image_row, kind="stable"))).combine_chunks()
    return table


def _label_table(columns: Columns, image: pa.Table, category: pa.Table) -> Linked:
    if not columns:
        return Linked(_empty("label"), [])
    count = len(columns["image_id"])
    ids = _ids_or_places(columns, count)
    image_row, _ = _link(columns["image_id"], image)
    category_row, _ = _link(columns["category_id"], category)
    boxes, good_box = _boxes(columns["bbox"])
    findings = _label_findings(columns, ids, image_row, category_row, boxes, good_box, image)
    keep = (image_row >= 0) & (category_row >= 0) & good_box
    content = {
        "id": ids,
        "image_row": pa.array(image_row, pa.int32()),
        "category_row": pa.array(category_row, pa.int32()),
        "bbox": list_column(boxes),
        "area": _label_area(columns, boxes),
        "iscrowd": columns["iscrowd"].fill_null(False),
        "source_row": pa.array(np.arange(count)),
        **{name: columns[name] for name in schema.OPTIONAL["label"] if name in columns},
        **_metadata(columns, "label"),
    }
    return Linked(_sorted_by_image(content, keep, image_row), findings)


def _label_area(columns: Columns, boxes: npt.NDArray[np.float64]) -> pa.Array:
    """The area as given; where it is missing the polygons' (shoelace, parts summed), else the box's."""
    area = columns["area"]
    if area.null_count == 0:
        return area
    values = area.to_numpy(zero_copy_only=False)
    derived = boxes[:, 2] * boxes[:, 3]
    if "segmentation" in columns:
        from qm_cli.kernels.polygons import shoelace_areas

        polygon = shoelace_areas(columns["segmentation"])
        derived = np.where(np.isnan(polygon), derived, polygon)
    return pa.array(np.where(np.isnan(values), np.nan_to_num(derived), values))


def _link(ids: pa.Array, parent: pa.Table) -> tuple[Rows, bool]:
    known = _combined(parent["id"])
    aligned, as_text = aligned_ids(ids, known)
    return rows_of(aligned, known), as_text


def _outside(boxes: npt.NDArray[np.float64], image_row: Rows, image: pa.Table) -> npt.NDArray[np.bool_]:
    """Boxes reaching more than a pixel over the border of their image (rounding of a pixel is not worth a word)."""
    if image.num_rows == 0:
        return np.zeros(len(boxes), bool)
    width = image["width"].to_numpy()[image_row]
    height = image["height"].to_numpy()[image_row]
    right, bottom = boxes[:, 0] + boxes[:, 2], boxes[:, 1] + boxes[:, 3]
    over: npt.NDArray[np.bool_] = (boxes[:, 0] < -1) | (boxes[:, 1] < -1) | (right > width + 1) | (bottom > height + 1)
    return over & (image_row >= 0)


def _box_findings(
    level: str,
    ids: pa.Array,
    boxes: npt.NDArray[np.float64],
    good: npt.NDArray[np.bool_],
    outside: npt.NDArray[np.bool_],
) -> list[Finding]:
    flat = good & ((boxes[:, 2] == 0) | (boxes[:, 3] == 0))
    found = finding(f"{level}-bad-box", _chosen(ids, ~good))
    found += finding(f"{level}-zero-area", _chosen(ids, flat))
    return found + finding(f"{level}-outside-image", _chosen(ids, outside & good))


def _chosen(ids: pa.Array, mask: npt.NDArray[np.bool_]) -> Any:
    return ids.filter(pa.array(mask)).to_pylist() if mask.any() else []


def _label_findings(
    columns: Columns,
    ids: pa.Array,
    image_row: Rows,
    category_row: Rows,
    boxes: npt.NDArray[np.float64],
    good_box: npt.NDArray[np.bool_],
    image: pa.Table,
) -> list[Finding]:
    found = finding("label-unknown-image", _chosen(ids, image_row < 0))
    found += finding("label-unknown-category", _chosen(ids, (category_row < 0) & (image_row >= 0)))
    found += _box_findings("label", ids, boxes, good_box, _outside(boxes, image_row, image))
    found += finding("label-missing-area", _chosen(ids, columns["area"].is_null().to_numpy(zero_copy_only=False)))
    found += finding("label-missing-iscrowd", _chosen(ids, columns["iscrowd"].is_null().to_numpy(zero_copy_only=False)))
    given = columns.get("id")
    if given is not None and given.null_count < len(given):
        found += finding("label-missing-id", _places(given.is_null()))
        repeated = pc.and_(given.is_valid(), pc.invert(_first_of_each(given)))
        found += finding("label-duplicate-id", given.filter(repeated).to_pylist())
    return found


def prediction_table(
    raw: RawPredictions | None, image: pa.Table, category: pa.Table, missing_score: float | None = None
) -> Linked:
    """The prediction table of one model, linked to the images and categories."""
    if raw is None or raw.count == 0:
        return Linked(_empty("prediction"), [])
    columns = raw.columns
    ids = _ids_or_places(columns, raw.count)
    image_row, image_as_text = _link(columns["image_id"], image)
    category_row, category_as_text = _link(columns["category_id"], category)
    boxes, good_box = _boxes(columns["bbox"])
    score = columns["score"].to_numpy(zero_copy_only=False)
    if missing_score is not None:
        score = np.where(np.isnan(score), missing_score, score)
    findings = finding("ids-differ-in-type", [raw.where] if image_as_text or category_as_text else [])
    findings += finding(
        "prediction-missing-image-id", _places(columns["image_id"].is_null()) if columns["image_id"].null_count else []
    )
    findings += finding(
        "prediction-unknown-image", _chosen(columns["image_id"], (image_row < 0) & _valid(columns["image_id"]))
    )
    findings += finding(
        "prediction-unknown-category", _chosen(columns["category_id"], (category_row < 0) & (image_row >= 0))
    )
    findings += _box_findings("prediction", ids, boxes, good_box, _outside(boxes, image_row, image))
    findings += finding("prediction-missing-score", _chosen(ids, np.isnan(score)))
    findings += finding("prediction-score-range", _chosen(ids, (score < 0) | (score > 1)))
    keep = (image_row >= 0) & (category_row >= 0) & good_box & ~np.isnan(score)
    content = {
        "id": ids,
        "image_row": pa.array(image_row.astype(np.int32)),
        "category_row": pa.array(category_row.astype(np.int32)),
        "bbox": list_column(boxes),
        "score": pa.array(score),
        "source_row": pa.array(np.arange(raw.count)),
        **{name: columns[name] for name in schema.OPTIONAL["prediction"] if name in columns},
        **_metadata(columns, "prediction"),
    }
    return Linked(_sorted_by_image(content, keep, image_row), findings)


def _valid(column: pa.Array) -> npt.NDArray[np.bool_]:
    return np.ones(len(column), bool) if column.null_count == 0 else column.is_valid().to_numpy(zero_copy_only=False)


def _empty(level: str) -> pa.Table:
    """A table of its contract's columns without rows."""
    types = {name: pa.int64() if c.dtype == schema.IDENTIFIER else c.dtype for name, c in schema.TABLES[level].items()}
    return pa.table({name: pa.array([], dtype) for name, dtype in types.items()})
