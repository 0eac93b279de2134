"""A batch out of a ranking: within a budget, without near duplicates, spread out, balanced or drawn by chance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.arrays import to_numpy, valid
from qm_cli.batch_points import balance_weights, gradient_points, known_rows, vectors_of
from qm_cli.errors import UsageError
from qm_cli.kernels.spread import Points, k_center, k_means_plus_plus
from qm_cli.row_fields import Reader, RowArray, labeled_images

FloatArray = npt.NDArray[np.float64]

K_CENTER, K_MEANS, BADGE = "k-center", "k-means++", "badge"
POWER, SOFTMAX = "power", "softmax"
GROUP = "near_duplicate_group"


class Candidates(Struct, frozen=True):
    """What may be chosen: rows of a level in the order of the ranking, and the value each was ranked by, NaN for none.

    values is None where nothing was ranked by. descending: whether high values come first.
    """

    level: str
    rows: RowArray
    values: FloatArray | None
    descending: bool


class Picks(Struct, frozen=True):
    """Places among the candidates in the order they were chosen; what was done, as data and in words."""

    places: RowArray
    facts: dict[str, Any]
    notes: tuple[str, ...]


class Batch(Struct, frozen=True):
    """How to choose. top: how many at most. budget: the most that they may cost together; cost: column of what each
    costs, 1 without. diverse: k-center | k-means++ | badge. sample: power | softmax, coldness: its β."""

    top: int | None = None
    budget: float | None = None
    cost: str | None = None
    diverse: str | None = None
    sample: str | None = None
    coldness: float = 1.0
    balance: bool = False
    exclude_near_duplicates: bool = False
    unlabeled_only: bool = False
    seed: int = 0

    @property
    def asks(self) -> bool:
        """Whether it is more than the first of the ranking."""
        named = (self.budget, self.cost, self.diverse, self.sample)
        return self.balance or self.exclude_near_duplicates or any(one is not None for one in named)

    def columns(self) -> list[str]:
        """Names of the metrics it reads, for a dataset that is scored only as far as it is asked about."""
        vectors = ["embedding"] if self.diverse else []
        return [*vectors, *([GROUP] if self.exclude_near_duplicates else []), *([self.cost] if self.cost else [])]


def pick(reader: Reader, candidates: Candidates, batch: Batch) -> Picks:
    """Choose as `batch` says.

    Near duplicates go first: of each group the one that ranks first stays, and with `unlabeled_only` none whose
    group holds a labelled image. Then the order is made, and the first that fit the budget are taken.
    """
    notes: list[str] = []
    places = np.arange(len(candidates.rows))
    if batch.exclude_near_duplicates:
        places = _without_near_duplicates(reader, candidates, batch.unlabeled_only)
        notes.append(f"{len(candidates.rows) - len(places):,} near duplicates are left out")
    kept = Candidates(
        candidates.level,
        candidates.rows[places],
        None if candidates.values is None else candidates.values[places],
        candidates.descending,
    )
    usefulness = usefulness_of(kept)
    if batch.balance:
        usefulness = usefulness * balance_weights(reader, kept.level, kept.rows)
    costs = _costs(reader, kept, batch.cost)
    chosen = _affordable(_order(reader, kept, usefulness, batch, notes), costs, batch)
    total = float(costs[chosen].sum())
    if batch.budget is not None:
        notes.append(f"{len(chosen):,} of {len(places):,} {kept.level}s cost {total:,.6g} of {batch.budget:,.6g}")
    facts = {
        "diverse": batch.diverse,
        "sample": batch.sample,
        "coldness": batch.coldness if batch.sample else None,
        "balance": batch.balance,
        "near_duplicates_left_out": len(candidates.rows) - len(places) if batch.exclude_near_duplicates else None,
        "budget": batch.budget,
        "cost": batch.cost,
        "total_cost": total,
        "seed": batch.seed,
    }
    return Picks(places[chosen], facts, tuple(notes))


def usefulness_of(candidates: Candidates) -> FloatArray:
    """The values as weights ≥ 0, more for what ranks first; 1 for all where nothing was ranked by.

    High values first, none below 0: as they are. Else the distance to the end that ranks last. 0 without a value.
    """
    if candidates.values is None:
        return np.ones(len(candidates.rows))
    values = candidates.values if candidates.descending else -candidates.values
    known = values[np.isfinite(values)]
    lowest = known.min(initial=np.inf)
    shift = 0.0 if candidates.descending and lowest >= 0 else lowest
    highest = float(known.max(initial=0.0))
    return (
        np.where(np.isnan(values), 0.0, np.clip(values, lowest, highest) - shift)
        if len(known)
        else np.zeros(len(values))
    )


def _without_near_duplicates(reader: Reader, candidates: Candidates, unlabeled_only: bool) -> RowArray:
    """Places of those that are alone or the first of their group in the ranking."""
    if candidates.level != "image":
        raise UsageError(f"near duplicates are of images, not of {candidates.level}s", "leave out --level")
    if GROUP not in reader.columns("image"):
        raise UsageError(f"there is no column {GROUP}", f"score the dataset with the metric image.{GROUP}")
    groups = reader.column("image", GROUP)
    grouped = valid(groups)
    if not grouped.any():
        return np.arange(len(candidates.rows))
    codes = np.asarray(to_numpy(groups.dictionary_encode().indices), np.float64)
    code = np.where(grouped, np.nan_to_num(codes), -1).astype(np.int64)
    taken = np.zeros(code.max() + 1, bool)
    if unlabeled_only:
        taken[code[labeled_images(reader, len(code)) & grouped]] = True
    own = code[candidates.rows]
    _, first = np.unique(own, return_index=True)
    keep = own < 0
    keep[first] = True
    keep[(own >= 0) & taken[own]] = False
    return np.flatnonzero(keep)


def _costs(reader: Reader, candidates: Candidates, name: str | None) -> FloatArray:
    if name is None:
        return np.ones(len(candidates.rows))
    if name not in reader.columns(candidates.level):
        raise UsageError(f"--cost {name}: {candidates.level} has no such column", "name a column of numbers")
    values = to_numpy(reader.column(candidates.level, name))
    if values.dtype.kind not in "fiu":
        raise UsageError(f"--cost {name}: is no number", "name a column of numbers")
    costs = values[candidates.rows].astype(np.float64)
    bad = int(np.count_nonzero(~(np.isfinite(costs) & (costs >= 0))))
    if bad:
        raise UsageError(
            f"--cost {name}: {bad:,} {candidates.level}s have none or one below 0", "leave them out by --where"
        )
    return costs


def _order(
    reader: Reader, candidates: Candidates, usefulness: FloatArray, batch: Batch, notes: list[str]
) -> Iterable[int] | RowArray:
    """All places in the order they are chosen: an array, or one after another where each hangs on those before."""
    if batch.diverse is not None:
        return _spread(reader, candidates, usefulness, batch, notes)
    if batch.sample is not None:
        return sampled(usefulness, batch.sample, batch.coldness, batch.seed)
    return np.argsort(-usefulness, kind="stable") if batch.balance else np.arange(len(usefulness))


def sampled(usefulness: FloatArray, how: str, coldness: float, seed: int) -> RowArray:
    """A random order in which the useful tend to come first, drawn without replacement by the Gumbel-top-k trick.

    power: with probability ∝ usefulness^β; softmax: ∝ exp(β · usefulness); β is `coldness`, 0 = any order (Kirsch et
    al., Stochastic batch acquisition for deep active learning, 2023). With power what is of no use comes last.
    """
    noise = np.random.default_rng(seed).gumbel(size=len(usefulness))
    useful = usefulness > 0
    with np.errstate(over="ignore"):
        if how == SOFTMAX:
            key = coldness * usefulness + noise
        else:
            key = np.where(useful, coldness * np.log(np.where(useful, usefulness, 1.0)) + noise, -np.inf)
    order: RowArray = np.lexsort((-usefulness, -key))
    return order


def _spread(
    reader: Reader, candidates: Candidates, usefulness: FloatArray, batch: Batch, notes: list[str]
) -> Iterator[int]:
    """Places one after another, far from those before; those without an embedding behind all others."""
    if batch.diverse == BADGE and candidates.level != "image":
        raise UsageError(f"badge is of images, not of {candidates.level}s", "use k-center or k-means++")
    vectors = vectors_of(reader, candidates.level)
    labeled = np.zeros(0, np.int64)
    if batch.unlabeled_only and candidates.level == "image" and batch.diverse != BADGE:
        labeled = known_rows(vectors, np.flatnonzero(labeled_images(reader, len(vectors))))
    there = np.flatnonzero(np.isin(candidates.rows, known_rows(vectors, candidates.rows)))
    if len(there) < len(candidates.rows):
        notes.append(f"{len(candidates.rows) - len(there):,} {candidates.level}s have no embedding: put last")
    rows = candidates.rows[there]
    if batch.diverse == BADGE:
        order = _badge(gradient_points(reader, rows, vectors), batch.seed)
    else:
        points = Points((vectors[np.concatenate([rows, labeled])],))
        centres = np.arange(len(rows), len(rows) + len(labeled))
        largest = usefulness[there].max(initial=0.0)
        weight = usefulness[there] / largest if largest > 0 else np.ones(len(there))
        weights = np.concatenate([weight, np.zeros(len(labeled))]).astype(np.float32)
        if batch.diverse == K_CENTER:
            order = k_center(points, weights, centres)
        else:
            order = k_means_plus_plus(points, weights, centres, batch.seed)
    missing = np.delete(np.arange(len(candidates.rows)), there)
    return (int(place) for part in ((there[one] for one in order), missing) for place in part)


def _badge(points: Points, seed: int) -> Iterator[int]:
    """The longest gradient first, then k-means++ among the gradients (Ash et al., BADGE, 2020)."""
    if len(points) == 0:
        return
    first = int(points.lengths().argmax())
    yield first
    yield from k_means_plus_plus(points, np.ones(len(points), np.float32), np.array([first]), seed)


def _affordable(order: Iterable[int] | RowArray, costs: FloatArray, batch: Batch) -> RowArray:
    """The first in the order that fit the budget together; one that does not fit any more is passed over."""
    most = len(costs) if batch.top is None else min(batch.top, len(costs))
    if batch.budget is None:
        return np.fromiter(islice(order, most), np.int64)
    if isinstance(order, np.ndarray):
        return _filled(order, costs, batch.budget)[:most]
    left, taken = batch.budget, list[int]()
    cheapest = float(costs.min(initial=np.inf))
    for place in order:
        if len(taken) == most or left < cheapest:
            break
        if costs[place] <= left:
            taken.append(place)
            left -= float(costs[place])
    return np.array(taken, np.int64)


def _filled(order: RowArray, costs: FloatArray, budget: float) -> RowArray:
    """What one pass over the order would take, whole stretches at a time."""
    taken, left = [np.zeros(0, np.int64)], budget
    while len(order):
        order = order[costs[order] <= left]
        spent = np.cumsum(costs[order])
        count = int(np.searchsorted(spent, left, side="right"))
        taken.append(order[:count])
        left -= float(spent[count - 1]) if count else 0.0
        order = order[count:] if count else order[:0]
    return np.concatenate(taken)
