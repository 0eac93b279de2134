"""How much each measure tells about the outcome, beyond what chance alone would seem to tell."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.samples import Judged, Measure, Units
from qm_cli.kernels.code_sums import blocks, small_enough, sums_by_code
from qm_cli.kernels.information import entropy, mutual_information
from qm_cli.kernels.order import order_by_value
from qm_cli.kernels.quantile_bins import LEAST_SAMPLES, Bins, code_bins, quantile_bins
from qm_cli.kernels.shuffles import shuffled_clusters, shuffled_units, shuffled_within

FloatArray = npt.NDArray[np.float64]
IMAGE, CLUSTER, WITHIN, ALL = "image", "cluster", "within image", "all"
NEEDED = 2 * LEAST_SAMPLES
TIE = 1e-12
MOST_AT_ONCE = 50
THREADS = 2


class Binned(Struct, frozen=True):
    """A measure's bins over its units, and the ascending order of its values."""

    measure: Measure
    units: Units
    bins: Bins
    order: npt.NDArray[np.int32]

    @property
    def hits(self) -> FloatArray:
        return np.bincount(self.bins.codes, self.units.hits, self.bins.count).astype(np.float64)

    @property
    def totals(self) -> FloatArray:
        return np.bincount(self.bins.codes, self.units.total, self.bins.count).astype(np.float64)


class Importance(Struct, frozen=True):
    """value: 0 where nothing is told, 1 where the measure alone tells the outcome; None with the reason why not.

    information and expected are in nats: as measured, and the mean over permutations of what `permuted` says.
    """

    value: float | None
    p: float | None
    information: float | None
    expected: float | None
    permuted: str
    reason: str | None = None


def binned(judged: Judged, measure: Measure) -> Binned:
    """The measure's quantile bins (a code's own values), over images where it is the image's."""
    units = judged.units(measure)
    order = order_by_value(units.values).astype(np.int32)
    bins = code_bins(units.values) if measure.coded else quantile_bins(units.values, ordered=units.values[order])
    return Binned(measure, units, bins, order)


def all_binned(judged: Judged, measures: Sequence[Measure]) -> list[Binned]:
    """The bins of every measure; sorting needs no Python while it runs."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(lambda measure: binned(judged, measure), measures))


def undefined(judged: Judged) -> str | None:
    """Why no measure can explain the outcome, if none can."""
    number, hits = len(judged.hit), int(judged.hit.sum())
    if number < NEEDED:
        return f"{NEEDED} {judged.level}s are needed, there are {number}"
    if hits in (0, number):
        which = "all" if hits else "none"
        return f"{which} of the {number:,} {judged.level}s are {judged.outcome}: there is nothing to explain"
    return None


def _unexplaining(one: Binned) -> str | None:
    """Why this measure has no importance, if it has none."""
    present = int(np.isfinite(one.units.values).sum())
    if len(one.units.values) < NEEDED:
        return f"{NEEDED} {one.units.of}s are needed, there are {len(one.units.values)}"
    if one.bins.present == 0:
        return "it has no value anywhere"
    if present < LEAST_SAMPLES:
        return f"{LEAST_SAMPLES} {one.units.of}s with a value are needed, there are {present}"
    if one.bins.count > 1:
        return None
    values = one.units.values[np.isfinite(one.units.values)]
    if values.min() == values.max():
        return "it is constant"
    return f"two bins of {LEAST_SAMPLES} {one.units.of}s are needed, its {present} values make one"


def importances(judged: Judged, found: Sequence[Binned], permutations: int, seed: int) -> list[Importance]:
    """The importance of each measure, from permutations of the right unit.

    An image's measure changes places with that of other images (a cluster's as a whole with other clusters'), a row's
    with rows of its image; rows that are their image's only one with each other.
    """
    everywhere = undefined(judged)
    reasons = [everywhere or _unexplaining(one) for one in found]
    of_images = [k for k, one in enumerate(found) if reasons[k] is None and one.units.of == "image"]
    of_rows = [k for k, one in enumerate(found) if reasons[k] is None and one.units.of != "image"]
    by_chance: dict[int, FloatArray] = {}
    rng_images, rng_rows = (np.random.default_rng([seed, place]) for place in (1, 2))
    by_chance.update(_images_permuted(judged, found, of_images, permutations, rng_images))
    by_chance.update(_rows_permuted(judged, found, of_rows, permutations, rng_rows))
    permuted = {k: _permuted(judged, one) for k, one in enumerate(found)}
    most = float(entropy(np.array([judged.hit.sum(), (~judged.hit).sum()])))
    return [
        Importance(None, None, None, None, permuted[k], reasons[k])
        if reasons[k] is not None
        else _importance(one, by_chance[k], most, permuted[k])
        for k, one in enumerate(found)
    ]


def _permuted(judged: Judged, one: Binned) -> str:
    """What changes places, in a word."""
    if one.units.of == "image":
        return CLUSTER if judged.cluster is not None else IMAGE
    return ALL if judged.rows_alone else WITHIN


def _importance(one: Binned, by_chance: FloatArray, most: float, permuted: str) -> Importance:
    information = float(mutual_information(one.hits, one.totals))
    expected = float(by_chance.mean())
    p = (1 + int((by_chance >= information - TIE).sum())) / (1 + len(by_chance))
    room = most - expected
    if room < TIE:
        return Importance(None, p, information, expected, permuted, "chance alone would tell as much: too few samples")
    value = min(1.0, max(0.0, (information - expected) / room))
    return Importance(value, p, information, expected, permuted)


def _images_permuted(
    judged: Judged, found: Sequence[Binned], chosen: Sequence[int], times: int, rng: np.random.Generator
) -> dict[int, FloatArray]:
    """Information of images' measures when other images' outcomes are theirs."""
    count = len(judged.images)
    by_chance = {k: np.zeros(times) for k in chosen}
    if not chosen:
        return by_chance
    for done in range(0, times, MOST_AT_ONCE):
        number = min(MOST_AT_ONCE, times - done)
        if judged.cluster is None:
            donors = shuffled_units(count, number, rng)
        else:
            donors = shuffled_clusters(judged.clusters, number, rng)
        hits, total = (_moved(counts, donors) for counts in (judged.image_hits, judged.image_total))
        for k in chosen:
            codes, bins = found[k].bins.codes, found[k].bins.count
            sums = [_summed(codes, moved, bins) for moved in (hits, total)]
            by_chance[k][done : done + number] = mutual_information(sums[0].T, sums[1].T)
    return by_chance


def _moved(counts: npt.NDArray[np.integer], donors: npt.NDArray[np.int64]) -> npt.NDArray[np.integer]:
    """Each donor's share of the counts of those it gives its value to: integers [units, times], as small as will do."""
    moved = np.empty((len(counts), len(donors)), np.int64)
    for sample, donor in enumerate(donors):
        moved[:, sample] = np.bincount(donor, counts, len(counts))
    return moved.astype(small_enough(int(moved.max(initial=0))))


