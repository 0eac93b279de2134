"""Many random re-orderings at once: yes and no inside strata, numbers over all units, blocks of units by cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.code_sums import BLOCK
from qm_cli.kernels.segments import expand

BoolArray = npt.NDArray[np.bool_]
RowArray = npt.NDArray[np.int64]
LARGEST_PIECE = 256


def shuffled_within(
    hits: BoolArray, strata: RowArray, times: int, rng: np.random.Generator
) -> Iterator[tuple[RowArray, npt.NDArray[np.uint16]]]:
    """Blocks of rows, and the hits of each in `times` random re-orderings inside its stratum: uint16[rows, times].

    Every stratum keeps its number of hits; each of its arrangements is as likely as any other.
    """
    order = np.argsort(strata, kind="stable")
    sizes = np.bincount(strata)
    taken = np.bincount(strata, hits, len(sizes)).astype(np.int64)
    start = np.cumsum(sizes) - sizes
    pieces = _pieces(start, sizes, taken, times, rng)
    for piece_start, size, left in pieces:
        rows, drawn = _drawn(piece_start, size, left, rng)
        yield order[rows], drawn


def _pieces(
    start: RowArray, sizes: RowArray, taken: RowArray, times: int, rng: np.random.Generator
) -> Iterator[tuple[RowArray, RowArray, npt.NDArray[np.float32]]]:
    """Strata a block at a time: where each starts, its size and its hits [strata, times]; large ones cut in pieces."""
    small = np.flatnonzero((sizes > 0) & (sizes <= LARGEST_PIECE))
    filled = np.cumsum(sizes[small])
    for part in np.split(small, np.flatnonzero(np.diff(filled // BLOCK)) + 1) if len(small) else ():
        yield start[part], sizes[part], np.repeat(taken[part, None].astype(np.float32), times, axis=1)
    at_once = BLOCK // LARGEST_PIECE
    for stratum in np.flatnonzero(sizes > LARGEST_PIECE):
        size = int(sizes[stratum])
        lengths = np.full(-(-size // LARGEST_PIECE), LARGEST_PIECE)
        lengths[-1] -= lengths.sum() - size
        places = start[stratum] + np.cumsum(lengths) - lengths
        left = _dealt(lengths, int(taken[stratum]), times, rng)
        for first in range(0, len(lengths), at_once):
            block = slice(first, first + at_once)
            yield places[block], lengths[block], left[block].astype(np.float32)


def _dealt(lengths: RowArray, hits: int, times: int, rng: np.random.Generator) -> RowArray:
    """How many of a stratum's hits fall into each of its pieces: int64[pieces, times]."""
    dealt = np.zeros((len(lengths), times), np.int64)
    left = np.full(times, hits)
    behind = int(lengths.sum())
    for piece, length in enumerate(lengths.tolist()):
        behind -= length
        dealt[piece] = rng.hypergeometric(left, behind + length - left, length)
        left -= dealt[piece]
    return dealt


def _drawn(
    start: RowArray, sizes: RowArray, left: npt.NDArray[np.float32], rng: np.random.Generator
) -> tuple[RowArray, npt.NDArray[np.uint16]]:
    """One row of each piece after another, a hit with the chance (hits left) / (rows left): as many as there are.

    Reference: Fan, Muller, Rezucha, Development of sampling plans by using sequential selection techniques, 1962.
    """
    by_size = np.argsort(-sizes, kind="stable")
    start, sizes, left = start[by_size], sizes[by_size], left[by_size]
    longest = int(sizes[0])
    active = np.searchsorted(-sizes, -np.arange(longest), "left")  # pieces that have a row at this place
    rows = np.empty(int(sizes.sum()), np.int64)
    drawn = np.empty((len(rows), left.shape[1]), np.uint16)
    done = 0
    for place, number in enumerate(active.tolist()):
        part = slice(done, done + number)
        rows[part] = start[:number] + place
        chance = rng.random((number, left.shape[1]), np.float32)
        chance *= (sizes[:number, None] - place).astype(np.float32)
        chosen = chance < left[:number]
        left[:number] -= chosen
        drawn[part] = chosen
        done += number
    return rows, drawn


def shuffled_units(count: int, times: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """`times` random orders of 0 … count: int64[times, count]."""
    return np.stack([rng.permutation(count) for _ in range(times)]) if times else np.zeros((0, count), np.int64)


def shuffled_clusters(clusters: RowArray, times: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """For each unit one of another cluster, so that whole clusters change places: int64[times, units].

    The k-th unit of a cluster gets the k-th of its donor, from a random start, and round again where that is smaller.
    """
    order = np.argsort(clusters, kind="stable")
    sizes = np.bincount(clusters)
    sizes = sizes[sizes > 0]
    start = np.cumsum(sizes) - sizes
    cluster = np.repeat(np.arange(len(sizes)), sizes)
    place = expand(np.zeros(len(sizes), np.int64), sizes)
    donors = np.empty((times, len(clusters)), np.int64)
    for row in donors:
        donor = rng.permutation(len(sizes))[cluster]
        turn = rng.integers(0, sizes)[cluster]
        row[order] = order[start[donor] + (place + turn) % sizes[donor]]
    return donors


def resampled_weights(count: int, times: int, rng: np.random.Generator) -> npt.NDArray[Any]:
    """How often each of `count` units is drawn in `times` samples of `count` with replacement: uint16[count, times]."""
    weights = np.empty((count, times), np.uint16)
    for sample in range(times):
        weights[:, sample] = np.bincount(rng.integers(0, count, count), minlength=count)
    return weights
