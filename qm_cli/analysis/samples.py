"""What analyses look at: samples with their measures, and the yes or no that is to be explained."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
from msgspec import Struct, field

from qm_cli.kernels.segments import numbered

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
CountArray = npt.NDArray[np.integer]

MARKS = {"image": "F", "label": "O", "prediction": "P"}
"""Frame, label object, prediction: how tables mark the level of a metric."""
METADATA = "metadata"
GLANCE = 1 << 12
"""Rows that usually tell already that a measure differs inside an image."""


class Measure(Struct, frozen=True):
    """One column: a number for each row of its level's table, NaN where there is none.

    names: for a code, what its numbers 0, 1, … stand for; None for a measured number. kind: a metric's, or metadata.
    """

    level: str
    name: str
    values: FloatArray
    kind: str = METADATA
    unit: str = ""
    better: str = "neither"
    names: tuple[str, ...] | None = None

    @property
    def id(self) -> str:
        return f"{self.level}.{self.name}"

    @property
    def coded(self) -> bool:
        return self.names is not None


class Units(Struct, frozen=True):
    """What a measure has one value for: images, or the judged rows themselves. hits of total rows of each are a yes."""

    values: FloatArray
    hits: CountArray
    total: CountArray
    of: str


class Judged(Struct, frozen=True, dict=True):
    """Rows of one level with a yes or no, sorted by image, and the measures that may explain it.

    rows: of the level's table; image_row: the image of each. cluster: the cluster of every image of the run; None for
    images that stand for themselves. outcome: what a yes is, in words.
    """

    level: str
    outcome: str
    rows: RowArray
    image_row: RowArray
    hit: npt.NDArray[np.bool_]
    measures: Sequence[Measure]
    cluster: RowArray | None = None
    categories: tuple[str, ...] = field(default=())

    @cached_property
    def images(self) -> RowArray:
        """The images that have a row, ascending."""
        return numbered(self.image_row)[0]

    @cached_property
    def image(self) -> RowArray:
        """The place of each row's image among them."""
        return numbered(self.image_row)[1]

    @cached_property
    def clusters(self) -> RowArray:
        """The cluster of each image that has a row, from 0 without a gap; the image itself where there are none."""
        if self.cluster is None:
            return np.arange(len(self.images))
        return numbered(self.cluster[self.images])[1]

    @cached_property
    def image_total(self) -> CountArray:
        return np.bincount(self.image, minlength=len(self.images))

    @cached_property
    def rows_alone(self) -> bool:
        """Whether each row is its image's only one and no cluster binds images together."""
        return self.cluster is None and len(self.images) == len(self.rows)

    @cached_property
    def image_hits(self) -> CountArray:
        return np.bincount(self.image[self.hit], minlength=len(self.images))

    def row_values(self, measure: Measure) -> FloatArray:
        """The measure's value for each judged row."""
        if measure.level == "image":
            return measure.values[self.image_row]
        return measure.values[self.rows]

    def units(self, measure: Measure) -> Units:
        """The measure by image where it is the image's, or equal in every image; by row otherwise.

        Where images hold one row each, and stand for themselves, a row is as good as its image.
        """
        if self.rows_alone:
            values = self.row_values(measure)
            return Units(values, self.hit.view(np.uint8), np.ones(len(values), np.uint8), self.level)
        if measure.level == "image":
            return Units(measure.values[self.images], self.image_hits, self.image_total, "image")
        values = measure.values[self.rows]
        first = np.full(len(self.images), np.nan)
        first[self.image[::-1]] = values[::-1]
        spread = first[self.image]
        if _equal(values[:GLANCE], spread[:GLANCE]) and _equal(values, spread):
            return Units(first, self.image_hits, self.image_total, "image")
        return Units(values, self.hit.view(np.uint8), np.ones(len(values), np.uint8), self.level)


def _equal(one: FloatArray, other: FloatArray) -> bool:
    return np.array_equal(one, other, equal_nan=True)
