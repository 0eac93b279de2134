"""How many of a row's neighbours are of its kind, and what most of them are instead."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]

MAJORITY = 5 / 9
ROWS_AT_ONCE = 1 << 14
VALUES_AT_ONCE = 1 << 20


def kind_agreement(neighbours: RowArray, kind: RowArray) -> tuple[FloatArray, RowArray]:
    """Share of each row's neighbours of its own kind, and the other kind of more than 5 in 9 of them, else −1.

    neighbours: int64[n, k], −1 for none; kind: int64[n]. Without a neighbour the share is NaN.

    >>> share, other = kind_agreement(np.array([[1, 2], [0, 2], [0, 1]]), np.array([4, 4, 7]))
    >>> share.tolist(), other.tolist()
    ([0.5, 0.5, 0.0], [-1, -1, 4])
    """
    share, other = np.empty(len(kind)), np.empty(len(kind), np.int64)
    for first in range(0, len(kind), ROWS_AT_ONCE):
        part = slice(first, first + ROWS_AT_ONCE)
        share[part], other[part] = _kinds_agree(neighbours[part], kind[part], kind)
    return share, other


def _kinds_agree(neighbours: RowArray, own: RowArray, kind: RowArray) -> tuple[FloatArray, RowArray]:
    there = neighbours >= 0
    kinds = np.where(there, kind[neighbours], -1)
    count = there.sum(axis=1)
    same = (kinds == own[:, None]).sum(axis=1)
    middle = np.maximum(neighbours.shape[1] - 1 - count // 2, 0)
    most = np.take_along_axis(np.sort(kinds, axis=1), middle[:, None], 1)[:, 0]
    votes = (kinds == most[:, None]).sum(axis=1)
    other = np.where((most != own) & (votes > MAJORITY * count) & (count > 0), most, -1)
    return _share(same, count), other


def presence_agreement(
    neighbours: RowArray, owner: RowArray, kind: RowArray, kinds: int
) -> tuple[FloatArray, RowArray]:
    """The same for rows of several kinds each, or none: mean over a row's kinds, and the commonest kind it has not.

    owner, kind: int64[m], row i has kind[j] for every j with owner[j] = i; kinds: how many there are.

    >>> share, other = presence_agreement(np.array([[1], [0]]), np.array([0, 1, 1]), np.array([0, 0, 1]), 2)
    >>> share.tolist(), other.tolist()
    ([1.0, 0.5], [1, -1])
    """
    has = np.zeros((len(neighbours), max(kinds, 1)), bool)
    has[owner, kind] = True
    share, other = np.empty(len(has)), np.empty(len(has), np.int64)
    step = max(VALUES_AT_ONCE // has.shape[1], 1)
    for first in range(0, len(has), step):
        part = slice(first, first + step)
        share[part], other[part] = _presences_agree(neighbours[part], has[part], has)
    return share, other


def _presences_agree(
    neighbours: RowArray, own_has: npt.NDArray[np.bool_], has: npt.NDArray[np.bool_]
) -> tuple[FloatArray, RowArray]:
    there = neighbours >= 0
    count = there.sum(axis=1)
    votes = np.zeros(own_has.shape, np.int64)
    for place in range(neighbours.shape[1]):
        votes += has[neighbours[:, place]] & there[:, place, None]
    own = own_has.sum(axis=1)
    same = np.where(own_has, votes, 0).sum(axis=1)
    foreign = np.where(own_has, 0, votes)
    most = foreign.argmax(axis=1)
    wins = (foreign.max(axis=1, initial=0) > MAJORITY * count) & (count > 0)
    return _share(same, count * own), np.where(wins, most, -1)


def _share(part: npt.NDArray[np.integer], whole: npt.NDArray[np.integer]) -> FloatArray:
    shares: FloatArray = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return shares
