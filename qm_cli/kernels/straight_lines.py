"""Precision–recall curves whose points are joined by straight lines, of all groups at once.

A group is a category, or a category in one lane. The lines are those of `numpy.interp`, bit by bit: from the last point
at or before a place to the next one.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]


def area_under_lines(
    rank: RowArray, start: RowArray, total: RowArray, labels: RowArray, recalls: FloatArray
) -> FloatArray:
    """Area under the precision envelope from (0, 1) to (1, 0), at recalls joined by straight lines: float64[groups].

    rank: place, from 1, of each true positive among its group's predictions, by group; start: where each group begins,
    int64[groups + 1]; total: predictions of each group; labels: labels of each. recalls: ascending, from 0 to 1.
    NaN without labels, 0 without predictions. Precision changes at true positives alone, so no other point is needed.

    >>> two = np.array([0, 1])
    >>> area_under_lines(np.array([1]), two, np.array([1]), np.array([2]), np.linspace(0, 1, 101)).round(9).tolist()
    [0.75]
    """
    counts = np.diff(start)
    within = recalls[:-1]
    group = np.repeat(np.arange(len(total)), counts + 1)
    first = start[:-1] + np.arange(len(total))
    found = np.arange(len(group)) - first[group]
    positives = np.maximum(labels, 1)
    slope, left, before = _lines(_closed(rank, start, total), found, counts[group], positives[group])
    place = first[:, None] + np.minimum(_reached(within, positives[:, None]), counts[:, None])
    values = np.zeros((len(labels), len(recalls)))
    values[:, :-1] = slope.take(place) * (within - left.take(place)) + before.take(place)
    area: FloatArray = np.where(total > 0, np.trapezoid(values, recalls), 0.0)
    return np.where(labels > 0, area, np.nan)


def _closed(rank: RowArray, start: RowArray, total: RowArray) -> RowArray:
    """Rank of each true positive; each group is closed by the rank after its last prediction."""
    ranks = np.empty(len(rank) + len(total), np.int64)
    ranks[start[1:] + np.arange(len(total))] = total + 1
    ranks[np.arange(len(rank)) + np.repeat(np.arange(len(total)), np.diff(start))] = rank
    return ranks


def _lines(ranks: RowArray, found: RowArray, hits: RowArray, positives: RowArray) -> tuple[FloatArray, ...]:
    """Slope, recall and precision at the left end of the line to each true positive, or to (1, 0): float64 each.

    found: true positives before each; hits, positives: true positives and labels of its group.
    """
    last = found == hits
    after = _highest_to_the_end(np.where(last, 0.0, (found + 1) / ranks), hits - found)
    passed = ranks - 1
    before = np.maximum(np.where(passed > 0, found / np.maximum(passed, 1), 1.0), after)
    left = found / positives
    span = np.where(last, 1.0, (found + 1) / positives) - left
    return np.where(span > 0, (after - before) / np.where(span > 0, span, 1.0), 0.0), left, before


def _highest_to_the_end(values: FloatArray, left: RowArray) -> FloatArray:
    """The largest value from each place to the last of its run; left: how many of the run follow: float64[n]."""
    highest, step = values.copy(), 1
    longest = int(left.max(initial=0))
    while step <= longest:
        ahead = np.where(left[:-step] >= step, highest[step:], 0.0)
        highest[:-step] = np.maximum(highest[:-step], ahead)
        step *= 2
    return highest


def _reached(recalls: FloatArray, positives: RowArray) -> RowArray:
    """How many true positives the recalls hold, compared as exact floats: int64[groups, recalls]."""
    found = (recalls * positives).astype(np.int64)
    found += (found + 1) / positives <= recalls
    found -= found / positives > recalls
    return found


def places_of(score: FloatArray, start: RowArray, confidences: FloatArray) -> RowArray:
    """How many predictions reach each confidence, and all of the groups before: int64[groups, confidences].

    score: falling in each group; start: where each group begins, int64[groups + 1].
    """
    parts = [
        begin + np.searchsorted(-score[begin:end], -confidences, side="right")
        for begin, end in pairwise(start.tolist())
    ]
    return np.array(parts, np.int64).reshape(len(parts), len(confidences))


def rates_at(
    hit: npt.NDArray[np.bool_],
    score: FloatArray,
    start: RowArray,
    places: RowArray,
    labels: RowArray,
    confidences: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Precision and recall of each group at confidences, on straight lines between predictions: float64 of `places`.

    hit: whether each prediction is a true positive; score: falling in each group; start: where each group begins;
    places: as `places_of` gives. Above the first prediction precision is 1 and recall 0, from the last one on both
    stay; without predictions both are 0, without labels NaN.
    """
    counts = np.diff(start)
    group = np.repeat(np.arange(len(counts)), counts + 1)
    rank = np.arange(len(group)) - (start[:-1] + np.arange(len(counts)))[group]
    own = np.flatnonzero(rank)
    scores, found = np.zeros(len(group)), np.zeros(len(group), np.int64)
    scores[own] = -score
    cumulated = np.append(0, np.cumsum(hit))
    found[own] = cumulated[1:] - np.repeat(cumulated.take(start[:-1]), counts)
    between = np.flatnonzero((rank > 0) & (rank < counts[group]))
    between = between[scores[between + 1] > scores[between]]
    line = places + np.arange(len(counts))[:, None]
    run = -confidences - scores.take(line)
    nothing = np.where(labels > 0, 0.0, np.nan)[:, None]
    first = np.where(counts > 0, 1.0, 0.0)[group]
    precision = np.where(rank > 0, found / np.maximum(rank, 1), first)
    recall = found / np.maximum(labels, 1)[group]
    rates = []
    for values in (precision, recall):
        slope = np.zeros(len(group))
        slope[between] = (values[between + 1] - values[between]) / (scores[between + 1] - scores[between])
        rates.append(slope.take(line) * run + values.take(line) + nothing)
    return rates[0], rates[1]
