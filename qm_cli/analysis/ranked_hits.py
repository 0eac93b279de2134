"""True and false positives of each category by falling score: what precision–recall curves are drawn from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.tables import Tables

RowArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


class RankedHits(Struct, frozen=True):
    """Predictions that are not ignored by (category, −score, image id, input order).

    hit: true positives, bool[n]; score: float64[n]; start: where each category begins, int64[categories + 1];
    labels: labels that count, int64[categories]. image: image row of each prediction, int64[n]; label_image,
    label_category: image and category row of each label that counts, int64[labels].
    """

    hit: BoolArray
    score: FloatArray
    start: RowArray
    labels: RowArray
    image: RowArray
    label_image: RowArray
    label_category: RowArray

    def of(self, category: int) -> tuple[BoolArray, FloatArray, int]:
        """Hits, scores and the number of labels of one category."""
        part = slice(self.start[category], self.start[category + 1])
        return self.hit[part], self.score[part], int(self.labels[category])

    def of_images(self, kept: BoolArray) -> RankedHits:
        """Those of some images alone; what matches whom is of one image, so it stays. kept: bool[images]."""
        there, label = kept[self.image], kept[self.label_image]
        start = np.append(0, np.cumsum(there))[self.start]
        labels = np.bincount(self.label_category[label], minlength=len(self.labels))
        parts = (self.image[there], self.label_image[label], self.label_category[label])
        return RankedHits(self.hit[there], self.score[there], start, labels, *parts)


def ranked_hits(tables: Tables, order: RowArray, matched_label: RowArray, label_counts: BoolArray) -> RankedHits:
    """Hits by rank. matched_label: what each prediction takes, −1 for none, int64[predictions].

    order: prediction rows as `matching.score_order` gives them.
    """
    groups = tables.count("category")
    taken = matched_label[order]
    ignored = (taken >= 0) & ~np.append(label_counts, True)[taken]
    rows = order[~ignored]
    counts = np.bincount(tables.values("prediction", "category_row")[rows], minlength=groups)
    label_image, label_category = (
        tables.values("label", f"{name}_row")[label_counts] for name in ("image", "category")
    )
    labels = np.bincount(label_category, minlength=groups)
    score, image = (tables.values("prediction", name)[rows] for name in ("score", "image_row"))
    start = np.append(0, np.cumsum(counts))
    return RankedHits(matched_label[rows] >= 0, score, start, labels, image, label_image, label_category)


def precision_and_recall(hit: BoolArray, labels: int) -> tuple[FloatArray, FloatArray]:
    """Precision and recall after each prediction: float64[n] each; there must be labels.

    >>> [part.tolist() for part in precision_and_recall(np.array([True, False]), 2)]
    [[1.0, 0.5], [0.5, 0.5]]
    """
    found = np.cumsum(hit)
    return found / np.arange(1, len(hit) + 1), found / labels


def envelope(precision: FloatArray) -> FloatArray:
    """The largest precision from each place on: float64[n]."""
    raised: FloatArray = np.maximum.accumulate(precision[::-1])[::-1]
    return raised
