"""Files → Tables: labels and predictions read side by side, whatever their format, then linked."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from qm_cli import dataset, link, link_categories
from qm_cli.arrays import compute as pc
from qm_cli.arrays import strings_to_arrow, to_arrow, to_numpy
from qm_cli.errors import InputError, UsageError
from qm_cli.findings import Finding, finding
from qm_cli.ingest import (
    archives,
    category_map,
    image_folder,
    labels_json,
    labels_json_fields,
    labels_voc,
    predictions_coco,
    predictions_columnar,
    predictions_json,
)
from qm_cli.link_categories import CategoryMap
from qm_cli.link_ids import distinct, linked
from qm_cli.link_images import ALIKE, MATCH_BY
from qm_cli.link_predictions import Linking
from qm_cli.raw import Columns, RawLabels, RawPredictions
from qm_cli.tables import Tables

COLUMNAR = (".parquet", ".arrow", ".feather")


@dataclass(frozen=True)
class Source:
    """What to read, and how.

    labels: a COCO label file; a prediction file, which then serves as labels; or None: the images are those of the
    folder `images`, else those the predictions name. predictions: one model's file, or None.
    shapes: read polygons; metadata: read the unknown scalar fields; threads: of DuckDB, all cores by default.
    match_by: "id", "file_name" or "stem" (see link_images); map_categories: None, "name", "contiguous", a mapping, or
    a file with one (see link_categories). prob_categories: the order class probabilities stand in, by category name or
    id, when it is not the label file's. tolerant: files that cannot be meant for each other are a finding.
    labels_read: the label file's content, where it was read before. fields: further fields to read of a label file's
    entries, by level: those that a convention asks for (see settings.FIELDS).
    """

    labels: Path | None
    predictions: Path | None
    shapes: bool = False
    metadata: bool = False
    match_by: str = "id"
    map_categories: str | Path | Mapping[str, str] | None = None
    missing_score: float | None = None
    prob_categories: tuple[str, ...] = ()
    images: Path | None = None
    threads: int | None = None
    tolerant: bool = False
    labels_read: RawLabels | None = None
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_labels(labels: Path, **how: Any) -> RawLabels:
    """A label file read on its own, for `Source.labels_read` of several models."""
    with tempfile.TemporaryDirectory(prefix="qm-") as folder:
        return _read_labels(Source(labels, None, **how), labels, Path(folder))


def load_tables(labels: Path | None, predictions: Path | None, **how: Any) -> Tables:
    """The checked tables of a label file and one model's predictions; either may be missing. how: as in `Source`.

    Raises InputError, one line with the way out, for everything that makes the files unusable.
    """
    with reading(Source(labels, predictions, **how)) as tables:
        return tables()


@contextmanager
def reading(source: Source) -> Iterator[Callable[[], Tables]]:
    """Start to read the predictions beside whatever the caller does; what it yields reads the rest and links it all."""
    if source.match_by not in MATCH_BY:
        raise UsageError(f"--match-by: {source.match_by!r} is none of {', '.join(MATCH_BY)}", "")
    if source.labels and source.labels == source.predictions and dataset.is_stream(source.labels):
        raise UsageError(f"{_shown(source.labels)} can be only one of the two files", "name the other file")
    with tempfile.TemporaryDirectory(prefix="qm-") as name, ThreadPoolExecutor(1) as pool:
        folder = Path(name)
        predictions = source.predictions
        if predictions and predictions.suffix not in COLUMNAR:
            import duckdb  # noqa: F401  (before the labels take the interpreter, so that parsing starts at once)
        started = pool.submit(_read_predictions, source, predictions, folder) if predictions else None
        yield lambda: _finished(source, started, folder)


def _finished(source: Source, predictions: Future[RawPredictions] | None, folder: Path) -> Tables:
    mapping = _category_map(source.map_categories)
    raw_labels = source.labels_read
    if raw_labels is None and source.labels:
        raw_labels = _read_labels(source, source.labels, folder)
    raw_predictions = predictions.result() if predictions else None
    derived: list[Finding] = []
    if raw_labels is None:
        raw_labels, derived = _without_labels(source.images, raw_predictions)
    elif raw_labels.derived and raw_predictions is not None:
        derived = _add_images(raw_labels, raw_predictions)
    options = Linking(source.match_by, mapping, source.missing_score, source.tolerant, source.prob_categories)
    return link.tables(raw_labels, raw_predictions, options).with_findings(derived)


def _category_map(option: str | Path | Mapping[str, str] | None) -> CategoryMap:
    if option is None or isinstance(option, Mapping) or option in ("name", "contiguous"):
        return option if not isinstance(option, Path) else str(option)
    path = Path(option)
    if not path.is_file():
        raise UsageError(f"--map-categories: {str(option)!r} is neither name, contiguous nor a file", "check the path")
    return category_map.read(path)


def _read_predictions(source: Source, path: Path, folder: Path) -> RawPredictions:
    """A prediction file of any format, packed or not."""
    where = _shown(path)
    plain = archives.plain(dataset.on_disk(path), _own(folder, "predictions"), where)
    kind = archives.kind(plain, where)
    if kind in ("parquet", "arrow"):
        return predictions_columnar.read(plain, source.metadata, where)
    if kind != "object":
        return predictions_json.read(plain, source.metadata, source.threads, where)
    rows, images, categories = predictions_coco.unwrap(plain, _own(folder, "rows"), where)
    raw = predictions_json.read(rows, source.metadata, source.threads, where)
    raw.image_names = images
    if categories and "category_name" not in raw.columns:
        _name_categories(raw, categories)
    return raw


def _shown(path: Path) -> str:
    return "standard input" if path == dataset.STDIN else str(path)


def _own(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


def _name_categories(raw: RawPredictions, categories: Columns) -> None:
    """The file's own category names, where it lists all the categories it uses."""
    rows, _ = linked(raw.columns["category_id"], categories["id"])
    if (rows >= 0).all():
        raw.columns["category_name"] = categories["name"].take(to_arrow(rows))


