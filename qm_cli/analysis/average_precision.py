"""Average precision and recall, COCO convention (reference: pycocotools 2.0.11 `accumulate`).

Precision changes only at true positives, so everything is computed there: the k-th true positive of a category has
precision k / rank, its rank counted among the predictions that are not ignored.
"""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.summary_numbers import SummaryNumber
from qm_cli.matching import Matches, within_max_detections
from qm_cli.overlap import prediction_areas
from qm_cli.settings import RECALL_GRID, Settings
from qm_cli.tables import Tables

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.integer]
BLOCK_VALUES = 1 << 19


class AveragePrecision(Struct, frozen=True):
    """Interpolated curves; NaN where a category has no label that counts.

    precision, score: float64[lanes, 101, categories] at the largest max detections, on the recall grid 0, .01 … 1.
    recall: float64[max detections, lanes, categories]. threshold, area: the lanes.
    """

    precision: FloatArray
    score: FloatArray
    recall: FloatArray
    threshold: FloatArray
    area: IntArray


class _Ranking(Struct, frozen=True):
    """What all lanes share: the candidates in global score order and how many predictions stand before each.

    candidate: index into `Matches.row`, int64[n]; category: int[n]; before: non-ignored unmatched predictions at or
    before each, per area range, int64[areas, n]; inside: whether its area lies in the range, bool[areas, n].
    """

    candidate: IntArray
    category: IntArray
    score: FloatArray
    place: IntArray
    before: npt.NDArray[np.int64]
    inside: npt.NDArray[np.bool_]


def average_precision(
    tables: Tables, matches: Matches, settings: Settings, excused: npt.NDArray[np.bool_] | None = None
) -> AveragePrecision:
    """Precision on the recall grid and the last recall, for every lane and category.

    excused: predictions that are ignored when they match nothing, bool[predictions]; none by default.
    """
    ranking = _ranking(tables, matches, settings, excused)
    positives = _positives(tables, matches)
    top_score = _top_scores(tables, matches)
    lanes, categories = len(matches.threshold), tables.count("category")
    precision = np.full((lanes, len(RECALL_GRID), categories), np.nan)
    score = np.full_like(precision, np.nan)
    recall = np.full((len(settings.max_detections), lanes, categories), np.nan)

    def fill(block: IntArray) -> None:
        counts = positives[matches.area[block[0]]]
        curves = _curves(matches, ranking, block, categories)
        precision[block], score[block] = _on_grid(curves, counts, top_score)
        recall[:, block] = _recalls(curves, counts, settings.max_detections)

    blocks = _lane_blocks(matches.area, len(ranking.candidate)) if categories else []
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        list(threads.map(fill, blocks))
    return AveragePrecision(precision, score, recall, matches.threshold, matches.area)


def summary_values(curves: AveragePrecision, number: SummaryNumber, settings: Settings) -> FloatArray:
    """The part of the precision or recall array a number is the mean of; the category axis is the last."""
    area = [limits.name for limits in settings.area_ranges].index(number.area)
    thresholds = settings.iou_thresholds if number.threshold is None else (number.threshold,)
    lanes = [
        lane for lane in range(len(curves.area)) if curves.area[lane] == area and curves.threshold[lane] in thresholds
    ]
    if number.kind == "precision":
        return curves.precision[lanes]
    recall: FloatArray = curves.recall[settings.max_detections.index(number.limit)][lanes]
    return recall


def category_means(values: FloatArray) -> FloatArray:
    """Mean over thresholds and recall grid per category; NaN where the category has no label: float64[categories]."""
    flat = values.reshape(math.prod(values.shape[:-1]), values.shape[-1])
    undefined = np.isnan(flat).all(0)
    means = np.where(undefined, 0.0, flat).mean(0) if len(flat) else np.full(values.shape[-1], np.nan)
    return np.where(undefined, np.nan, means)


