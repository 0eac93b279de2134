"""Files → Tables: labels and predictions read side by side, whatever their format, then linked."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy.typing as npt
from msgspec import Struct, field
from msgspec.structs import replace

from qm_cli import dataset, json_lists, link, storage
from qm_cli.arrays import to_arrow
from qm_cli.derived_labels import add_images, as_labels, without_labels
from qm_cli.errors import InputError, UsageError
from qm_cli.findings import Finding
from qm_cli.ingest import (
    archives,
    category_map,
    labels_json,
    labels_json_fields,
    labels_voc,
    predictions_coco,
    predictions_columnar,
    predictions_json,
)
from qm_cli.json_lines import starts_a_second
from qm_cli.json_lists import Ahead
from qm_cli.link_boxes import boxless
from qm_cli.link_ids import linked
from qm_cli.link_images import MATCH_BY
from qm_cli.link_masks import masks_decoded
from qm_cli.link_predictions import Linking
from qm_cli.raw import Columns, RawLabels, RawPredictions
from qm_cli.settings import BOXES, Measure
from qm_cli.shape_fields import SHAPE_FIELDS, found_task
from qm_cli.tables import Tables
from qm_cli.tasks import refuse_idle, refuse_unknown

COLUMNAR = (".parquet", ".arrow", ".feather")


class Source(Struct, frozen=True):
    """What to read, and how.

    labels: a COCO label file; a prediction file, which then serves as labels; or None: the images are those of the
    folder `images`, else those the predictions name. predictions: one model's file, or None.
    shapes: read polygons; metadata: read the unknown scalar fields; threads: of DuckDB, all cores by default.
    match_by: "id", "file_name" or "stem" (see link_images); map_categories: None, "name", "contiguous", a mapping, or
    a file with one (see link_categories). prob_categories: the order class probabilities stand in, by category name or
    id, when it is not the label file's. tolerant: files that cannot be meant for each other are a finding.
    labels_read, predictions_read: the content of the label file, and of a prediction file of answers, where it was read
    before. task: one of `settings.TASKS`; None finds it from the predictions (see `found_task`). measure: the
    parameters of the tasks; its own task is not looked at.
    fields: further fields to read of a label file's entries, by level: those that a convention asks for (see
    settings.FIELDS). ahead: the prediction file, where its reading has begun.
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
    predictions_read: RawPredictions | npt.NDArray[Any] | None = None
    task: str | None = None
    measure: Measure = BOXES
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ahead: Ahead | None = None


def read_labels(labels: Path, task: str = "bbox", **how: Any) -> RawLabels:
    """A label file read on its own, for `Source.labels_read` of several models of one task."""
    with tempfile.TemporaryDirectory(prefix="qm-") as folder:
        return _read_labels(Source(labels, None, **how), labels, Path(folder), SHAPE_FIELDS[task])


def read_predictions(predictions: Path, **how: Any) -> RawPredictions:
    """A prediction file read on its own. how: as in `Source`."""
    source = Source(None, predictions, **how)
    with tempfile.TemporaryDirectory(prefix="qm-") as folder:
        return _read_predictions(source, _opened(source, predictions, Path(folder)))


def task_of(predictions: Path) -> str:
    """The task that a prediction file is for, by its fields alone."""
    with tempfile.TemporaryDirectory(prefix="qm-") as folder:
        return _opened(Source(None, predictions), predictions, Path(folder)).measure.task


def load_tables(labels: Path | None, predictions: Path | None, **how: Any) -> Tables:
    """The checked tables of a label file and one model's predictions; either may be missing. how: as in `Source`.

    Raises InputError, one line with the way out, for everything that makes the files unusable.
    """
    with reading(Source(labels, predictions, **how)) as tables:
        return tables()


@contextmanager
def reading(source: Source) -> Iterator[Callable[[], Tables]]:
    """Start to read the predictions beside whatever the caller does; what it yields reads the rest and links it all."""
    refuse_unknown(source.task)
    if source.match_by not in MATCH_BY:
        raise UsageError(f"--match-by: {source.match_by!r} is none of {', '.join(MATCH_BY)}", "")
    if source.labels and source.labels == source.predictions and dataset.is_stream(source.labels):
        raise UsageError(f"{_shown(source.labels)} can be only one of the two files", "name the other file")
    with tempfile.TemporaryDirectory(prefix="qm-") as name, ThreadPoolExecutor(1) as pool:
        folder = Path(name)
        predictions = source.predictions
        if predictions and predictions.suffix not in COLUMNAR:
            import duckdb  # noqa: F401  (before the labels take the interpreter, so that parsing starts at once)
        opened = pool.submit(_opened, source, predictions, folder) if predictions else None
        started = pool.submit(lambda: _read_predictions(source, opened.result())) if opened else None
        yield lambda: _finished(source, opened, started, folder)