def _summed(codes: npt.NDArray[np.uint8], weights: npt.NDArray[np.integer], count: int) -> npt.NDArray[np.int64]:
    """Weights by code, a block at a time."""
    total = np.zeros((count, weights.shape[1]), np.int64)
    for block in blocks(len(codes)):
        total += sums_by_code(codes[block], weights[block], count).astype(np.int64)
    return total


def strata(judged: Judged) -> npt.NDArray[np.int64]:
    """Which rows may change places: those of an image; those alone in theirs (of one cluster, if it has several)."""
    alone = (judged.image_total == 1)[judged.image]
    result = judged.image.copy()
    count = len(judged.images)
    result[alone] = count
    if judged.cluster is not None:
        cluster = judged.clusters[judged.image]
        number = np.bincount(cluster[alone], minlength=int(judged.clusters.max(initial=0)) + 1)
        shared = alone & (number[cluster] > 1)
        result[shared] = count + 1 + cluster[shared]
    return result


def _rows_permuted(
    judged: Judged, found: Sequence[Binned], chosen: Sequence[int], times: int, rng: np.random.Generator
) -> dict[int, FloatArray]:
    """Information of rows' measures when the outcomes are permuted inside strata: the same for all measures at once."""
    if not chosen:
        return {}
    hits = {k: np.zeros((found[k].bins.count, times), np.int64) for k in chosen}
    for rows, drawn in shuffled_within(judged.hit, strata(judged), times, rng):
        for k in chosen:
            hits[k] += sums_by_code(found[k].bins.codes[rows], drawn, found[k].bins.count)
    return {k: mutual_information(hits[k].T, found[k].totals) for k in chosen}


def benjamini_hochberg(p: Sequence[float | None]) -> list[float | None]:
    """The false discovery rate at which each test would count as a discovery; undefined ones are no tests.

    Reference: Benjamini and Hochberg, Controlling the false discovery rate, 1995.

    >>> benjamini_hochberg([0.01, None, 0.04, 0.02])
    [0.03, None, 0.04, 0.03]
    """
    places = sorted((place for place, value in enumerate(p) if value is not None), key=lambda place: p[place] or 0.0)
    q: list[float | None] = [None] * len(p)
    lowest = 1.0
    for rank in range(len(places), 0, -1):
        place = places[rank - 1]
        lowest = min(lowest, (p[place] or 0.0) * len(places) / rank)
        q[place] = lowest
    return q
