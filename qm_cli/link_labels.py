"""Raw annotations → the label table: linked to images and categories, areas derived, what cannot be used left out."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from qm_cli import schema
from qm_cli.arrays import compute as pc
from qm_cli.arrays import one_chunk, to_arrow, to_numpy, valid
from qm_cli.errors import InputError
from qm_cli.findings import Finding, finding, flagged
from qm_cli.link_boxes import CheckedBoxes, box_column, box_findings, boxless, checked, polygon_areas
from qm_cli.link_ids import (
    Linked,
    Mask,
    Rows,
    distinct,
    empty_table,
    filled,
    first_of_each,
    linked,
    refuse_all,
    shown,
    sorted_by_image,
)
from qm_cli.link_shapes import Shapes, image_sizes, shapes_of, sorted_runs, with_boxes
from qm_cli.raw import Columns, RawLabels
from qm_cli.settings import BOXES, Measure

FIELDS = ("image_id", "category_id", "bbox", "id", "area", "iscrowd", "segmentation", "shape")


def label_table(
    raw: RawLabels,
    image: pa.Table,
    category: pa.Table,
    objects: bool,
    tolerant: bool,
    measure: Measure = BOXES,
) -> Linked:
    """The label table. `objects`: there are predictions with boxes, so a label without one is of no use.

    measure: a label without the shape that its task compares is of no use either; its box is the shape's where none is
    given.

    Raises InputError (unless tolerant) when not a single annotation is for a listed image, or of a listed category, or
    can be used at all.
    """
    if not raw.label or len(raw.label["image_id"]) == 0:
        return Linked(empty_table("label"), [])
    columns, places, findings = _without_empty(raw.label)
    count = len(places)
    ids = identifiers_or_places(columns, places)
    image_row, images_as_text = linked(columns["image_id"], one_chunk(image["id"]))
    category_row, categories_as_text = linked(columns["category_id"], one_chunk(category["id"]))
    if not tolerant:
        _refuse_all_unknown(raw, "image", image_row, image)
        _refuse_all_unknown(raw, "category", category_row, category)
    boxes = checked(columns["bbox"])
    findings += finding("label-unread-answers", raw.unread)
    findings += finding("ids-differ-in-type", [raw.where] if images_as_text or categories_as_text else [])
    findings += flagged("label-unknown-image", ids, image_row < 0)
    findings += flagged("label-unknown-category", ids, (category_row < 0) & (image_row >= 0))
    shapes = None
    classes = boxless(columns["bbox"]) and not objects
    if measure.task != "bbox":
        size = image_sizes(image, image_row)
        shapes = shapes_of("label", columns, size, ids, raw.where, measure, tolerant, raw.runs)
        boxes = with_boxes(boxes, shapes)
        findings += shapes.findings
    elif classes:
        findings += flagged("label-without-box", ids, ~boxes.good)
    else:
        findings += box_findings("label", ids, boxes, image_row, image)
    area, area_findings = _areas(columns, ids, boxes, shapes)
    findings += [*area_findings, *_id_findings(columns, places)]
    usable = shapes.good if shapes else np.ones(count, bool) if classes else boxes.good
    content = {
        "id": ids,
        "image_row": to_arrow(image_row),
        "category_row": to_arrow(category_row),
        "bbox": box_column(boxes.values),
        "area": area,
        "iscrowd": _crowds(columns),
        "source_row": places,
        **{name: columns[name] for name in schema.OPTIONAL["label"] if name in columns},
        **metadata(columns, "label"),
    }
    keep = (image_row >= 0) & (category_row >= 0) & usable
    if not (keep.any() or tolerant):
        refuse_all(raw.where, len(raw.label["image_id"]), "annotations", findings)
    if shapes is None:
        return Linked(sorted_by_image(content, keep, image_row), findings)
    if "keypoints" in shapes.columns:
        content["num_keypoints"] = _keypoint_counts(columns, shapes)
    table = sorted_by_image({**content, **shapes.columns}, keep, image_row)
    return Linked(table, findings, sorted_runs(shapes, keep, image_row), shapes.only_upright(keep))


def _keypoint_counts(columns: Columns, shapes: Shapes) -> pa.Array:
    """The number as given, else of those that are visible."""
    counted = (to_numpy(shapes.columns["keypoints"])[:, 2::3] > 0).sum(1)
    given = to_numpy(columns["num_keypoints"]) if "num_keypoints" in columns else np.full(len(counted), np.nan)
    return to_arrow(np.where(np.isnan(given), counted, given).astype(np.int64))


def _without_empty(columns: Columns) -> tuple[Columns, pa.Array, list[Finding]]:
    """The rows with anything in them, their places in the file, and the finding of the others."""
    places = np.arange(len(columns["image_id"]))
    there = filled(columns, FIELDS, len(places))
    if there.all():
        return columns, to_arrow(places), []
    kept = {name: column.filter(to_arrow(there)) for name, column in columns.items()}
    return kept, to_arrow(places[there]), flagged("label-empty", to_arrow(places), ~there)


def _refuse_all_unknown(raw: RawLabels, level: str, rows: Rows, parent: pa.Table) -> None:
    if (rows >= 0).any():
        return
    theirs, known = distinct(raw.label[f"{level}_id"]), one_chunk(parent["id"])
    plural = "categories" if level == "category" else "images"
    if not len(theirs):
        raise InputError(f"{raw.where}: no annotation has a {level}_id".replace("a image", "an image"), "write it")
    message = (
        f"{raw.where}: none of the {len(theirs)} {level} ids of its annotations ({shown(theirs)}) is among its "
        f"{len(known)} {plural} ({shown(known)})"
    )
    raise InputError(message, "images, categories and annotations must be of one set")


def identifiers_or_places(columns: Columns, places: pa.Array) -> pa.Array:
    """The ids as given; their 0-based places where there are none."""
    ids = columns.get("id")
    if ids is None or ids.null_count == len(ids):
        return places
    if ids.null_count == 0:
        return ids
    return pc.coalesce(ids, places.cast(ids.type))


def metadata(columns: Columns, level: str) -> Columns:
    """The user's own columns: those that no contract knows."""
    known = {*schema.known_columns(level), "image_id", "category_id", "shape"}
    return {name: column for name, column in columns.items() if name not in known}


