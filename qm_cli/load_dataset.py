"""Files of objects, classes or text entities → Tables, whichever they hold: what works on samples reads them here."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt
from msgspec.structs import replace

from qm_cli import answer_files, dataset, link, load, storage
from qm_cli.answer_fields import with_fields
from qm_cli.answer_objects import as_objects, categories_of_all
from qm_cli.errors import InputError, UsageError
from qm_cli.ingest import answers_json, archives, category_map
from qm_cli.link_boxes import boxless
from qm_cli.link_predictions import Linking
from qm_cli.load import Source
from qm_cli.raw import RawLabels, RawPredictions
from qm_cli.settings import BOXES
from qm_cli.tables import Tables

Predictions = RawPredictions | npt.NDArray[Any]
CLASSES = "classification"
OF_OBJECTS = ("mapping-category", "label-without-box", "prediction-derived-category", "image-missing-size")
"""What is said of objects and goes without saying of classes; the first only where no mapping is asked for."""


def load_tables(labels: Path | None, predictions: Path | None, **how: Any) -> Tables:
    """The checked tables of a label file and one model's predictions; either may be missing. how: as in `load.Source`.

    Classes and text entities are rows without a box. Raises InputError, one line with the way out, for everything that
    makes the files unusable.
    """
    source = Source(labels, predictions, **how)
    given = source.labels_read
    of_labels = given.kinds is not None if given is not None else _holds_answers(labels, source.task)
    read = source.predictions_read
    of_predictions = read is not None or _holds_answers(predictions, source.task)
    if not (of_labels or of_predictions):
        return load.load_tables(labels, predictions, **how)
    raw_labels = given if given is not None or labels is None else _labels(source, labels, of_labels)
    if read is None and predictions is not None:
        read = _predictions(source, predictions, of_predictions)
    return _tables(source, raw_labels, read)


def labels_of_models(
    root: Path, labels: Path | None, predictions: Mapping[str, Path], task: str | None, **how: Any
) -> tuple[RawLabels | None, str | None, dict[str, Predictions]]:
    """The label file's content for `Source.labels_read` of several models, and their task, None for that of classes.

    Labels that list no categories get those that any of the files names: the content of these files is the third part,
    by model, for `Source.predictions_read`. how: as in `load.Source`. Raises UsageError
    for models of different tasks, and where predictions serve as labels.
    """
    task = task or task_of_all(root, predictions)
    shaped = None if task == CLASSES else task
    answers: dict[str, Predictions] = {}
    if labels is None:
        return None, shaped, answers
    if shaped is None and _holds_answers(labels, None):
        raw = _labels(Source(labels, None, **how), labels, True)
        if not len(raw.category.get("id", ())):
            held = {name: _holds_answers(path, None) for name, path in predictions.items()}
            read = {name: _predictions(Source(None, path), path, held[name]) for name, path in predictions.items()}
            raw = replace(raw, category=categories_of_all(raw, list(read.values())))
            answers = {name: content for name, content in read.items() if held[name]}
        return raw, shaped, answers
    raw = load.read_labels(labels, shaped or BOXES.task, **how)
    if raw.derived:
        raise UsageError(f"{labels}: predictions serve as labels for one model at a time", "name one --predictions")
    return raw, shaped, answers


def task_of_all(root: Path, predictions: Mapping[str, Path]) -> str:
    """The task of all models, by their files; `classification` for answers. Raises UsageError where they differ."""
    tasks = {n: CLASSES if _holds_answers(path, None) else load.task_of(path) for n, path in predictions.items()}
    if len(set(tasks.values())) > 1:
        told = ", ".join(f"{name}: {task}" for name, task in tasks.items())
        raise UsageError(
            f"{storage.shown(root)}: models of different tasks ({told})", "name one by --task, or one --model"
        )
    return next(iter(tasks.values()))


def _holds_answers(path: Path | None, task: str | None) -> bool:
    return path is not None and task is None and answer_files.holds_answers(path)


def _shown(path: Path | None) -> str:
    return "" if path is None else "standard input" if path == dataset.STDIN else str(path)


def _labels(source: Source, path: Path, answers: bool) -> RawLabels:
    if not answers:
        how: dict[str, Any] = {
            "shapes": source.shapes,
            "metadata": source.metadata,
            "fields": source.fields,
            "threads": source.threads,
        }
        return load.read_labels(path, **how)
    with tempfile.TemporaryDirectory(prefix="qm-") as folder:
        plain = archives.plain(dataset.on_disk(path), Path(folder), _shown(path))
        raw, kinds = answer_files.read_labels(plain, path, _shown(path))
        if source.metadata and raw.derived:
            raw = with_fields(raw, plain, path)
        elif source.metadata:
            raw = replace(raw, image={**raw.image, **answers_json.entry_columns(plain)})
    return replace(raw, kinds=kinds)


def _predictions(source: Source, path: Path, answers: bool) -> Predictions:
    if not answers:
        return load.read_predictions(path, metadata=source.metadata, threads=source.threads)
    with tempfile.TemporaryDirectory(prefix="qm-") as folder:
        plain = archives.plain(dataset.on_disk(path), Path(folder), _shown(path))
        return answer_files.read_predictions(plain, path, _shown(path))


def _tables(source: Source, labels: RawLabels | None, predictions: Predictions | None) -> Tables:
    """Tables whose rows have no box; nothing is said of what is missing of objects alone."""
    where = _shown(source.predictions)
    if labels is not None and labels.kinds is None and labels.label and not boxless(labels.label["bbox"]):
        hint = "objects are read from JSON, Parquet or Arrow"
        raise InputError(f"{where}: holds classes or text, and the labels have boxes", hint)
    boxes = predictions.columns.get("bbox") if isinstance(predictions, RawPredictions) else None
    if boxes is not None and not boxless(boxes):
        raise InputError(f"{where}: has boxes, and the labels are classes or text", "evaluate each with its own")
    mapping = category_map.chosen(source.map_categories)
    options = Linking(source.match_by, mapping, source.missing_score, source.tolerant, source.prob_categories)
    linked, raw, options, found = as_objects(labels, predictions, where, options, source.images)
    tables = link.tables(linked, raw, options)
    unsaid = OF_OBJECTS if source.map_categories is None else OF_OBJECTS[1:]
    kept = tuple(one for one in tables.findings if one.code not in unsaid)
    return replace(tables, findings=kept).with_findings(found)