def _finished(
    source: Source, opened: Future[_Opened] | None, predictions: Future[RawPredictions] | None, folder: Path
) -> Tables:
    mapping = category_map.chosen(source.map_categories)
    measure = opened.result().measure if opened else _measure(source, {})
    raw_labels = source.labels_read
    if raw_labels is None and source.labels:
        raw_labels = _read_labels(source, source.labels, folder, SHAPE_FIELDS[measure.task])
    raw_predictions = predictions.result() if predictions else None
    if raw_labels is not None and raw_predictions is not None and source.task is None:
        measure = _with_labels(measure, raw_labels, raw_predictions)
    refuse_idle(measure)
    derived: list[Finding] = []
    if raw_labels is None:
        raw_labels, derived = without_labels(source.images, raw_predictions)
    elif raw_labels.derived and raw_predictions is not None:
        derived = add_images(raw_labels, raw_predictions)
    naming = (source.match_by, mapping, source.missing_score, source.tolerant, source.prob_categories)
    options = Linking(*naming, measure)
    return link.tables(raw_labels, raw_predictions, options).with_findings(derived)


class _Opened(Struct, frozen=True):
    """A prediction file unpacked, with what its first prediction tells."""

    plain: Path
    kind: str
    where: str
    measure: Measure
    images: Columns = field(default_factory=dict)
    categories: Columns = field(default_factory=dict)


def _measure(source: Source, first: Mapping[str, object]) -> Measure:
    """What objects are compared by: as asked for, else as the first prediction tells."""
    task, found = (source.task, "given") if source.task else found_task(first)
    return replace(source.measure, task=task, found=found)


def _with_labels(measure: Measure, labels: RawLabels, predictions: RawPredictions) -> Measure:
    """Keypoints that not every label has are no task of their own where the predictions have boxes."""
    if measure.task != "keypoints" or boxless(predictions.columns["bbox"]):
        return measure
    shape = labels.label.get("shape")
    if shape is not None and shape.null_count == 0:
        return measure
    return replace(measure, task="bbox", found="the predictions have boxes, and not every label has keypoints")


def _opened(source: Source, path: Path, folder: Path) -> _Opened:
    where = _shown(path)
    _refuse_table(path, source.labels)
    plain = archives.plain(dataset.on_disk(path), _own(folder, "predictions"), where)
    kind = archives.kind(plain, where)
    if kind in ("parquet", "arrow"):
        return _Opened(plain, kind, where, _measure(source, predictions_columnar.first_prediction(plain)))
    images: Columns = {}
    categories: Columns = {}
    if kind == "object":
        plain, images, categories = predictions_coco.unwrap(plain, _own(folder, "rows"), where)
    measure = _measure(source, {} if source.task else json_lists.first_prediction(plain))
    return _Opened(plain, kind, where, measure, images, categories)


def _read_predictions(source: Source, opened: _Opened) -> RawPredictions:
    """A prediction file of any format; its masks are decoded beside the labels."""
    fields = SHAPE_FIELDS[opened.measure.task]
    if opened.kind in ("parquet", "arrow"):
        return predictions_columnar.read(opened.plain, source.metadata, opened.where, fields)
    raw = predictions_json.read(opened.plain, source.metadata, source.threads, opened.where, fields, source.ahead)
    if opened.kind == "object":
        raw.image_names = opened.images
        if opened.categories and "category_name" not in raw.columns:
            _name_categories(raw, opened.categories)
    raw.runs = masks_decoded(raw.columns) if opened.measure.task == "segm" else None
    return raw


def _refuse_table(path: Path, labels: Path | None = None) -> None:
    """A table of lines holds classes or text, which are no objects; without the labels nobody can say which it is."""
    if path.suffix.lower() in (".csv", ".tsv", ".npy") and path.is_file():
        if labels is not None and not storage.exists(labels):
            raise InputError(f"{_shown(labels)}: no such file", "check the path")
        hint = "both files must hold classes or text to be read from tables"
        raise InputError(f"{path}: objects are read from JSON, Parquet or Arrow, not {path.suffix}", hint)


def _shown(path: Path) -> str:
    return "standard input" if path == dataset.STDIN else storage.shown(path)


def _own(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


def _name_categories(raw: RawPredictions, categories: Columns) -> None:
    """The file's own category names, where it lists all the categories it uses."""
    rows, _ = linked(raw.columns["category_id"], categories["id"])
    if (rows >= 0).all():
        raw.columns["category_name"] = categories["name"].take(to_arrow(rows))


def _read_labels(source: Source, path: Path, folder: Path, shapes: tuple[str, ...]) -> RawLabels:
    """A label file, a folder of VOC XML files, or a prediction file that serves as one. shapes: the task's fields."""
    where = _shown(path)
    if storage.is_folder(path):
        return labels_voc.read(dataset.on_disk(path), where)
    _refuse_table(path)
    plain = archives.plain(dataset.on_disk(path), _own(folder, "labels"), where)
    kind = archives.kind(plain, where)
    if kind == "object" and starts_a_second(plain):
        plain, kind = predictions_coco.unwrap(plain, _own(folder, "lines"), where)[0], "list"
    if kind == "list":
        return as_labels(predictions_json.read(plain, source.metadata, source.threads, where, shapes))
    if kind in ("parquet", "arrow"):
        return as_labels(predictions_columnar.read(plain, source.metadata, where, shapes))
    raw = labels_json.read(plain, source.shapes, source.metadata, where, shapes)
    raw.runs = masks_decoded(raw.label) if shapes == SHAPE_FIELDS["segm"] else None
    if source.fields:
        labels_json_fields.add_fields(raw, plain, source.fields)
    return raw
