"""Nearest neighbours by cosine distance: found by faiss, their distances in float64, ties by row.

Equal vectors are searched once. Up to EXACT_UP_TO different ones the search is exact; beyond, only the lists around a
vector's own are searched (`nearest_search`), and how many of the true nearest that finds is measured on a sample.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.kernels.equal_rows import distinct
from qm_cli.kernels.nearest_search import nearest_points, points_of
from qm_cli.kernels.segments import expand, place_in_run

Vectors = npt.NDArray[np.float32]
FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]

EXACT_UP_TO = 50_000
ROWS_AT_ONCE = 1 << 12


class Neighbours(Struct, frozen=True):
    """The nearest other rows of each row, nearest first.

    row: int64[n, k], −1 where there are fewer. distance: float64[n, k], 1 − cosine, 0..2, NaN there.
    recall: share of the true nearest neighbours found, measured; 1 where the search was exact.
    """

    row: RowArray
    distance: FloatArray
    recall: float = 1.0


def nearest(vectors: Vectors, count: int, exact_up_to: int = EXACT_UP_TO) -> Neighbours:
    """The `count` nearest other rows of each row, by 1 − cosine; equally near ones by row.

    vectors: float32[n, d]; rows with NaN, or of length 0, have no neighbours and are nobody's.

    >>> found = nearest(np.array([[1, 0], [0, 1], [1, 0], [0, 3]], np.float32), 2)
    >>> found.row.tolist(), found.distance.tolist()
    ([[2, 1], [3, 0], [0, 1], [1, 0]], [[0.0, 1.0], [0.0, 1.0], [0.0, 1.0], [0.0, 1.0]])
    """
    known = directed(vectors)
    if len(known) < 2 or count == 0:
        return Neighbours(*_nobody(len(vectors), count))
    first, group = distinct(vectors, known)
    among = nearest_distinct(vectors, first, count, exact_up_to)
    if len(first) == len(vectors):
        return among
    row, distance = _nobody(len(vectors), count)
    members = _Members(np.bincount(group), np.argsort(group, kind="stable"))
    for begin in range(0, len(known), ROWS_AT_ONCE):
        rows = np.arange(begin, min(begin + ROWS_AT_ONCE, len(known)))
        found, distance[known[rows]] = _of_rows(rows, group[rows], among, members)
        row[known[rows]] = np.where(found >= 0, known[found], -1)
    return Neighbours(row, distance, among.recall)


def directed(vectors: Vectors) -> RowArray:
    """The rows that have a direction: all numbers finite, not all of them 0."""
    if vectors.shape[1] == 0:
        return np.zeros(0, np.int64)
    lengths = np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64)
    return np.flatnonzero(np.isfinite(lengths) & (lengths > 0))


def nearest_distinct(
    vectors: Vectors, rows: RowArray, count: int, exact_up_to: int = EXACT_UP_TO, asking: RowArray | None = None
) -> Neighbours:
    """As `nearest`, for rows that all have a direction and of which no two are equal; neighbours by place in `rows`.

    asking: the places whose neighbours are looked for, ascending; all by default.
    """
    places = np.arange(len(rows)) if asking is None else asking
    return Neighbours(*nearest_points(points_of(vectors, rows), places, count, exact_up_to))


def _nobody(rows: int, count: int) -> tuple[RowArray, FloatArray]:
    return np.full((rows, count), -1), np.full((rows, count), np.nan)


class _Members(NamedTuple):
    """How many rows have each different vector, and the rows by vector."""

    sizes: RowArray
    rows: RowArray


def _of_rows(rows: RowArray, group: RowArray, among: Neighbours, members: _Members) -> tuple[RowArray, FloatArray]:
    """Neighbours among different vectors → of some rows among all: every row that has a vector stands for it.

    group: which of the different vectors each row is.
    """
    count = among.row.shape[1]
    groups = np.column_stack([group, among.row[group]])
    distance = np.column_stack([np.zeros(len(group)), among.distance[group]])
    asking, column = np.nonzero(groups >= 0)
    named = groups[asking, column]
    starts = np.cumsum(members.sizes) - members.sizes
    taken = np.minimum(members.sizes[named], count + 1)
    row = members.rows[expand(starts[named], taken)]
    asking, near = np.repeat(asking, taken), np.repeat(distance[asking, column], taken)
    other = row != rows[asking]
    asking, row, near = asking[other], row[other], near[other]
    order = np.lexsort((row, near, asking))
    asking, row, near = asking[order], row[order], near[order]
    place = place_in_run(asking)
    kept = place < count
    found, away = _nobody(len(rows), count)
    found[asking[kept], place[kept]], away[asking[kept], place[kept]] = row[kept], near[kept]
    return found, away
