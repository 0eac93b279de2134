"""Raw answers → raw columns as objects have them, without boxes: what scores samples reads every file of classes.

Free text has no category and stays with the evaluation of answers; text entities keep `start` and `end` as columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec.structs import replace

from qm_cli.arrays import compute, strings_to_arrow, to_arrow, valid
from qm_cli.errors import InputError
from qm_cli.findings import Finding, finding, flagged
from qm_cli.ingest import answers_columnar, image_folder
from qm_cli.link_answer_categories import (
    derived,
    listed,
    names_a_category,
    refuse_other_shape,
    rows_of_categories,
    width_of,
)
from qm_cli.link_ids import distinct
from qm_cli.link_predictions import Linking
from qm_cli.raw import Columns, RawLabels, RawPredictions, lists_of

Matrix = npt.NDArray[Any]
QUESTION_TYPE = "question_type"
"""The declared type of the question that a label answers."""


def as_objects(
    labels: RawLabels | None,
    predictions: RawPredictions | Matrix | None,
    where: str,
    options: Linking,
    images: Path | None = None,
) -> tuple[RawLabels, RawPredictions | None, Linking, list[Finding]]:
    """Labels and predictions as linking takes them, and how they are linked.

    where: what messages call the predictions. images: the folder of images, where there are no labels. Raises
    InputError as `link_answers.link`.
    """
    found: list[Finding] = []
    names = options.prob_categories or _column_names(predictions)
    kinds = labels.kinds if labels is not None else None
    if labels is None:
        labels, found = _without_labels(predictions, where, images)
        if predictions is not None and not isinstance(predictions, RawPredictions):
            names = names or tuple(map(str, range(predictions.shape[1])))
    elif labels.derived:
        labels = replace(labels, image={**_images(distinct(labels.label["image_id"])), **labels.image})
    if not len(labels.category.get("id", ())):
        sides = [labels.label] if labels.label else []
        sides += [predictions.columns] if isinstance(predictions, RawPredictions) else []
        category, more = derived(sides, names, width_of(predictions))
        labels, found = replace(labels, category=_columns(category)), [*found, *more]
    labels = replace(labels, image={**_sizes(len(labels.image["id"])), **labels.image})
    category, _ = listed(replace(labels, category=_listable(labels.category)))
    if kinds is not None:
        labels, more = _labels(labels, kinds, category)
        found += more
    if predictions is None:
        return labels, None, options, found
    if not isinstance(predictions, RawPredictions):
        predictions = _of_matrix(predictions, where, labels, category, names)
    raw, more = _predictions(predictions, category, options)
    if options.missing_score is None and raw.columns["score"].null_count == raw.count and "probs" not in raw.columns:
        options = replace(options, missing_score=1.0)
    if options.map_categories is None:
        own = [str(one) for one in category["id"].to_pylist()]
        options = replace(options, map_categories=dict(zip(own, own, strict=True)))
    return replace(labels, derived=False), raw, replace(options, prob_categories=names), [*found, *more]


def categories_of_all(labels: RawLabels, predictions: Sequence[RawPredictions | Matrix]) -> Columns:
    """The categories of labels that list none, told from all the files that go with them."""
    names = next((found for one in predictions if (found := _column_names(one))), ())
    sides = [labels.label, *(one.columns for one in predictions if isinstance(one, RawPredictions))]
    widths = [width for one in predictions if (width := width_of(one)) is not None]
    return _columns(derived(sides, names, max(widths, default=None))[0])


def _column_names(predictions: RawPredictions | Matrix | None) -> tuple[str, ...]:
    return answers_columnar.probability_names(predictions.keys) if isinstance(predictions, RawPredictions) else ()


def _columns(table: pa.Table) -> Columns:
    return {name: table[name].combine_chunks() for name in ("id", "name")}


def _listable(category: Columns) -> Columns:
    return {"question": pa.nulls(len(category["id"]), pa.string()), **category}


def _sizes(count: int) -> Columns:
    unknown = to_arrow(np.full(count, np.nan))
    return {"width": unknown, "height": unknown}


def _images(ids: pa.Array) -> Columns:
    """Data rows that no file lists, in their order: an id that ends like an image's name is that name too."""
    names = pa.nulls(len(ids), pa.string())
    if ids.type == pa.string():
        ending = compute.utf8_lower(compute.extract_regex(ids, r"(?P<ending>\.[A-Za-z0-9]+)$").field("ending"))
        pictures = compute.is_in(ending, value_set=strings_to_arrow(sorted(image_folder.SUFFIXES)))
        names = compute.if_else(pictures, ids, names)
    return {"id": ids, "file_name": names, **_sizes(len(ids))}


