"""Slices worth a look: conjunctions of bins of measures, counted on one half of the samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.samples import Judged, Measure
from qm_cli.kernels.quantile_bins import Bins, code_bins, quantile_bins

CodeArray = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]

MOST_VALUES, MOST_QUANTILES = 31, 5
BEAM = 60
KEPT = 200
MOST_PAIRED = 64
THREADS = 4
Literal = tuple[int, int]
"""A feature's place and the code of one of its bins."""


class Feature(Struct, frozen=True):
    """A measure in bins. codes: the bin of each judged row; spoken: the bins that a condition can name."""

    measure: Measure
    bins: Bins
    codes: CodeArray
    spoken: tuple[int, ...]

    def condition(self, code: int) -> str:
        """One of its bins in SQL, as the slice language reads it."""
        name = self.measure.id if self.measure.name.isidentifier() else f'"{self.measure.id}"'
        if code >= self.bins.present:
            return f"{name} IS NULL"
        if self.measure.names is not None:
            value = self.measure.names[self.bins.kept[code]].replace("'", "''")
            return f"{name} = '{value}'"
        low, high = (repr(float(self.bins.edges[place])) for place in (code, code + 1))
        above = [] if code == 0 else [f"{name} >= {low}"]
        below = [] if code == self.bins.present - 1 else [f"{name} < {high}"]
        return " AND ".join([*above, *below]) or f"{name} IS NOT NULL"


class Candidate(Struct, frozen=True):
    """Literals, of different features; hits of total explored rows have the outcome; z: how far below the rest."""

    literals: tuple[Literal, ...]
    hits: int
    total: int
    z: float


def features_of(judged: Judged, least: int) -> list[Feature]:
    """Every measure with at least two bins. least: samples that a bin must hold."""
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(lambda measure: _feature(judged, measure, least), judged.measures))
    return [one for one in found if one.bins.count > 1 and one.spoken]


def _feature(judged: Judged, measure: Measure, least: int) -> Feature:
    values = measure.values[judged.images] if measure.level == "image" else measure.values[judged.rows]
    if measure.names is not None:
        bins = code_bins(values, 1 if measure.level == "image" else least, MOST_VALUES)
    else:
        bins = quantile_bins(values, MOST_QUANTILES, 1 if measure.level == "image" else least)
    codes = bins.codes[judged.image] if measure.level == "image" else bins.codes
    shared = measure.names is not None and len(bins.kept) < bins.present
    spoken = tuple(code for code in range(bins.count) if not (shared and code == bins.present - 1))
    return Feature(measure, bins, np.ascontiguousarray(codes), spoken)


def candidates(
    features: Sequence[Feature], rows: RowArray, hit: npt.NDArray[np.bool_], depth: int, support: int
) -> tuple[list[Candidate], int]:
    """The weakest conjunctions up to a depth, and how many were counted.

    rows: the explored ones; hit: of all judged rows. All pairs are counted; deeper ones grow from the weakest.
    """
    codes = [np.take(one.codes, rows) for one in features]
    right = hit[rows].astype(np.uint8)
    scale = _Scale(len(rows), int(right.sum()), support)
    singles = list(_singles(features, codes, right, scale))
    best = sorted({literal[0] for one in _weakest(singles, len(singles)) for literal in one.literals})
    order = {place: -max((one.z for one in singles if one.literals[0][0] == place), default=0.0) for place in best}
    paired = sorted(sorted(best, key=lambda place: (order[place], place))[:MOST_PAIRED])
    counted, kept, level = len(singles), _weakest(singles, KEPT), singles
    for deep in range(2, depth + 1):
        grown = (
            _pairs(features, codes, right, paired, scale) if deep == 2 else _grown(features, codes, right, level, scale)
        )
        level = list(grown)
        counted += len(level)
        level = _weakest(level, KEPT)
        kept += level
    return kept, counted


class _Scale(Struct, frozen=True):
    """What a slice is held against: all explored rows, and the samples it must have at least."""

    rows: int
    hits: int
    support: int

    def weak(self, hits: npt.NDArray[np.int64], total: npt.NDArray[np.int64]) -> tuple[RowArray, FloatArray]:
        """Places with enough samples and a lower rate than the rest, and how many standard errors lower."""
        share = self.hits / self.rows
        spread = share * (1 - share) * total * (self.rows - total) / self.rows
        with np.errstate(divide="ignore", invalid="ignore"):
            z = (share * total - hits) / np.sqrt(spread)
        places = np.flatnonzero((total >= self.support) & (self.rows - total >= self.support) & (z > 0))
        return places, z[places]


def _weakest(found: Sequence[Candidate], count: int) -> list[Candidate]:
    """The furthest below, ties by their literals."""
    return sorted(found, key=lambda one: (-one.z, one.literals))[:count]


def _counts(codes: npt.NDArray[np.integer], right: CodeArray, count: int) -> tuple[RowArray, RowArray]:
    """Hits and rows of each code."""
    both = np.bincount(codes * np.uint16(2) + right, minlength=2 * count).reshape(count, 2)
    return both[:, 1], both.sum(1)


def _singles(
    features: Sequence[Feature], codes: Sequence[CodeArray], right: CodeArray, scale: _Scale
) -> Iterator[Candidate]:
    for place, feature in enumerate(features):
        hits, total = _counts(codes[place].astype(np.uint16), right, feature.bins.count)
        places, z = scale.weak(hits, total)
        for code, value in zip(places.tolist(), z.tolist(), strict=True):
            if code in feature.spoken:
                yield Candidate(((place, code),), int(hits[code]), int(total[code]), value)


def _pairs(
    features: Sequence[Feature], codes: Sequence[CodeArray], right: CodeArray, paired: Sequence[int], scale: _Scale
) -> Iterator[Candidate]:
    """All pairs of bins of different features; pairs that no feature can tell apart are left out."""
    for first, second in combinations(paired, 2):
        count = features[second].bins.count
        joint = codes[first] * np.uint16(count) + codes[second]
        hits, total = _counts(joint, right, features[first].bins.count * count)
        places, z = scale.weak(hits, total)
        for place, value in zip(places.tolist(), z.tolist(), strict=True):
            one, other = divmod(place, count)
            if one in features[first].spoken and other in features[second].spoken:
                yield Candidate(((first, one), (second, other)), int(hits[place]), int(total[place]), value)


def _grown(
    features: Sequence[Feature],
    codes: Sequence[CodeArray],
    right: CodeArray,
    level: Sequence[Candidate],
    scale: _Scale,
) -> Iterator[Candidate]:
    """The weakest ones with one more bin each, every conjunction once."""
    seen = set()
    for parent in _weakest(level, BEAM):
        rows = np.flatnonzero(members(parent.literals, codes))
        used = {place for place, _ in parent.literals}
        for place, feature in enumerate(features):
            if place in used:
                continue
            hits, total = _counts(codes[place][rows].astype(np.uint16), right[rows], feature.bins.count)
            places, z = scale.weak(hits, total)
            for code, value in zip(places.tolist(), z.tolist(), strict=True):
                literals = tuple(sorted((*parent.literals, (place, code))))
                if code in feature.spoken and literals not in seen:
                    seen.add(literals)
                    yield Candidate(literals, int(hits[code]), int(total[code]), value)


def members(literals: Sequence[Literal], codes: Sequence[CodeArray]) -> npt.NDArray[np.bool_]:
    """Which rows a conjunction holds. codes: of each feature, for the rows in question."""
    mask = np.ones(len(codes[0]), bool)
    for place, code in literals:
        mask &= codes[place] == code
    return mask
