"""A ranked batch → the import file of a labelling tool: its images, what is labelled there, what the model says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from string import Formatter
from typing import Any
from urllib.parse import quote

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from qm_cli import console
from qm_cli.arrays import to_arrow, to_numpy
from qm_cli.errors import InputError, UsageError, some
from qm_cli.labelling_answers import QUESTION, Questions, answered, questions_of, questions_of_rows
from qm_cli.labelling_shapes import SHAPE_COLUMNS, drawn
from qm_cli.ranking import Answer
from qm_cli.render.as_json import as_json, as_json_list
from qm_cli.render.labelling_coco import as_coco
from qm_cli.render.labelling_cvat import as_cvat, as_cvat_manifest
from qm_cli.render.labelling_label_studio import as_label_studio
from qm_cli.render.labelling_labelbox import as_labelbox, as_labelbox_predictions
from qm_cli.row_fields import Source
from qm_cli.settings import Settings

LOCAL_FILES = "/data/local-files/?d={file_name}"
WRITERS: dict[str, Callable[[dict[str, Any]], Iterator[str]]] = {
    "coco": lambda chosen: iter([as_json(as_coco(chosen))]),
    "cvat": as_cvat,
    "cvat-manifest": lambda chosen: iter([as_cvat_manifest(chosen)]),
    "label-studio": lambda chosen: as_json_list(as_label_studio(chosen)),
    "labelbox": lambda chosen: iter([as_json(as_labelbox(chosen))]),
    "labelbox-predictions": as_labelbox_predictions,
}
WITH_PREDICTIONS = ("cvat", "label-studio", "labelbox-predictions")
URL_NAMES = ("file_name", "id")
WITH_URLS = ("label-studio", "labelbox")
BY_FILE_NAME = ("cvat", "cvat-manifest")
LABEL_COLUMNS = ("id", "category_row", "bbox", "area", "iscrowd", "segmentation", "num_keypoints", *SHAPE_COLUMNS)
PREDICTION_COLUMNS = ("id", "category_row", "bbox", "score", QUESTION, *SHAPE_COLUMNS)
WITHOUT_KEYPOINTS = ("label-studio", "labelbox-predictions")
PORTION = 64
"""Images whose objects are Python's at a time."""


def import_file(answer: Answer, format: str, image_url: str | None) -> Iterator[str]:
    """The chosen images in the order of the ranking, as pieces of a file that the tool imports.

    Predictions from the run's confidence on become pre-annotations; of classes, the answers that the evaluation takes.
    image_url: where the tool finds an image, with {file_name} or {id} in it. Raises InputError for images without a
    file name, or a size, that the format needs.
    """
    if format == "labelbox" and (image_url is None or image_url.startswith("s3:/")):
        raise UsageError("Labelbox fetches images by URL", "give --image-url 'https://…/{file_name}'")
    source, rows = answer.source, answer.selection.rows
    images = _images(source, rows, format, image_url)
    settings = Settings() if answer.run is None else Settings.from_dict(answer.run.manifest["settings"])
    categories = source.table("category", ["id", "name"]).to_pylist()
    labelled = format == "coco" and "label" in source.table_names()
    predicts = format in WITH_PREDICTIONS and _predicted(answer, format)
    batch = _Batch(
        images,
        categories,
        _objects(source, "label", LABEL_COLUMNS, rows) if labelled else None,
        _predictions(source, rows, settings) if predicts else None,
        questions_of(source, settings.answer_task, settings.answer_confidence),
        format,
        settings.confidence,
    )
    return WRITERS[format]({"images": batch, "categories": categories, "model": answer.model or "model"})


def _predicted(answer: Answer, format: str) -> bool:
    """Whether there are predictions. Raises where it is not said whose, or the file would hold nothing else."""
    if "prediction" in answer.source.table_names():
        return True
    if answer.run is not None and len(answer.run.models) > 1:
        raise UsageError(f"{answer.run.path}: holds the models {some(answer.run.models)}", "name one with --model")
    if format == "labelbox-predictions":
        hint = "score a dataset with predictions; where it has those of several models name one with --model"
        raise InputError("there are no predictions to write", hint)
    console.say("qm: no predictions as pre-annotations (of several models --model names one)")
    return False


class _Objects(Struct, frozen=True):
    """Labels or predictions, those of an image side by side; offsets: int64[images + 1], where each image's begin."""

    table: pa.Table
    offsets: npt.NDArray[np.int64]

    def portion(self, first: int, last: int) -> list[list[dict[str, Any]]]:
        """Those of the images from `first` on, before `last`."""
        start = self.offsets[first]
        rows = self.table.slice(start, self.offsets[last] - start).to_pylist()
        ends = (self.offsets[first : last + 1] - start).tolist()
        return [rows[begin:end] for begin, end in pairwise(ends)]


