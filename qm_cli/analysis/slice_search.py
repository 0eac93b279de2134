"""Where a model is weak: slices chosen on one half of the images and measured on the other.

What is chosen because it looks weak looks weaker than it is, so the half it was chosen on proves nothing. The other
half is asked once about each slice that is carried over: is its rate below that of the rest? Holm's correction is over
what was carried over.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.corrections import holm
from qm_cli.analysis.samples import Judged
from qm_cli.analysis.slice_candidates import Candidate, Feature, Literal, candidates, features_of, members
from qm_cli.analysis.slice_contrast import Contrast, Sums, contrast

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
Literals = tuple[Literal, ...]

LEAST_UNITS = 5
SAME = 0.5
SPLITS, FEW_UNITS = 40, 5000
LEAST_Z, REFINED_Z = 1.0, 3.0
SIGNIFICANT = 0.05
CATEGORY = "category"
"""What the evaluation itself tells category by category: a discovery only together with something else."""


class Found(Struct, frozen=True):
    """A slice that was carried over. held_out: None where the other half holds too little of it to tell.

    similar: conjunctions that hold nearly the same rows.
    """

    literals: Literals
    explored: Contrast
    held_out: Contrast | None
    overall: Contrast
    similar: tuple[Literals, ...]
    p_corrected: float | None

    @property
    def found(self) -> bool:
        return self.p_corrected is not None and self.p_corrected <= SIGNIFICANT


class Search(Struct, frozen=True):
    """found: what was carried over, the significant ones first, then by held-out effect. explored: conjunctions
    counted."""

    features: Sequence[Feature]
    found: Sequence[Found]
    explored: int
    units: int

    def conditions(self, literals: Literals) -> list[str]:
        """A conjunction's parts in SQL."""
        return [self.features[place].condition(code) for place, code in literals]


class _Rows(Struct, frozen=True, dict=True):
    """Some of the judged rows: unit and outcome of each, and the codes of every feature."""

    rows: RowArray
    hit: FloatArray
    unit: RowArray
    units: int
    codes: Sequence[npt.NDArray[np.uint8]]

    def members(self, literals: Sequence[Literal]) -> BoolArray:
        return members(literals, self.codes)

    def sums(self, mask: BoolArray) -> Sums:
        places = np.flatnonzero(mask)
        unit = self.unit[places]
        rows, hits = np.bincount(unit, minlength=self.units), np.bincount(unit, self.hit[places], self.units)
        return Sums(rows.astype(np.float64), hits.astype(np.float64))

    @cached_property
    def everything(self) -> Sums:
        return self.sums(np.ones(len(self.rows), bool))

    def against_rest(self, mask: BoolArray) -> Contrast | None:
        return contrast(self.sums(mask), self.everything)


class _Choice(Struct, frozen=True):
    literals: Literals
    explored: Contrast
    mask: BoolArray
    similar: list[Literals]


def search(judged: Judged, depth: int, support: int, carried: int, seed: int) -> Search:
    """Find weak slices. support: samples that a slice must have in either half; carried: the most that are tested."""
    features = features_of(judged, support)
    unit = judged.clusters[judged.image]
    units = int(unit.max(initial=-1)) + 1
    if not features or units < 2 * LEAST_UNITS:
        return Search(features, [], 0, units)
    first = _split(features, unit, units, seed)[unit]
    explored, held_out, whole = (
        _part(judged, features, unit, rows) for rows in (first, ~first, np.ones(len(unit), bool))
    )
    shown, counted = candidates(features, explored.rows, judged.hit, depth, support)
    chosen = _chosen(features, explored, shown, carried)
    after = [_told(held_out.against_rest(held_out.members(one.literals)), support) for one in chosen]
    corrected = holm([None if one is None else one.p for one in after])
    found = []
    for one, measured, p in zip(chosen, after, corrected, strict=True):
        overall = whole.against_rest(whole.members(one.literals))
        if overall is not None:
            found.append(Found(one.literals, one.explored, measured, overall, tuple(one.similar), p))
    found.sort(key=lambda one: (not one.found, one.held_out is None, one.held_out.effect if one.held_out else 0.0))
    return Search(features, found, counted, units)


