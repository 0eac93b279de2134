"""Evaluations under integer weights per image, and half-sample bootstrap replicates of their numbers.

Matches never cross images, so a resample of images changes no match: it only counts each image as often as it was
drawn. Models are resampled together, with the same weights.

Half-sample bootstrap: a random half of n images differs from the whole as the whole differs from the process it was
drawn from (the variance of a mean of n/2 of n without replacement, less the whole's, is that of a mean of n). Unlike a
draw with replacement it holds no image twice, whose tied scores flatter average precision, and it tells how average
precision grows when images are fewer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.counts import Counts, Outcomes
from qm_cli.analysis.summary_numbers import last_recall
from qm_cli.kernels.weighted import Runs, half_weights, run_totals, runs_by_group
from qm_cli.kernels.weighted_precision import RankedLane, ranked_totals, weighted_average_precision
from qm_cli.matching import Matches, within_max_detections
from qm_cli.overlap import prediction_areas
from qm_cli.settings import AreaRange, Settings
from qm_cli.tables import Tables

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

Kept = TypeVar("Kept")

METRICS = ("AP", "AP50", "AP75", "AR100", "precision", "recall", "f1")
"""Names of the numbers; AR100 stands for the AR at the largest max detections, whatever that is."""
PRECISIONS = {"AP": None, "AP50": 0.5, "AP75": 0.75}


def metric_names(settings: Settings) -> tuple[str, ...]:
    """METRICS as they are called of the settings' task and max detections."""
    last = last_recall(settings.max_detections, settings.task)
    return tuple(last if name == "AR100" else name for name in METRICS)


class Weighable(Struct, frozen=True):
    """One model's matches, sorted once, ready to be counted under any weights.

    ranked: predictions by (category, rank); lanes: one per COCO threshold over all areas; labels: those that count;
    hit, false, missed: true positives, false positives and false negatives at the chosen IoU and confidence.
    """

    ranked: Runs
    lanes: tuple[RankedLane, ...]
    thresholds: tuple[float, ...]
    labels: Runs
    hit: Runs
    false: Runs
    missed: Runs


class Numbers(Struct, frozen=True):
    """Values of METRICS; NaN where undefined. overall: float64[metrics]; category: float64[metrics, categories]."""

    overall: FloatArray
    category: FloatArray


class Replicates(Struct, frozen=True):
    """`Numbers` of every resample. overall: float64[resamples, metrics]; category: float64[resamples, metrics, k]."""

    overall: FloatArray
    category: FloatArray


def weighable(
    tables: Tables, matches: Matches, found: Outcomes, settings: Settings, inside: BoolArray | None = None
) -> Weighable:
    """Sort once what every resample counts.

    inside: the predictions that count when they match nothing, bool[predictions]; by default those whose area lies in
    the first area range.
    """
    ranked, rows = _ranked(tables, matches, settings)
    place = np.full(tables.count("prediction"), -1, np.int64)
    place[rows] = np.arange(len(rows))
    inside = inside_range(tables, settings.area_ranges[0]) if inside is None else inside
    kept = inside[rows]
    before = np.append(0, np.cumsum(kept))
    lanes = [
        _lane(tables, matches, matches.lane(threshold), place, before, inside) for threshold in settings.iou_thresholds
    ]
    image, category = tables.values("label", "image_row"), tables.values("label", "category_row")
    predicted = tables.values("prediction", "image_row"), tables.values("prediction", "category_row")
    groups = tables.count("category")

    def runs(mask: BoolArray, image: RowArray, category: RowArray) -> Runs:
        return runs_by_group(image[mask], category[mask], groups)

    return Weighable(
        Runs(ranked.image[kept], before[ranked.start]),
        tuple(lanes),
        settings.iou_thresholds,
        runs(found.label_counts, image, category),
        runs(found.true_positive, *predicted),
        runs(found.false_positive, *predicted),
        runs(found.false_negative, image, category),
    )


def inside_range(tables: Tables, limits: AreaRange) -> BoolArray:
    """Predictions whose area is in the range, closed at both ends: bool[predictions]."""
    area = prediction_areas(tables)
    inside: BoolArray = (area >= limits.low) & (area <= limits.high)
    return inside


def _ranked(tables: Tables, matches: Matches, settings: Settings) -> tuple[Runs, RowArray]:
    """Predictions within the largest max detections by (category, rank), and their rows."""
    kept = within_max_detections(tables, matches.order, max(settings.max_detections))
    rows = matches.order if kept is None else matches.order[kept[matches.order]]
    counts = np.bincount(tables.values("prediction", "category_row")[rows], minlength=tables.count("category"))
    image = tables.values("prediction", "image_row")[rows].astype(np.intp)
    return Runs(image, np.append(0, np.cumsum(counts))), rows


