"""Matching in which a prediction tries one label only: the one it overlaps most.

VOC, Encord and Ultralytics match so; they differ in what is overlap, in how a tie of overlap ends and in the threshold.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.kernels.segments import starts_of
from qm_cli.overlap import overlap
from qm_cli.pairs import in_stretches, of_one_category
from qm_cli.settings import Settings
from qm_cli.tables import Tables

RowArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
Measure = Callable[[RowArray, RowArray], FloatArray]


class BestLabels(Struct, frozen=True):
    """The label each prediction overlaps most, −1 without any: int64[predictions]; and how much, 0 without any."""

    label: RowArray
    iou: FloatArray


def best_labels(
    tables: Tables,
    task: str,
    among: BoolArray,
    *,
    any_category: bool = False,
    last: bool = False,
    measure: Measure | None = None,
) -> BestLabels:
    """Each prediction's best label of its image and category, a stretch of predictions at a time.

    among: the labels to choose from, bool[labels]. last: of labels it overlaps the same the later one, not the first.
    measure: overlap of label and prediction rows; by default `overlap`, over the prediction's area for crowd labels.
    """
    count = tables.count("prediction")
    label, iou = np.full(count, -1, np.int64), np.zeros(count)

    def fill(labels: RowArray, predictions: RowArray) -> None:
        kept = among.take(labels)
        if not any_category:
            kept &= of_one_category(tables, labels, predictions)
        labels, predictions = labels[kept], predictions[kept]
        if len(labels):
            values = (measure or _plain(tables, task))(labels, predictions)
            place = _best_of_runs(values, starts_of(predictions), last)
            label[predictions[place]], iou[predictions[place]] = labels[place], values[place]

    in_stretches(tables, fill)
    return BestLabels(label, iou)


def _plain(tables: Tables, task: str) -> Measure:
    crowd = tables.values("label", "iscrowd")
    return lambda label, prediction: overlap(tables, task, label, prediction, crowd[label])


def _best_of_runs(values: FloatArray, starts: npt.NDArray[np.intp], last: bool) -> npt.NDArray[np.intp]:
    """Place of the largest value of each run, the first of them or the last."""
    lengths = np.diff(np.append(starts, len(values)))
    best: npt.NDArray[np.intp] = np.flatnonzero(values == np.repeat(np.maximum.reduceat(values, starts), lengths))
    run = np.repeat(np.arange(len(starts)), lengths)[best]
    chosen = np.append(run[1:] != run[:-1], True) if last else np.append(True, run[1:] != run[:-1])
    kept: npt.NDArray[np.intp] = best[chosen]
    return kept


def first_takers(best: BestLabels, passes: BoolArray, order: RowArray, label_counts: BoolArray) -> RowArray:
    """The label each prediction takes, −1 for none: the first by `order` takes it, if it passes: int64[predictions].

    order: prediction rows by falling score. Labels that do not count are taken by all that pass.
    """
    matched = np.full(len(order), -1, np.int64)
    candidates = order[(passes & (best.label >= 0))[order]]
    label = best.label[candidates]
    counts = label_counts[label]
    matched[candidates[~counts]] = label[~counts]
    candidates, label = candidates[counts][::-1], label[counts][::-1]
    first = np.full(len(label_counts), -1, np.int64)
    first[label] = candidates
    taken = np.flatnonzero(first >= 0)
    matched[first[taken]] = taken
    return matched


def excusable(tables: Tables, settings: Settings, counts: BoolArray) -> BoolArray:
    """Predictions whose best label of their category that does not count has IoU > the settings': bool[predictions]."""
    if counts.all():
        return np.zeros(tables.count("prediction"), bool)
    ignored = best_labels(tables, settings.task, ~counts)
    return np.asarray((ignored.iou > settings.iou) & (ignored.label >= 0))


def excused_by(matched: RowArray, ignored: BestLabels, passes: BoolArray) -> RowArray:
    """Predictions that take no label, but pass with one that does not count, take that one: int64[predictions]."""
    return np.where((matched < 0) & passes & (ignored.label >= 0), ignored.label, matched)
