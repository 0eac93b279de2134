"""Exact orders by sorting packed 64-bit keys: values only, which NumPy sorts with SIMD, instead of an argsort."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

RowArray = npt.NDArray[np.int64]


def bits_for(count: int) -> int:
    """Bits that hold the values 0 … count − 1."""
    return max(int(count - 1).bit_length(), 1)


def order_by_group(group: npt.NDArray[np.integer], place: npt.NDArray[np.integer], place_count: int) -> RowArray:
    """Row numbers sorted by (group, place) for non-negative integers, places distinct: int64[n].

    `place` must lie in 0 … place_count − 1 and (group, place) fit 63 bits, which holds for any table in memory.
    """
    bits = bits_for(place_count)
    keys = (group.astype(np.uint64) << np.uint64(bits)) | place.astype(np.uint64)
    rows = np.full(place_count, -1, np.int64)
    rows[place] = np.arange(len(place))
    keys.sort()
    return rows[(keys & np.uint64((1 << bits) - 1)).astype(np.int64)]


def order_by_score(group: npt.NDArray[np.integer], group_count: int, score: npt.NDArray[np.float64]) -> RowArray:
    """Row numbers sorted by (group, −score, row), exactly as a stable sort gives them: int64[n]. Scores are finite.

    The key packs group, the score on a linear scale and the row. Scores that fall on one step of the scale are put
    right afterwards, so that the order is exact whatever the scores.
    """
    count = len(score)
    if count == 0:
        return np.zeros(0, np.int64)
    row_bits = bits_for(count)
    score_bits = min(64 - bits_for(group_count) - row_bits, 52)
    top, bottom = score.max(), score.min()
    scale = (2.0**score_bits - 1) / (top - bottom) if top > bottom else 0.0
    keys = ((top - score) * scale).astype(np.uint64)
    np.minimum(keys, np.uint64(2**score_bits - 1), out=keys)
    keys |= group.astype(np.uint64) << np.uint64(score_bits)
    keys <<= np.uint64(row_bits)
    keys |= np.arange(count, dtype=np.uint64)
    keys.sort()
    rows = (keys & np.uint64((1 << row_bits) - 1)).astype(np.int64)
    keys >>= np.uint64(row_bits)
    _sort_shared_steps(rows, keys, score)
    return rows


def _sort_shared_steps(rows: RowArray, steps: npt.NDArray[np.uint64], score: npt.NDArray[np.float64]) -> None:
    """Sort by (−score, row), in place, the runs of one step that hold different scores in the wrong order."""
    ordered = score[rows]
    wrong = np.flatnonzero((ordered[1:] > ordered[:-1]) & (steps[1:] == steps[:-1]))
    if len(wrong) == 0:
        return
    run = np.cumsum(np.append(False, steps[1:] != steps[:-1]))
    places = np.flatnonzero(np.isin(run, run[wrong]))
    shared = rows[places]
    rows[places] = shared[np.lexsort((shared, -score[shared], run[places]))]
