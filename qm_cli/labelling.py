"""A ranked batch → the import file of a labelling tool: its images, what is labelled there, what the model says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qm_cli import console
from qm_cli.arrays import to_arrow, to_numpy
from qm_cli.errors import InputError, UsageError
from qm_cli.labelling_shapes import SHAPE_COLUMNS, drawn
from qm_cli.ranking import Answer
from qm_cli.render.as_json import as_json
from qm_cli.render.labelling_coco import as_coco
from qm_cli.render.labelling_cvat import as_cvat, as_cvat_manifest
from qm_cli.render.labelling_label_studio import as_label_studio
from qm_cli.render.labelling_labelbox import as_labelbox, as_labelbox_predictions
from qm_cli.row_fields import Source
from qm_cli.settings import Settings

LOCAL_FILES = "/data/local-files/?d={file_name}"
WRITERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "coco": as_coco,
    "cvat": as_cvat,
    "cvat-manifest": as_cvat_manifest,
    "label-studio": as_label_studio,
    "labelbox": as_labelbox,
    "labelbox-predictions": as_labelbox_predictions,
}
WITH_PREDICTIONS = ("cvat", "label-studio", "labelbox-predictions")
LABEL_COLUMNS = ("id", "category_row", "bbox", "area", "iscrowd", "segmentation", "num_keypoints", *SHAPE_COLUMNS)
PREDICTION_COLUMNS = ("id", "category_row", "bbox", "score", *SHAPE_COLUMNS)
WITHOUT_KEYPOINTS = ("label-studio", "labelbox-predictions")


def import_file(answer: Answer, format: str, image_url: str | None) -> str:
    """The chosen images in the order of the ranking, as a file that the tool imports.

    Predictions from the run's confidence on become pre-annotations. image_url: where the tool finds an image, with
    {file_name} or {id} in it. Raises InputError for images without a file name, or a size the format needs.
    """
    if format == "labelbox" and (image_url is None or image_url.startswith("s3:/")):
        raise UsageError("Labelbox fetches images by URL", "give --image-url 'https://…/{file_name}'")
    confidence = _confidence(answer)
    chosen = _chosen(answer, confidence if format in WITH_PREDICTIONS else None)
    _with_urls(chosen["images"], image_url or LOCAL_FILES)
    if format in WITH_PREDICTIONS:
        _draw(chosen["images"], format, confidence)
    content = WRITERS[format](chosen)
    return content if isinstance(content, str) else as_json(content)


def _draw(images: list[dict[str, Any]], format: str, confidence: float) -> None:
    """Each prediction's `shapes`; says what became of them."""
    every = [one for image in images for one in image["predictions"]]
    for image in images:
        for one in image["predictions"]:
            one["shapes"] = drawn(one, image.get("width"), image.get("height"))
    console.say(f"qm: {len(every):,} predictions with a score of {confidence:g} or more as pre-annotations")
    if outside := sum(not one["shapes"] for one in every):
        console.say(f"qm: {outside:,} of them lie outside their image and are left out")
    if format in WITHOUT_KEYPOINTS and any(shape["kind"] == "keypoints" for one in every for shape in one["shapes"]):
        console.say(f"qm: {format} has no shape for keypoints of an object: their boxes are written")


def _confidence(answer: Answer) -> float:
    if answer.run is None:
        return Settings().confidence
    return float(answer.run.manifest["settings"]["confidence"])


def _chosen(answer: Answer, confidence: float | None) -> dict[str, Any]:
    """images, each with id, file_name, width, height, labels and predictions; categories; model.

    Without a confidence there are no predictions.
    """
    source, rows = answer.source, answer.selection.rows
    known = source.columns("image")
    names: list[str] = [name for name in ("id", "file_name", "width", "height") if name in known]
    images = source.table("image", names).take(to_arrow(rows)).to_pylist()
    nameless = [image["id"] for image in images if not image.get("file_name")]
    if nameless:
        raise InputError(f"{len(nameless):,} of the images have no file name (first: {nameless[0]})", "leave them out")
    categories = source.table("category", ["id", "name"]).to_pylist()
    labels = _objects(source, "label", LABEL_COLUMNS, rows, None)
    predictions = _objects(source, "prediction", PREDICTION_COLUMNS, rows, confidence)
    for place, image in enumerate(images):
        image["labels"], image["predictions"] = labels[place], predictions[place]
        for one in (*image["labels"], *image["predictions"]):
            one["category"] = categories[one.pop("category_row")]
    return {"images": images, "categories": categories, "model": answer.model or "model"}


def _objects(
    source: Source, level: str, columns: tuple[str, ...], rows: Any, confidence: float | None
) -> list[list[dict[str, Any]]]:
    """The labels or predictions of each chosen image, in their order."""
    found: list[list[dict[str, Any]]] = [[] for _ in rows]
    if level not in source.table_names() or (level == "prediction" and confidence is None):
        return found
    known = source.columns(level)
    table = source.table(level, ["image_row", *(name for name in columns if name in known)])
    keep = pc.is_in(table["image_row"], value_set=pa.array(rows, pa.int32()))
    if confidence is not None:
        keep = pc.and_(keep, pc.greater_equal(table["score"], confidence))
    table = table.filter(keep)
    order = np.argsort(rows)
    places = order[np.searchsorted(np.asarray(rows)[order], to_numpy(table["image_row"]))]
    for place, one in zip(places.tolist(), table.drop_columns(["image_row"]).to_pylist(), strict=True):
        found[place].append(one)
    return found


def _with_urls(images: list[dict[str, Any]], template: str) -> None:
    """Each image's `url` and a key of its own."""
    for image in images:
        try:
            image["url"] = template.format(file_name=quote(image["file_name"]), id=quote(str(image["id"])))
        except (KeyError, IndexError, ValueError) as error:
            raise UsageError(f"--image-url {template}: {error!r} is not known", "use {file_name} or {id}") from error