class _Batch(Struct, frozen=True):
    """The chosen images, each with id, file_name, width, height, url, labels and predictions with their shapes.

    Going through it makes them a few at a time, and says on stderr what became of the predictions.
    """

    images: list[dict[str, Any]]
    categories: list[dict[str, Any]]
    labels: _Objects | None
    predictions: _Objects | None
    questions: Questions
    format: str
    confidence: float

    def __len__(self) -> int:
        return len(self.images)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        told = _Told()
        for first in range(0, len(self.images), PORTION):
            part = self.images[first : first + PORTION]
            nothing: list[list[dict[str, Any]]] = [[] for _ in part]
            labels, predictions = (
                side.portion(first, first + len(part)) if side else nothing for side in (self.labels, self.predictions)
            )
            for image, own, said in zip(part, labels, predictions, strict=True):
                for one in (*own, *said):
                    one["category"] = self.categories[one.pop("category_row")]
                said = answered(said, self.questions)
                for one in said:
                    one["shapes"] = drawn(one, image.get("width"), image.get("height"))
                told.count(said)
                yield {**image, "labels": own, "predictions": said}
                for one in said:
                    del one["shapes"]
        if self.predictions is not None:
            told.say(self.format, self.confidence)


class _Told(Struct):
    """What became of the predictions."""

    objects: int = 0
    answers: int = 0
    outside: int = 0
    keypoints: bool = False

    def count(self, predictions: list[dict[str, Any]]) -> None:
        for one in predictions:
            self.answers += one["bbox"] is None
            self.objects += one["bbox"] is not None
            self.outside += not one["shapes"]
            self.keypoints |= any(shape["kind"] == "keypoints" for shape in one["shapes"])

    def say(self, format: str, confidence: float) -> None:
        if self.answers:
            console.say(f"qm: {self.answers:,} answers as pre-annotations")
        if self.objects or not self.answers:
            console.say(f"qm: {self.objects:,} predictions with a score of {confidence:g} or more as pre-annotations")
        if self.outside:
            console.say(f"qm: {self.outside:,} of them lie outside their image and are left out")
        if format in WITHOUT_KEYPOINTS and self.keypoints:
            console.say(f"qm: {format} has no shape for keypoints of an object: their boxes are written")


def _images(source: Source, rows: Any, format: str, image_url: str | None) -> list[dict[str, Any]]:
    """id, file_name, width and height of the chosen images, as far as they are known, and the url where it is asked."""
    known = source.columns("image")
    names: list[str] = [name for name in ("id", "file_name", "width", "height") if name in known]
    images: list[dict[str, Any]] = source.table("image", names).take(to_arrow(rows)).to_pylist()
    nameless = [image["id"] for image in images if not image.get("file_name")]
    told = f"{len(nameless):,} of the images have no file name (first: {nameless[0]})" if nameless else ""
    if nameless and format in BY_FILE_NAME:
        hint = "write it to the label file as file_name and score again, or use --format label-studio or labelbox"
        raise InputError(f"{told}, by which CVAT knows them", hint)
    if format in WITH_URLS:
        template = image_url or LOCAL_FILES
        if "file_name" in _named_in(template) and told:
            raise InputError(told, "say where they are by id: --image-url 'https://…/{id}.jpg'")
        for image in images:
            image["url"] = template.format(file_name=quote(image.get("file_name") or ""), id=quote(str(image["id"])))
    return images


def _named_in(template: str) -> set[str]:
    """What of an image a URL names. Raises UsageError for anything else in braces, and for a URL of no image."""
    try:
        parts = [part[1:] for part in Formatter().parse(template) if part[1] is not None]
    except ValueError as error:
        raise UsageError(f"--image-url {template}: {error}", "use {file_name} or {id}") from error
    other = [name for name, form, conversion in parts if name not in URL_NAMES or form or conversion]
    if other:
        raise UsageError(f"--image-url {template}: {{{other[0]}}} is not known", "use {file_name} or {id}")
    if not parts:
        raise UsageError(f"--image-url {template}: is the same for every image", "use {file_name} or {id} in it")
    return {str(name) for name, _, _ in parts}


def _predictions(source: Source, rows: Any, settings: Settings) -> _Objects:
    """From the confidence on; classes of a whole image all, each with its question."""
    found = _objects(source, "prediction", PREDICTION_COLUMNS, rows, settings.confidence)
    place = found.table.schema.get_field_index(QUESTION)
    table = found.table if place < 0 else found.table.remove_column(place)
    return _Objects(table.append_column(QUESTION, questions_of_rows(source, found.table)), found.offsets)


def _objects(
    source: Source, level: str, columns: tuple[str, ...], rows: Any, confidence: float | None = None
) -> _Objects:
    """The labels or predictions of the chosen images; of predictions those from the confidence on, or without a box."""
    known = source.columns(level)
    table = source.table(level, ["image_row", *(name for name in columns if name in known)])
    keep = pc.is_in(table["image_row"], value_set=pa.array(rows, pa.int32()))
    if confidence is not None:
        keep = pc.and_(keep, pc.or_(pc.greater_equal(table["score"], confidence), pc.is_null(table["bbox"])))
    table = table.filter(keep)
    order = np.argsort(rows)
    place = order[np.searchsorted(np.asarray(rows)[order], to_numpy(table["image_row"]))]
    table = table.take(to_arrow(np.argsort(place, kind="stable")))
    offsets = np.concatenate([[0], np.cumsum(np.bincount(place, minlength=len(rows)))]).astype(np.int64)
    return _Objects(table.drop_columns(["image_row"]), offsets)