def _without_labels(
    predictions: RawPredictions | Matrix | None, where: str, images: Path | None
) -> tuple[RawLabels, list[Finding]]:
    if images is not None:
        return image_folder.read(images), []
    if isinstance(predictions, RawPredictions):
        ids = distinct(predictions.columns["image_id"])
    else:
        ids = to_arrow(np.arange(0 if predictions is None else len(predictions)))
    if not len(ids):
        raise InputError(f"{where}: there is no data row in it", "give --labels or --images")
    return RawLabels(where, _images(ids), {}, {}), finding("image-derived", ids.to_pylist())


def _labels(labels: RawLabels, kinds: dict[str, str], category: pa.Table) -> tuple[RawLabels, list[Finding]]:
    columns, count = labels.label, len(labels.label["image_id"])
    rows, found = rows_of_categories(columns, labels.where, category)
    columns = _numbered(columns, count)
    named = names_a_category(columns)
    texts = valid(columns["answer"]) if "answer" in columns else np.zeros(count, bool)
    ids = columns["id"]
    found += flagged("answer-free-text", ids, ~named & texts)
    found += flagged("label-without-answer", ids, ~named & ~texts)
    kept = _without(columns, "probs", "score") | ({"confidence": columns["score"]} if "score" in columns else {})
    kept |= {"category_id": _taken(category["id"], rows), **_boxless(count), "area": to_arrow(np.zeros(count))}
    kept["iscrowd"] = to_arrow(np.zeros(count, bool))
    if kinds and "question" in columns:
        kept[QUESTION_TYPE] = strings_to_arrow([kinds.get(one) for one in columns["question"].to_pylist()])
    return replace(labels, label=_filtered(kept, named)), found


def _predictions(
    predictions: RawPredictions, category: pa.Table, options: Linking
) -> tuple[RawPredictions, list[Finding]]:
    columns, count = _numbered(predictions.columns, predictions.count), predictions.count
    named = names_a_category(columns)
    probable = valid(columns["probs"]) if "probs" in columns else np.zeros(count, bool)
    texts = valid(columns["answer"]) if "answer" in columns else np.zeros(count, bool)
    found = flagged("answer-free-text", columns["id"], ~named & ~probable & texts)
    given = columns.get("category_id", columns.get("category_name", pa.nulls(count, pa.string())))
    if options.map_categories is None:
        rows, more = rows_of_categories(columns, predictions.where, category)
        found += more
        known = _taken(category["id"], rows).cast(pa.string())
        given = compute.coalesce(known, given.cast(pa.string()), *_other_names(columns))
    kept = {"score": pa.nulls(count, pa.float64()), **_without(columns), **_boxless(count), "category_id": given}
    if options.map_categories is not None and "category_name" in columns:
        kept["category_name"] = columns["category_name"]
    return replace(predictions, columns=_filtered(kept, named | probable | ~texts)), found


def _other_names(columns: Columns) -> list[pa.Array]:
    return [columns["category_name"]] if "category_name" in columns else []


def _numbered(columns: Columns, count: int) -> Columns:
    """The columns with an id: the place in the file where none is given."""
    return columns if "id" in columns else {**columns, "id": to_arrow(np.arange(count))}


def _without(columns: Columns, *names: str) -> Columns:
    left_out = {"category_id", "category_name", "answer", *names}
    return {name: column for name, column in columns.items() if name not in left_out}


def _boxless(count: int) -> Columns:
    return {"bbox": pa.nulls(count, pa.list_(pa.float64()))}


def _taken(ids: pa.ChunkedArray, rows: npt.NDArray[np.int64]) -> pa.Array:
    """The id of each row, null for −1."""
    return ids.combine_chunks().take(to_arrow(np.where(rows < 0, np.nan, rows)).cast(pa.int64()))


def _filtered(columns: Columns, kept: npt.NDArray[np.bool_]) -> Columns:
    if kept.all():
        return columns
    return {name: column.filter(to_arrow(kept)) for name, column in columns.items()}


def _of_matrix(
    matrix: Matrix, where: str, labels: RawLabels, category: pa.Table, names: tuple[str, ...]
) -> RawPredictions:
    """A row of probabilities for each data row."""
    ids = labels.image["id"]
    refuse_other_shape(matrix.shape, where, len(ids), category.num_rows, names)
    offsets = np.arange(0, matrix.size + 1, max(matrix.shape[1], 1), dtype=np.int32)
    columns: Columns = {"image_id": ids, "probs": lists_of(offsets, to_arrow(np.ascontiguousarray(matrix).ravel()))}
    return RawPredictions(where, columns, tuple(columns))