def _read_labels(source: Source, path: Path, folder: Path) -> RawLabels:
    """A label file, a folder of VOC XML files, or a prediction file that serves as one."""
    where = _shown(path)
    if path.is_dir():
        return labels_voc.read(path, where)
    plain = archives.plain(dataset.on_disk(path), _own(folder, "labels"), where)
    kind = archives.kind(plain, where)
    if kind == "list":
        return _as_labels(predictions_json.read(plain, source.metadata, source.threads, where))
    if kind in ("parquet", "arrow"):
        return _as_labels(predictions_columnar.read(plain, source.metadata, where))
    raw = labels_json.read(plain, source.shapes, source.metadata, where)
    if source.fields:
        labels_json_fields.add_fields(raw, plain, source.fields)
    return raw


def _as_labels(raw: RawPredictions) -> RawLabels:
    """Predictions as labels: images and categories are those they name; the score becomes `confidence`."""
    _call_by_name(raw)
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
    label |= {"area": to_arrow(area), "iscrowd": to_arrow(np.zeros(raw.count, bool))}
    if score.null_count < len(score):
        label["confidence"] = score
    category = _category_entries(columns["category_id"], names)
    return RawLabels(raw.where, image, category, label, derived=True)


def _call_by_name(raw: RawPredictions) -> None:
    """Where no labels list images and categories, those without any id are called by their names."""
    for key, others in (("image_id", ("file_name",)), ("category_id", link_categories.NAME_FIELDS)):
        names = [raw.columns[name] for name in others if name in raw.columns and raw.columns[name].type == pa.string()]
        if names and raw.columns[key].null_count == raw.count:
            raw.columns[key] = names[0]


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


def _add_images(labels: RawLabels, predictions: RawPredictions) -> list[Finding]:
    """Images that the labels have no object in are known from the predictions, if the two files share any at all."""
    _call_by_name(predictions)
    known, ids = labels.image["id"], _sorted_distinct(predictions.columns["image_id"])
    rows, _ = linked(ids, known)
    new = ids.filter(to_arrow(rows < 0))
    if ids.type != known.type or len(new) in (0, len(ids)):
        return []
    added = _image_entries(new, None)
    labels.image = {name: pa.concat_arrays([column, added[name]]) for name, column in labels.image.items()}
    return finding("image-derived", new.to_pylist())


def _without_labels(images: Path | None, predictions: RawPredictions | None) -> tuple[RawLabels, list[Finding]]:
    """Images from their folder, else from the predictions; categories from the predictions."""
    derived: list[Finding] = []
    if predictions is not None:
        _call_by_name(predictions)
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
