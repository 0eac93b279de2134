"""Raw columns → Tables: ids become row numbers, rows that cannot be used become findings, runs are sorted by image."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from qm_cli.arrays import one_chunk, strings_to_arrow, to_arrow, to_numpy, valid
from qm_cli.errors import InputError
from qm_cli.findings import Finding, flagged
from qm_cli.link_boxes import boxless
from qm_cli.link_ids import Linked, Mask, first_of_each
from qm_cli.link_labels import label_table
from qm_cli.link_predictions import Linking, prediction_table
from qm_cli.raw import Columns, RawLabels, RawPredictions, leaving
from qm_cli.tables import MASKS, Tables


def tables(
    labels: RawLabels,
    predictions: RawPredictions | None,
    options: Linking = Linking(),
) -> Tables:
    """The checked tables of one label file and one model's predictions.

    Raises InputError for a set without images and, unless tolerant, for files that cannot be meant for each other.
    """
    image = _entries(labels.image, "image")
    if image.table.num_rows == 0:
        raise InputError(f"{labels.where}: there is no image in it", "`images` must list every image of the set")
    category = _entries(_named(labels.category), "category")
    objects = predictions is not None and predictions.count > 0 and not boxless(predictions.columns["bbox"])
    label = label_table(labels, image.table, category.table, objects, options.tolerant, options.measure)
    boxes = label.table["bbox"].null_count < label.table.num_rows
    prediction = prediction_table(predictions, image.table, category.table, options, boxes)
    if label.upright and prediction.upright and not options.tolerant:
        _refuse_upright(label.table.num_rows, prediction.table.num_rows)
    findings = (*image.findings, *category.findings, *labels.findings, *label.findings, *prediction.findings)
    has_labels, has_predictions = bool(labels.label), predictions is not None
    masks = {(level, MASKS): one.runs for level, one in (("label", label), ("prediction", prediction)) if one.runs}
    parts = (image.table, category.table, label.table, prediction.table, findings, has_labels, has_predictions)
    return Tables(*parts, options.measure, masks)


def _refuse_upright(labels: int, predictions: int) -> None:
    found = f"all {labels:,} labels and {predictions:,} predictions are plain boxes [x, y, width, height]"
    hint = "take --task bbox, or write rotated_box as [cx, cy, w, h, angle]"
    raise InputError(f"--task obb: there is no rotated box, {found}", hint)


def _entries(columns: Columns, level: str) -> Linked:
    """Images or categories: every id once; a later entry with a used id is left out."""
    ids = columns["id"]
    present = valid(ids)
    first = first_of_each(ids)
    keep = present & first
    findings = flagged(f"{level}-missing-id", to_arrow(np.arange(len(ids))), ~present)
    findings += flagged(f"{level}-duplicate-id", ids, present & ~first)
    table = pa.table(columns)
    if level == "image":
        findings += _contradictions(columns)
    if not keep.all():
        table = table.take(to_arrow(np.flatnonzero(keep))).combine_chunks()
    if level == "image":
        table, size_findings = _sized(table)
        findings += [*size_findings, *_leaving(table)]
    name = "file_name" if level == "image" else "name"
    names = one_chunk(table[name])
    findings += flagged(f"{level}-duplicate-{name.replace('_', '-')}", names, valid(names) & ~first_of_each(names))
    return Linked(table, findings)


def _named(columns: Columns) -> Columns:
    """A category without a name is called by its id."""
    names = columns["name"]
    if names.null_count == 0:
        return columns
    fallback = [str(value) for value in columns["id"].to_pylist()]
    given = names.to_pylist()
    return {
        **columns,
        "name": strings_to_arrow([n if n is not None else f for n, f in zip(given, fallback, strict=True)]),
    }


def _contradictions(columns: Columns) -> list[Finding]:
    """Entries that give an image listed before another size."""
    odd = np.zeros(len(columns["id"]), bool)
    sizes = np.stack([to_numpy(columns["width"]), to_numpy(columns["height"])], 1)
    for key in (columns["id"], columns["file_name"]):
        repeated = ~first_of_each(key) & valid(key)
        if not repeated.any():
            continue
        encoded = key.dictionary_encode().indices
        codes = np.nan_to_num(to_numpy(encoded), nan=-1).astype(np.int64)
        places = np.arange(len(codes))
        first_place = np.zeros(codes.max() + 2, np.int64)
        first_place[codes[::-1]] = places[::-1]
        odd |= repeated & (sizes[first_place[codes]] != sizes).any(1) & ~np.isnan(sizes).any(1)
    return flagged("image-contradictory-size", columns["id"], odd)


def _sized(table: pa.Table) -> tuple[pa.Table, list[Finding]]:
    """Sizes that are not above 0 become null."""
    width, height = to_numpy(one_chunk(table["width"])), to_numpy(one_chunk(table["height"]))
    ids = one_chunk(table["id"])
    missing: Mask = np.isnan(width) | np.isnan(height)
    bad = (width <= 0) | (height <= 0)
    found = flagged("image-missing-size", ids, missing) + flagged("image-bad-size", ids, bad)
    if bad.any():
        for name, values in (("width", width), ("height", height)):
            place = table.column_names.index(name)
            table = table.set_column(place, name, to_arrow(np.where(bad, np.nan, values)))
    return table, found


def _leaving(table: pa.Table) -> list[Finding]:
    names = one_chunk(table["file_name"])
    return flagged("image-outside-folder", names, leaving(names))