def _crowds(columns: Columns) -> pa.Array:
    given = columns["iscrowd"]
    return given if given.null_count == 0 else to_arrow(np.asarray(to_numpy(given), bool))


def _areas(
    columns: Columns, ids: pa.Array, boxes: CheckedBoxes, shapes: Shapes | None
) -> tuple[pa.Array, list[Finding]]:
    """The area as given; where it is missing the mask's or polygons', else the box's."""
    given = columns["area"]
    values = to_numpy(given)
    found: list[Finding] = []
    if len(values) and values[~np.isnan(values)].min(initial=0) < 0:
        found += flagged("label-bad-area", ids, values < 0)
    with np.errstate(over="ignore", invalid="ignore"):
        derived = np.nan_to_num(boxes.values[:, 2] * boxes.values[:, 3]) if given.null_count else values
    if "segmentation" in columns:
        polygons, bad = polygon_areas(columns["segmentation"])
        found += flagged("label-bad-polygon", ids, bad)
        derived = np.where(np.isnan(polygons), derived, polygons)
    if shapes is not None and "keypoints" not in shapes.columns:
        derived = np.where(np.isnan(shapes.area), derived, shapes.area)
    found += flagged("label-missing-area", ids, ~valid(given))
    found += flagged("label-missing-iscrowd", ids, ~valid(columns["iscrowd"]))
    return (given if given.null_count == 0 else to_arrow(np.where(np.isnan(values), derived, values))), found


def _id_findings(columns: Columns, places: pa.Array) -> list[Finding]:
    given = columns.get("id")
    if given is None or given.null_count == len(given):
        return []
    missing: Mask = ~valid(given)
    found = flagged("label-missing-id", places, missing)
    return found + flagged("label-duplicate-id", given, ~missing & ~first_of_each(given))
