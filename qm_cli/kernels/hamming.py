"""Groups of 64-bit hashes that differ in few bits, without comparing each with each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.components import joined

Hashes = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.int64]
BITS = 64
LONG_RUN = 1024
EDGES_AT_ONCE = 1 << 20


def near_groups(hashes: Hashes, radius: int) -> Rows:
    """The components of hashes of which each differs from another in at most `radius` bits: the first row of each's.

    Two hashes that differ in r bits agree in at least one of r + 1 parts of their bits (the pigeonhole principle), so
    only those with an equal part are compared; where many share one, they are parted again by the other bits.
    Reference: Norouzi, Punjani, Fleet, Fast search in Hamming space with multi-index hashing, 2012.

    >>> near_groups(np.array([0b1111, 0, 0b0111, 0b0001], np.uint64), 1).tolist()
    [0, 1, 0, 1]
    """
    distinct, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    search = _Search(distinct, min(max(radius, 0), BITS))
    if len(distinct) > 1 and radius > 0:
        search.parted(np.arange(len(distinct)), range(BITS))
    root = search.root()
    earliest = np.full(len(distinct), len(hashes))
    np.minimum.at(earliest, root, first)
    return np.asarray(earliest[root][inverse], np.int64)


@dataclass
class _Search:
    """Components of distinct hashes; the edges found wait until there are many of them."""

    hashes: Hashes
    radius: int
    _edges: list[tuple[Rows, Rows]] = field(default_factory=list)
    _waiting: int = 0

    def __post_init__(self) -> None:
        self._root = np.arange(len(self.hashes))

    def root(self) -> Rows:
        """The components by now."""
        if self._edges:
            one, other = (np.concatenate(rows) for rows in zip(*self._edges, strict=True))
            self._root = joined(self._root, one, other)
            self._edges, self._waiting = [], 0
        return self._root

    def connect(self, one: Rows, other: Rows) -> None:
        """Note edges; those within a component add nothing."""
        apart = self._root[one] != self._root[other]
        if apart.any():
            self._edges.append((one[apart], other[apart]))
            self._waiting += int(apart.sum())
        if self._waiting > EDGES_AT_ONCE:
            self.root()

    def parted(self, rows: Rows, bits: Sequence[int]) -> None:
        """Connect rows that agree in all but `bits`: compare those that agree in one of radius + 1 parts of these."""
        if len(bits) <= self.radius:
            self.connect(rows[:-1], rows[1:])
            return
        for start in range(self.radius + 1):
            part = bits[start :: self.radius + 1]
            left = [bit for bit in bits if bit not in part]
            ordered, starts, lengths = self._runs(rows, part)
            short = lengths <= LONG_RUN
            self._compared(ordered, starts[short], lengths[short])
            for begin, length in zip(starts[~short], lengths[~short], strict=True):
                self.parted(ordered[begin : begin + length], left)

    def _runs(self, rows: Rows, part: Sequence[int]) -> tuple[Rows, Rows, Rows]:
        """Rows in an order in which those that agree in the bits of `part` stand together; each run's start and length.

        Runs of one row, and those that are one component already, are left out.
        """
        mask = np.uint64(sum(1 << bit for bit in part))
        keys = self.hashes[rows] & mask
        order = np.argsort(keys, kind="stable")
        rows, keys = rows[order], keys[order]
        starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
        lengths = np.diff(starts, append=len(rows))
        root = self.root()[rows]
        open_runs = np.minimum.reduceat(root, starts) != np.maximum.reduceat(root, starts)
        return rows, starts[open_runs], lengths[open_runs]

    def _compared(self, rows: Rows, starts: Rows, lengths: Rows) -> None:
        """Compare all pairs within runs: each row with the next, with the one after that, …, the longest runs first.

        So those that still have a row at a distance are one stretch. Comparing on into the next run does no harm.
        """
        order = np.argsort(-lengths, kind="stable")
        starts, lengths = starts[order], lengths[order]
        ends = np.cumsum(lengths)
        if not len(ends):
            return
        rows = rows[np.repeat(starts - (ends - lengths), lengths) + np.arange(ends[-1])]
        hashes = self.hashes[rows]
        for distance in range(1, int(lengths[0])):
            end = int(ends[np.searchsorted(-lengths, -distance, side="left") - 1])
            different = np.bitwise_count(hashes[: end - distance] ^ hashes[distance:end])
            near = np.flatnonzero(different <= self.radius)
            if len(near):
                self.connect(rows[near], rows[near + distance])
