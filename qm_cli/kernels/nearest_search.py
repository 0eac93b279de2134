"""The nearest of many vectors by cosine distance, a block of them at a time: no vector is held twice.

Few vectors are compared all with all. Many are put into lists by k-means, and the vectors of a list are compared with
those of the lists around it, as many as hold the wanted share of a sample's true neighbours.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.kernels.segments import expand

Vectors = npt.NDArray[np.float32]
FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]

SPARE = 8
"""Candidates beyond those wanted, since single precision may order them otherwise."""
CLOSE = 2e-6
"""What single precision cannot tell."""
VALUES_AT_ONCE = 1 << 20
QUERIES_AT_ONCE = 2048
OTHERS_AT_ONCE = 1 << 12
RECALL_ROWS = 1000
RECALL_WANTED = 0.99
MOST_LISTS_PROBED = 256
TRAINED_PER_LIST = 50
TRAINING_ROUNDS = 10


class Near(NamedTuple):
    """place: int64[n, k], −1 where there are fewer; distance: float64[n, k], NaN there. recall: see `Lists`."""

    place: RowArray
    distance: FloatArray
    recall: float


class Points(Struct, frozen=True):
    """Some rows of a matrix of vectors, all with a direction, no two equal; a place is one's number among them."""

    vectors: Vectors
    rows: RowArray
    lengths: FloatArray

    def __len__(self) -> int:
        return len(self.rows)

    def single(self, places: RowArray | slice) -> Vectors:
        """Vectors of length 1 in single precision: float32[n, d]. Divided by the root of their length twice, as a
        length may be beyond single precision."""
        single: Vectors = self.vectors[self.rows[places]]
        root = np.sqrt(self.lengths[places, None]).astype(np.float32)
        single /= root
        single /= root
        return single

    def double(self, places: RowArray | slice) -> FloatArray:
        """Vectors as they are, in double precision: float64[n, d]."""
        return self.vectors[self.rows[places]].astype(np.float64)


class Lists(NamedTuple):
    """Places by list, where each list begins, which lists are looked into for each, and what share that finds."""

    members: RowArray
    offsets: RowArray
    around: RowArray
    recall: float