def _told(measured: Contrast | None, support: int) -> Contrast | None:
    enough = measured is not None and measured.count >= support and measured.units >= LEAST_UNITS
    return measured if enough else None


def _split(features: Sequence[Feature], unit: RowArray, units: int, seed: int) -> BoolArray:
    """A random half of the units: of several, that which shares out the rows of every bin most evenly: bool[units].

    Where units are many any split is even. It looks at no outcome, so what is tested on the other half is tested as if
    there had been one split.
    """
    random = np.random.default_rng(seed)
    signs = np.full((units, SPLITS if units <= FEW_UNITS else 1), -1.0)
    for column in signs.T:
        column[random.permutation(units)[: units // 2]] = 1.0
    uneven = np.zeros(signs.shape[1])
    for one in features if len(uneven) > 1 else ():
        cells = np.bincount(unit * np.int64(one.bins.count) + one.codes, minlength=units * one.bins.count)
        rows = cells.reshape(units, one.bins.count)
        uneven += (np.abs(rows.T @ signs) / np.sqrt(np.maximum((rows**2).sum(0), 1))[:, None]).mean(0)
    even: BoolArray = signs[:, int(np.argmin(uneven))] > 0
    return even


def _part(judged: Judged, features: Sequence[Feature], unit: RowArray, kept: BoolArray) -> _Rows:
    rows = np.flatnonzero(kept)
    codes = [np.take(one.codes, rows) for one in features]
    return _Rows(rows, judged.hit[rows].astype(np.float64), unit[rows], int(unit.max(initial=-1)) + 1, codes)


def _chosen(features: Sequence[Feature], explored: _Rows, shown: Sequence[Candidate], carried: int) -> list[_Choice]:
    """The slices to carry over, furthest below the rest first.

    Each is unlike those before it (Jaccard), below the rest outside of them, and below every slice that it narrows.
    """
    measured = []
    for one in shown:
        if all(features[place].measure.name == CATEGORY for place, _ in one.literals):
            continue
        found = explored.against_rest(explored.members(one.literals))
        if found is not None and found.units >= LEAST_UNITS and -found.z >= LEAST_Z:
            measured.append((one.literals, found))
    measured.sort(key=lambda one: (one[1].z, len(one[0]), one[0]))
    chosen: list[_Choice] = []
    taken = np.zeros(len(explored.rows), bool)
    for literals, found in measured:
        mask = explored.members(literals)
        like = next((one for one in chosen if _jaccard(one.mask, mask) >= SAME), None)
        if like is not None:
            like.similar.append(literals)
        elif len(chosen) < carried and _stands_out(explored, taken, mask) and _refines(explored, literals, mask):
            chosen.append(_Choice(literals, found, mask, []))
            taken = taken | mask
    return chosen


def _jaccard(one: BoolArray, other: BoolArray) -> float:
    both = int(np.count_nonzero(one & other))
    return both / max(int(np.count_nonzero(one)) + int(np.count_nonzero(other)) - both, 1)


def _stands_out(explored: _Rows, taken: BoolArray, mask: BoolArray) -> bool:
    """Whether what no chosen slice holds of it is below the rest as well."""
    found = contrast(explored.sums(mask & ~taken), explored.sums(~taken))
    return found is not None and -found.z >= LEAST_Z


def _refines(explored: _Rows, literals: Literals, mask: BoolArray) -> bool:
    """Whether a conjunction is clearly below each of those it narrows; otherwise the wider one says it better."""
    own = explored.sums(mask)
    for place in range(len(literals) if len(literals) > 1 else 0):
        wider = explored.members([one for k, one in enumerate(literals) if k != place])
        found = contrast(own, explored.sums(wider))
        if found is None or -found.z < REFINED_Z:
            return False
    return True
