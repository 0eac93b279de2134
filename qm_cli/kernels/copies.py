"""Vectors that are there more than once, exactly or almost; and how far the others are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.components import joined
from qm_cli.kernels.equal_rows import distinct
from qm_cli.kernels.neighbours import Neighbours, directed, nearest_distinct

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
    first, group = distinct(vectors, known)
    root, near, away, recall = _among_distinct(vectors, first, copy_distance)
    original = first[root[group]]
    later = original != known
    row[known] = np.where(later, original, np.where(near[group] >= 0, first[near[group]], -1))
    distance[known] = np.where(later, 0.0, away[group])
    return Neighbours(row, distance, recall)


def _among_distinct(
    vectors: Vectors, rows: RowArray, copy_distance: float
) -> tuple[RowArray, RowArray, npt.NDArray[np.float64], float]:
    """Each row's original, its nearest that is no copy of it (−1: none) and how far that is (1: none); the recall.

    All of them by place in `rows`. Those that have seen nothing but copies look again, further.
    """
    count, root, left = FIRST_LOOK, np.arange(len(rows)), np.arange(len(rows))
    near, away, recall = np.full(len(rows), -1), np.ones(len(rows)), 1.0
    looks = []
    while len(left):
        found = nearest_distinct(vectors, rows, min(count, len(rows) - 1), asking=left)
        looks.append((left, found))
        recall = min(recall, found.recall)
        one, place = np.nonzero(found.distance < copy_distance)
        root = joined(root, left[one], found.row[one, place])
        for asking, seen in looks:
            near[asking], away[asking] = _nearest_other(root, asking, seen)
        left = np.flatnonzero(near < 0) if count < len(rows) - 1 else left[:0]
        count *= FURTHER
    return root, near, away, recall


def _nearest_other(root: RowArray, rows: RowArray, found: Neighbours) -> tuple[RowArray, npt.NDArray[np.float64]]:
    """The first neighbour of each row that has another root and how far it is, −1 and 1 where there is none."""
    near, away = np.full(len(rows), -1), np.ones(len(rows))
    asking, place = np.nonzero((found.row >= 0) & (root[found.row] != root[rows, None]))
    asking, first = np.unique(asking, return_index=True)
    near[asking], away[asking] = found.row[asking, place[first]], found.distance[asking, place[first]]
    return near, away
