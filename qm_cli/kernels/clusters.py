"""k-means on one thread with a seed, and an order that takes from every cluster in turn."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.neighbours import directed

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]

CLUSTERS = 10
FITTED = 50_000
ROWS_AT_ONCE = 4096
ROUNDS = 100


def k_means(vectors: Vectors, clusters: int, seed: int) -> tuple[RowArray, FloatArray, RowArray]:
    """Cluster and squared distance to its centre of each row with a direction, and those rows: [k], [k], int64[k].

    scikit-learn's KMeans, k-means++ start, one start, at most 100 rounds, on one thread, so that the same seed gives
    the same clusters everywhere. Beyond 50,000 vectors the centres are those of a random 50,000 of them.
    """
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    known = directed(vectors)
    rows = vectors if len(known) == len(vectors) else vectors[known]
    if len(rows) == 0:
        return np.zeros(0, np.int64), np.zeros(0), known
    different = len(np.unique(rows, axis=0)) if len(rows) <= clusters * 100 else clusters
    fitted = rows
    if len(rows) > FITTED:
        fitted = rows[np.sort(np.random.default_rng(seed).permutation(len(rows))[:FITTED])]
    group, distance = np.empty(len(rows), np.int64), np.empty(len(rows))
    with threadpool_limits(1):
        model = KMeans(min(clusters, different), n_init=1, max_iter=ROUNDS, random_state=seed, copy_x=False)
        model.fit(fitted.astype(np.float64))
        for first in range(0, len(rows), ROWS_AT_ONCE):
            part = rows[first : first + ROWS_AT_ONCE].astype(np.float64)
            own = model.predict(part)
            apart = part - model.cluster_centers_[own]
            group[first : first + ROWS_AT_ONCE] = own
            distance[first : first + ROWS_AT_ONCE] = np.einsum("nd,nd->n", apart, apart)
    return group, distance, known


def dealt_round(group: RowArray, distance: FloatArray) -> RowArray:
    """The place 1..n of each row when the clusters, the largest first, give their nearest in turn.

    Rows equally near to their centre and clusters equally large stand by row.

    >>> dealt_round(np.array([5, 5, 5, 2]), np.array([0.3, 0.1, 0.2, 0.0])).tolist()
    [4, 1, 3, 2]
    """
    if len(group) == 0:
        return np.zeros(0, np.int64)
    _, first, own, sizes = np.unique(group, return_index=True, return_inverse=True, return_counts=True)
    turn = np.empty(len(sizes), np.int64)
    turn[np.lexsort((first, -sizes))] = np.arange(len(sizes))
    order = np.lexsort((np.arange(len(group)), distance, own))
    starts = np.cumsum(sizes) - sizes
    level = np.empty(len(group), np.int64)
    level[order] = np.arange(len(group)) - starts[own[order]]
    place = np.empty(len(group), np.int64)
    place[np.lexsort((turn[own], level))] = np.arange(1, len(group) + 1)
    return place