def points_of(vectors: Vectors, rows: RowArray) -> Points:
    """The vectors of some rows, measured."""
    lengths = np.empty(len(rows))
    step = max(VALUES_AT_ONCE // max(vectors.shape[1], 1), 1)
    for first in range(0, len(rows), step):
        wide = vectors[rows[first : first + step]].astype(np.float64)
        lengths[first : first + step] = np.sqrt(np.einsum("nd,nd->n", wide, wide))
    return Points(vectors, rows, lengths)


def nearest_points(points: Points, asking: RowArray, count: int, exact_up_to: int) -> Near:
    """The `count` nearest other points of each that is asking, by their distance in float64, then place.

    asking: int64[n], ascending places; a row of the result each.
    """
    place, distance = np.full((len(asking), count), -1), np.full((len(asking), count), np.nan)

    def fill(queries: RowArray, others: RowArray | None = None) -> None:
        rows = np.searchsorted(asking, queries)
        place[rows], distance[rows] = _ranked(points, queries, others, count)

    with ThreadPoolExecutor(os.cpu_count(), initializer=_one_thread) as pool:
        if len(points) <= exact_up_to:
            recall = 1.0
            done = pool.map(fill, _parts(asking, QUERIES_AT_ONCE))
        else:
            lists = _lists(points, count, pool)
            recall, asks = lists.recall, np.zeros(len(points), bool)
            asks[asking] = True
            done = pool.map(lambda number: _fill_list(lists, number, asks, fill), range(len(lists.around)))
        for _ in done:
            pass
    return Near(place, distance, recall)


def _lists(points: Points, count: int, pool: ThreadPoolExecutor) -> Lists:
    """As many lists as twice the root of all; around each as many as find the wanted share of a sample's neighbours."""
    random = np.random.default_rng(0)
    number = int(np.sqrt(len(points)) * 2)
    trained_on = np.sort(random.permutation(len(points))[: number * TRAINED_PER_LIST])
    centres = pool.submit(lambda: _trained(points.single(trained_on), number)).result()
    parts = _parts(np.arange(len(points)), OTHERS_AT_ONCE)
    list_of = np.concatenate(list(pool.map(lambda part: _best(points.single(part), centres, 1)[1][:, 0], parts)))
    _, around = _best(centres, centres, min(MOST_LISTS_PROBED, number))
    sample = np.sort(random.permutation(len(points))[:RECALL_ROWS])
    true = pool.map(lambda part: _ranked(points, part, None, count)[0], _parts(sample, QUERIES_AT_ONCE // 8))
    enough, recall = _lists_enough(around[list_of[sample]], list_of[np.concatenate(list(true))])
    offsets = np.append(0, np.cumsum(np.bincount(list_of, minlength=number)))
    return Lists(np.argsort(list_of, kind="stable"), offsets, around[:, :enough], recall)


def _trained(sample: Vectors, number: int) -> Vectors:
    """The centres of k-means over directions: float32[number, d]; for one thread, so that they are always the same."""
    import faiss

    means = faiss.Kmeans(sample.shape[1], number, niter=TRAINING_ROUNDS, spherical=True)
    means.train(sample)
    return np.asarray(means.centroids, np.float32)


def _lists_enough(around: RowArray, wanted: RowArray) -> tuple[int, float]:
    """How many lists must be looked into to find the wanted share, and the share they find.

    around: int64[n, lists], those nearest to each of n vectors; wanted: int64[n, k], the lists of its true neighbours.
    """
    first = np.array([np.count_nonzero(around[:, place, None] == wanted) for place in range(around.shape[1])])
    recall = np.cumsum(first) / wanted.size
    enough = min(int(np.searchsorted(recall, RECALL_WANTED)) + 1, len(recall))
    return enough, float(recall[enough - 1])


def _fill_list(
    lists: Lists, number: int, asks: npt.NDArray[np.bool_], fill: Callable[[RowArray, RowArray], None]
) -> None:
    """Look up the members of one list that ask among those of the lists around it."""
    around = lists.around[number]
    starts = lists.offsets[around]
    others = lists.members[expand(starts, lists.offsets[around + 1] - starts)]
    own = lists.members[lists.offsets[number] : lists.offsets[number + 1]]
    for queries in _parts(own[asks[own]], QUERIES_AT_ONCE):
        fill(queries, others)


def _ranked(points: Points, queries: RowArray, others: RowArray | None, count: int) -> tuple[RowArray, FloatArray]:
    """The nearest among others (None: all), by distance and place; where more might be as near, all are asked."""
    similarity, candidates = _candidates(points, queries, others, min(count + 1 + SPARE, len(points)))
    real = (candidates >= 0) & (candidates != queries[:, None])
    distance = np.where(real, _distances(points, queries, candidates), np.inf)
    order = np.lexsort((candidates, distance), axis=1)[:, :count]
    place, distance = np.take_along_axis(candidates, order, 1), np.take_along_axis(distance, order, 1)
    if others is None and candidates.shape[1] < len(points):
        beyond = 1 - similarity[:, -1].astype(np.float64)
        for row in np.flatnonzero(beyond <= distance[:, -1] + CLOSE).tolist():
            place[row], distance[row] = _from_all(points, int(queries[row]), count)
    place = np.where(np.isfinite(distance), place, -1)
    distance[place < 0] = np.nan
    missing = ((0, 0), (0, count - place.shape[1]))
    return np.pad(place, missing, constant_values=-1), np.pad(distance, missing, constant_values=np.nan)


def _candidates(points: Points, queries: RowArray, others: RowArray | None, wanted: int) -> tuple[Vectors, RowArray]:
    """The most similar others in single precision, best first: float32[n, wanted], int64[n, wanted], −1 for none."""
    asked = points.single(queries)
    similarity = np.full((len(queries), wanted), -np.inf, np.float32)
    candidates = np.full((len(queries), wanted), -1)
    for part in _parts(np.arange(len(points)) if others is None else others, OTHERS_AT_ONCE):
        closeness, near = _best(asked, points.single(part), min(wanted, len(part)))
        closeness, near = np.hstack([similarity, closeness]), np.hstack([candidates, part[near]])
        best = np.argsort(-closeness, axis=1, kind="stable")[:, :wanted]
        similarity, candidates = np.take_along_axis(closeness, best, 1), np.take_along_axis(near, best, 1)
    return similarity, candidates


def _best(queries: Vectors, others: Vectors, count: int) -> tuple[Vectors, RowArray]:
    """The largest scalar products of each query, and with which of the others: float32[n, count], int64[n, count]."""
    import faiss

    similarity, place = faiss.knn(queries, others, count, faiss.METRIC_INNER_PRODUCT)
    return similarity, place


def _distances(points: Points, queries: RowArray, candidates: RowArray) -> FloatArray:
    """1 − cosine in float64, of each query to its candidates; some at a time."""
    result = np.empty(candidates.shape)
    step = max(VALUES_AT_ONCE // (candidates.shape[1] * points.vectors.shape[1]), 1)
    for first in range(0, len(candidates), step):
        part = slice(first, first + step)
        near = candidates[part]
        products = np.einsum("nd,nkd->nk", points.double(queries[part]), points.double(near))
        result[part] = products / (points.lengths[queries[part], None] * points.lengths[near])
    return np.maximum(1 - result, 0.0)


def _from_all(points: Points, own: int, count: int) -> tuple[RowArray, FloatArray]:
    """The nearest of one point among all, in float64."""
    query = points.double(slice(own, own + 1))[0]
    products = np.empty(len(points))
    for part in _parts(np.arange(len(points)), OTHERS_AT_ONCE):
        products[part] = np.einsum("nd,d->n", points.double(part), query)
    distance = np.maximum(1 - products / (points.lengths * points.lengths[own]), 0.0)
    distance[own] = np.inf
    near = np.flatnonzero(distance <= np.partition(distance, count - 1)[count - 1])
    near = near[np.lexsort((near, distance[near]))][:count]
    return near, distance[near]


def _parts(places: RowArray, size: int) -> list[RowArray]:
    return [places[first : first + size] for first in range(0, len(places), size)]


def _one_thread() -> None:
    """Calls of this thread take no further cores: there is a thread for each."""
    import faiss

    faiss.omp_set_num_threads(1)
