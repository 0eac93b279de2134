"""Several prediction files of one model, an ensemble's or dropout's: how much they disagree on each image."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec.structs import replace

from qm_cli.arrays import to_arrow, to_numpy
from qm_cli.errors import UsageError, nearest
from qm_cli.kernels.disagreement import bald, binary_bald, binary_variation_ratio, variation_ratio
from qm_cli.row_fields import Source
from qm_cli.run_folder import Run

FloatArray = npt.NDArray[np.float64]
Measure = Callable[[FloatArray], FloatArray]

ALL = "all"
MEASURES: dict[str, tuple[Measure, Measure]] = {
    "bald": (bald, binary_bald),
    "variation_ratio": (variation_ratio, binary_variation_ratio),
}
VALUES_AT_ONCE = 1 << 22


class WithColumn:
    """A source with one more column of its images."""

    def __init__(self, source: Source, field: pa.Field, column: pa.Array) -> None:
        self.table_names = source.table_names
        self._source, self._field, self._column = source, field, column

    def columns(self, name: str) -> dict[str, pa.Field]:
        known = self._source.columns(name)
        return {**known, self._field.name: self._field} if name == "image" else known

    def table(self, name: str, columns: list[str] | None = None) -> pa.Table:
        own = self._field.name
        if name != "image" or columns is None or own not in columns:
            return self._source.table(name, columns)
        rest = self._source.table(name, [one for one in columns if one != own] or ["id"])
        return rest.append_column(self._field, self._column).select(columns)


def with_disagreement(run: Run, names: Sequence[str], measure: str) -> WithColumn:
    """The run with `measure` of its models as a column of the images.

    measure: bald or variation_ratio. Class probabilities of whole images are taken as they are; of detectors, and of
    classifiers with a score alone, the highest score of each category counts as the probability that the image has
    one. Null where a member has no probabilities for the image; a detector that found nothing says 0.
    """
    members = _members(run, names)
    tables = [replace(run, model=name if len(run.models) > 1 else None) for name in members]
    images, categories = len(run.table("image", ["id"])), len(run.table("category", ["id"]))
    categorical = all(_is_categorical(table) for table in tables)
    read = _class_probabilities if categorical else _presence
    parts = [read(table, images, categories) for table in tables]
    of_classes, of_presence = MEASURES[measure]
    values = _in_blocks(of_classes if categorical else of_presence, parts)
    facts = {"better": "lower", "metric": f"image.{measure}", "kind": "model"}
    return WithColumn(run, pa.field(measure, pa.float64(), metadata=facts), to_arrow(values))


def _members(run: Run, names: Sequence[str]) -> list[str]:
    members = list(run.models) if tuple(names) == (ALL,) else list(dict.fromkeys(names))
    for name in members:
        if name not in run.models:
            hint = nearest(name, run.models) or f"it has {', '.join(run.models) or 'none'}"
            raise UsageError(f"--ensemble: {run.path} has no model {name!r}", hint)
    if len(members) < 2:
        raise UsageError("--ensemble takes two models or more", "give qm score one --predictions file for each")
    return members


def _is_categorical(run: Run) -> bool:
    """Whether predictions are of whole images and come with class probabilities."""
    field = run.columns("prediction").get("probs")
    if field is None or not pa.types.is_fixed_size_list(field.type):
        return False
    boxes = run.table("prediction", ["bbox"])["bbox"]
    return bool(boxes.null_count == len(boxes))


def _class_probabilities(run: Run, images: int, categories: int) -> FloatArray:
    """Mean class probabilities of each image's predictions: float64[images, categories], NaN without."""
    table = run.table("prediction", ["image_row", "probs"])
    row, probs = to_numpy(table["image_row"]), np.asarray(to_numpy(table["probs"]), np.float64)
    flat = (row.astype(np.int64)[:, None] * categories + np.arange(categories)).ravel()
    sums = np.bincount(flat, probs.ravel(), images * categories).reshape(images, categories)
    counts = np.bincount(row, minlength=images)
    return np.asarray(sums / np.where(counts > 0, counts, np.nan)[:, None])


def _presence(run: Run, images: int, categories: int) -> FloatArray:
    """The highest score of each category in each image, 0 where it was not found: float64[images, categories]."""
    table = run.table("prediction", ["image_row", "category_row", "score"])
    row, category = (to_numpy(table[name]).astype(np.int64) for name in ("image_row", "category_row"))
    found = np.zeros(images * categories)
    np.maximum.at(found, row * categories + category, np.clip(to_numpy(table["score"]), 0, 1))
    return found.reshape(images, categories)


def _in_blocks(measure: Measure, parts: Sequence[FloatArray]) -> FloatArray:
    """The measure, some images at a time: float64[images], NaN where a member has none."""
    images, categories = parts[0].shape
    values = np.empty(images)
    step = max(VALUES_AT_ONCE // max(categories * len(parts), 1), 1)
    for first in range(0, images, step):
        values[first : first + step] = measure(np.stack([part[first : first + step] for part in parts]))
    values[np.any([np.isnan(part).any(axis=1) for part in parts], axis=0)] = np.nan
    return values