def _lane(
    tables: Tables, matches: Matches, lane: int, place: RowArray, before: RowArray, inside: BoolArray
) -> RankedLane:
    """The true positives of a lane by rank, and the matched predictions it ranks otherwise than all lanes do."""
    label = matches.label[lane]
    matched = np.flatnonzero((label >= 0) & (place[matches.row] >= 0))
    matched = matched[np.argsort(place[matches.row[matched]], kind="stable")]
    rows = matches.row[matched]
    true = ~matches.ignored[matches.area[lane]][label[matched]]
    change = true.astype(np.int8) - inside[rows].astype(np.int8)
    image, category = tables.values("prediction", "image_row")[rows], tables.values("prediction", "category_row")[rows]
    groups, shifts = tables.count("category"), change != 0
    return RankedLane(
        runs_by_group(image[true], category[true], groups),
        before[place[rows[true]] + 1],
        runs_by_group(image[shifts], category[shifts], groups),
        change[shifts],
        np.cumsum(shifts)[true],
    )


def weighted_numbers(model: Weighable, weights: npt.NDArray[np.int32]) -> Numbers:
    """The numbers of the data set that holds each image as often as its weight says: int32[images].

    Weights of 1 give the evaluation's own.
    """
    labels = run_totals(weights, model.labels)
    totals = ranked_totals(weights, model.ranked)
    lanes = [weighted_average_precision(weights, lane, model.ranked, totals, labels) for lane in model.lanes]
    precision = np.stack([lane[0] for lane in lanes])
    recall = np.stack([np.where(labels > 0, lane[1] / np.maximum(labels, 1), np.nan) for lane in lanes])
    counts = Counts(*(run_totals(weights, runs) for runs in (model.hit, model.false, model.missed)))
    total = counts.total()
    rates = ("precision", "recall", "f1")
    chosen = [precision[[wanted in (None, one) for one in model.thresholds]] for wanted in PRECISIONS.values()]
    means = [*chosen, recall]
    return Numbers(
        np.array([*(_mean(values) for values in means), *(getattr(total, name)[0] for name in rates)]),
        np.stack([*(_means(values) for values in means), *(getattr(counts, name) for name in rates)]),
    )


def _mean(values: FloatArray) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else np.nan


def _means(values: FloatArray) -> FloatArray:
    """Mean over the lanes per category; a category is defined in all of them or in none."""
    return values.mean(0) if len(values) else np.full(values.shape[1], np.nan)


def replicates(models: Sequence[Weighable], unit: RowArray, resamples: int, seed: int) -> list[Replicates]:
    """Every model's numbers on the same random halves of the data, both halves of each cut one after the other.

    unit: what is drawn, per image: its own row, or its cluster's; 0, 1, 2 … resamples: halves, rounded down to an even
    number.
    """
    rows = _drawn(models, unit, resamples, seed, lambda numbers: numbers)
    return [
        Replicates(np.stack([row[place].overall for row in rows]), np.stack([row[place].category for row in rows]))
        for place in range(len(models))
    ]


def overall_replicates(models: Sequence[Weighable], unit: RowArray, resamples: int, seed: int) -> list[FloatArray]:
    """As `replicates` on the same halves, the overall numbers alone: float64[resamples, metrics] of every model."""
    rows = _drawn(models, unit, resamples, seed, lambda numbers: numbers.overall)
    return [np.stack([row[place] for row in rows]) for place in range(len(models))]


def _drawn(
    models: Sequence[Weighable], unit: RowArray, resamples: int, seed: int, kept: Callable[[Numbers], Kept]
) -> list[list[Kept]]:
    """What is kept of every model's numbers, per half."""

    def numbers(half: npt.NDArray[np.int32]) -> list[Kept]:
        return [kept(weighted_numbers(model, half)) for model in models]

    return on_halves(unit, resamples, seed, numbers)


def on_halves(
    unit: RowArray, resamples: int, seed: int, numbers: Callable[[npt.NDArray[np.int32]], Kept]
) -> list[Kept]:
    """What a function of weights per image gives on every half; unit, resamples and seed as in `replicates`."""
    units = int(unit.max(initial=-1)) + 1

    def cut_in_two(cut: int) -> list[Kept]:
        return [numbers(half) for half in half_weights(seed, cut, unit, units)]

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return [half for cut in threads.map(cut_in_two, range(resamples // 2)) for half in cut]