def _lane_blocks(area: IntArray, candidates: int) -> list[npt.NDArray[np.int64]]:
    """Lanes of one area range that are computed together, as many as keep the arrays of a block small."""
    size = max(BLOCK_VALUES // max(candidates, 1), 1)
    lanes = [np.flatnonzero(area == value) for value in sorted(set(area.tolist()))]
    return [own[start : start + size] for own in lanes for start in range(0, len(own), size)]


def _ranking(tables: Tables, matches: Matches, settings: Settings, excused: npt.NDArray[np.bool_] | None) -> _Ranking:
    kept = within_max_detections(tables, matches.order, max(settings.max_detections))
    order = matches.order if kept is None else matches.order[kept[matches.order]]
    number = np.full(len(matches.order), -1, np.int32)
    number[matches.row] = np.arange(len(matches.row))
    ordered = number[order]
    position = np.flatnonzero(ordered >= 0)
    candidate = ordered[position]
    rows = matches.row[candidate]
    category = tables.values("prediction", "category_row")
    counts = np.bincount(category if kept is None else category[kept], minlength=tables.count("category"))
    first = np.cumsum(counts) - counts
    area = prediction_areas(tables)[order]
    before, inside = [], []
    for limits in settings.area_ranges:
        in_range = (area >= limits.low) & (area <= limits.high)
        if excused is not None:
            in_range &= ~excused[order]
        total = np.append(0, np.cumsum(in_range))
        before.append(total[position + 1] - total[first[category[rows]]])
        inside.append(in_range[position])
    score = tables.values("prediction", "score")[rows]
    return _Ranking(candidate, category[rows], score, matches.place[candidate], np.stack(before), np.stack(inside))


def _positives(tables: Tables, matches: Matches) -> npt.NDArray[np.int64]:
    """Labels that count, per area range and category: int64[areas, categories]."""
    category = tables.values("label", "category_row")
    return np.stack(
        [np.bincount(category[~ignored], minlength=tables.count("category")) for ignored in matches.ignored]
    )


def _top_scores(tables: Tables, matches: Matches) -> FloatArray:
    """Highest score of each category, 0 where it has no prediction: float64[categories]."""
    top = np.zeros(tables.count("category"))
    category = tables.values("prediction", "category_row")[matches.order]
    first = np.flatnonzero(np.append(True, category[1:] != category[:-1])) if len(category) else np.zeros(0, np.int64)
    top[category[first]] = tables.values("prediction", "score")[matches.order[first]]
    return top


class _Curves(Struct, frozen=True):
    """True positives of a block of lanes by group (lane in the block × categories + category) and rank.

    start: int64[groups + 1]; group, precision after each, score, place in its image and category: [true positives].
    """

    start: npt.NDArray[np.int64]
    group: IntArray
    precision: FloatArray
    score: FloatArray
    place: IntArray


def _curves(matches: Matches, ranking: _Ranking, block: IntArray, categories: int) -> _Curves:
    """Ranks of the true positives among the predictions that are not ignored, and the precision there."""
    area, groups = matches.area[block[0]], len(block) * categories
    label = matches.label[block[0] : block[-1] + 1].take(ranking.candidate, axis=1)
    matched = label >= 0
    lane = np.repeat(np.arange(len(block)), np.count_nonzero(matched, axis=1))
    place = np.flatnonzero(matched)
    hit = place - lane * len(ranking.candidate)
    true = ~matches.ignored[area].take(label.ravel().take(place))
    group = lane * categories + ranking.category.take(hit)
    change = true.view(np.int8) - ranking.inside[area].take(hit).view(np.int8)
    rank = ranking.before[area].take(hit) + _running(change, group, groups)
    hit, rank, group = hit[true], rank[true], group[true]
    starts = np.searchsorted(group, np.arange(groups + 1))
    found = np.arange(1, len(hit) + 1) - starts.take(group)
    precision = found / (rank + np.spacing(1))
    return _Curves(starts, group, precision, ranking.score.take(hit), ranking.place.take(hit))


def _running(values: npt.NDArray[np.int8], group: IntArray, groups: int) -> npt.NDArray[np.int64]:
    """Cumulative sum that starts anew at each group."""
    total = np.append(0, np.cumsum(values, dtype=np.int64))
    running: npt.NDArray[np.int64] = total[1:] - total[np.searchsorted(group, np.arange(groups))].take(group)
    return running


def recall_steps(counts: npt.NDArray[np.int64], grid: FloatArray = RECALL_GRID) -> npt.NDArray[np.int64]:
    """0-based true positive at which k / count reaches each grid point, for exact floats: int64[categories, points]."""
    positive = np.maximum(counts, 1)[:, None]
    k = np.ceil(grid * positive).astype(np.int64)
    k -= (k > 1) & ((k - 1) / positive >= grid)
    k += k / positive < grid
    return np.maximum(k, 1) - 1


def _on_grid(curves: _Curves, counts: npt.NDArray[np.int64], top_score: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Envelope precision and score at each recall of the grid: float64[lanes, 101, categories] each.

    The envelope at a grid point is the largest precision of the stretches from there on; a stretch reaches to the next
    grid point of the category, and one that is cut short repeats in the next.
    """
    lanes = (len(curves.start) - 1) // len(counts)
    shape = (lanes, len(counts), len(RECALL_GRID))
    found = np.diff(curves.start).reshape(*shape[:2], 1)
    steps = recall_steps(counts)
    reached = steps < found
    place = curves.start[:-1].reshape(*shape[:2], 1) + np.minimum(steps, np.maximum(found - 1, 0))
    stretches = np.maximum.reduceat(np.append(curves.precision, 0.0), place.ravel()).reshape(shape)
    envelope = np.maximum.accumulate(stretches[..., ::-1], axis=-1)[..., ::-1]
    precision = np.where(reached, envelope, 0.0)
    score = np.where(reached, np.append(curves.score, 0.0)[place], 0.0)
    score[..., 0] = top_score
    precision[:, counts == 0] = np.nan
    score[:, counts == 0] = np.nan
    return precision.transpose(0, 2, 1), score.transpose(0, 2, 1)


def _recalls(curves: _Curves, counts: npt.NDArray[np.int64], limits: tuple[int, ...]) -> FloatArray:
    """Share of the labels found among the best 1, 10 … detections of each image: float64[limits, lanes, categories]."""
    groups = len(curves.start) - 1
    found = np.stack([np.bincount(curves.group[curves.place < limit], minlength=groups) for limit in limits])
    found = found.reshape(len(limits), -1, len(counts))
    return np.where(counts > 0, found / np.maximum(counts, 1), np.nan)
