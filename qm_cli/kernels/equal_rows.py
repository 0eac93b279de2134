"""Which of many vectors are equal, without a copy of them."""

from __future__ import annotations

from itertools import count

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
RowArray = npt.NDArray[np.int64]

VALUES_AT_ONCE = 1 << 20


def distinct(vectors: Vectors, rows: RowArray) -> tuple[RowArray, RowArray]:
    """The first row of each different vector among `rows`, ascending, and which of them each is: int64[m], int64[n].

    rows: int64[n], ascending. Rows are told apart by a hash of 64 bits; where two that differ share one, which the
    comparison of all that share shows, another hash is taken.

    >>> found = distinct(np.array([[2], [1], [2], [1]], np.float32), np.array([1, 2, 3]))
    >>> [one.tolist() for one in found]
    [[1, 2], [0, 1, 0]]
    """
    for seed in count():
        _, first, group = np.unique(_hashes(vectors, rows, seed), return_index=True, return_inverse=True)
        if _equal(vectors, rows, rows[first[group]]):
            break
    order = np.argsort(first)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return rows[first[order]], place[group]


def _hashes(vectors: Vectors, rows: RowArray, seed: int) -> npt.NDArray[np.uint64]:
    """A sum of the numbers' bits, each times a random number of its own, modulo 2^64: uint64[n]."""
    factors = np.random.default_rng(seed).integers(0, 1 << 64, vectors.shape[1], np.uint64)
    hashes = np.empty(len(rows), np.uint64)
    step = _rows_at_once(vectors)
    for first in range(0, len(rows), step):
        bits = _bits(vectors, rows[first : first + step])
        bits ^= bits >> np.uint32(16)
        hashes[first : first + step] = bits.astype(np.uint64) @ factors
    return hashes


def _equal(vectors: Vectors, one: RowArray, other: RowArray) -> bool:
    """Whether each row of `one` is as that of `other`."""
    unlike = np.flatnonzero(one != other)
    step = _rows_at_once(vectors)
    parts = (unlike[first : first + step] for first in range(0, len(unlike), step))
    return all(np.array_equal(_bits(vectors, one[part]), _bits(vectors, other[part])) for part in parts)


def _bits(vectors: Vectors, rows: RowArray) -> npt.NDArray[np.uint32]:
    """The numbers of some rows as their bits, −0 as 0: uint32[n, d]."""
    return (vectors[rows] + np.float32(0)).view(np.uint32)


def _rows_at_once(vectors: Vectors) -> int:
    return max(VALUES_AT_ONCE // max(int(vectors.shape[1]), 1), 1)
