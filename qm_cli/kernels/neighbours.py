"""Nearest neighbours by cosine distance: found by faiss, their distances in float64, ties by row.

Equal vectors are searched once. Up to EXACT_UP_TO different ones the search is exact; beyond, an inverted file is
searched, and how many of the true nearest it finds is measured on a sample.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.segments import expand, place_in_run

Vectors = npt.NDArray[np.float32]
FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]

EXACT_UP_TO = 50_000
SPARE = 8
CLOSE = 2e-6
VALUES_AT_ONCE = 1 << 22
RECALL_ROWS = 1000
RECALL_WANTED = 0.99
MOST_LISTS_PROBED = 256
TRAINED_PER_LIST = 50
QUERIES_AT_ONCE = 4096


@dataclass(frozen=True)
class Neighbours:
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
    row, distance = np.full((len(vectors), count), -1), np.full((len(vectors), count), np.nan)
    if len(known) < 2 or count == 0:
        return Neighbours(row, distance)
    first, group = distinct(vectors[known])
    among = nearest_distinct(vectors[known][first], count, exact_up_to)
    found = _members(among, first, group, count)
    row[known] = np.where(found.row >= 0, known[found.row], -1)
    distance[known] = found.distance
    return Neighbours(row, distance, among.recall)


def directed(vectors: Vectors) -> RowArray:
    """The rows that have a direction: all numbers finite, not all of them 0."""
    if vectors.shape[1] == 0:
        return np.zeros(0, np.int64)
    lengths = np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64)
    return np.flatnonzero(np.isfinite(lengths) & (lengths > 0))


def distinct(vectors: Vectors) -> tuple[RowArray, RowArray]:
    """The first row of each different vector, ascending, and which of them each row is: int64[m], int64[n].

    >>> [one.tolist() for one in distinct(np.array([[2], [1], [2]], np.float32))]
    [[0, 1], [0, 1, 0]]
    """
    whole = np.ascontiguousarray(vectors + np.float32(0))
    words = whole.view(np.dtype((np.void, whole.shape[1] * whole.itemsize)))[:, 0]
    _, first, group = np.unique(words, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return first[order].astype(np.int64), place[group]


def nearest_distinct(vectors: Vectors, count: int, exact_up_to: int = EXACT_UP_TO) -> Neighbours:
    """As `nearest`, for vectors that all have a direction and of which no two are equal."""
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
    single = vectors / lengths[:, None].astype(np.float32)
    wanted = min(count + 1 + SPARE, len(vectors))
    if len(vectors) <= exact_up_to:
        index, recall = _flat(single), 1.0
    else:
        index, recall = _inverted(single, min(count + 1, wanted))
    similarity, candidates = _searched(index, single, wanted)
    return _ranked(vectors, lengths, similarity, candidates, count, recall)


def _flat(vectors: Vectors) -> Any:
    import faiss

    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return index


def _inverted(vectors: Vectors, count: int) -> tuple[Any, float]:
    """An index that looks into a part of its lists, as many as the wanted recall takes on a sample; and the recall."""
    import faiss

    lists = int(np.sqrt(len(vectors)) * 2)
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(vectors.shape[1]), vectors.shape[1], lists, faiss.METRIC_INNER_PRODUCT)
    random = np.random.default_rng(0)
    index.train(vectors[np.sort(random.permutation(len(vectors))[: lists * TRAINED_PER_LIST])])
    index.add(vectors)
    faiss.omp_set_num_threads(threads)
    sample = np.sort(random.permutation(len(vectors))[:RECALL_ROWS])
    _, true = _searched(_flat(vectors), vectors[sample], count)
    index.nprobe, recall = 2, 0.0
    while recall < RECALL_WANTED and index.nprobe < min(MOST_LISTS_PROBED, lists):
        index.nprobe *= 2
        _, found = _searched(index, vectors[sample], count)
        recall = float(np.mean([len(np.intersect1d(*pair)) for pair in zip(true, found, strict=True)]) / count)
    return index, recall


def _searched(index: Any, queries: Vectors, count: int) -> tuple[npt.NDArray[np.float32], RowArray]:
    """Similarities and rows of the nearest, blocks of queries on all cores."""
    starts = range(0, len(queries), QUERIES_AT_ONCE)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        parts = list(pool.map(lambda first: index.search(queries[first : first + QUERIES_AT_ONCE], count), starts))
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _ranked(
    vectors: Vectors,
    lengths: FloatArray,
    similarity: npt.NDArray[np.float32],
    candidates: RowArray,
    count: int,
    recall: float,
) -> Neighbours:
    """Candidates by their distance in float64, then row. Where more might be as near as the last one, all are asked."""
    own = np.arange(len(vectors))
    others = (candidates >= 0) & (candidates != own[:, None])
    distance = np.where(others, _distances(vectors, lengths, candidates), np.inf)
    order = np.lexsort((candidates, distance), axis=1)[:, :count]
    row, distance = np.take_along_axis(candidates, order, 1), np.take_along_axis(distance, order, 1)
    if recall == 1.0 and candidates.shape[1] < len(vectors):
        beyond = 1 - similarity[:, -1].astype(np.float64)
        unsure = np.flatnonzero(beyond <= distance[:, -1] + CLOSE)
        wide = vectors.astype(np.float64) if len(unsure) else np.zeros((0, 0))
        for place in unsure.tolist():
            row[place], distance[place] = _from_all(wide, lengths, place, count)
    row = np.where(np.isfinite(distance), row, -1)
    distance[row < 0] = np.nan
    missing = ((0, 0), (0, count - row.shape[1]))
    return Neighbours(
        np.pad(row, missing, constant_values=-1), np.pad(distance, missing, constant_values=np.nan), recall
    )


def _distances(vectors: Vectors, lengths: FloatArray, candidates: RowArray) -> FloatArray:
    """1 − cosine in float64, of each row to its candidates; some rows at a time."""
    result = np.empty(candidates.shape)
    step = max(VALUES_AT_ONCE // (candidates.shape[1] * vectors.shape[1]), 1)
    for first in range(0, len(candidates), step):
        part = slice(first, first + step)
        near = candidates[part]
        products = np.einsum("nd,nkd->nk", vectors[part], vectors[near], dtype=np.float64)
        result[part] = products / (lengths[part, None] * lengths[near])
    return np.maximum(1 - result, 0.0)


def _from_all(wide: FloatArray, lengths: FloatArray, own: int, count: int) -> tuple[RowArray, FloatArray]:
    distance = np.maximum(1 - np.einsum("nd,d->n", wide, wide[own]) / (lengths * lengths[own]), 0.0)
    distance[own] = np.inf
    near = np.flatnonzero(distance <= np.partition(distance, count - 1)[count - 1])
    near = near[np.lexsort((near, distance[near]))][:count]
    return near, distance[near]


def _members(among: Neighbours, first: RowArray, group: RowArray, count: int) -> Neighbours:
    """Neighbours among different vectors → among all rows: every row that has the vector stands for it."""
    if len(first) == len(group):
        return among
    sizes = np.bincount(group)
    starts, members = np.cumsum(sizes) - sizes, np.argsort(group, kind="stable")
    groups = np.column_stack([np.arange(len(first)), among.row])
    distance = np.column_stack([np.zeros(len(first)), among.distance])
    owner, column = np.nonzero(groups >= 0)
    named = groups[owner, column]
    taken = np.minimum(sizes[named], count + 1)
    row = members[expand(starts[named], taken)]
    owner, near = np.repeat(owner, taken), np.repeat(distance[owner, column], taken)
    order = np.lexsort((row, near, owner))
    owner, row, near = owner[order], row[order], near[order]
    place = place_in_run(owner)
    listed = np.full((len(first), count + 1), -1)
    listed_distance = np.full((len(first), count + 1), np.nan)
    kept = place <= count
    listed[owner[kept], place[kept]], listed_distance[owner[kept], place[kept]] = row[kept], near[kept]
    rows, distances = listed[group], listed_distance[group]
    other = rows != np.arange(len(group))[:, None]
    order = np.argsort(~other, axis=1, kind="stable")[:, :count]
    return Neighbours(np.take_along_axis(rows, order, 1), np.take_along_axis(distances, order, 1), among.recall)
