"""What stands in for a label file: predictions, the images of a folder, what predictions name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from qm_cli import link_categories
from qm_cli.arrays import compute as pc
from qm_cli.arrays import strings_to_arrow, to_arrow, to_numpy
from qm_cli.errors import InputError, UsageError
from qm_cli.findings import Finding, finding
from qm_cli.ingest import image_folder
from qm_cli.link_ids import distinct, linked
from qm_cli.link_images import ALIKE
from qm_cli.raw import Columns, RawLabels, RawPredictions


def as_labels(raw: RawPredictions) -> RawLabels:
    """Predictions as labels: images and categories are those they name; the score becomes `confidence`."""
    call_by_name(raw)
    columns = dict(raw.columns)
    names = columns.pop("category_name", None)
    image = _image_entries(columns["image_id"], columns.pop("file_name", None))
    score = columns.pop("score")
    boxes = columns["bbox"]
    lengths = np.nan_to_num(to_numpy(pc.list_value_length(boxes)), nan=-1)
    area = np.zeros(raw.count)
    if (lengths == 4).any():
        corners = to_numpy(boxes.filter(to_arrow(lengths == 4)).flatten()).reshape(-1, 4)
        with np.errstate(over="ignore", invalid="ignore"):
            area[lengths == 4] = np.clip(np.nan_to_num(corners[:, 2] * corners[:, 3]), 0, None)
    label = {name: column for name, column in columns.items() if name not in ("probs", "logits", "area", "iscrowd")}
    if "shape" in label:
        area[:] = np.nan
    label |= {"area": to_arrow(area), "iscrowd": to_arrow(np.zeros(raw.count, bool))}
    if score.null_count < len(score):
        label["confidence"] = score
    category = _category_entries(columns["category_id"], names)
    return RawLabels(raw.where, image, category, label, derived=True, unread=raw.unread)


def call_by_name(raw: RawPredictions) -> None:
    """Where no labels list images and categories, those without any id are called by their names."""
    for field, others in (("image_id", ("file_name",)), ("category_id", link_categories.NAME_FIELDS)):
        names = [raw.columns[name] for name in others if name in raw.columns and raw.columns[name].type == pa.string()]
        if names and raw.columns[field].null_count == raw.count:
            raw.columns[field] = names[0]


def _image_entries(ids: pa.Array, names: pa.Array | None) -> Columns:
    """Every image once, by ascending id; its name as given, else the id where that is text."""
    known = _sorted_distinct(ids)
    unknown = to_arrow(np.full(len(known), np.nan))
    if names is not None and names.type == pa.string():
        file_names = _first_names(ids, known, names)
    else:
        file_names = known if known.type == pa.string() else strings_to_arrow([None] * len(known))
    return {"id": known, "file_name": file_names, "width": unknown, "height": unknown}


def _category_entries(ids: pa.Array, names: pa.Array | None) -> Columns:
    known = _sorted_distinct(ids)
    given = _first_names(ids, known, names) if names is not None and names.type == pa.string() else None
    found = given.to_pylist() if given is not None else [None] * len(known)
    fallback = known.to_pylist()
    return {"id": known, "name": strings_to_arrow([name or str(i) for name, i in zip(found, fallback, strict=True)])}


def _first_names(ids: pa.Array, known: pa.Array, names: pa.Array) -> pa.Array:
    """The name that the first row of each known id gives it."""
    rows, _ = linked(ids, known)
    places = np.zeros(len(known) + 1, np.int64)
    places[rows[::-1]] = np.arange(len(rows))[::-1]
    return names.take(to_arrow(places[:-1]))


def _sorted_distinct(ids: pa.Array) -> pa.Array:
    known = distinct(ids)
    return known.take(pc.array_sort_indices(known))


def add_images(labels: RawLabels, predictions: RawPredictions) -> list[Finding]:
    """Images that the labels have no object in are known from the predictions, if the two files share any at all."""
    call_by_name(predictions)
    known, ids = labels.image["id"], _sorted_distinct(predictions.columns["image_id"])
    rows, _ = linked(ids, known)
    new = ids.filter(to_arrow(rows < 0))
    if ids.type != known.type or len(new) in (0, len(ids)):
        return []
    added = _image_entries(new, None)
    labels.image = {name: pa.concat_arrays([column, added[name]]) for name, column in labels.image.items()}
    return finding("image-derived", new.to_pylist())


def without_labels(images: Path | None, predictions: RawPredictions | None) -> tuple[RawLabels, list[Finding]]:
    """Images from their folder, else from the predictions; categories from the predictions."""
    derived: list[Finding] = []
    if predictions is not None:
        call_by_name(predictions)
    if images is not None:
        labels = image_folder.read(images)
    elif predictions is not None:
        image = _image_entries(predictions.columns["image_id"], predictions.columns.get("file_name"))
        labels = RawLabels(predictions.where, image, {}, {})
        if predictions.count and not len(image["id"]):
            raise InputError(f"{predictions.where}: {predictions.lacking('image_id', ALIKE)}", "write image_id")
        if not len(image["id"]):
            raise InputError(f"{predictions.where}: an empty list, and no labels", "give --labels or --images")
        derived = finding("image-derived", image["id"].to_pylist())
    else:
        raise UsageError("neither labels, predictions nor images are given", "see --help")
    if predictions is not None:
        labels.category = _categories_of(predictions)
        derived += finding("category-derived", labels.category["name"].to_pylist())
    return labels, derived


def _categories_of(predictions: RawPredictions) -> Columns:
    """The categories that predictions name; with probabilities as many as there are of them."""
    ids = predictions.columns["category_id"]
    entries = _category_entries(ids, predictions.columns.get("category_name"))
    lists = next((predictions.columns[name] for name in ("probs", "logits") if name in predictions.columns), None)
    if lists is None or ids.type != pa.int64():
        return entries
    count = int(np.nan_to_num(to_numpy(pc.list_value_length(lists))).max(initial=0))
    used = to_numpy(entries["id"])
    if len(used) == count:
        return entries
    first = 1 if len(used) and used.min() >= 1 and used.max() == count else 0
    if len(used) and (used.min() < first or used.max() >= first + count):
        return entries
    numbers = np.arange(first, first + count)
    return {"id": to_arrow(numbers), "name": strings_to_arrow([str(number) for number in numbers])}
