"""Vectors that are there more than once, exactly or almost; and how far the others are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.components import joined
from qm_cli.kernels.neighbours import Neighbours, directed, distinct, nearest_distinct

Vectors = npt.NDArray[np.float32]
RowArray = npt.NDArray[np.int64]

FIRST_LOOK, FURTHER = 4, 8


def apart_from_copies(vectors: Vectors, copy_distance: float) -> Neighbours:
    """The nearest row that is no copy, and its distance; for a later copy the first one, at 0: row and distance [n].

    Rows nearer to each other than `copy_distance` are copies, also by way of others. A row that has none but copies is
    alone: row −1, distance 1. Rows without a direction: −1 and NaN.

    >>> found = apart_from_copies(np.array([[1, 0], [1, 0], [0.6, 0.8]], np.float32), 1e-5)
    >>> found.row.tolist(), found.distance.round(6).tolist()
    ([2, 0, 0], [0.4, 0.0, 0.4])
    """
    row, distance = np.full(len(vectors), -1), np.full(len(vectors), np.nan)
    known = directed(vectors)
    if len(known) == 0:
        return Neighbours(row, distance)
    first, group = distinct(vectors[known])
    root, near, away, recall = _among_distinct(vectors[known][first], copy_distance)
    original = known[first[root[group]]]
    later = original != known
    row[known] = np.where(later, original, np.where(near[group] >= 0, known[first[near[group]]], -1))
    distance[known] = np.where(later, 0.0, away[group])
    return Neighbours(row, distance, recall)


def _among_distinct(
    vectors: Vectors, copy_distance: float
) -> tuple[RowArray, RowArray, npt.NDArray[np.float64], float]:
    """Each row's original, its nearest that is no copy of it (−1: none) and how far that is (1: none); the recall."""
    count = FIRST_LOOK
    while True:
        found = nearest_distinct(vectors, min(count, len(vectors) - 1))
        one, place = np.nonzero(found.distance < copy_distance)
        root = joined(np.arange(len(vectors)), one, found.row[one, place])
        other = (found.row >= 0) & (root[found.row] != root[:, None])
        seen = other.any(axis=1) if other.shape[1] else np.zeros(len(vectors), bool)
        if seen.all() or count >= len(vectors) - 1:
            break
        count *= FURTHER
    near, away = np.full(len(vectors), -1), np.ones(len(vectors))
    if other.shape[1]:
        place = other.argmax(axis=1)
        rows = np.flatnonzero(seen)
        near[rows], away[rows] = found.row[rows, place[rows]], found.distance[rows, place[rows]]
    return root, near, away, found.recall
